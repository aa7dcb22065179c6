"""CodePipeline's motor: pipelines that execute, stage by stage, action by action.

    catalogue     which types of action there are, and what each takes
    constraints   what AWS's model says of parameters, checked
    definition    a pipeline's declaration: defaults, secrets, order
    validation    what AWS refuses of it; refusals: how it says so
    variables     #{namespace.key} in an action's configuration
    roles         whom a role trusts, and whether it may assume another
    model         pipelines, executions and runs of actions, as data: kept in moto's backend
    flow          how an execution goes through its stages: locks, waits, stops, runs again
    motor         owns the threads that executions run in
    work          what an action is given to do its work with; artifacts
    actions/      one module for each provider; jobs: what a function is asked to do
    watch         sources that are looked at for changes
    repositories  the mock's address book of Git repositories
    operations    the API: definitions;  control: the API: executions;  views: what both show
    hooks         what moto answers from then on

Not here, and refused by name: stage conditions and their rules, custom actions and their job
workers, webhooks, triggers. Not here either: events of pipelines on EventBridge. Actions of
providers without a module may be declared, as on AWS, and fail when they run. Artifacts of actions
in another region stay in the bucket they are in.
"""
