"""What begins an operation on an environment: create, update, restart, terminate, swap.

Source: Beanstalk API, CreateEnvironment, UpdateEnvironment, TerminateEnvironment,
SwapEnvironmentCNAMEs, CheckDNSAvailability.
"""

from __future__ import annotations

import re
from functools import partial

from labs.cloud.mock.beanstalk import operating, platforms, records
from labs.cloud.mock.beanstalk.api.calls import (
    Answer,
    Call,
    in_turn,
    ready,
    refused,
    unsupported,
)
from labs.cloud.mock.beanstalk.api.describing import environment_described
from labs.cloud.mock.beanstalk.options import COMMAND, FIXED
from labs.cloud.mock.beanstalk.records import (
    READY,
    SAMPLE_LABEL,
    TERMINATING,
    UPDATING,
    Environment,
    Version,
)
from labs.cloud.mock.beanstalk.resources import is_supported

#: Source: API, CreateEnvironment: 4 to 40 characters; letters, digits and hyphens, no hyphen at
#: either end.
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{2,38})[A-Za-z0-9]")
#: Source: API, CreateEnvironment, CNAMEPrefix: 4 to 63 characters.
_PREFIX = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{2,61})[A-Za-z0-9]")


def create_environment(call: Call) -> Answer:
    application, name = call.application(), call.get("EnvironmentName")
    check_request(call)
    if not _NAME.fullmatch(name or ""):
        raise refused(
            f"Value {name} at 'EnvironmentName' failed to satisfy constraint: Member must contain "
            "only letters, digits, and the dash character, be from 4 to 40 characters in length, "
            "and may not start or end with a dash."
        )
    if any(one.name == name for one in call.environments()):
        raise refused(f"Environment {name} already exists.")
    version = wanted_version(call, application.application_name)
    base, stack = configured(call, application.application_name)
    values = call.settings(base)
    check_values(values)
    environment = Environment(
        account=call.account,
        region=call.region,
        application_name=application.application_name,
        environment_name=name,
        stack=stack,
        description=call.get("Description"),
        template=call.get("TemplateName"),
        tags=call.tags(),
        values=values,
        cname=wanted_name(call, name),
        has_own_name=bool(call.get("CNAMEPrefix")),
        label=version.label,
        request_id=call.request_id,
    )
    application.environments[name] = environment
    call.motor.begin(
        environment,
        environment.name,
        partial(operating.launch, call.motor, environment, version),
    )
    return environment_described(environment)


def check_request(call: Call) -> None:
    """What the mock has only one of."""
    tier = call.get("Tier") or {}
    if tier.get("Name", "WebServer") != "WebServer":
        raise unsupported(f"environments of tier {tier.get('Name')}")
    if call.get("GroupName"):
        raise unsupported("groups of environments")


def check_values(values: dict[records.Key, str]) -> None:
    if why := is_supported(values):
        raise refused(why)
    if values.get((COMMAND, "DeploymentPolicy")) == "TrafficSplitting":
        raise unsupported("the deployment policy TrafficSplitting")
    least, most = records.Settings(values).sizes
    if least > most:
        raise refused(
            "Configuration validation exception: MinSize is greater than MaxSize. MinSize: "
            f"{least}, MaxSize: {most}",
            "ConfigurationValidationException",
        )


def wanted_version(call: Call, application: str) -> Version:
    label = call.get("VersionLabel")
    if label:
        return call.version(application, label)
    return Version(application, SAMPLE_LABEL, "", None, None, None, "PROCESSED", {})


def configured(call: Call, application: str) -> tuple[dict[records.Key, str], str]:
    """(options to begin with, solution stack): of a saved configuration, or named."""
    given = call.get("SolutionStackName"), call.get("PlatformArn")
    if template := call.get("TemplateName"):
        found = call.ledger.templates.get((application, template))
        if found is None:
            raise refused(f"No Configuration Template named '{application}/{template}' found.")
        return found.values, platforms.chosen(*given) if any(given) else found.stack
    return {}, platforms.chosen(*given)


def wanted_name(call: Call, environment: str) -> str:
    """PREFIX.REGION.elasticbeanstalk.com, or one that nobody else has."""
    prefix = call.get("CNAMEPrefix")
    if prefix is None:
        label = f"{environment}.eba-{records.noise(8)}"
        return f"{label}.{call.region}.elasticbeanstalk.com".lower()
    name = full_name(call, prefix)
    if is_taken(name):
        raise refused(f"DNS name ({name}) is not available.")
    return name


def full_name(call: Call, prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise refused(f"Value {prefix} at 'CNAMEPrefix' failed to satisfy constraint.")
    return f"{prefix}.{call.region}.elasticbeanstalk.com".lower()


def is_taken(name: str) -> bool:
    """By an environment of any account."""
    return any(one.cname == name for _, one in records.environments())


def check_dns_availability(call: Call) -> Answer:
    name = full_name(call, call.get("CNAMEPrefix", ""))
    return {"Available": not is_taken(name), "FullyQualifiedCNAME": name}


def update_environment(call: Call) -> Answer:
    environment = ready(call.environment())
    check_request(call)
    application = environment.application_name
    label = call.get("VersionLabel")
    version = call.version(application, label) if label else None
    base, template = environment.values, call.get("TemplateName")
    if template:
        saved, _ = configured(call, application)
        base = {**base, **saved}
    values = call.settings(base)
    check_values(values)
    moved = {key for key in FIXED if environment.values.get(key) != values.get(key)}
    if moved:
        raise unsupported("a change of " + ", ".join(sorted(name for _, name in moved)))
    given = call.get("SolutionStackName"), call.get("PlatformArn")
    if any(given):
        environment.stack = platforms.chosen(*given)
    environment.description = call.get("Description", environment.description)
    changed = values if values != environment.values else None
    environment.updated = records.now()
    if version or changed is not None or any(given):
        begin(call, environment)
        work = partial(operating.update, call.motor, environment, version, changed)
        call.motor.begin(environment, environment.name, work)
    return environment_described(environment)


def begin(call: Call, environment: Environment, status: str = UPDATING) -> None:
    environment.status, environment.request_id = status, call.request_id


def restart_app_server(call: Call) -> Answer:
    environment = ready(call.environment())
    begin(call, environment)
    work = partial(operating.restart, call.motor, environment)
    call.motor.begin(environment, environment.name, work)
    return None


def terminate_environment(call: Call) -> Answer:
    """At any time: what is under way is given up. AWS's page does not say."""
    environment = call.environment()
    if environment.status != TERMINATING:
        terminate(call, environment)
    return environment_described(environment)


def terminate(call: Call, environment: Environment) -> None:
    if environment.status != READY:
        environment.aborted.set()
    begin(call, environment, TERMINATING)
    work = partial(operating.terminate, call.motor, environment)
    call.motor.begin(environment, environment.name, work)


def swap_environment_cnames(call: Call) -> Answer:
    """Each serves at the other's name from now on: the end of a blue/green deployment."""
    source = ready(call.environment("SourceEnvironmentName", "SourceEnvironmentId"))
    target = ready(call.environment("DestinationEnvironmentName", "DestinationEnvironmentId"))
    if source is target:
        raise refused("Cannot swap the CNAME of an environment with itself.")
    source.cname, target.cname = target.cname, source.cname
    source.has_own_name, target.has_own_name = target.has_own_name, source.has_own_name
    for one, other in ((source, target), (target, source)):
        one.request_id = call.request_id
        call.ledger.tell(one, "swapEnvironmentCNAMEs is starting.")
        call.ledger.tell(
            one, f"Completed swapping CNAMEs for environments '{one.name}' and '{other.name}'."
        )
    return None


OPERATIONS = {
    name: in_turn(function)
    for name, function in {
        "create_environment": create_environment,
        "update_environment": update_environment,
        "restart_app_server": restart_app_server,
        "terminate_environment": terminate_environment,
        "check_dns_availability": check_dns_availability,
        "swap_environment_cnam_es": swap_environment_cnames,  # moto's name for it
    }.items()
}
