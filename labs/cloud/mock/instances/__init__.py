"""EC2's motor: instances that run their user data as a local process, behind security groups.

    motor.Instances     follows moto's state, and owns everything that runs
    machine, user_data  one instance: what its script is, its process, console and home
    control, metadata   what its processes say and ask: ports, and 169.254.169.254
    addresses, groups   who it is on the network, and whom its security groups let in
    silence             the port that never answers

The other half is in the instance's own processes: `labs.cloud.names.labs_instance` redirects the
ports that a script binds. **This is not a security boundary.** A script runs as the learner, with
the learner's files and network within reach; temporary homes, allow-listed environments and
security groups make it behave like an instance, they do not confine it.
"""

from .motor import Instances

__all__ = ["Instances"]
