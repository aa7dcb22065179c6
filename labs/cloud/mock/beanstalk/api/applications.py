"""Applications, their versions and saved configurations.

Source: Beanstalk API, CreateApplication, CreateApplicationVersion, CreateConfigurationTemplate and
their neighbours. Refusals that no page words are in our own words.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from moto.elasticbeanstalk.models import Application

from labs.cloud.mock.beanstalk import operating, platforms, records
from labs.cloud.mock.beanstalk.api.calls import (
    Answer,
    Call,
    in_turn,
    ready,
    refused,
    unsupported,
)
from labs.cloud.mock.beanstalk.api.environments import terminate
from labs.cloud.mock.beanstalk.records import Template, Version

#: Seconds that the environments of an application have to terminate, before it goes itself.
LONGEST = 120.0


# --- applications -------------------------------------------------------------------------------


def create_application(call: Call) -> Answer:
    return {"Application": described(call, make_application(call, call.get("ApplicationName")))}


def make_application(call: Call, name: str) -> Application:
    check_name("ApplicationName", name)
    if name in call.backend.applications:
        raise refused(f"Application {name} already exists.")
    application = call.backend.create_application(name)
    application.description = call.get("Description")
    application.labs_tags = call.tags()
    application.created = application.updated = records.now()
    return application


def check_name(what: str, name: str | None) -> None:
    """Source: API, ApplicationName and VersionLabel (1 to 100 characters, no slash)."""
    if not name:
        raise refused(f"{what} must be specified.", "MissingParameter")
    if len(name) > 100 or "/" in name or name != name.strip():
        raise refused(f"Value {name} at '{what}' failed to satisfy constraint.")


def described(call: Call, application: Application) -> dict[str, Any]:
    name = application.application_name
    return {
        "ApplicationArn": application.arn,
        "ApplicationName": name,
        "Description": application.description,
        "DateCreated": application.created,
        "DateUpdated": application.updated,
        "Versions": [one.label for one in versions_of(call, name)],
        "ConfigurationTemplates": [
            one.name for one in call.ledger.templates.values() if one.application == name
        ],
        "ResourceLifecycleConfig": {
            "VersionLifecycleConfig": {
                "MaxCountRule": {"Enabled": False, "MaxCount": 200, "DeleteSourceFromS3": False},
                "MaxAgeRule": {"Enabled": False, "MaxAgeInDays": 180, "DeleteSourceFromS3": False},
            }
        },
    }


def describe_applications(call: Call) -> Answer:
    wanted = call.get("ApplicationNames")
    return {
        "Applications": [
            described(call, one)
            for name, one in call.backend.applications.items()
            if not wanted or name in wanted
        ]
    }


def update_application(call: Call) -> Answer:
    application = call.application()
    application.description = call.get("Description", application.description)
    application.updated = records.now()
    return {"Application": described(call, application)}


def delete_application(call: Call) -> Answer:
    """With its environments if that is asked for. One that does not exist is no error."""
    name = call.get("ApplicationName")
    application = call.backend.applications.get(name)
    if application is None:
        return None
    running = list(application.environments.values())
    if running and not call.get("TerminateEnvByForce"):
        raise refused(
            f"Unable to delete application {name} because it has running environments.",
            "OperationInProgressFailure",
        )
    for environment in running:
        terminate(call, environment)
    if not running:
        forget(call, name)
        return None
    last = running[-1]

    def when_they_have_gone() -> None:
        call.motor.wait(last, lambda: not application.environments, LONGEST)
        forget(call, name)

    call.motor.begin(None, last.name, when_they_have_gone)
    return None


def forget(call: Call, name: str) -> None:
    call.backend.applications.pop(name, None)
    for kept in (call.ledger.versions, call.ledger.templates):
        for key in [key for key in kept if key[0] == name]:
            del kept[key]


# --- versions -----------------------------------------------------------------------------------


def create_application_version(call: Call) -> Answer:
    name, label = call.get("ApplicationName"), call.get("VersionLabel")
    for parameter in ("SourceBuildInformation", "BuildConfiguration", "ImageConfiguration"):
        if call.get(parameter):
            raise unsupported(f"{parameter}: give a SourceBundle")
    check_name("VersionLabel", label)
    if name not in call.backend.applications:
        if not call.get("AutoCreateApplication"):
            raise refused(f"No Application named '{name}' found.")
        make_application(call, name)
    if (name, label) in call.ledger.versions:
        raise refused(f"Application Version {label} already exists.")
    bundle = call.get("SourceBundle")
    if bundle:
        check_bundle(call, bundle)
    version = Version(
        application=name,
        label=label,
        arn=records.arn(call.region, call.account, f"applicationversion/{name}/{label}"),
        description=call.get("Description"),
        bucket=bundle["S3Bucket"] if bundle else None,
        key=bundle["S3Key"] if bundle else None,
        status="PROCESSED" if call.get("Process") else "UNPROCESSED",
        tags=call.tags(),
    )
    call.ledger.versions[name, label] = version
    return {"ApplicationVersion": version_described(version)}


def check_bundle(call: Call, bundle: dict[str, str]) -> None:
    """Whether the caller can read it. The code and the words are AWS's; so users report."""
    bucket, key = bundle.get("S3Bucket"), bundle.get("S3Key")
    if not (bucket and key):
        raise refused("Both S3 bucket and key must be specified.", "InvalidParameterCombination")
    try:
        call.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        reason = error.response["Error"].get("Message") or error.response["Error"]["Code"]
        raise refused(
            f"Unable to download from S3 location (Bucket: {bucket}  Key: {key}). Reason: {reason}",
            "InvalidParameterCombination",
        ) from None


def version_described(version: Version) -> dict[str, Any]:
    bundle = {"S3Bucket": version.bucket, "S3Key": version.key} if version.bucket else None
    return {
        "ApplicationVersionArn": version.arn,
        "ApplicationName": version.application,
        "Description": version.description,
        "VersionLabel": version.label,
        "SourceBundle": bundle,
        "DateCreated": version.created,
        "DateUpdated": version.updated,
        "Status": version.status,
    }


def versions_of(call: Call, application: str | None = None) -> list[Version]:
    """The newest first."""
    return [
        one
        for one in reversed(list(call.ledger.versions.values()))
        if application in (None, one.application)
    ]


def describe_application_versions(call: Call) -> Answer:
    labels = call.get("VersionLabels")
    found = [
        version_described(one)
        for one in versions_of(call, call.get("ApplicationName"))
        if not labels or one.label in labels
    ]
    page, rest = call.page(found)
    return {"ApplicationVersions": page, "NextToken": rest}


def update_application_version(call: Call) -> Answer:
    version = call.version(call.application().application_name, call.get("VersionLabel"))
    version.description = call.get("Description", version.description)
    version.updated = records.now()
    return {"ApplicationVersion": version_described(version)}


def delete_application_version(call: Call) -> Answer:
    """Source: API, DeleteApplicationVersion: not one that an environment runs."""
    name, label = call.application().application_name, call.get("VersionLabel")
    version = call.version(name, label)
    users = [
        one.name
        for one in call.environments()
        if (one.application_name, one.label) == (name, label)
    ]
    if users:
        raise refused(
            f"Unable to delete application version {label} because it is deployed to "
            f"{', '.join(users)}.",
            "OperationInProgressFailure",
        )
    del call.ledger.versions[name, label]
    if call.get("DeleteSourceBundle") and version.bucket:
        call.client("s3").delete_object(Bucket=version.bucket, Key=version.key)
    return None


def create_storage_location(call: Call) -> Answer:
    bucket = operating.bucket_name(call.account, call.region)
    operating.make_bucket(call.client("s3"), bucket, call.region)
    return {"S3Bucket": bucket}


# --- saved configurations -----------------------------------------------------------------------


def create_configuration_template(call: Call) -> Answer:
    name, application = call.get("TemplateName"), call.application().application_name
    check_name("TemplateName", name)
    if (application, name) in call.ledger.templates:
        raise refused(f"Configuration Template {name} already exists.")
    base, stack = source_of(call)
    template = Template(application, name, stack, call.get("Description"), call.settings(base))
    call.ledger.templates[application, name] = template
    return template_described(call, template)


def source_of(call: Call) -> tuple[dict[Any, str], str]:
    """(options, solution stack) that a new template begins with."""
    if source := call.get("SourceConfiguration"):
        found = call.ledger.templates.get(
            (source.get("ApplicationName"), source.get("TemplateName"))
        )
        if found is None:
            raise refused(
                f"No Configuration Template named '{source.get('ApplicationName')}/"
                f"{source.get('TemplateName')}' found."
            )
        return found.values, found.stack
    if call.get("EnvironmentId"):
        environment = ready(call.environment())
        return environment.values, environment.stack
    return {}, platforms.chosen(call.get("SolutionStackName"), call.get("PlatformArn"))


def template_described(call: Call, template: Template) -> dict[str, Any]:
    return {
        "SolutionStackName": template.stack,
        "PlatformArn": platforms.arn_of(template.stack, call.region),
        "ApplicationName": template.application,
        "TemplateName": template.name,
        "Description": template.description,
        "DateCreated": template.created,
        "DateUpdated": template.updated,
        "OptionSettings": records.Settings(template.values).described(),
    }


def update_configuration_template(call: Call) -> Answer:
    template = template_of(call)
    template.values = call.settings(template.values)
    template.description = call.get("Description", template.description)
    template.updated = records.now()
    return template_described(call, template)


def template_of(call: Call) -> Template:
    application, name = call.application().application_name, call.get("TemplateName")
    found = call.ledger.templates.get((application, name))
    if found is None:
        raise refused(f"No Configuration Template named '{application}/{name}' found.")
    return found


def delete_configuration_template(call: Call) -> Answer:
    template = template_of(call)
    del call.ledger.templates[template.application, template.name]
    return None


# --- tags ---------------------------------------------------------------------------------------


def tagged(call: Call) -> dict[str, str]:
    """The tags of what an ARN names."""
    arn = call.get("ResourceArn")
    for environment in call.environments():
        if environment.environment_arn == arn:
            return environment.tags
    for version in call.ledger.versions.values():
        if version.arn == arn:
            return version.tags
    for application in call.backend.applications.values():
        if application.arn == arn:
            return application.labs_tags
    raise refused(f"Resource not found for ARN '{arn}'.", "ResourceNotFoundException")


def list_tags_for_resource(call: Call) -> Answer:
    tags = [{"Key": key, "Value": value} for key, value in tagged(call).items()]
    return {"ResourceArn": call.get("ResourceArn"), "ResourceTags": tags}


def update_tags_for_resource(call: Call) -> Answer:
    tags = tagged(call)
    for tag in call.get("TagsToAdd", ()):
        tags[tag["Key"]] = tag.get("Value", "")
    for key in call.get("TagsToRemove", ()):
        tags.pop(key, None)
    return None


OPERATIONS = {
    function.__name__: in_turn(function)
    for function in (
        create_application,
        describe_applications,
        update_application,
        delete_application,
        create_application_version,
        describe_application_versions,
        update_application_version,
        delete_application_version,
        create_storage_location,
        create_configuration_template,
        update_configuration_template,
        delete_configuration_template,
        list_tags_for_resource,
        update_tags_for_resource,
    )
}
