"""What AWS's documents say of policies, case by case.

Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements: Action, NotAction,
Resource, NotResource", "Condition operators", "Variables and tags".
"""

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.iam.policy import PolicyError, evaluate, parse

TOPIC = "arn:aws:sns:eu-west-1:123456789012:words"
OBJECT = "arn:aws:s3:::bucket/a/b.txt"


def document(*statements: dict, version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def effect(statements, action="sns:Publish", resource=TOPIC, context=()) -> str:
    statements = statements if isinstance(statements, list) else [statements]
    return evaluate(parse(document(*statements)), action, resource, dict(context)).effect


def allow(action="sns:Publish", resource="*", **more) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="sns:Publish", resource="*", **more) -> dict:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


# "Policy evaluation logic": default deny, allow, explicit deny wins in whatever order.
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], "implicit deny"),
        ([allow()], "allowed"),
        ([deny()], "explicit deny"),
        ([allow(), deny()], "explicit deny"),
        ([deny(), allow()], "explicit deny"),
        ([deny("sns:Subscribe"), allow()], "allowed"),
        ([allow("sns:Subscribe")], "implicit deny"),
    ],
)
def test_an_explicit_deny_beats_every_allow(statements, expected) -> None:
    assert effect(statements) == expected


# "Action": case does not matter, wildcards anywhere, a text or a list.
@pytest.mark.parametrize(
    ("action", "matches"),
    [
        ("sns:Publish", True),
        ("SNS:publish", True),
        ("sns:*", True),
        ("sns:Pub*", True),
        ("sns:Publis?", True),
        ("sns:Publ?sh", True),
        ("*", True),
        ("*:*", True),
        (["s3:*", "sns:Publish"], True),
        ("sns:PublishBatch", False),
        ("sns:Publi?", False),
        ("sns:", False),
        ("sns.Publish", False),
        ([], False),
    ],
)
def test_actions(action, matches) -> None:
    assert effect(allow(action)) == ("allowed" if matches else "implicit deny")


def test_not_action_is_everything_else() -> None:
    everything_else = {"Effect": "Allow", "NotAction": ["sns:*", "iam:*"], "Resource": "*"}

    assert effect(everything_else) == "implicit deny"
    assert effect(everything_else, "s3:GetObject", OBJECT) == "allowed"


# "Resource": case matters, `*` crosses slashes and, at the end of a part, colons.
@pytest.mark.parametrize(
    ("resource", "matches"),
    [
        ("*", True),
        (OBJECT, True),
        ("arn:aws:s3:::bucket/*", True),
        ("arn:aws:s3:::bucket/*.txt", True),
        ("arn:aws:s3:::bucket/?/b.txt", True),
        ("arn:aws:s3:::b*", True),
        ("arn:aws:s3:*", True),
        (["arn:aws:s3:::other/*", "arn:aws:s3:::bucket/a/*"], True),
        ("arn:aws:s3:::bucket", False),
        ("arn:aws:s3:::Bucket/a/b.txt", False),
        ("arn:aws:s3:::bucket/a/b", False),
        ("arn:aws:s3:::bucket/a/bxtxt", False),
        ("arn:aws:s3:::bucket/a/b.tx?t", False),
    ],
)
def test_resources(resource, matches) -> None:
    found = effect(allow("s3:GetObject", resource), "s3:GetObject", OBJECT)

    assert found == ("allowed" if matches else "implicit deny")


def test_a_dot_in_a_policy_is_a_dot() -> None:
    assert effect(allow("s3:*", "arn:aws:s3:::a.b"), "s3:ListBucket", "arn:aws:s3:::axb") == (
        "implicit deny"
    )


def test_not_resource_is_everything_else() -> None:
    statement = {"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::bucket/*"}

    assert effect([allow("*"), statement], "s3:GetObject", OBJECT) == "allowed"
    assert effect([allow("*"), statement], "s3:GetObject", "arn:aws:s3:::other/k") == (
        "explicit deny"
    )


# "Variables and tags": a value matches itself only; no value, no match; ${*} is a star.
@pytest.mark.parametrize(
    ("resource", "context", "matches"),
    [
        ("arn:aws:s3:::bucket/${aws:username}/*", {"aws:username": "a"}, True),
        ("arn:aws:s3:::bucket/${AWS:UserName}/*", {"aws:username": "a"}, True),
        ("arn:aws:s3:::bucket/${aws:username}/*", {"aws:username": "*"}, False),
        ("arn:aws:s3:::bucket/${aws:username}/*", {}, False),
        ("arn:aws:s3:::bucket/${aws:username, 'a'}/*", {}, True),
        ("arn:aws:s3:::bucket/${*}", {}, False),
        ("arn:aws:s3:::bucket/a/b${?}txt", {}, False),
    ],
)
def test_variables(resource, context, matches) -> None:
    found = effect(allow("s3:GetObject", resource), "s3:GetObject", OBJECT, context)

    assert found == ("allowed" if matches else "implicit deny")


def test_variables_came_with_version_2012_10_17() -> None:
    old = document(allow(resource="${aws:username}"), version="2008-10-17")

    assert evaluate(parse(old), "sns:Publish", "a", {"aws:username": "a"}).effect == (
        "implicit deny"
    )


# "Condition operators". None as a value: the request does not have the key.
@pytest.mark.parametrize(
    ("operator", "expected", "actual", "holds"),
    [
        ("StringEquals", "eu-west-1", "eu-west-1", True),
        ("StringEquals", ["us-east-1", "eu-west-1"], "eu-west-1", True),
        ("StringEquals", "eu-*", "eu-west-1", False),
        ("StringEquals", "EU-WEST-1", "eu-west-1", False),
        ("StringEquals", "eu-west-1", None, False),
        ("StringEquals", "${aws:PrincipalAccount}", "123456789012", True),
        ("StringEqualsIgnoreCase", "EU-WEST-1", "eu-west-1", True),
        ("StringNotEquals", "us-east-1", "eu-west-1", True),
        ("StringNotEquals", ["us-east-1", "eu-west-1"], "eu-west-1", False),
        ("StringNotEquals", "us-east-1", None, True),
        ("StringLike", "eu-*-?", "eu-west-1", True),
        ("StringLike", "eu-*", None, False),
        ("StringNotLike", "eu-*", "eu-west-1", False),
        ("StringNotLike", "eu-*", None, True),
        ("StringEqualsIfExists", "us-east-1", "eu-west-1", False),
        ("StringEqualsIfExists", "us-east-1", None, True),
        ("StringLikeIfExists", "us-*", None, True),
        ("Bool", "true", "true", True),
        ("Bool", True, "true", True),
        ("Bool", "false", "true", False),
        ("Bool", "false", None, False),
        ("BoolIfExists", "false", None, True),
        ("ArnLike", "arn:aws:sns:*:123456789012:w*", TOPIC, True),
        ("ArnEquals", "arn:aws:sns:*:*:words", TOPIC, True),
        ("ArnEquals", "arn:aws:sns:eu-west-1:${aws:PrincipalAccount}:words", TOPIC, True),
        ("ArnLike", "arn:aws:*:words", TOPIC, False),  # `*` stays within its part
        ("ArnLike", "arn:aws:sns:*", TOPIC, False),
        ("ArnNotLike", "arn:aws:sns:*:*:other", TOPIC, True),
        ("Null", "true", None, True),
        ("Null", "true", "eu-west-1", False),
        ("Null", False, "eu-west-1", True),
    ],
)
def test_conditions(operator, expected, actual, holds) -> None:
    statement = allow(Condition={operator: {"Some:Key": expected}})
    context = {"aws:principalaccount": "123456789012"}
    context |= {} if actual is None else {"some:key": actual}

    assert effect(statement, context=context) == ("allowed" if holds else "implicit deny")


def test_every_condition_must_hold() -> None:
    both = {"StringEquals": {"k:a": "1", "k:b": "2"}, "StringLike": {"k:c": "3*"}}

    assert effect(allow(Condition=both), context={"k:a": "1", "k:b": "2", "k:c": "30"}) == "allowed"
    assert effect(allow(Condition=both), context={"k:a": "1", "k:c": "30"}) == "implicit deny"
    assert effect(allow(Condition=both), context={"k:a": "1", "k:b": "2"}) == "implicit deny"


def test_a_condition_that_does_not_hold_denies_nothing() -> None:
    elsewhere = deny(Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})

    assert effect([allow(), elsewhere], context={"aws:requestedregion": "eu-west-1"}) == "allowed"


def test_an_unknown_operator_is_taken_the_careful_way_and_logged(caplog) -> None:
    odd = {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}

    with caplog.at_level(logging.WARNING):
        assert effect(allow(Condition=odd)) == "implicit deny"
        assert effect([allow(), deny(Condition=odd)]) == "explicit deny"

    assert "DateLessThan" in caplog.text


def test_the_statement_that_decided_is_named() -> None:
    statements = parse(document(allow(Sid="AllowAll"), deny("sns:Subscribe"), deny()))

    assert evaluate(statements, "sns:Publish", TOPIC, {}).statement.sid == "#3"
    assert evaluate(statements, "sns:ListTopics", TOPIC, {}).statement is None
    assert evaluate(parse(document(allow(Sid="Yes"))), "sns:Publish", TOPIC, {}).statement.sid == (
        "Yes"
    )


def test_one_statement_needs_no_list() -> None:
    one = json.dumps({"Version": "2012-10-17", "Statement": allow()})

    assert evaluate(parse(one), "sns:Publish", TOPIC, {}).allowed


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "expected a JSON object"),
        ('{"Statement": ["x"]}', "expected a JSON object"),
        (document({"Action": "*", "Resource": "*"}), 'expected "Allow" or "Deny"'),
        (document({"Effect": "allow", "Action": "*", "Resource": "*"}), "Effect 'allow'"),
        (document({"Effect": "Allow", "Resource": "*"}), "has Action None"),
        (document({"Effect": "Allow", "Action": "*"}), "has Resource None"),
        (document({"Effect": "Allow", "Action": [1], "Resource": "*"}), "has Action [1]"),
        (document(allow(Condition=["x"])), "has Condition"),
        (document(allow(Condition={"Bool": "x"})), "has Condition"),
    ],
)
def test_a_document_that_is_no_policy_says_what_is_wrong(text, complaint) -> None:
    with pytest.raises(PolicyError) as caught:
        parse(text)

    assert complaint in str(caught.value)


@given(pattern=st.text(max_size=20), resource=st.text(max_size=20), value=st.text(max_size=5))
def test_any_text_can_be_a_pattern(pattern, resource, value) -> None:
    condition = {"StringLike": {"k": pattern}, "ArnLike": {"k": pattern}}
    statements = parse(document(allow(pattern, pattern, Condition=condition)))

    assert evaluate(statements, "sns:Publish", resource, {"k": value}).effect in (
        "allowed",
        "implicit deny",
    )


@given(resource=st.text(st.characters(exclude_characters="*?$"), min_size=1, max_size=20))
def test_a_pattern_without_wildcards_matches_itself(resource) -> None:
    assert effect(allow(resource=resource), resource=resource) == "allowed"
