"""What CodePipeline refuses of a definition, and in which words."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core.exceptions import JsonRESTError

from labs.cloud.mock.pipelines import constraints, validation
from labs.cloud.mock.pipelines.definition import complete, in_order, masked, with_secrets_of
from tests.cloud.mock.pipelines.declared import (
    action,
    approval,
    function,
    pipeline,
    source,
    stack,
)


@pytest.fixture(autouse=True)
def trusted(monkeypatch):
    """Every role trusts CodePipeline, unless a test says otherwise."""
    monkeypatch.setattr("labs.cloud.mock.pipelines.roles.trusts_codepipeline", lambda _: True)


def refusal(call, *arguments):
    with pytest.raises(JsonRESTError) as caught:
        call(*arguments)
    return caught.value.error_type, caught.value.message


def check(definition):
    validation.check(complete(definition, 1), "eu-west-1")


def refused(definition):
    return refusal(check, definition)


def test_a_plain_definition_is_taken_and_stays_as_it_was():
    definition = pipeline(("Deploy", stack("Stack")), ("Ask", approval()))
    before = copy.deepcopy(definition)
    check(definition)
    assert definition == before


def test_defaults_are_added():
    given = pipeline(("Ask", approval()))
    for name in ("configuration", "inputArtifacts", "outputArtifacts"):
        del given["stages"][1]["actions"][0][name]
    whole = complete(given, 3)
    assert (whole["version"], whole["pipelineType"], whole["executionMode"]) == (
        3,
        "V1",
        "SUPERSEDED",
    )
    asked = whole["stages"][1]["actions"][0]
    assert asked["runOrder"] == 1
    assert asked["configuration"] == {}
    assert asked["inputArtifacts"] == asked["outputArtifacts"] == []


def test_actions_of_one_order_run_together_and_gaps_do_not_matter():
    stage = {
        "actions": [
            approval(name, runOrder=order) for name, order in zip("abcd", (7, 2, 7, 3), strict=True)
        ]
    }
    assert [[one["name"] for one in group] for group in in_order(stage)] == [
        ["b"],
        ["d"],
        ["a", "c"],
    ]


def test_one_stage_is_too_few():
    assert refused(pipeline()) == (
        "InvalidStructureException",
        "Pipeline has only 1 stage(s). There should be a minimum of 2 stages in a pipeline",
    )


@pytest.mark.parametrize("first", [approval(), function("F", "f")])
def test_sources_come_first(first):
    definition = pipeline(("Ask", approval()))
    definition["stages"][0]["actions"].append(first)
    assert refused(definition) == (
        "InvalidStructureException",
        "Pipeline should start with a stage that only contains source actions",
    )


def test_sources_come_in_the_first_stage_only():
    code, message = refused(pipeline(("Late", source("Other", "Other"))))
    assert code == "InvalidStructureException"
    assert "Only the first stage" in message


def test_artifacts_are_made_before_they_are_used():
    definition = pipeline(("Deploy", stack("Stack", takes=["Built"])))
    assert refused(definition) == (
        "InvalidActionDeclarationException",
        "Input Artifact Bundle Built in action Stack is not declared as Output Artifact Bundle in "
        "any of the preceding actions",
    )
    beside = function("Build", "build", takes=["App"], gives=["Built"])
    definition = pipeline(("Deploy", beside, stack("Stack", takes=["Built"])))
    assert "preceding" in refused(definition)[1]
    definition["stages"][1]["actions"][1]["runOrder"] = 2
    check(definition)


def test_an_artifact_has_one_maker():
    definition = pipeline(("Build", *(function(name, "build", gives=["Built"]) for name in "ab")))
    assert refused(definition)[1] == (
        "Output Artifact Bundle name must be unique within the pipeline. Built has been used more "
        "than once."
    )


@pytest.mark.parametrize(
    "stages",
    [
        [("Same", approval()), ("Same", approval())],
        [("Twice", approval(), approval())],
        [("Empty",)],
        [(f"S{number}", approval()) for number in range(50)],
        [("Many", *(approval(f"A{number}") for number in range(51)))],
    ],
    ids=["stages", "actions", "no action", "51 stages", "51 actions"],
)
def test_names_are_unique_and_numbers_limited(stages):
    assert refused(pipeline(*stages))[0].startswith("Invalid")


def test_counts_of_artifacts():
    assert refused(pipeline(("Deploy", stack("Stack", takes=[f"A{n}" for n in range(11)])))) == (
        "InvalidActionDeclarationException",
        "Action Stack declares 11 input artifacts which is more than the maximum count (10)",
    )
    beanstalk = {"ApplicationName": "a", "EnvironmentName": "e"}
    assert refused(pipeline(("Deploy", action("E", "Deploy", "ElasticBeanstalk", beanstalk)))) == (
        "InvalidActionDeclarationException",
        "Action E declares 0 input artifacts which is less than the minimum count (1)",
    )


def test_configuration_has_what_is_required_and_nothing_unknown():
    assert refused(pipeline(("Run", action("F", "Invoke", "Lambda")))) == (
        "InvalidActionDeclarationException",
        "Action configuration for action 'F' is missing required configuration 'FunctionName'",
    )
    wrong = action("F", "Invoke", "Lambda", {"FunctionName": "f", "Function": "f"})
    assert refused(pipeline(("Run", wrong))) == (
        "InvalidActionDeclarationException",
        "Action configuration for action 'F' contains unknown configuration 'Function'",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        action("X", "Deploy", "Nothing"),
        action("X", "Deploy", "S3", owner="Custom"),
        action("X", "Build", "Jenkins", owner="Custom"),
        {**approval("X"), "actionTypeId": {**approval()["actionTypeId"], "version": "2"}},
    ],
)
def test_types_that_there_are_not(wrong):
    code, message = refused(pipeline(("Stage", wrong)))
    assert code == "InvalidActionDeclarationException"
    assert message.endswith("in action 'X' is not available in region 'EU_WEST_1'")


def test_what_only_aws_can_run_may_be_declared():
    check(
        pipeline(("Build", action("B", "Build", "CodeBuild", {"ProjectName": "p"}, takes=["App"])))
    )


def test_namespaces_and_references():
    twice = pipeline(("Run", *(function(name, "f", namespace="Same") for name in "ab")))
    code, message = refused(twice)
    assert code == "InvalidActionDeclarationException"
    assert message.startswith("Namespaces must be unique across the pipeline definition.")
    unknown = pipeline(("Run", function("F", "f", "#{Nobody.Knows}")))
    assert "StageName=[Run], ActionName=[F]" in refused(unknown)[1]
    at_once = pipeline(("Run", function("A", "a", namespace="A"), function("B", "b", "#{A.x}")))
    assert "does not exist" in refused(at_once)[1]
    at_once["stages"][1]["actions"][1]["runOrder"] = 2
    check(at_once)
    assert "malformed" in refused(pipeline(("Run", function("F", "f", "#{x}"))))[1]
    check(pipeline(("Run", function("F", "f", "#{codepipeline.PipelineExecutionId} {} #"))))


def test_variables_and_modes_need_the_second_type():
    ask = ("Ask", approval())
    assert "V2" in refused(pipeline(ask, executionMode="QUEUED"))[1]
    assert "V2" in refused(pipeline(ask, variables=[{"name": "v"}]))[1]
    check(pipeline(ask, executionMode="QUEUED", pipelineType="V2"))
    use = ("Run", function("F", "f", "#{variables.v} #{variables.w}"))
    one = pipeline(use, pipelineType="V2", variables=[{"name": "v"}])
    assert "not declared" in refused(one)[1]
    check(pipeline(use, pipelineType="V2", variables=[{"name": "v"}, {"name": "w"}]))


def test_stores():
    both = pipeline(("Ask", approval()))
    both["artifactStores"] = {"eu-west-1": both["artifactStore"]}
    assert "not both" in refused(both)[1]
    abroad = pipeline(("Run", function("F", "f", region="us-east-1")))
    assert "artifactStores" in refused(abroad)[1]
    abroad["artifactStores"] = dict.fromkeys(
        ("eu-west-1", "us-east-1"), abroad.pop("artifactStore")
    )
    check(abroad)
    del abroad["artifactStores"]["us-east-1"]
    assert "us-east-1" in refused(abroad)[1]


def test_a_role_must_trust(monkeypatch):
    monkeypatch.setattr("labs.cloud.mock.pipelines.roles.trusts_codepipeline", lambda _: False)
    code, message = refused(pipeline(("Ask", approval())))
    assert code == "InvalidStructureException"
    assert message.startswith("CodePipeline is not authorized to perform AssumeRole on role arn:")


def test_conditions_are_refused_by_name():
    definition = pipeline(("Ask", approval()), pipelineType="V2")
    definition["stages"][1]["beforeEntry"] = {"conditions": []}
    assert "conditions" in refused(definition)[1]


def github(token):
    configuration = {"Owner": "o", "Repo": "r", "Branch": "main", "OAuthToken": token}
    definition = pipeline(("Ask", approval()))
    definition["stages"][0]["actions"] = [
        action("Git", "Source", "GitHub", configuration, owner="ThirdParty", gives=["App"])
    ]
    return complete(definition, 1)


def token_of(definition):
    return definition["stages"][0]["actions"][0]["configuration"]["OAuthToken"]


def test_secrets_are_masked_and_kept():
    definition = github("s3cret")
    assert token_of(masked(definition)) == "****"
    assert token_of(definition) == "s3cret"
    assert token_of(with_secrets_of(definition, github("****"))) == "s3cret"
    assert token_of(with_secrets_of(definition, github("other"))) == "other"
    code, message = refusal(with_secrets_of, None, github("****"))
    assert code == "InvalidActionDeclarationException"
    assert '"****" may be used in secret properties only' in message
    moved = github("****")
    moved["stages"][0]["name"] = "Elsewhere"
    assert "OAuthToken" in refusal(with_secrets_of, definition, moved)[1]


@pytest.mark.parametrize(
    ("operation", "given", "said"),
    [
        (
            "GetPipeline",
            {},
            "Value at 'name' failed to satisfy constraint: Member must not be null",
        ),
        ("GetPipeline", {"name": "a b"}, "regular expression pattern: [A-Za-z0-9.@\\-_]+"),
        ("GetPipeline", {"name": ""}, "length greater than or equal to 1"),
        ("GetPipeline", {"name": "n" * 101}, "length less than or equal to 100"),
        ("GetPipeline", {"name": "a", "version": 0}, "value greater than or equal to 1"),
        ("GetPipeline", {"name": 5}, "Member must be a string"),
        ("GetPipeline", [], "Member must be a structure"),
        (
            "CreatePipeline",
            {"pipeline": {**pipeline(("a b", approval()))}},
            "Value 'a b' at 'pipeline.stages.2.member.name'",
        ),
        (
            "RetryStageExecution",
            {"pipelineName": "a", "stageName": "b", "pipelineExecutionId": "c", "retryMode": "d"},
            "enum value set: [FAILED_ACTIONS, ALL_ACTIONS]",
        ),
    ],
)
def test_the_models_constraints(operation, given, said):
    code, message = refusal(constraints.check, operation, given)
    assert code == "ValidationException"
    assert said in message
    assert "validation error" in message


def test_constraints_let_pass_what_is_right():
    constraints.check("CreatePipeline", {"pipeline": pipeline(("Ask", approval()))})
    constraints.check("ListPipelines", {"nextToken": None})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab#{}.* ", max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("ab", max_size=3), inner),
    max_leaves=4,
)


def places(value, path=()):
    """Every path into a JSON value."""
    yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))


WHOLE = pipeline(
    ("Run", function("F", "f", namespace="N"), function("G", "g", "#{N.x}", runOrder=2)),
    ("Deploy", stack("Stack"), approval()),
    pipelineType="V2",
    variables=[{"name": "v", "defaultValue": "d"}],
)
PLACES = [path for path in places({"pipeline": WHOLE}) if path]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.sampled_from(PLACES), JSON)
def test_hostile_definitions_are_taken_or_refused(place, value):
    """Whatever stands wherever in a definition, the answer is one of AWS's errors, if any."""
    request = copy.deepcopy({"pipeline": WHOLE})
    inner = request
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    try:
        constraints.check("CreatePipeline", request)
        definition = with_secrets_of(None, complete(request["pipeline"], 1))
        validation.check(definition, "eu-west-1")
        masked(definition)
    except JsonRESTError as refused:
        assert refused.error_type.endswith("Exception")
