"""CloudFormation's motor: stacks that are made, changed, rolled back and looked at.

    front -> api -> motor -> work -> resources -> types    a call, and what comes of it
    template, parameters, intrinsics, graph, checks        what a template says (pure)
    schemas                                                what AWS says of its types
    evaluation, planning, drift                            a template and a stack, compared
    records, store                                         what is remembered
    answers, reasons                                       what is told, in AWS's words

A stack's resources are made by calls of the mock's own API (`inward`), under the stack's role, so
that they are what a learner's calls would have made. moto's CloudFormation is not used: its update
deletes before it creates, and it rolls nothing back.

Not here: transforms and macros, rules, stack sets, imports of resources, resource types of one's
own, update policies, rollback triggers, notifications to topics, enforcement of stack policies,
signals.
"""
