"""Expressions and what they mean."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.stacks.errors import Refused
from labs.cloud.mock.stacks.intrinsics import Scope
from labs.cloud.mock.stacks.template import parse

BODY = """
Parameters:
  Name: {Type: String}
Mappings:
  Sizes: {small: {cores: 1, names: [a, b]}, large: {cores: 8}}
Conditions:
  Always: !Equals [a, a]
  Never: !Not [!Condition Always]
  Both: !And [!Condition Always, !Condition Never]
  Either: !Or [!Condition Always, !Condition Never]
  Numbers: !Equals [1, "1"]
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""


@pytest.fixture(scope="module")
def scope():
    return Scope(
        parse(BODY),
        pseudo={"AWS::Region": "eu-west-1", "AWS::AccountId": "1", "AWS::StackName": "shop"},
        parameters={"Name": "jobs", "List": ["x", "y"], "Flag": True},
        resource=lambda name, attribute: f"{name}.{attribute}" if attribute else name,
        imported=lambda name: f"imported {name}",
        zones=lambda region: [f"{region}a", f"{region}b"],
    )


CASES = [
    ({"Ref": "Name"}, "jobs"),
    ({"Ref": "List"}, ["x", "y"]),
    ({"Ref": "Queue"}, "Queue"),
    ({"Ref": "AWS::Region"}, "eu-west-1"),
    ({"Fn::GetAtt": "Queue.Arn"}, "Queue.Arn"),
    ({"Fn::GetAtt": ["Queue", "Arn"]}, "Queue.Arn"),
    ({"Fn::GetAtt": ["Queue", "Outputs", "Url"]}, "Queue.Outputs.Url"),
    ({"Fn::Sub": "${Name}-${Queue.Arn}-${AWS::Region}"}, "jobs-Queue.Arn-eu-west-1"),
    ({"Fn::Sub": "${!Name} $Name ${ Name }"}, "${Name} $Name jobs"),
    ({"Fn::Sub": ["${a}-${Name}", {"a": {"Ref": "Queue"}}]}, "Queue-jobs"),
    ({"Fn::Sub": ["${Name}", {"Name": 7}]}, "7"),
    ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 7, True]]}, "a-jobs-7-true"),
    ({"Fn::Join": [",", {"Ref": "List"}]}, "x,y"),
    ({"Fn::Split": ["-", "a-b-"]}, ["a", "b", ""]),
    ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
    ({"Fn::Select": [0, {"Fn::Split": ["-", "a-b"]}]}, "a"),
    ({"Fn::FindInMap": ["Sizes", "small", "cores"]}, 1),
    ({"Fn::FindInMap": ["Sizes", {"Fn::Sub": "small"}, "names"]}, ["a", "b"]),
    ({"Fn::If": ["Always", "a", "b"]}, "a"),
    ({"Fn::If": ["Never", "a", {"Ref": "Name"}]}, "jobs"),
    ({"Fn::If": ["Both", 1, {"Fn::If": ["Either", 2, 3]}]}, 2),
    ({"Fn::If": ["Numbers", 1, 2]}, 1),
    ({"a": {"Fn::If": ["Never", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
    ([1, {"Ref": "AWS::NoValue"}, 3], [1, 3]),
    ({"Fn::Base64": "hello"}, "aGVsbG8="),
    ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b"]),
    ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-west-1a", "eu-west-1b"]),
    ({"Fn::Select": [0, {"Fn::GetAZs": "x"}]}, "xa"),
    ({"Fn::ImportValue": {"Fn::Sub": "${Name}-url"}}, "imported jobs-url"),
    (
        {"Fn::Cidr": ["10.0.0.0/16", 3, 8]},
        ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"],
    ),
    ({"Fn::Cidr": ["192.0.2.0/24", "2", "4"]}, ["192.0.2.0/28", "192.0.2.16/28"]),
    ({"Fn::Cidr": ["2001:db8::/56", 1, 64]}, ["2001:db8::/64"]),
    ({"Effect": "Allow", "Condition": {"Bool": {"a": True}}},) * 2,
    ({"Condition": {"StringEquals": {"x": "y"}}},) * 2,
    ({},) * 2,
]


@pytest.mark.parametrize(("node", "value"), CASES, ids=range(len(CASES)))
def test_an_expression_has_a_value(scope, node, value):
    assert scope.value(node) == value
    assert scope.value(scope.chosen(node)) == value


WRONG = [
    ({"Ref": ["a"]}, "All Ref values must be strings"),
    ({"Fn::GetAtt": "Queue"}, "requires two non-empty parameters"),
    ({"Fn::GetAtt": ["Queue", ["a"]]}, "must be a string"),
    ({"Fn::Sub": 7}, "Specify a string as first argument"),
    ({"Fn::Sub": ["${a}", {"a": ["x"]}]}, "must be a string; found a list"),
    ({"Fn::Sub": "${List}"}, "must be a string; found a list"),
    ({"Fn::Join": "a"}, "every Fn::Join object requires two parameters"),
    ({"Fn::Join": [",", "a"]}, "must be a list"),
    ({"Fn::Split": ["", "a"]}, "needs a delimiter"),
    ({"Fn::Select": [2, ["a"]]}, "cannot select nonexistent value at index 2"),
    ({"Fn::Select": ["x", ["a"]]}, "index must be an integer"),
    ({"Fn::Select": [0, "a"]}, "requires a list"),
    ({"Fn::FindInMap": ["Sizes", "huge", "cores"]}, "get mapping for Sizes::huge::cores"),
    ({"Fn::FindInMap": ["Sizes"]}, "requires three parameters"),
    ({"Fn::If": ["Nope", 1, 2]}, "unresolved condition dependency Nope in Fn::If"),
    ({"Fn::If": ["Always", 1]}, "Fn::If requires a list"),
    ({"Fn::Base64": ["a"]}, "must have a String-typed value"),
    ({"Fn::Cidr": ["10.0.0.0/24", 300, 4]}, "cannot make 300 blocks"),
    ({"Fn::Cidr": ["10.0.0.0/24", 2, 16]}, "cannot make 2 blocks"),
    ({"Fn::Cidr": ["10.0.0.0/24", 5, 6]}, "cannot make 5 blocks"),
    ({"Fn::Cidr": ["x", 1, 1]}, "cannot use these parameters"),
    ({"Fn::ImportValue": ["a"]}, "must be a string"),
    ({"Fn::GetAZs": ["a"]}, "needs the name of a region"),
]


@pytest.mark.parametrize(("node", "message"), WRONG, ids=range(len(WRONG)))
def test_an_expression_that_makes_no_sense_is_refused(scope, node, message):
    with pytest.raises(Refused, match=message):
        scope.value(node)


words = st.text(st.characters(codec="utf-8", exclude_characters="|"), max_size=10)


@given(st.lists(words, min_size=1, max_size=5))
def test_split_undoes_join(pieces):
    scope = Scope(parse(BODY), {}, {})
    joined = {"Fn::Join": ["|", pieces]}
    assert scope.value({"Fn::Split": ["|", joined]}) == pieces


@given(st.integers(1, 16), st.integers(4, 12))
def test_blocks_do_not_overlap_and_lie_within(count, bits):

    scope = Scope(parse(BODY), {}, {})
    blocks = [
        ipaddress.ip_network(one) for one in scope.value({"Fn::Cidr": ["10.0.0.0/16", count, bits]})
    ]
    assert len(blocks) == count
    assert all(one.subnet_of(ipaddress.ip_network("10.0.0.0/16")) for one in blocks)
    assert {one.num_addresses for one in blocks} == {2**bits}
    assert not any(a.overlaps(b) for a in blocks for b in blocks if a is not b)
