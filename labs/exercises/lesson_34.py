"""Lesson 34, workflows and signed requests: checks, hints, solutions, wrong answers."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from labs.course.packaging import package
from labs.exercises import Exercise, NotTried, NotYet
from labs.exercises.variables import other_variables
from labs.pubsub import ensure, failures, signatures, slack, workflows

NEEDS = {
    "34.2": ("aws", "sns"),
    "34.3": ("aws",),
}

PATIENCE = 3.0  # seconds to wait for what a right answer does in much less
SOON_AFTER = 0.8  # seconds in which what must not happen would have happened


# 34.1: one step after another

ACCOUNT = Path("functions/onboarding/account.py")


def check_onboarding(aws: Any) -> None:
    """Deploy the learner's first step, and let people join, in good and in bad times."""
    name, joined = deploy_account(aws)
    error = run(aws, name, good := person())
    if error:
        raise NotYet(
            found=f"when {good} joins, the function `account` ends in {error}",
            expected="no error, and an account",
            look_at="the line of `account.py` that the error names.",
        )
    aws.client("sns").publish(TopicArn=joined, Message=(other := person()))
    for each in (good, other):
        if not failures.wait_until(lambda each=each: "access_granted" in got(aws, each), PATIENCE):
            raise NotYet(
                found=f"{PATIENCE:g} s after {each} joined, the table has {say(got(aws, each))}",
                expected="`account_made` and `access_granted`",
                look_at="who tells the second step? It hears of its topic, and of nothing else: no"
                " return value reaches it, and the message is taken for the person's name.",
            )
        if "account_made" not in got(aws, each):
            raise NotYet(
                found=f"{each} has access, and no account",
                expected="both",
                look_at="what your function does with the table.",
            )
    with table_out_of_reach(aws, name):
        error = run(aws, name, unlucky := person())
    time.sleep(SOON_AFTER)
    if "access_granted" in got(aws, unlucky):
        raise NotYet(
            found="while the table was out of reach, somebody without an account was granted"
            " access",
            expected="no access: there is no account",
            look_at="the order of the two things that your function does, and what it does when"
            " the first of them fails.",
        )
    if not error:
        raise NotYet(
            found="while the table was out of reach, the function ended without an error",
            expected="an error, so that Lambda tries again later",
            look_at="which exceptions your code catches.",
        )


def deploy_account(aws: Any) -> tuple[str, str]:
    """The name of the first step, with the learner's file in it, and the ARN of its topic."""
    if not ACCOUNT.is_file():
        raise NotTried
    sns, name = aws.client("sns"), aws.name("account")
    joined, next_topic = (
        sns.create_topic(Name=aws.name(topic))["TopicArn"] for topic in ("joined", "account-made")
    )
    people = workflows.table(aws.session, aws.name("people"), "person")
    with readable_code():
        workflows.step(
            aws.session,
            name,
            ACCOUNT,
            "account.handler",
            joined,
            may={"dynamodb:UpdateItem": people, "sns:Publish": next_topic},
            environment={"PEOPLE": aws.name("people"), "NEXT_TOPIC_ARN": next_topic},
        )
    return name, joined


def person() -> str:
    """Somebody whom nobody has seen before."""
    return f"check-{uuid.uuid4().hex[:8]}"


def run(aws: Any, name: str, who: str) -> str:
    """Call the first step as the topic would, and wait; the error it ended in, or ""."""
    sns = {"MessageId": str(uuid.uuid4()), "Message": who, "Type": "Notification"}
    event = json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": sns}]})
    reply = aws.client("lambda").invoke(FunctionName=name, Payload=event)
    payload = json.load(reply["Payload"])
    if "FunctionError" not in reply:
        return ""
    payload = payload if isinstance(payload, dict) else {}
    return f"{payload.get('errorType', 'an error')}: {payload.get('errorMessage', '')}"


def got(aws: Any, who: str) -> dict[str, Any]:
    """What the table says that somebody has got."""
    people = aws.resource("dynamodb").Table(aws.name("people"))
    item = people.get_item(Key={"person": who}, ConsistentRead=True).get("Item", {})
    return {name: value for name, value in item.items() if name != "person"}


def say(names: dict[str, Any]) -> str:
    """Names of attributes in a sentence."""
    return " and ".join(f"`{name}`" for name in sorted(names)) or "nothing about them"


@contextmanager
def readable_code() -> Iterator[None]:
    """Say in words that Lambda could not load the learner's code."""
    try:
        yield
    except ValueError as wrong:
        raise NotYet(
            found=f"Lambda could not load your file. {wrong}",
            expected="a Python file with a function `handler`",
            look_at="the line that it names.",
        ) from None


def table_out_of_reach(aws: Any, name: str) -> AbstractContextManager[None]:
    """While the block runs, the function looks for a table that is not there."""
    return other_variables(aws, name, PEOPLE=f"{aws.name('people')}-missing")


ACCOUNT_STUB = """\
%%writefile functions/onboarding/account.py
import os
from datetime import UTC, datetime

import boto3

people = boto3.resource("dynamodb").Table(os.environ["PEOPLE"])


def handler(event, context):
    people.update_item(
        Key={"person": event["Records"][0]["Sns"]["Message"]},
        UpdateExpression="SET account_made = :now",
        ExpressionAttributeValues={":now": datetime.now(UTC).isoformat()},
    )
"""

UPDATE = ACCOUNT_STUB[ACCOUNT_STUB.index("    people.update_item") :]
PUBLISH = """\
    person = event["Records"][0]["Sns"]["Message"]
    boto3.client("sns").publish(TopicArn=os.environ["NEXT_TOPIC_ARN"], Message=person)
"""

ACCOUNT_SOLUTION = (
    ACCOUNT_STUB
    + """\
    # Last, so that it happens only if the account was made: an error above ends the function.
"""
    + PUBLISH
)

ACCOUNT_RESOURCE = """\
%%writefile functions/onboarding/account.py
import os
from datetime import UTC, datetime

import boto3

people = boto3.resource("dynamodb").Table(os.environ["PEOPLE"])
next_topic = boto3.resource("sns").Topic(os.environ["NEXT_TOPIC_ARN"])


def handler(event, context):
    for record in event["Records"]:
        person = record["Sns"]["Message"]
        people.update_item(
            Key={"person": person},
            UpdateExpression="SET account_made = :now",
            ExpressionAttributeValues={":now": datetime.now(UTC).isoformat()},
        )
        next_topic.publish(Message=person)
"""

ACCOUNT_WRONG = {
    # Tells first, and makes the account then.
    ACCOUNT_STUB.replace(UPDATE, PUBLISH + UPDATE): "without an account was granted access",
    # Takes the return value for a message.
    ACCOUNT_STUB + '    return event["Records"][0]["Sns"]["Message"]\n': "no return value",
    # Passes the whole event on.
    ACCOUNT_STUB
    + PUBLISH.replace("Message=person", "Message=str(event)"): "taken for the person's name",
    # A message is a text.
    ACCOUNT_STUB
    + PUBLISH.replace("Message=person", 'Message={"person": person}'): "ParamValidationError",
    # Goes on whatever happens.
    ACCOUNT_STUB.replace(
        UPDATE,
        "    try:\n"
        + "".join(f"    {line}\n" for line in UPDATE.splitlines())
        + "    except Exception as error:\n        print(error)\n"
        + PUBLISH,
    ): "without an account was granted access",
}


# 34.2: only what concerns it

#: Attributes of an outage -> does it ring the pager?
OUTAGES = {
    ("critical", "production"): True,
    ("critical", "test"): False,
    ("critical", "staging"): False,
    ("major", "production"): False,
    ("minor", "test"): False,
}


def check_filter(aws: Any) -> None:
    """Publish outages of several kinds, and see who was told of which."""
    sns = aws.client("sns")
    topic = sns.create_topic(Name=aws.name("outage"))["TopicArn"]
    if not policy_of(sns, topic, "pager") and not policy_of(sns, topic, "statuspage"):
        raise NotTried
    outages = {kind: f"check {uuid.uuid4().hex[:8]}" for kind in OUTAGES}
    for (severity, environment), message in outages.items():
        workflows.report(sns, topic, message, severity=severity, environment=environment)
    ringing = [kind for kind, rings in OUTAGES.items() if rings]

    def is_told() -> bool:
        page, pager = (heard(aws, outages, system) for system in ("statuspage", "pager"))
        return page == list(OUTAGES) and set(ringing) <= set(pager)

    failures.wait_until(is_told, PATIENCE)
    time.sleep(SOON_AFTER)  # what the pager should not hear comes as late as what it should
    if (told := heard(aws, outages, "statuspage")) != list(OUTAGES):
        raise NotYet(
            found=f"the status page was told of {in_words(told)}",
            expected=f"of every outage: {in_words(list(OUTAGES))}",
            look_at="whose subscription has a policy: `sns.get_subscription_attributes` tells."
            " The policy `{}` lets everything through again.",
        )
    if (told := heard(aws, outages, "pager")) != ringing:
        raise NotYet(
            found=f"the pager rang for {in_words(told)}",
            expected=f"only for {in_words(ringing)}",
            look_at="your policy, beside the table above: which names must hold, and for which"
            " values does each?",
        )


def heard(aws: Any, outages: dict[tuple[str, str], str], system: str) -> list[tuple[str, str]]:
    """The kinds of outages that a system was told of."""
    items = aws.resource("dynamodb").Table(aws.name("notes")).scan()["Items"]
    told = {item["message"] for item in items if item["system"] == system}
    return [kind for kind, message in outages.items() if message in told]


def policy_of(sns: Any, topic: str, system: str) -> dict[str, Any]:
    """The filter policy of a system's subscription; {} without one. Raises NotYet."""
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    for item in (item for page in pages for item in page["Subscriptions"]):
        if item["Endpoint"].endswith(f"-{system}"):
            arn = item["SubscriptionArn"]
            attributes = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
            return json.loads(attributes.get("FilterPolicy") or "{}")
    raise NotYet(
        found=f"{system} is not subscribed to the topic any more",
        expected="three subscriptions",
        look_at="the cell that deploys the three systems: run it again.",
    )


def in_words(kinds: list[tuple[str, str]]) -> str:
    """Kinds of outages in a sentence."""
    return ", ".join(f"{severity} in {environment}" for severity, environment in kinds) or "nothing"


def filter_answer(policy: str) -> str:
    """An exercise cell with this policy."""
    return f'policy = {policy}\nonly("pager", policy)\n'


FILTER_SOLUTION = """\
# Both names must hold; each has a list of the values that will do.
""" + filter_answer('{"severity": ["critical"], "environment": ["production"]}')

FILTER_WRONG = {
    filter_answer('{"severity": ["critical"]}'): "rang for critical in production, critical in",
    filter_answer('{"environment": ["production"]}'): "major in production",
    # One name with two values: one of them is enough.
    filter_answer('{"severity": ["critical", "production"]}'): "critical in test",
    # An "and" made of an "anything but" on the wrong name.
    filter_answer(
        '{"severity": [{"anything-but": ["minor"]}], "environment": ["production"]}'
    ): "critical in production, major in production",
    # There are more environments than two.
    filter_answer(
        '{"severity": ["critical"], "environment": [{"anything-but": ["test"]}]}'
    ): "critical in staging",
    # Nothing is ever both.
    filter_answer('{"severity": ["critical production"]}'): "rang for nothing",
}


# 34.3: a request that comes a second time

SIGNED = Path("functions/signed")

AGE = "how old a request may be, in which direction, and in which unit; what is compared with what."
SIGNATURE = "your handler's answer: a request needs a time near now *and* the right signature."


def check_replay(aws: Any) -> None:
    """Put the learner's file behind its URL, and post as Slack would, and as others would."""
    url, secret = deploy_signed(aws)
    body = urlencode(slack.form(f"awsadvent {uuid.uuid4().hex[:8]}"))
    now = time.time()

    def at(offset: float) -> dict[str, str]:
        return signatures.headers(secret, body, now + offset)

    expect(url, body, at(0), 200, "a request that Slack has signed now")
    expect(url, body, at(-240), 200, "a request that Slack signed 4 minutes ago")
    expect(url, body + "!", at(0), 401, "a request whose text was changed on the way", SIGNATURE)
    expect(url, body, at(-600), 401, "a request that Slack signed 10 minutes ago")
    expect(url, body, at(600), 401, "a request whose time is 10 minutes ahead")
    moved = at(-600) | {signatures.TIMESTAMP: str(int(now))}
    expect(url, body, moved, 401, "an old request with a new time written over the old", SIGNATURE)
    nonsense = {
        signatures.TIMESTAMP: "soon",
        signatures.SIGNATURE: signatures.signature(secret, "soon", body),
    }
    expect(url, body, nonsense, 401, "a request with `soon` for a time")
    expect(url, body, {}, 401, "a request without Slack's headers")


def deploy_signed(aws: Any) -> tuple[str, str]:
    """The URL of the learner's function, with the file of now, and its secret."""
    if not (SIGNED / "app.py").is_file():
        raise NotTried
    functions, name = aws.client("lambda"), aws.name("signed")
    with readable_code():
        functions.update_function_code(FunctionName=name, ZipFile=package(SIGNED))
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    settings = functions.get_function_configuration(FunctionName=name)
    api = ensure.find_api(aws.client("apigateway"), name)
    url = f"https://{api}.execute-api.{aws.region}.amazonaws.com/{workflows.STAGE}/slack"
    return url, settings["Environment"]["Variables"]["SIGNING_SECRET"]


def expect(
    url: str, body: str, headers: dict[str, str], status: int, what: str, look_at: str = AGE
) -> None:
    """Post, and raise NotYet for another status."""
    import requests

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    found = requests.post(url, data=body, headers=form | headers, timeout=30).status_code
    if found != status:
        fell = found >= 500
        raise NotYet(
            found=f"{what} is answered with {found}",
            expected=f"{status}",
            look_at="the end of `log(aws.name('signed'))`: what did the function fall over?"
            if fell
            else look_at,
        )


SIGNED_STUB = """\
%%writefile functions/signed/app.py
import hashlib
import hmac
import os


def handler(event, context):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    timestamp = headers.get("x-slack-request-timestamp", "")
    signed = f"v0:{timestamp}:{event['body']}".encode()
    digest = hmac.new(os.environ["SIGNING_SECRET"].encode(), signed, hashlib.sha256).hexdigest()
    genuine = hmac.compare_digest(f"v0={digest}", headers.get("x-slack-signature", ""))
    return {"statusCode": 200 if genuine else 401}
"""

IMPORT_TIME = SIGNED_STUB.replace("import os\n", "import os\nimport time\n")
RETURN = '    return {"statusCode": 200 if genuine else 401}\n'


def with_fresh(lines: str) -> str:
    """The handler with lines that make `fresh`, which must hold, too."""
    end = RETURN.replace("if genuine", "if genuine and fresh")
    return IMPORT_TIME.replace(RETURN, lines + end)


SIGNED_SOLUTION = with_fresh("""\
    # Digits only, so that int() cannot fail; the distance from now, so that the future counts too.
    fresh = timestamp.isdecimal() and abs(time.time() - int(timestamp)) <= 300
""")

SIGNED_EARLY = SIGNED_STUB.replace(
    "import os\n", "import os\nfrom datetime import datetime\n"
).replace(
    "    signed =",
    """\
    try:
        age = datetime.now() - datetime.fromtimestamp(float(timestamp))
    except (ValueError, OverflowError, OSError):
        return {"statusCode": 401}
    if not -300 < age.total_seconds() < 300:
        return {"statusCode": 401}
    signed =""",
)

DIGITS = "timestamp.isdecimal() and "
SIGNED_WRONG = {
    # Only the past: a time ahead of now has a negative age.
    with_fresh(f"    fresh = {DIGITS}time.time() - int(timestamp) < 300\n"): "10 minutes ahead",
    # Minutes taken for seconds.
    with_fresh(f"    fresh = {DIGITS}abs(time.time() - int(timestamp)) < 5\n"): "4 minutes ago",
    # Falls over `soon`.
    with_fresh("    fresh = abs(time.time() - int(timestamp)) < 300\n"): "fall over",
    # A string is no number.
    with_fresh("    fresh = time.time() - timestamp < 300\n"): "fall over",
    # Fresh is enough, signed or not.
    with_fresh(f"    fresh = {DIGITS}abs(time.time() - int(timestamp)) < 300\n").replace(
        "genuine and fresh", "fresh"
    ): "*and* the right signature",
    # Turned the wrong way round.
    with_fresh(f"    fresh = {DIGITS}abs(time.time() - int(timestamp)) > 300\n"): "signed now",
}


EXERCISES = (
    Exercise(
        id="34.1",
        title="onboard a user in two steps",
        kind="build",
        check=check_onboarding,
        hints=(
            "The second step waits for a message. Who can send one, and when does the first step"
            " know that there is something to say?",
            "`boto3.client('sns')` works inside a function, too: the role says what it may do. The"
            " call is the one with which you publish here.",
            "After the update, at the end of the handler, publish the person's name, and nothing"
            ' more, to `os.environ["NEXT_TOPIC_ARN"]`. No `try` is needed: an error above ends the'
            " function before it gets there.",
        ),
        solution=ACCOUNT_SOLUTION,
        also=(ACCOUNT_RESOURCE,),
        wrong=ACCOUNT_WRONG,
    ),
    Exercise(
        id="34.2",
        title="let the pager hear only what concerns it",
        kind="build",
        check=check_filter,
        hints=(
            "Two things must hold at the same time. Which row of the table is about that?",
            "A policy is a dictionary: a name for each attribute that matters, and for each name a"
            " list of values that will do.",
            "Two names, `severity` and `environment`, each with a list of one value.",
        ),
        solution=FILTER_SOLUTION,
        also=(filter_answer('{"environment": ["production"], "severity": [{"prefix": "crit"}]}'),),
        wrong=FILTER_WRONG,
    ),
    Exercise(
        id="34.3",
        title="refuse a replayed request",
        kind="repair",
        check=check_replay,
        hints=(
            "What does the handler know about when the request was signed, and what about now?",
            "Both are seconds since 1970, one of them as text. 5 minutes are 300 seconds; the"
            " distance counts, in either direction.",
            "`time.time()`, `int(timestamp)` and `abs` make the distance. Before `int`, ask"
            " `timestamp.isdecimal()`: somebody may send anything. Then signature *and* age"
            " decide.",
        ),
        solution=SIGNED_SOLUTION,
        also=(SIGNED_EARLY,),
        wrong=SIGNED_WRONG,
    ),
)
