"""Auto Scaling's motor: groups that keep their size, and let instances finish before they go.

    motor    looks at every group a few times a second: replaces what is unhealthy, ends what has
             drained
    groups   what the motor and the API do to a group: launch, register, take out
    hooks    what moto answers from then on, and what AWS refuses

moto launches and ends instances in the call that asks for it. Not here: scaling policies that act
by themselves, warm pools, lifecycle hooks that hold an instance, instance refresh, and mixed
instances, which moto launches its own way.
"""
