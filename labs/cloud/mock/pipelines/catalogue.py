"""The types of action that a definition may name, and what each of them takes.

Source: CodePipeline User Guide, "Valid action providers in CodePipeline", "Valid input and output
artifacts for each action type", and "Action structure reference" of each provider.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Least and most.
Count = tuple[int, int]


@dataclass(frozen=True)
class ActionType:
    """required, optional: keys of its configuration; optional is None where any key is taken.

    secret: keys whose values are never shown. has_motor: False for what only AWS can run.
    """

    category: str
    provider: str
    inputs: Count
    outputs: Count
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] | None = None
    owner: str = "AWS"
    secret: tuple[str, ...] = ()
    has_motor: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return self.category, self.owner, self.provider


def _elsewhere(category: str, provider: str, inputs: Count, outputs: Count) -> ActionType:
    return ActionType(category, provider, inputs, outputs, has_motor=False)


_NONE, _ONE = (0, 0), (1, 1)

TYPES: dict[tuple[str, str, str], ActionType] = {
    one.key: one
    for one in (
        ActionType(
            "Source",
            "S3",
            _NONE,
            _ONE,
            ("S3Bucket", "S3ObjectKey"),
            ("PollForSourceChanges", "AllowOverrideForS3ObjectKey"),
        ),
        ActionType(
            "Source",
            "GitHub",
            _NONE,
            _ONE,
            ("Owner", "Repo", "Branch", "OAuthToken"),
            ("PollForSourceChanges",),
            owner="ThirdParty",
            secret=("OAuthToken",),
        ),
        ActionType(
            "Source",
            "CodeStarSourceConnection",
            _NONE,
            _ONE,
            ("ConnectionArn", "FullRepositoryId", "BranchName"),
            ("OutputArtifactFormat", "DetectChanges"),
        ),
        ActionType(
            "Deploy",
            "CloudFormation",
            (0, 10),
            (0, 1),
            ("ActionMode", "StackName"),
            (
                "Capabilities",
                "ChangeSetName",
                "OutputFileName",
                "ParameterOverrides",
                "RoleArn",
                "TemplateConfiguration",
                "TemplatePath",
            ),
        ),
        ActionType(
            "Deploy", "ElasticBeanstalk", _ONE, _NONE, ("ApplicationName", "EnvironmentName"), ()
        ),
        ActionType(
            "Deploy",
            "S3",
            _ONE,
            _NONE,
            ("BucketName", "Extract"),
            ("ObjectKey", "KMSEncryptionKeyARN", "CannedACL", "CacheControl"),
        ),
        ActionType("Invoke", "Lambda", (0, 5), (0, 5), ("FunctionName",), ("UserParameters",)),
        ActionType(
            "Approval",
            "Manual",
            _NONE,
            _NONE,
            (),
            ("NotificationArn", "ExternalEntityLink", "CustomData"),
        ),
        _elsewhere("Source", "CodeCommit", _NONE, _ONE),
        _elsewhere("Source", "ECR", _NONE, _ONE),
        _elsewhere("Build", "CodeBuild", (1, 5), (0, 5)),
        _elsewhere("Test", "CodeBuild", (1, 5), (0, 5)),
        _elsewhere("Test", "DeviceFarm", _ONE, _NONE),
        _elsewhere("Deploy", "CodeDeploy", _ONE, _NONE),
        _elsewhere("Deploy", "CodeDeployToECS", (1, 5), _NONE),
        _elsewhere("Deploy", "ECS", _ONE, _NONE),
        _elsewhere("Deploy", "ServiceCatalog", _ONE, _NONE),
        _elsewhere("Deploy", "AppConfig", _ONE, _NONE),
        _elsewhere("Deploy", "CloudFormationStackSet", (1, 10), (0, 1)),
        _elsewhere("Deploy", "CloudFormationStackInstances", (0, 10), (0, 1)),
        _elsewhere("Invoke", "StepFunctions", (0, 1), (0, 1)),
        _elsewhere("Compute", "Commands", (1, 10), (0, 1)),
    )
}


def find(action: dict[str, Any]) -> ActionType | None:
    """The type of an action's declaration; None when there is none of that name."""
    identity = action["actionTypeId"]
    if identity["version"] != "1":
        return None
    return TYPES.get((identity["category"], identity["owner"], identity["provider"]))


def shown(one: ActionType) -> dict[str, Any]:
    """As ListActionTypes shows it."""
    properties = [
        {
            "name": name,
            "required": name in one.required,
            "key": True,
            "secret": name in one.secret,
            "queryable": False,
        }
        for name in (*one.required, *(one.optional or ()))
    ]
    return {
        "id": {
            "category": one.category,
            "owner": one.owner,
            "provider": one.provider,
            "version": "1",
        },
        "settings": {},
        "actionConfigurationProperties": properties,
        "inputArtifactDetails": _counts(one.inputs),
        "outputArtifactDetails": _counts(one.outputs),
    }


def _counts(count: Count) -> dict[str, int]:
    return {"minimumCount": count[0], "maximumCount": count[1]}
