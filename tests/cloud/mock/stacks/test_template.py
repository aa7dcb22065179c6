"""Templates as text: read, or refused; never anything else."""

import json

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labs.cloud.mock.stacks import checks, graph
from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.intrinsics import Scope
from labs.cloud.mock.stacks.template import DEEPEST, Template, parse
from labs.cloud.mock.stacks.types import Supported

SHORT = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Name: {Type: String, Default: jobs}
Conditions:
  Named: !Not [!Equals [!Ref Name, ""]]
  Both: !And [!Condition Named, !Equals [a, a]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: Named
    Properties:
      QueueName: !If [Named, !Sub "${Name}-${AWS::Region}", !Ref AWS::NoValue]
      RedrivePolicy:
        deadLetterTargetArn: !GetAtt Dead.Arn
        maxReceiveCount: 3
  Dead:
    Type: AWS::SQS::Queue
Outputs:
  First: {Value: !Select [0, !Split [",", "a,b"]]}
  Joined: {Value: !Join ["-", [!Ref Queue, !GetAtt [Dead, Arn]]]}
"""


def test_short_tags_are_their_long_forms():
    found = parse(SHORT)
    properties = found.resources["Queue"]["Properties"]
    assert properties["QueueName"] == {
        "Fn::If": [
            "Named",
            {"Fn::Sub": "${Name}-${AWS::Region}"},
            {"Ref": "AWS::NoValue"},
        ]
    }
    assert properties["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["Dead", "Arn"]}
    assert found.conditions["Named"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Name"}, ""]}]}
    assert found.conditions["Both"]["Fn::And"][0] == {"Condition": "Named"}
    assert found.outputs["First"]["Value"] == {"Fn::Select": [0, {"Fn::Split": [",", "a,b"]}]}


def test_json_and_yaml_are_the_same_template():
    found = parse(SHORT)
    assert parse(json.dumps(found.content)).content == found.content
    assert parse(yaml.safe_dump(found.content)).content == found.content


def test_keys_that_are_no_text_become_text():
    body = """
    Mappings: {Sizes: {80: {true: yes}}}
    Resources: {Q: {Type: AWS::SQS::Queue}}
    """
    assert parse(body).mappings == {"Sizes": {"80": {"true": True}}}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_template_too_deep_is_refused(opening):
    with pytest.raises(Refused):
        parse(opening * 5_000)


def test_depth_is_counted_without_recursion():
    deep = "x"
    for _ in range(DEEPEST + 1):
        deep = {"a": deep}
    with pytest.raises(Refused, match="unsupported structure"):
        parse(json.dumps({"Resources": deep}))


texts = st.text(max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
#: Words that mean something in a template.
WORDS = [
    "Resources",
    "Type",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "Properties",
    "Ref",
    "Fn::GetAtt",
    "Fn::Sub",
    "Fn::If",
    "Fn::Join",
    "Fn::Select",
    "Fn::Split",
    "Fn::FindInMap",
    "Fn::Cidr",
    "Fn::GetAZs",
    "Fn::Base64",
    "Fn::ImportValue",
    "Fn::Equals",
    "Fn::And",
    "Fn::Not",
    "Condition",
    "Conditions",
    "Parameters",
    "Default",
    "AllowedValues",
    "AllowedPattern",
    "DependsOn",
    "Outputs",
    "Value",
    "Export",
    "Name",
    "Mappings",
    "A",
    "B",
    "A.Arn",
    "${A}",
    "${A.Arn}-${B}",
    "AWS::NoValue",
    "AWS::Region",
    "10.0.0.0/16",
    "String",
    "Number",
    "QueueName",
    "Tags",
]
words = st.sampled_from(WORDS)
nodes = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words | texts, inner, max_size=4),
    max_leaves=25,
)
resources = st.dictionaries(
    st.sampled_from("ABCD"),
    st.fixed_dictionaries(
        {"Type": st.sampled_from(["AWS::SQS::Queue", "AWS::SNS::Topic"])},
        optional={
            "Properties": st.dictionaries(words, nodes, max_size=3),
            "DependsOn": nodes,
            "Condition": words | st.just("A"),
        },
    ),
    min_size=1,
    max_size=4,
)
templates = st.fixed_dictionaries(
    {"Resources": resources},
    optional={
        "Conditions": st.dictionaries(st.sampled_from("AB"), nodes, max_size=2),
        "Outputs": st.dictionaries(
            st.sampled_from("AB"), st.fixed_dictionaries({"Value": nodes}), max_size=2
        ),
        "Mappings": st.dictionaries(words, nodes, max_size=2),
    },
)


def accepted(body: str) -> Template | None:
    """The template; None when it is refused. Any other exception fails the test."""
    try:
        found = parse(body)
        checks.check(found, Supported())
        checks.needed_capabilities(found)
    except Refused as refusal:
        assert str(refusal)
        return None
    return found


@given(st.text(max_size=300))
@example("Resources: !Ref")
@example("Resources: {A: !GetAtt }")
@example("{'a': 1}")
@example("a: !!binary x")
@example("a: !!set {b}")
@example("? [a]\n: b")
@example("<<: {a: 1}\nb: 2")
@example("a: 0b2")
@example("%YAML 9.9\n---\na: 1")
@example("\x00")
@example("a: &x [*x]")
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(body):
    accepted(body)


@given(st.one_of(nodes, templates))
@settings(max_examples=400, deadline=None)
def test_any_structure_is_checked_or_refused(content):
    accepted(json.dumps(content))


@given(templates)
@settings(max_examples=400, deadline=None)
def test_any_template_that_passes_can_be_evaluated_or_is_refused(content):
    found = accepted(json.dumps(content))
    if found is None:
        return
    scope = Scope(
        found,
        pseudo={"AWS::Region": "us-east-1"},
        parameters={},
        resource=lambda name, attribute: f"{name}/{attribute}",
        imported=lambda name: name,
        zones=lambda region: [f"{region}a", f"{region}b"],
    )
    try:
        for resource in found.resources.values():
            if scope.holds(resource.get("Condition")):
                value = scope.value(scope.chosen(resource.get("Properties", {})))
                assert "Fn::" not in json.dumps(value) or "Fn::" in json.dumps(content)
        for output in found.outputs.values():
            scope.value(output["Value"])
    except Refused as refusal:
        assert str(refusal)


@given(st.dictionaries(st.sampled_from("ABCDEF"), st.frozensets(st.sampled_from("ABCDEF"))))
def test_there_is_an_order_or_a_circle(needs):
    needs = {name: needed & needs.keys() for name, needed in needs.items()}
    stuck = graph.circle(needs)
    for name in stuck:
        assert needs[name] & set(stuck)
    for name in needs.keys() - set(stuck):
        assert not needs[name] & set(stuck)
