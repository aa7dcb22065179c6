"""Beanstalk's API: what each operation checks, answers and begins.

    calls         one call: its parameters, its account's records, AWS's errors
    applications  applications, their versions and saved configurations
    environments  what begins an operation on an environment
    describing    what only looks

`OPERATIONS` has them by moto's names for them. Not here: worker environments, managed actions,
custom platforms, builds by CodeBuild, groups of environments; those that no function stands for
answer 501.
"""

from labs.cloud.mock.beanstalk.api import applications, describing, environments

OPERATIONS = {**applications.OPERATIONS, **environments.OPERATIONS, **describing.OPERATIONS}
