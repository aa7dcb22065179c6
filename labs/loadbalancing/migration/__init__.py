"""Migrate a Classic Load Balancer: plan an Application or Network Load Balancer, and make it.

    clients = Clients.of(boto3.Session())
    made = plan(read(clients, "web"), register_targets=True)
    made.problems, made.adjustments, made.table()
    carry_out(clients, made).dns_name

The Classic balancer is left as it is: the new one stands beside it, and traffic is moved by a
person, for instance with weighted DNS records. In a shell:

    python -m labs.loadbalancing.migration --name web --region us-east-1 --dry-run

Source: ELB user guide, "Migrate your Classic Load Balancer".
"""

from labs.loadbalancing.migration.carrying_out import Outcome, carry_out
from labs.loadbalancing.migration.classic import Classic
from labs.loadbalancing.migration.failures import (
    MigrationFailed,
    MigrationInterrupted,
    Refused,
)
from labs.loadbalancing.migration.planning import Plan, plan
from labs.loadbalancing.migration.reading import Clients, NotFound, read
from labs.loadbalancing.migration.step import Step
from labs.loadbalancing.migration.wanted import Change, Problem

__all__ = [
    "Change",
    "Classic",
    "Clients",
    "MigrationFailed",
    "MigrationInterrupted",
    "NotFound",
    "Outcome",
    "Plan",
    "Problem",
    "Refused",
    "Step",
    "carry_out",
    "plan",
    "read",
]
