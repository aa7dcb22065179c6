"""Alarms."""

from __future__ import annotations

from typing import Any

from labs.cloud.mock.stacks.types.base import Properties, Type, first


class Alarm(Type):
    name = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    properties = (
        "ActionsEnabled AlarmActions AlarmDescription AlarmName ComparisonOperator "
        "DatapointsToAlarm Dimensions EvaluateLowSampleCountPercentile EvaluationPeriods "
        "ExtendedStatistic InsufficientDataActions MetricName Metrics Namespace OKActions Period "
        "Statistic Tags Threshold ThresholdMetricId TreatMissingData Unit"
    )
    named, longest = "AlarmName", 255

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        if "AlarmName" in given and self.reader.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            self.refuse_existing(name)
        self.call("put_metric_alarm", given, AlarmName=name)
        return name

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.call("put_metric_alarm", given, AlarmName=physical)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Arn": self.arn(f"alarm:{physical}")}

    def read(self, physical: str, given: Properties) -> Properties:
        found = first(self.reader.describe_alarms(AlarmNames=[physical])["MetricAlarms"])
        arn = self.arn(f"alarm:{physical}")
        return {**found, "Tags": self.reader.list_tags_for_resource(ResourceARN=arn)["Tags"]}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_alarms(AlarmNames=[physical])
