"""Elastic Beanstalk's motor: environments that really run the application they were given.

    api         what each operation checks, answers and begins
    operating   launch, update, terminate, from the first event to the last
    deploying   a version's way to the instances, by deployment policy
    resources   what an environment stands on: security groups, balancer, Auto Scaling group
    motor       the threads; looks after environments, and tells how well they are (`health`)
    hosts       the way to the software on instances, `platform`
    records, options, platforms, bundles, requirements   what is known, set, offered and deployed
    hooks       what moto answers from then on

An environment is made of what it is made of on AWS, by calls of the same API: its instances run
a host program as user data, which runs the bundle's WSGI application in a process of its own. So
its name leads through a real load balancer or to a real instance, and security groups say what can
be reached.
"""
