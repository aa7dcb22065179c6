"""Slack's signatures: the example that Slack publishes, and whatever else may come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.pubsub import signatures
from labs.pubsub.signatures import SIGNATURE, TIMESTAMP, WINDOW

SECRET, NOW = "8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618
BODY = (
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    "&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    "&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
    "%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    "&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)


def test_the_example_of_slack_itself():
    """Source: Slack, "Verifying requests from Slack"."""
    expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    assert signatures.signature(SECRET, str(NOW), BODY) == expected


@given(body=st.text(st.characters(exclude_categories=["Cs"])), age=st.integers(-WINDOW, WINDOW))
def test_what_was_signed_within_the_window_is_taken(body, age):
    signed = signatures.headers(SECRET, body, NOW - age)
    assert signatures.refusal(SECRET, signed, body, NOW) == ""
    assert signatures.refusal(SECRET, {k.lower(): v for k, v in signed.items()}, body, NOW) == ""


@given(
    changed=st.sampled_from(["body", "secret", TIMESTAMP, SIGNATURE]),
    text=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_whatever_is_changed_is_refused_and_nothing_raises(changed, text):
    signed = signatures.headers(SECRET, BODY, NOW)
    body, secret = BODY, SECRET
    if changed == "body":
        body += "!" + text
    elif changed == "secret":
        secret += "!" + text
    elif text == signed[changed]:
        return
    else:
        signed[changed] = text
    assert signatures.refusal(secret, signed, body, NOW)


@pytest.mark.parametrize(
    ("age", "why"),
    [(300, ""), (301, "too old"), (-300, ""), (-301, "too old, or from the future")],
)
def test_the_window_has_two_ends(age, why):
    signed = signatures.headers(SECRET, BODY, NOW - age)
    assert signatures.refusal(SECRET, signed, BODY, NOW).startswith(why)
    assert bool(signatures.refusal(SECRET, signed, BODY, NOW)) is bool(why)


def test_without_headers_there_is_no_time():
    assert signatures.refusal(SECRET, {}, BODY, NOW) == "no time"
