"""The table of types, against AWS's own schemas of them."""

import re

import pytest

from labs.cloud.mock.stacks import schemas, types
from tests.cloud.mock.stacks.cases import CASES

MADE = {name: made for module in types.MODULES for name, made in types.of(module).items()}
ELSEWHERE = ("AWS::CloudFormation::", "AWS::CodePipeline::", "AWS::ElasticBeanstalk::")


def test_each_module_has_the_types_of_its_service():
    for module, family in types.MODULES.items():
        names = types.of(module)
        assert names, module
        assert {name.split("::")[1] for name in names} == {family}


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_type_has_properties_that_aws_has(name):
    made = MADE[name]
    if made.properties == "*":
        return
    known = schemas.schema(name)["properties"]
    assert not [one for one in made.properties.split() if one not in known]
    assert not [one for one in made.unread.split() if one not in made.properties.split()]
    if made.named:
        assert made.named in made.properties.split()
        assert (made.named,) in schemas.create_only(name)


@pytest.mark.parametrize("name", sorted(MADE))
def test_a_type_has_what_aws_requires(name):
    made = MADE[name]
    if made.properties != "*":
        required = schemas.schema(name).get("required", [])
        assert not [one for one in required if one not in made.properties.split()]


def test_each_type_is_tried():
    tried = {case.type for case in CASES}
    assert {name for name in MADE if not name.startswith(ELSEWHERE)} == tried


def test_the_schemas_can_be_validated_with():
    for name in MADE:
        assert isinstance(schemas.faults(name, {"Nope": 1}), list)


def test_other_spellings_of_a_value_are_its_own():
    given = {"DelaySeconds": "5", "FifoQueue": "true", "QueueName": 7}
    assert schemas.coerce("AWS::SQS::Queue", given) == {
        "DelaySeconds": 5,
        "FifoQueue": True,
        "QueueName": "7",
    }
    assert schemas.coerce("AWS::SQS::Queue", {"DelaySeconds": "soon"}) == {"DelaySeconds": "soon"}


def test_the_longest_names_fit():
    long = "a" * 100
    for made in MADE.values():
        if made.named:
            place = types.base.Place("1", "r", "aws", long, "id", long, None, None)
            name = made(place, made.name).made_up()
            assert len(name) <= made.longest
            assert re.fullmatch(r"a+-a+-[A-Z0-9]{12}", name)
