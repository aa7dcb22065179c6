"""A function's resource policy, asked by a service. Source: Lambda API, AddPermission."""

import pytest

from labs.cloud.mock.functions.permission import allows

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:f"
TOPIC = "arn:aws:sns:us-east-1:123456789012:words"


def statement(**changes):
    """As AddPermission writes it."""
    return {
        "Sid": "sns",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
        **changes,
    }


def asked(*statements, arn=FUNCTION, service="sns.amazonaws.com", source=TOPIC):
    return allows(statements, arn, service, source, "123456789012")


def condition(operator, key, value):
    return {"Condition": {operator: {key: value}}}


def test_no_statement_allows_nothing():
    assert not asked()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": "*"},
        {"Principal": {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}},
        {"Action": "lambda:*"},
        condition("ArnLike", "AWS:SourceArn", TOPIC),
        condition("ArnLike", "AWS:SourceArn", "arn:aws:sns:us-east-1:123456789012:*"),
        condition("StringEquals", "AWS:SourceAccount", "123456789012"),
    ],
)
def test_what_allows(changes):
    assert asked(statement(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "s3.amazonaws.com"}},
        {"Principal": {"AWS": "123456789012"}},
        {"Principal": None},
        {"Action": "lambda:GetFunction"},
        {"Resource": FUNCTION + "2"},
        {"Resource": FUNCTION + ":live"},
        condition("ArnLike", "AWS:SourceArn", TOPIC + "2"),
        condition("StringEquals", "AWS:SourceAccount", "999999999999"),
    ],
)
def test_what_does_not(changes):
    assert not asked(statement(**changes))


def test_a_deny_wins():
    assert not asked(statement(), statement(Sid="no", Effect="Deny"))


def test_an_alias_needs_a_permission_of_its_own():
    assert not asked(statement(), arn=FUNCTION + ":live")
    assert asked(statement(Resource=FUNCTION + ":live"), arn=FUNCTION + ":live")
