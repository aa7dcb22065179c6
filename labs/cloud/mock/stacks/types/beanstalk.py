"""Elastic Beanstalk's applications, versions and environments."""

from __future__ import annotations

import time
from typing import Any

from labs.cloud.mock.stacks.errors import Failed
from labs.cloud.mock.stacks.types.base import (
    Gone,
    Properties,
    Type,
    changed,
    first,
    listed,
    only,
    text,
    without,
)

#: Seconds between two looks at an environment that is on its way.
INTERVAL = 0.05
#: Seconds that an environment may be on its way. AWS gives it an hour or more.
PATIENCE = 300.0


class Application(Type):
    name = "AWS::ElasticBeanstalk::Application"
    service = "elasticbeanstalk"
    properties = "ApplicationName Description"
    named, longest = "ApplicationName", 100

    def create(self, given: Properties) -> str:
        name = self.named_by(given)
        self.call("create_application", only(given, "Description"), ApplicationName=name)
        return name

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.client.update_application(
            ApplicationName=physical, Description=given.get("Description", "")
        )

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_applications(ApplicationNames=[physical])["Applications"]
        return {"Description": "", **first(found)}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_application(ApplicationName=physical)


class ApplicationVersion(Type):
    name = "AWS::ElasticBeanstalk::ApplicationVersion"
    service = "elasticbeanstalk"
    properties = "ApplicationName Description SourceBundle"
    longest = 100

    def create(self, given: Properties) -> str:
        label = self.made_up()
        self.call("create_application_version", given, VersionLabel=label)
        return label

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.client.update_application_version(
            ApplicationName=given["ApplicationName"],
            VersionLabel=physical,
            Description=given.get("Description", ""),
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"Id": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self.reader.describe_application_versions(
            ApplicationName=given["ApplicationName"], VersionLabels=[physical]
        )["ApplicationVersions"]
        return {"Description": "", **first(found)}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_application_version(
            ApplicationName=given["ApplicationName"], VersionLabel=physical
        )


def _options(given: Properties) -> list[dict[str, str]]:
    return [
        {
            name: text(one[name])
            for name in ("Namespace", "OptionName", "Value", "ResourceName")
            if name in one
        }
        for one in given.get("OptionSettings") or ()
    ]


def _key(option: Properties) -> tuple[Any, ...]:
    return option["Namespace"], option["OptionName"], option.get("ResourceName")


def _option_changes(given: Properties, before: Properties) -> dict[str, Any]:
    new = {_key(one): one for one in _options(given)}
    old = {_key(one): one for one in _options(before)}
    setting = [one for key, one in new.items() if old.get(key) != one]
    gone = [without(one, "Value") for key, one in old.items() if key not in new]
    return {
        **({"OptionSettings": setting} if setting else {}),
        **({"OptionsToRemove": gone} if gone else {}),
    }


def _seen_options(settings: list[dict[str, Any]], given: Properties) -> list[dict[str, Any]]:
    """Those that a template sets, in its order."""
    told = {_key(one): one for one in settings}
    return [
        {**one, "Value": told[_key(one)].get("Value", "")}
        for one in _options(given)
        if _key(one) in told
    ]


class ConfigurationTemplate(Type):
    name = "AWS::ElasticBeanstalk::ConfigurationTemplate"
    service = "elasticbeanstalk"
    properties = (
        "ApplicationName Description EnvironmentId OptionSettings PlatformArn SolutionStackName "
        "SourceConfiguration"
    )
    unread = "EnvironmentId SourceConfiguration"
    longest = 100

    def create(self, given: Properties) -> str:
        name = self.made_up()
        self.call("create_configuration_template", given, TemplateName=name)
        return name

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        self.client.update_configuration_template(
            ApplicationName=given["ApplicationName"],
            TemplateName=physical,
            Description=given.get("Description", ""),
            **_option_changes(given, before),
        )

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"TemplateName": physical}

    def read(self, physical: str, given: Properties) -> Properties:
        found = first(
            self.reader.describe_configuration_settings(
                ApplicationName=given["ApplicationName"], TemplateName=physical
            )["ConfigurationSettings"]
        )
        options = _seen_options(found.get("OptionSettings", []), given)
        return {"Description": "", **found, "OptionSettings": options}

    def delete(self, physical: str, given: Properties) -> None:
        self.client.delete_configuration_template(
            ApplicationName=given["ApplicationName"], TemplateName=physical
        )


class Environment(Type):
    name = "AWS::ElasticBeanstalk::Environment"
    service = "elasticbeanstalk"
    properties = (
        "ApplicationName CNAMEPrefix Description EnvironmentName OperationsRole OptionSettings "
        "PlatformArn SolutionStackName Tags TemplateName Tier VersionLabel"
    )
    unread = "CNAMEPrefix OperationsRole"
    named, longest = "EnvironmentName", 40

    def create(self, given: Properties) -> str:
        settings = {**without(given, "EnvironmentName OptionSettings")}
        if options := _options(given):
            settings["OptionSettings"] = options
        name = self.named_by(given)
        self.call("create_environment", settings, EnvironmentName=name)
        return name

    def configure(self, physical: str, given: Properties, before: Properties) -> None:
        if not before:
            self._settle(physical, "launch")

    def update(self, physical: str, given: Properties, before: Properties) -> None:
        names = [
            name
            for name in (
                "Description",
                "VersionLabel",
                "TemplateName",
                "SolutionStackName",
                "PlatformArn",
            )
            if changed(given, before, name)
        ]
        changes = {**only(given, " ".join(names)), **_option_changes(given, before)}
        if "Description" in names and "Description" not in given:
            changes["Description"] = ""
        if changes:
            since = self._now(physical)
            self.call("update_environment", changes, EnvironmentName=physical)
            self._settle(physical, "update", since)
            wanted = given.get("VersionLabel")
            if wanted and self._found(physical).get("VersionLabel") != wanted:
                raise self._failure(physical, "update", since)
        if changed(given, before, "Tags"):
            self._retag(physical, given, before)

    def attributes(self, physical: str, given: Properties) -> dict[str, Any]:
        return {"EndpointURL": self._found(physical).get("EndpointURL", "")}

    def read(self, physical: str, given: Properties) -> Properties:
        found = self._found(physical)
        settings = first(
            self.reader.describe_configuration_settings(
                ApplicationName=given["ApplicationName"], EnvironmentName=physical
            )["ConfigurationSettings"]
        )
        tags = self.reader.list_tags_for_resource(ResourceArn=found["EnvironmentArn"])
        return {
            "Description": "",
            **found,
            "OptionSettings": _seen_options(settings.get("OptionSettings", []), given),
            "Tags": tags.get("ResourceTags", []),
        }

    def delete(self, physical: str, given: Properties) -> None:
        self._found(physical)
        self.client.terminate_environment(EnvironmentName=physical)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                self._found(physical)
            except Gone:
                return
            time.sleep(INTERVAL)
        raise Failed(f"Environment {physical} did not terminate in time")

    def _retag(self, physical: str, given: Properties, before: Properties) -> None:
        arn = self._found(physical)["EnvironmentArn"]
        self.retag(
            given,
            before,
            lambda keys: self.client.update_tags_for_resource(ResourceArn=arn, TagsToRemove=keys),
            lambda tags: self.client.update_tags_for_resource(
                ResourceArn=arn, TagsToAdd=listed(tags)
            ),
        )
        self._settle(physical, "update")

    def _found(self, name: str) -> dict[str, Any]:
        """Raises Gone for one that has been terminated."""
        found = self.reader.describe_environments(EnvironmentNames=[name], IncludeDeleted=False)
        return first(one for one in found["Environments"] if one["Status"] != "Terminated")

    def _settle(self, name: str, what: str, since: Any = None) -> None:
        """Wait until it is ready. Raises Failed with what its events say went wrong."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                status = self._found(name)["Status"]
            except Gone:
                raise self._failure(name, what, since) from None
            if status == "Ready":
                if self._errors(name, since):
                    raise self._failure(name, what, since)
                return
            time.sleep(INTERVAL)
        raise Failed(f"Environment {name} is not ready in time")

    def _now(self, name: str) -> Any:
        """When its newest event was: later ones are of what comes now."""
        events = self._events(name)
        return events[0]["EventDate"] if events else None

    def _events(self, name: str) -> list[dict[str, Any]]:
        return self.reader.describe_events(EnvironmentName=name)["Events"]

    def _errors(self, name: str, since: Any) -> list[str]:
        """Messages of errors, oldest first."""
        return [
            event["Message"]
            for event in reversed(self._events(name))
            if event["Severity"] in ("ERROR", "FATAL")
            and (since is None or event["EventDate"] > since)
        ]

    def _failure(self, name: str, what: str, since: Any) -> Failed:
        """Source: stack events as users report them ('... failed to launch ...', its events)."""
        said = " ".join(self._errors(name, since)) or "It is not there any more."
        return Failed(f"The environment {name} failed to {what}: {said}")
