"""Definitions of pipelines, in few words."""

import io
import json
import zipfile

ROLE = "arn:aws:iam::123456789012:role/pipeline"


def action(
    name, category, provider, configuration=None, *, owner="AWS", takes=(), gives=(), **more
):
    return {
        "name": name,
        "actionTypeId": {
            "category": category,
            "owner": owner,
            "provider": provider,
            "version": "1",
        },
        "configuration": configuration or {},
        "inputArtifacts": [{"name": one} for one in takes],
        "outputArtifacts": [{"name": one} for one in gives],
        **more,
    }


def source(name="Object", gives="App", **more):
    configuration = {
        "S3Bucket": "sources",
        "S3ObjectKey": "app.zip",
        "PollForSourceChanges": "false",
        **more.pop("configuration", {}),
    }
    return action(name, "Source", "S3", configuration, gives=[gives], **more)


def approval(name="Approve", **more):
    return action(name, "Approval", "Manual", **more)


def function(name, function_name, parameters="", **more):
    configuration = {"FunctionName": function_name}
    if parameters:
        configuration["UserParameters"] = parameters
    return action(name, "Invoke", "Lambda", configuration, **more)


def stack(name, mode="CREATE_UPDATE", **more):
    configuration = {
        "ActionMode": mode,
        "StackName": "stack",
        "RoleArn": ROLE,
        "TemplatePath": "App::template.json",
        **more.pop("configuration", {}),
    }
    configuration = {key: value for key, value in configuration.items() if value is not None}
    return action(name, "Deploy", "CloudFormation", configuration, **{"takes": ["App"], **more})


def pipeline(*stages, name="release", **more):
    """stages: (name, action, ...); the first has a source unless it is given."""
    return {
        "name": name,
        "roleArn": ROLE,
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            {"name": stage, "actions": list(actions)}
            for stage, *actions in (("Source", source()), *stages)
        ],
        **more,
    }


def zipped(**files):
    """A zip; a name's "__" stands for its dot. What is no text becomes JSON."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            archive.writestr(name.replace("__", "."), text)
    return buffer.getvalue()


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}
