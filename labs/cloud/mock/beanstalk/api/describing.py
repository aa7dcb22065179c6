"""What only looks: environments, events, health, resources, options, logs.

Source: Beanstalk API, DescribeEnvironments, DescribeEvents, DescribeEnvironmentHealth,
DescribeInstancesHealth, DescribeEnvironmentResources, DescribeConfigurationSettings,
RequestEnvironmentInfo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labs.cloud.mock.beanstalk import health, options, platforms, records
from labs.cloud.mock.beanstalk.api.calls import Answer, Call, refused, unsupported, utc
from labs.cloud.mock.beanstalk.hosts import ANSWER_SECONDS, Unreachable
from labs.cloud.mock.beanstalk.options import LAUNCH, REPLACING, Invalid
from labs.cloud.mock.beanstalk.records import (
    LAUNCHING,
    SEVERITIES,
    TERMINATED,
    Environment,
    Event,
)

#: Seconds of the requests that metrics are of. Source: API, ApplicationMetrics.
WINDOW = 10
#: Enhanced health's word for the API, where it is not the status itself.
NO_DATA = {health.NO_DATA: "No Data"}


def environment_described(environment: Environment) -> dict[str, Any]:
    is_known = environment.status != LAUNCHING or environment.has_own_name
    is_gone = environment.status == TERMINATED
    return {
        "EnvironmentName": environment.name,
        "EnvironmentId": environment.environment_id,
        "ApplicationName": environment.application_name,
        "VersionLabel": environment.label,
        "SolutionStackName": environment.stack,
        "PlatformArn": platforms.arn_of(environment.stack, environment.region),
        "TemplateName": environment.template,
        "Description": environment.description,
        "EndpointURL": None if is_gone else environment.endpoint or None,
        "CNAME": environment.cname if is_known else "UNKNOWN",
        "DateCreated": environment.created,
        "DateUpdated": environment.updated,
        "Status": environment.status,
        "AbortableOperationInProgress": False,
        "Health": environment.health,
        "HealthStatus": NO_DATA.get(environment.health_status, environment.health_status)
        if environment.settings.is_enhanced
        else None,
        "Tier": {"Name": "WebServer", "Type": "Standard", "Version": "1.0"},
        "EnvironmentLinks": [],
        "EnvironmentArn": environment.environment_arn,
    }


def describe_environments(call: Call) -> Answer:
    """Terminated ones when they are asked for. AWS shows them for about an hour."""
    everyone = call.environments()
    if call.get("IncludeDeleted"):
        since = call.get("IncludedDeletedBackTo")
        everyone += [
            one for one in call.ledger.terminated if since is None or one.updated >= utc(since)
        ]
    found = [environment_described(one) for one in everyone if is_wanted(call, one)]
    page, rest = call.page(found)
    return {"Environments": page, "NextToken": rest}


def is_wanted(call: Call, environment: Environment) -> bool:
    names, ids = call.get("EnvironmentNames"), call.get("EnvironmentIds")
    return (
        call.get("ApplicationName") in (None, environment.application_name)
        and call.get("VersionLabel") in (None, environment.label)
        and (not names or environment.name in names)
        and (not ids or environment.environment_id in ids)
    )


# --- events -------------------------------------------------------------------------------------


def describe_events(call: Call) -> Answer:
    """The newest first; at most 1,000 at a time."""
    severity = call.get("Severity")
    if severity is not None and severity not in SEVERITIES:
        raise refused(f"Value {severity} at 'Severity' failed to satisfy constraint.")
    found = [
        event_described(one) for one in reversed(call.ledger.events) if tells(call, one, severity)
    ]
    page, rest = call.page(found)
    return {"Events": page, "NextToken": rest}


def tells(call: Call, event: Event, severity: str | None) -> bool:
    start, end = call.get("StartTime"), call.get("EndTime")
    if call.get("TemplateName") or call.get("PlatformArn") or call.get("VersionLabel"):
        return False  # the mock has events of environments only
    return (
        call.get("ApplicationName") in (None, event.application)
        and call.get("EnvironmentName") in (None, event.environment)
        and call.get("EnvironmentId") in (None, event.environment_id)
        and call.get("RequestId") in (None, event.request_id)
        and (severity is None or SEVERITIES.index(event.severity) >= SEVERITIES.index(severity))
        and (start is None or event.date >= utc(start))
        and (end is None or event.date < utc(end))
    )


def event_described(event: Event) -> dict[str, Any]:
    return {
        "EventDate": event.date,
        "Message": event.message,
        "ApplicationName": event.application,
        "EnvironmentName": event.environment,
        "RequestId": event.request_id,
        "Severity": event.severity,
    }


# --- health -------------------------------------------------------------------------------------


def enhanced(call: Call) -> Environment:
    """The environment, if its health is known so well."""
    environment = call.environment()
    if not environment.settings.is_enhanced:
        raise refused("DescribeEnvironmentHealth is not supported.", "InvalidRequestException")
    return environment


def describe_environment_health(call: Call) -> Answer:
    environment = enhanced(call)
    reports = call.motor.reports(environment, call.motor.resources(environment).instances())
    expected = call.motor.expected(environment)
    counted = [health.of_instance(one, expected).status for one in reports]
    answer = {
        "EnvironmentName": environment.name,
        "HealthStatus": NO_DATA.get(environment.health_status, environment.health_status),
        "Status": environment.status,
        "Color": environment.health,
        "Causes": environment.causes,
        "ApplicationMetrics": metrics(reports),
        "InstancesHealth": {status: counted.count(status) for status in _STATUSES},
        "RefreshedAt": records.now(),
    }
    wanted = call.get("AttributeNames") or ()
    if "All" in wanted:
        return answer
    kept = {*wanted, "EnvironmentName"}
    return {name: value for name, value in answer.items() if name in kept}


_STATUSES = ("NoData", "Unknown", "Pending", "Ok", "Info", "Warning", "Degraded", "Severe")


def metrics(reports: Sequence[health.Report]) -> dict[str, Any]:
    """Of the requests of the last seconds."""
    requests = [one for report in reports for one in report.requests]
    seconds = sorted(spent for _, spent in requests)
    codes = {
        f"Status{first}xx": sum(status // 100 == first for status, _ in requests)
        for first in (2, 3, 4, 5)
    }

    def latency(percent: float) -> float:
        return round(seconds[min(len(seconds) - 1, int(len(seconds) * percent / 100))], 3)

    percentiles = (99.9, 99, 95, 90, 85, 75, 50, 10)
    return {
        "Duration": WINDOW,
        "RequestCount": len(requests),
        "StatusCodes": codes,
        "Latency": {f"P{percent}".replace(".", ""): latency(percent) for percent in percentiles}
        if seconds
        else None,
    }


def describe_instances_health(call: Call) -> Answer:
    environment = enhanced(call)
    reports = call.motor.reports(environment, call.motor.resources(environment).instances())
    found = []
    for report in reports:
        its = health.of_instance(report, call.motor.expected(environment))
        found.append(
            {
                "InstanceId": report.instance,
                "HealthStatus": NO_DATA.get(its.status, its.status),
                "Color": its.colour,
                "Causes": list(its.causes),
                "ApplicationMetrics": metrics([report]),
                "Deployment": {
                    "VersionLabel": report.label,
                    "DeploymentId": report.number,
                    "Status": "Deployed" if report.runs else "Failed",
                },
                "InstanceType": environment.settings.get(LAUNCH, "InstanceType"),
            }
        )
    return {"InstanceHealthList": found, "RefreshedAt": records.now()}


# --- what it stands on, and how it is set -------------------------------------------------------


def describe_environment_resources(call: Call) -> Answer:
    environment = call.environment()
    made, resources = environment.made, call.motor.resources(environment)

    def listed(*kinds: str, key: str) -> list[dict[str, str]]:
        return [{key: made[kind]} for kind in kinds if kind in made]

    instances = [*resources.instances(), *resources.instances("second")]
    return {
        "EnvironmentResources": {
            "EnvironmentName": environment.name,
            "AutoScalingGroups": listed("group", "second", key="Name"),
            "Instances": [{"Id": one} for one in instances],
            "LaunchConfigurations": [],
            "LaunchTemplates": listed("group template", "second template", key="Id"),
            "LoadBalancers": listed("balancer", key="Name"),
            "Triggers": [],
            "Queues": [],
        }
    }


def describe_configuration_settings(call: Call) -> Answer:
    application = call.application().application_name
    if template := call.get("TemplateName"):
        found = call.ledger.templates.get((application, template))
        if found is None:
            raise refused(f"No Configuration Template named '{application}/{template}' found.")
        one: dict[str, Any] = {
            "SolutionStackName": found.stack,
            "TemplateName": found.name,
            "Description": found.description,
            "DateCreated": found.created,
            "DateUpdated": found.updated,
            "OptionSettings": records.Settings(found.values).described(),
        }
    else:
        environment = call.environment()
        one = {
            "SolutionStackName": environment.stack,
            "EnvironmentName": environment.name,
            "Description": environment.description,
            "DeploymentStatus": "deployed" if environment.status != "Updating" else "pending",
            "DateCreated": environment.created,
            "DateUpdated": environment.updated,
            "OptionSettings": environment.settings.described(),
        }
    one["PlatformArn"] = platforms.arn_of(one["SolutionStackName"], call.region)
    return {"ConfigurationSettings": [{"ApplicationName": application, **one}]}


def describe_configuration_options(call: Call) -> Answer:
    """All that the mock knows."""
    stack = call.get("SolutionStackName") or platforms.STACKS[0]
    if call.get("EnvironmentName"):
        stack = call.environment().stack
    return {
        "SolutionStackName": stack,
        "PlatformArn": platforms.arn_of(stack, call.region),
        "Options": [
            {
                "Namespace": namespace,
                "Name": name,
                "DefaultValue": option.default,
                "ChangeSeverity": "RestartEnvironment"
                if (namespace, name) in REPLACING
                else "NoInterruption",
                "UserDefined": False,
                "ValueType": "Scalar",
                "ValueOptions": list(option.allowed) if isinstance(option.allowed, tuple) else None,
            }
            for (namespace, name), option in sorted(options.KNOWN.items())
        ],
    }


def validate_configuration_settings(call: Call) -> Answer:
    call.application()
    messages = []
    for one in call.get("OptionSettings", ()):
        try:
            options.read([one])
        except Invalid as wrong:
            messages.append(
                {
                    "Message": str(wrong),
                    "Severity": "error",
                    "Namespace": one.get("Namespace"),
                    "OptionName": one.get("OptionName"),
                }
            )
    return {"Messages": messages}


def list_available_solution_stacks(call: Call) -> Answer:
    return {
        "SolutionStacks": list(platforms.STACKS),
        "SolutionStackDetails": [
            {"SolutionStackName": stack, "PermittedFileTypes": ["zip"]}
            for stack in platforms.STACKS
        ],
    }


# --- logs ---------------------------------------------------------------------------------------


def request_environment_info(call: Call) -> Answer:
    """The last lines of each instance's logs go to Beanstalk's bucket.

    The engine's log is one for the environment here, and stands first in each file.
    """
    if call.get("InfoType") != "tail":
        raise unsupported(f"InfoType {call.get('InfoType')}: ask for tail")
    environment = call.environment()
    bucket = f"elasticbeanstalk-{call.region}-{call.account}"
    s3 = call.motor.inward.client(
        "s3", account=call.account, region=call.region, by="elasticbeanstalk"
    )
    environment.tails = {}
    for instance in call.motor.resources(environment).instances():
        try:
            told = call.motor.hosts.ask(instance, {"do": "logs"}, ANSWER_SECONDS)["text"]
        except Unreachable as error:
            told = str(error)
        key = (
            f"resources/environments/logs/tail/{environment.environment_id}/{instance}/"
            f"TailLogs-{records.noise(8)}.txt"
        )
        s3.put_object(Bucket=bucket, Key=key, Body=tail(environment.engine_log, told).encode())
        where = {"Bucket": bucket, "Key": key}
        environment.tails[instance] = s3.generate_presigned_url("get_object", where, 900)
    call.ledger.tell(environment, "requestEnvironmentInfo is starting.")
    call.ledger.tell(environment, "Pulled logs for environment instances.")
    return None


def tail(engine: Sequence[str], application: str) -> str:
    parts = (
        ("/var/log/eb-engine.log", "\n".join(engine)),
        ("/var/log/web.stdout.log", application),
    )
    line = "-" * 40
    return "\n".join(f"{line}\n{name}\n{line}\n{text}\n" for name, text in parts)


def retrieve_environment_info(call: Call) -> Answer:
    """A URL for each instance, from which its log can be had for 15 minutes."""
    if call.get("InfoType") != "tail":
        raise unsupported(f"InfoType {call.get('InfoType')}: ask for tail")
    return {
        "EnvironmentInfo": [
            {
                "InfoType": "tail",
                "Ec2InstanceId": instance,
                "SampleTimestamp": records.now(),
                "Message": url,
            }
            for instance, url in call.environment().tails.items()
        ]
    }


OPERATIONS = {
    function.__name__: function
    for function in (
        describe_environments,
        describe_events,
        describe_environment_health,
        describe_instances_health,
        describe_environment_resources,
        describe_configuration_settings,
        describe_configuration_options,
        validate_configuration_settings,
        list_available_solution_stacks,
        request_environment_info,
        retrieve_environment_info,
    )
}
