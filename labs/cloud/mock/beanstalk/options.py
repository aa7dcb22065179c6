"""An environment's options: which there are, what they are by default, and what AWS refuses.

`Settings` answers what the rest of the motor asks. Options that change nothing in the mock are
taken and shown. A namespace or option that is not in the table is refused as AWS refuses one that
it does not know; of options that are none of a Python web server's, some are missing here.
Source: Beanstalk guide, "General options for all environments", "Python platform options".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Key = tuple[str, str]

ASG = "aws:autoscaling:asg"
LAUNCH = "aws:autoscaling:launchconfiguration"
VPC = "aws:ec2:vpc"
COMMAND = "aws:elasticbeanstalk:command"
ENVIRONMENT = "aws:elasticbeanstalk:environment"
PROPERTIES = "aws:elasticbeanstalk:application:environment"
APPLICATION = "aws:elasticbeanstalk:application"
HEALTH = "aws:elasticbeanstalk:healthreporting:system"
PROCESS = "aws:elasticbeanstalk:environment:process:default"
PYTHON = "aws:elasticbeanstalk:container:python"

BOOLEAN = ("true", "false")
POLICIES = ("AllAtOnce", "Rolling", "RollingWithAdditionalBatch", "Immutable", "TrafficSplitting")


class Option(NamedTuple):
    """default: None where there is none. allowed: values; a range: whole numbers within it."""

    default: str | None = None
    allowed: tuple[str, ...] | range | None = None


#: What has an effect here.
EFFECTIVE: dict[Key, Option] = {
    (ASG, "MinSize"): Option("1", range(1, 10_001)),
    (ASG, "MaxSize"): Option("4", range(1, 10_001)),
    (LAUNCH, "IamInstanceProfile"): Option(),
    (LAUNCH, "EC2KeyName"): Option(),
    (LAUNCH, "InstanceType"): Option("t3.micro"),
    (LAUNCH, "SecurityGroups"): Option(),
    (LAUNCH, "SSHSourceRestriction"): Option(),
    (LAUNCH, "DisableDefaultEC2SecurityGroup"): Option("false", BOOLEAN),
    (VPC, "VPCId"): Option(),
    (VPC, "Subnets"): Option(),
    (VPC, "ELBSubnets"): Option(),
    (VPC, "ELBScheme"): Option("public", ("public", "internal")),
    (COMMAND, "DeploymentPolicy"): Option("AllAtOnce", POLICIES),
    (COMMAND, "Timeout"): Option("600", range(1, 3_601)),
    (COMMAND, "BatchSizeType"): Option("Percentage", ("Percentage", "Fixed")),
    (COMMAND, "BatchSize"): Option("100", range(1, 10_001)),
    (COMMAND, "IgnoreHealthCheck"): Option("false", BOOLEAN),
    (ENVIRONMENT, "EnvironmentType"): Option("LoadBalanced", ("SingleInstance", "LoadBalanced")),
    (ENVIRONMENT, "LoadBalancerType"): Option("application", ("classic", "application", "network")),
    (ENVIRONMENT, "ServiceRole"): Option(),
    (APPLICATION, "Application Healthcheck URL"): Option(),
    (HEALTH, "SystemType"): Option("basic", ("basic", "enhanced")),
    (PROCESS, "HealthCheckPath"): Option("/"),
    (PROCESS, "HealthCheckInterval"): Option("15", range(5, 301)),
    (PROCESS, "HealthCheckTimeout"): Option("5", range(1, 61)),
    (PROCESS, "HealthyThresholdCount"): Option("3", range(1, 11)),
    (PROCESS, "UnhealthyThresholdCount"): Option("5", range(1, 11)),
    (PROCESS, "MatcherHTTPCode"): Option("200"),
    (PROCESS, "DeregistrationDelay"): Option("20", range(3_601)),
    (PYTHON, "WSGIPath"): Option("application"),
}
#: What is taken and shown.
SHOWN: dict[Key, Option] = {
    (namespace, name): Option()
    for namespace, names in {
        ASG: "Availability Zones,Cooldown,Custom Availability Zones,EnableCapacityRebalancing",
        LAUNCH: "BlockDeviceMappings,DisableIMDSv1,ImageId,MonitoringInterval,RootVolumeIOPS,"
        "RootVolumeSize,RootVolumeThroughput,RootVolumeType,LaunchTemplateTagPropagationEnabled",
        VPC: "AssociatePublicIpAddress,DBSubnets",
        "aws:ec2:instances": "EnableSpot,InstanceTypes,SpotMaxPrice,SupportedArchitectures,"
        "SpotFleetOnDemandBase,SpotFleetOnDemandAboveBasePercentage",
        "aws:autoscaling:trigger": "BreachDuration,EvaluationPeriods,LowerBreachScaleIncrement,"
        "LowerThreshold,MeasureName,Period,Statistic,Unit,UpperBreachScaleIncrement,UpperThreshold",
        "aws:autoscaling:updatepolicy:rollingupdate": "MaxBatchSize,MinInstancesInService,"
        "PauseTime,RollingUpdateEnabled,RollingUpdateType,Timeout",
        COMMAND: "HealthCheckSuccessThreshold",
        ENVIRONMENT: "ExternalExtensionsS3Bucket,ExternalExtensionsS3Key,LoadBalancerIsShared",
        HEALTH: "ConfigDocument,EnhancedHealthAuthEnabled,HealthCheckSuccessThreshold",
        PROCESS: "Port,Protocol,StickinessEnabled,StickinessLBCookieDuration,StickinessType",
        PYTHON: "NumProcesses,NumThreads",
        "aws:elasticbeanstalk:environment:proxy": "ProxyServer",
        "aws:elasticbeanstalk:cloudwatch:logs": "DeleteOnTerminate,RetentionInDays,StreamLogs",
        "aws:elasticbeanstalk:cloudwatch:logs:health": "DeleteOnTerminate,"
        "HealthStreamingEnabled,RetentionInDays",
        "aws:elasticbeanstalk:control": "DefaultSSHPort,LaunchTimeout,LaunchType,"
        "RollbackLaunchOnFailure",
        "aws:elasticbeanstalk:hostmanager": "LogPublicationControl",
        "aws:elasticbeanstalk:managedactions": "ManagedActionsEnabled,PreferredStartTime,"
        "ServiceRoleForManagedUpdates",
        "aws:elasticbeanstalk:managedactions:platformupdate": "InstanceRefreshEnabled,UpdateLevel",
        "aws:elasticbeanstalk:monitoring": "Automatically Terminate Unhealthy Instances",
        "aws:elasticbeanstalk:sns:topics": "Notification Endpoint,Notification Protocol,"
        "Notification Topic ARN,Notification Topic Name",
        "aws:elasticbeanstalk:trafficsplitting": "EvaluationTime,NewVersionPercent",
        "aws:elasticbeanstalk:xray": "XRayEnabled",
        "aws:elbv2:listener:default": "DefaultProcess,ListenerEnabled,Protocol,Rules,"
        "SSLCertificateArns,SSLPolicy",
        "aws:elbv2:loadbalancer": "AccessLogsS3Bucket,AccessLogsS3Enabled,AccessLogsS3Prefix,"
        "IdleTimeout,ManagedSecurityGroup,SecurityGroups,SharedLoadBalancer",
    }.items()
    for name in names.split(",")
}
KNOWN = {**SHOWN, **EFFECTIVE}
#: Namespaces in which every name is an option.
FREE = (PROPERTIES, "aws:elasticbeanstalk:environment:proxy:staticfiles")
#: A change of these needs other instances. Source: guide, "Configuration changes".
REPLACING = frozenset(
    (LAUNCH, name)
    for name in (
        "IamInstanceProfile",
        "EC2KeyName",
        "InstanceType",
        "SecurityGroups",
        "DisableDefaultEC2SecurityGroup",
        "ImageId",
    )
)
#: Fixed with an environment's making, here.
FIXED = frozenset({(ENVIRONMENT, "EnvironmentType"), (ENVIRONMENT, "LoadBalancerType")}) | {
    (VPC, name) for name in ("VPCId", "Subnets", "ELBSubnets", "ELBScheme")
}


class Invalid(ValueError):
    """An option that AWS refuses, in its words."""


def read(given: Iterable[Mapping[str, Any]]) -> dict[Key, str]:
    """Option settings of a call, by namespace and name. Raises Invalid."""
    values: dict[Key, str] = {}
    for one in given:
        key = (one.get("Namespace") or "", one.get("OptionName") or "")
        value = one.get("Value")
        if value is None:
            continue
        check(key, value)
        values[key] = value
    return values


def check(key: Key, value: str) -> None:
    """Raises Invalid. The wording of a value out of its range is our own."""
    namespace, name = key
    if namespace in FREE:
        return
    where = f"(Namespace: '{namespace}', OptionName: '{name}')"
    if key not in KNOWN:
        raise Invalid(f"Invalid option specification {where}: Unknown configuration setting.")
    allowed = KNOWN[key].allowed
    if isinstance(allowed, range):
        if not value.isdecimal() or int(value) not in allowed:
            raise Invalid(
                f"Invalid option value: '{value}' {where}: Value is not a whole number from "
                f"{allowed.start} to {allowed.stop - 1}"
            )
    elif allowed and value not in allowed:
        raise Invalid(
            f"Invalid option value: '{value}' {where}: Value is not one of the allowed values: "
            f"[{', '.join(allowed)}]"
        )


@dataclass(frozen=True)
class Settings:
    """The options of an environment. values: what has been set."""

    values: Mapping[Key, str]

    def get(self, namespace: str, name: str) -> str:
        """Its value, or the default; "" where there is none."""
        key = (namespace, name)
        return self.values.get(key, KNOWN[key].default) or ""

    def number(self, namespace: str, name: str) -> int:
        return int(self.get(namespace, name))

    def is_on(self, namespace: str, name: str) -> bool:
        return self.get(namespace, name) == "true"

    def names(self, namespace: str, name: str) -> list[str]:
        """Of a list that commas divide."""
        return [one.strip() for one in self.get(namespace, name).split(",") if one.strip()]

    @property
    def is_balanced(self) -> bool:
        return self.get(ENVIRONMENT, "EnvironmentType") == "LoadBalanced"

    @property
    def is_enhanced(self) -> bool:
        return self.get(HEALTH, "SystemType") == "enhanced"

    @property
    def sizes(self) -> tuple[int, int]:
        """Fewest and most instances. Single instances have no choice."""
        if not self.is_balanced:
            return 1, 1
        return self.number(ASG, "MinSize"), self.number(ASG, "MaxSize")

    @property
    def properties(self) -> dict[str, str]:
        """Environment properties: the application's environment variables."""
        return {
            name: value
            for (namespace, name), value in self.values.items()
            if namespace == PROPERTIES
        }

    @property
    def health_path(self) -> str:
        """Where health checks ask. The older option may have a protocol and a port before it."""
        if (PROCESS, "HealthCheckPath") not in self.values:
            older = self.get(APPLICATION, "Application Healthcheck URL")
            if "/" in older:
                return older[older.index("/") :]
        return self.get(PROCESS, "HealthCheckPath")

    @property
    def ssh_sources(self) -> list[str]:
        """Whom port 22 is open to, by the default security group.

        Nobody without a key pair or a restriction. Source: guide, "General options",
        EC2KeyName, SSHSourceRestriction ("tcp, 22, 22, 192.0.2.0/24").
        """
        restriction = self.names(LAUNCH, "SSHSourceRestriction")
        if len(restriction) == 4:
            return [restriction[3]]
        return ["0.0.0.0/0"] if self.get(LAUNCH, "EC2KeyName") else []

    def batch(self, instances: int) -> int:
        """How many instances at a time a rolling deployment takes out of service."""
        size = self.number(COMMAND, "BatchSize")
        if self.get(COMMAND, "BatchSizeType") == "Percentage":
            size = math.ceil(instances * min(size, 100) / 100)
        return max(1, min(size, instances))

    def described(self) -> list[dict[str, Any]]:
        """As DescribeConfigurationSettings lists them: what is set, and the defaults."""
        defaults = {key: option.default for key, option in KNOWN.items() if option.default}
        return [
            {"Namespace": namespace, "OptionName": name, "Value": value}
            for (namespace, name), value in sorted({**defaults, **self.values}.items())
        ]
