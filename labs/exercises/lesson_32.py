"""Lesson 32, fan-out through a topic: checks, hints, solutions, wrong answers."""

import json
import time
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any
from uuid import uuid4

from labs.exercises import Exercise, NotYet
from labs.pubsub import ensure, slack

NEEDS = {
    "32.2": ("counter", "topic_arn", "iam", "sns", "lambda_client"),
    "32.3": ("counter", "topic_arn", "iam", "sns", "lambda_client", "multiplier_arn"),
    "32.4": ("counter", "topic_arn", "iam", "sns", "lambda_client", "count_of"),
}
PATIENCE = 8.0  # seconds for a message to reach a function; the mock needs some milliseconds
DOUBTFUL = 0.5  # seconds, when something is missing that the message would need


def ready(aws: Any, section: str) -> bool:
    """Is in the account what a section needs? Later sections need more."""
    steps: list[Callable[[Any], bool]] = [publisher_knows_topic]
    if section >= "32.3":
        steps.append(lambda aws: not why_not_delivered(aws))
    if section >= "32.4":
        steps.append(may_publish)
    return all(step(aws) for step in steps)


# What the account looks like


def topic_of(aws: Any) -> str:
    """The ARN of the lesson's topic; making it again changes nothing."""
    return aws.client("sns").create_topic(Name=aws.name("awsadvent"))["TopicArn"]


def publisher_knows_topic(aws: Any) -> bool:
    """Has the word counter the variable with the topic's ARN?"""
    found = aws.client("lambda").get_function_configuration(FunctionName=aws.name("aws_advent"))
    variables = found.get("Environment", {}).get("Variables", {})
    return variables.get("SNS_TOPIC_ARN") == topic_of(aws)


def subscribers(aws: Any) -> list[str]:
    """What the topic tells, by the end of its ARN."""
    pages = aws.client("sns").get_paginator("list_subscriptions_by_topic")
    pages = pages.paginate(TopicArn=topic_of(aws))
    endpoints = [item["Endpoint"] for page in pages for item in page["Subscriptions"]]
    return [endpoint.rsplit(":", 1)[-1] for endpoint in endpoints]


def may_publish(aws: Any) -> bool:
    """Does an inline policy of the word counter's role allow what it needs?"""
    return any(
        statement.get("Effect") == "Allow"
        and any(fnmatchcase("sns:publish", action) for action in actions_of(statement))
        and any(fnmatchcase(topic_of(aws), arn) for arn in listed(statement.get("Resource")))
        for _, statement in statements_of_role(aws)
    )


def statements_of_role(aws: Any) -> list[tuple[str, dict]]:
    """(name of the policy, statement) for each inline policy of the word counter's role."""
    iam, role = aws.client("iam"), aws.name("aws_advent_lambda_dynamo")
    found = []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        statements = document["Statement"]
        found += [
            (name, statement)
            for statement in (statements if isinstance(statements, list) else [statements])
        ]
    return found


def actions_of(statement: dict) -> list[str]:
    """A statement's actions in small letters: IAM does not tell them apart by case."""
    return [action.lower() for action in listed(statement.get("Action"))]


def listed(value: Any) -> list[str]:
    """A policy may hold one text or a list of them."""
    return value if isinstance(value, list) else [str(value)]


def url_of(aws: Any) -> str:
    """Where the lesson's API is. Raises NotYet if there is none."""
    api_id = ensure.find_api(aws.client("apigateway"), aws.name("aws_advent"))
    if api_id is None:
        raise NotYet(
            found="there is no API to post to",
            expected="what the set-up cell deploys",
            look_at="the set-up cell: run it, then the cells down to here.",
        )
    return f"https://{api_id}.execute-api.{aws.region}.amazonaws.com/prod/aws_advent"


def count_of(aws: Any, word: str) -> int:
    """What the table holds for a word; 0 without an item."""
    reply = aws.client("dynamodb").get_item(
        TableName=aws.name("table"), Key={"word": {"S": word}}, ConsistentRead=True
    )
    return int(reply.get("Item", {}).get("count", {}).get("N", 0))


def wait_for_count(aws: Any, word: str, wanted: int, patience: float) -> int:
    """The word's count as soon as it is `wanted`, or what it is after `patience` seconds."""
    deadline, pause = time.monotonic() + patience, 0.02
    while (count := count_of(aws, word)) < wanted and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
    return count


def a_new_word() -> str:
    """A word that nobody has said."""
    return f"check-{uuid4().hex[:6]}"


def post(aws: Any, text: str) -> None:
    """Post as Slack does. Raises NotYet if that is not answered with 200."""
    reply = slack.post(url_of(aws), text)
    if reply.status_code != 200:
        raise NotYet(
            found=f"posting `{text}` is answered {reply.status_code}, `{reply.text}`",
            expected="200, with a count",
            look_at="log(counter.function), and the function's variables.",
        )


# 32.1: subscribe the multiplier


def check_subscribe(aws: Any) -> None:
    """Post a new word and wait until both functions have counted it."""
    word = a_new_word()
    trouble = why_not_delivered(aws)
    post(aws, word)
    count = wait_for_count(aws, word, 11, DOUBTFUL if trouble else PATIENCE)
    if count == 11:
        return
    found, look_at = trouble or (
        "The multiplier is subscribed, and the topic may invoke it",
        "its log, `log(aws.name('sns_multiplier'))`: was it invoked, and how did it end?",
    )
    raise NotYet(
        found=f"the check's word stands at {count}. {found}",
        expected="11: 1 from aws_advent and 10 from the multiplier, once",
        look_at=look_at,
    )


def why_not_delivered(aws: Any) -> tuple[str, str] | None:
    """(what was found, where to look) if no message can reach the multiplier; None if one can."""
    multiplier, told = aws.name("sns_multiplier"), subscribers(aws)
    if multiplier not in told:
        who = ", ".join(told) or "nobody"
        return (
            f"The topic tells {who}",
            "the list of subscriptions: whom should it name, and by which ARN?",
        )
    statements = policy_of(aws, multiplier)
    if not statements:
        return (
            "The topic tells the multiplier, but the multiplier's own policy lets nobody in",
            '"Two doors" in lesson 31: a subscription is one of them.',
        )
    judged = [why_not_let_in(statement, topic_of(aws)) for statement in statements]
    return None if None in judged else judged[-1]


def policy_of(aws: Any, function: str) -> list[dict]:
    """The statements of a function's own policy."""
    functions = aws.client("lambda")
    try:
        return json.loads(functions.get_policy(FunctionName=function)["Policy"])["Statement"]
    except functions.exceptions.ResourceNotFoundException:
        return []


def why_not_let_in(statement: dict, topic_arn: str) -> tuple[str, str] | None:
    """Why a statement of a function's policy does not hold for the topic; None if it does."""
    who = statement.get("Principal")
    who = who.get("Service", who.get("AWS")) if isinstance(who, dict) else who
    if who not in ("sns.amazonaws.com", "*"):
        return (
            f"Statement {statement.get('Sid')} of the multiplier's policy lets `{who}` in",
            "which service it is that invokes the multiplier.",
        )
    condition = statement.get("Condition", {})
    arns = [arn for test in condition.values() for arn in test.values()]
    wrong = [arn for arn in arns if ":" in arn and not fnmatchcase(topic_arn, arn)]
    if wrong:
        return (
            f"Statement {statement.get('Sid')} of the multiplier's policy holds for calls from"
            f" `{wrong[0]}`",
            "SourceArn: the source of a call is where it comes from.",
        )
    return None


SHOW_SUBSCRIPTIONS = '\nsns.list_subscriptions_by_topic(TopicArn=topic_arn)["Subscriptions"]\n'

SUBSCRIBE_SOLUTION = (
    """\
from contextlib import suppress

# The function lets the topic in, and this topic only. First, so that no message comes too early.
with suppress(lambda_client.exceptions.ResourceConflictException):  # it may be there already
    lambda_client.add_permission(
        FunctionName=multiplier_arn,
        StatementId="awsadvent",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic_arn,
    )
sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=multiplier_arn)
"""
    + SHOW_SUBSCRIPTIONS
)

SUBSCRIBE_BY_RESOURCE = """\
topic = aws.resource("sns").Topic(topic_arn)
topic.subscribe(Protocol="lambda", Endpoint=multiplier_arn)
allowed = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}
lambda_client.add_permission(
    FunctionName=aws.name("sns_multiplier"), StatementId=f"sns-{time.time_ns()}", **allowed
)
[subscription.arn for subscription in topic.subscriptions.all()]
"""


def permission(statement_id: str, function: str, principal: str, source: str) -> str:
    """The source of a call, with what a learner fills in."""
    return f'''\
lambda_client.add_permission(
    FunctionName={function},
    StatementId="{statement_id}",
    Action="lambda:InvokeFunction",
    Principal="{principal}.amazonaws.com",
    SourceArn={source},
)
'''


SUBSCRIBE = 'sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=multiplier_arn)\n'

SUBSCRIBE_WRONG = {
    # The publisher subscribed to its own topic.
    SUBSCRIBE.replace(
        "multiplier_arn",
        'lambda_client.get_function(FunctionName=counter.function)["Configuration"]["FunctionArn"]',
    )
    + SHOW_SUBSCRIPTIONS: "aws_advent",
    # One door of two.
    SUBSCRIBE + SHOW_SUBSCRIPTIONS: "lets nobody in",
    # The principal that is in every role's trust policy.
    SUBSCRIBE
    + permission("first", "multiplier_arn", "lambda", "topic_arn")
    + SHOW_SUBSCRIPTIONS: "lets `lambda.amazonaws.com` in",
    # The source taken for the target.
    SUBSCRIBE
    + permission("second", "multiplier_arn", "sns", "multiplier_arn")
    + SHOW_SUBSCRIPTIONS: "holds for calls from",
}


# 32.2: the publish permission is missing, and nothing seems to happen


def check_silence(aws: Any) -> None:
    """Post a new word and wait until both functions have counted it."""
    word = a_new_word()
    allowed = may_publish(aws)
    post(aws, word)
    count = wait_for_count(aws, word, 11, PATIENCE if allowed else DOUBTFUL)
    if count == 11:
        return
    trouble = why_not_delivered(aws)
    if trouble:
        found, look_at = trouble
    elif not publisher_knows_topic(aws):
        found = "aws_advent has no variable SNS_TOPIC_ARN with this topic's ARN"
        look_at = "`Environment` in section 1: it replaces all variables."
    else:
        found, look_at = why_not_published(aws)
    raise NotYet(
        found=f"the check's word is answered, and stands at {count}. {found}",
        expected="11, as before the tidying",
        look_at=look_at,
    )


def why_not_published(aws: Any) -> tuple[str, str]:
    """(what was found, where to look) in the policies of the publisher's role."""
    for name, statement in statements_of_role(aws):
        actions, arns = listed(statement.get("Action")), listed(statement.get("Resource"))
        if any(action.lower().startswith("sns:") for action in actions):
            return (
                f"The policy {name} says {statement.get('Effect')} {', '.join(actions)} on"
                f" {', '.join(arns)}",
                "the newest error in log(counter.function): which action, on which resource?",
            )
    return (
        "The topic and the multiplier are as they were, and no message reaches the topic",
        "log(counter.function), the line that begins with ERROR: who may not do what?",
    )


def put_policy(role: str, action: str, resource: str) -> str:
    """The source of a call, with what a learner fills in."""
    return f'''\
statement = {{"Effect": "Allow", "Action": "{action}", "Resource": {resource}}}
iam.put_role_policy(
    RoleName={role},
    PolicyName="publish",
    PolicyDocument=json.dumps({{"Version": "2012-10-17", "Statement": [statement]}}),
)
'''


POST_SILENCE = '\nslack.post(counter.url, "awsadvent silence").json()\n'

SILENCE_SOLUTION = (
    """\
# The log of aws_advent says that it may not publish to the topic. Its role has lost the policy of
# section 1. The function swallows that error, so that Slack gets its answer all the same.
iam.put_role_policy(
    RoleName=counter.role,
    PolicyName="aws_advent_lambda_dynamo_snspublish",
    PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may_publish]}),
)
"""
    + POST_SILENCE
)

SILENCE_WRONG = {
    # Look only at the subscriber, and subscribe it once more.
    SUBSCRIBE + POST_SILENCE: "no message reaches the topic",
    # The variable is there; setting it again changes nothing.
    """\
variables = {"DYNAMO_TABLE": counter.table, "SNS_TOPIC_ARN": topic_arn}
lambda_client.update_function_configuration(
    FunctionName=counter.function, Environment={"Variables": variables}
)
lambda_client.get_waiter("function_updated_v2").wait(FunctionName=counter.function)
"""
    + POST_SILENCE: "who may not do what",
    # The role of the one who is silent, not of the one who was refused.
    put_policy('aws.name("sns_multiplier")', "sns:Publish", "topic_arn")
    + POST_SILENCE: "no message reaches the topic",
    # The topic's plain name, without what `aws.name` puts before it.
    put_policy("counter.role", "sns:Publish", 'f"arn:aws:sns:{aws.region}:*:awsadvent"')
    + POST_SILENCE: "says Allow sns:Publish on arn:aws:sns:",
    # The other action.
    put_policy("counter.role", "sns:Subscribe", "topic_arn")
    + POST_SILENCE: "says Allow sns:Subscribe on arn:aws:sns:",
}


# 32.3: a word said twice in one message

PLACES = ("the first answer", "the table", "the second answer")
WHERE_TO_LOOK = (
    "`count` in labs/pubsub/word_counter.py: what is added for a word that stands twice?",
    "`message` in labs/pubsub/word_counter.py: does it name each word once, or as often as said?",
    "the order: which of the two functions is done when the second answer leaves?",
)


def check_tea(aws: Any, *answers: Any) -> None:
    """Say a new word twice in a message, twice, and compare."""
    given = [number_in(answer) for answer in answers]
    if len(given) != len(PLACES) or None in given:
        raise NotYet(
            found=", ".join("..." if answer is ... else repr(answer) for answer in answers)
            or "no number",
            expected="three whole numbers: for the first answer, the table, the second answer",
            look_at="the cell as it was: put a number in place of each `...`.",
        )
    word = a_new_word()
    first = answered(aws, word)
    table = wait_for_count(aws, word, first * 11, PATIENCE)
    measured = (first, table, answered(aws, word))
    if measured[0] == measured[1]:
        raise NotYet(
            found=f"the check's own word stays at {table}: the tens do not come",
            expected="a multiplier that adds them",
            look_at="exercise 32.2, or catch_up('32.4') at the top of this section.",
        )
    for place, number, right, look_at in zip(PLACES, given, measured, WHERE_TO_LOOK, strict=True):
        if number != right:
            raise NotYet(
                found=f"your number for {place} is {number}",
                expected="another: the check's own word came to another there",
                look_at=look_at,
            )


def answered(aws: Any, word: str) -> int:
    """The count in the answer to a message that says a word twice."""
    text = slack.post(url_of(aws), f"{word} {word}").json()["text"]
    return int(text.rpartition(f"{word}: ")[2])


def number_in(value: Any) -> int | None:
    """A whole number, or a text that is one; None for anything else."""
    try:
        return int(str(value))
    except ValueError:
        return None


def three_numbers(*numbers: int) -> str:
    """The source of an answer."""
    return f"first_answer, table_later, second_answer = {', '.join(map(str, numbers))}\n"


EXERCISES = (
    Exercise(
        id="32.1",
        title="subscribe the multiplier to the topic",
        kind="build",
        check=check_subscribe,
        hints=(
            "Who calls whom when a message comes? Which of the two has to be told, and which has to"
            " consent?",
            "The subscription names the topic and, as Endpoint, the ARN of the function.",
            "The permission is like that of lesson 31. Only Principal and SourceArn differ: the"
            " caller is SNS, and it calls for this topic.",
        ),
        solution=SUBSCRIBE_SOLUTION,
        also=(SUBSCRIBE_BY_RESOURCE,),
        wrong=SUBSCRIBE_WRONG,
    ),
    Exercise(
        id="32.2",
        title="find out why nothing seems to happen, and mend it",
        kind="repair",
        check=check_silence,
        hints=(
            "Go along the path of a message, from the post on. Which is the first step that goes"
            " wrong, or leaves no trace?",
            "`log(counter.function)` has a line with ERROR. It names who, what, and on which"
            " resource.",
            "The role of aws_advent has lost the inline policy of section 1: put it back.",
        ),
        solution=SILENCE_SOLUTION,
        also=(
            # As the article's repository has it: any account, any region, this name.
            put_policy(
                "counter.role", "sns:Publish", "f\"arn:aws:sns:*:*:{aws.name('awsadvent')}\""
            )
            + POST_SILENCE,
        ),
        wrong=SILENCE_WRONG,
    ),
    Exercise(
        id="32.3",
        title="a word said twice in one message",
        kind="explain",
        check=check_tea,
        hints=(
            "Does aws_advent add 1 for each different word, or for each word?",
            "The message holds the words as said. The multiplier adds its ten for each of them.",
            "The second answer: what the table holds, and what aws_advent adds to it. The second"
            " tens come later.",
        ),
        solution="# 2 are added at once, 20 later; the second answer finds 22 and adds 2.\n"
        + three_numbers(2, 22, 24),
        also=("first_answer = 2\ntable_later = first_answer * 11\nsecond_answer = 22 + 2\n",),
        wrong={
            three_numbers(1, 11, 12): "your number for the first answer is 1",
            three_numbers(2, 12, 14): "your number for the table is 12",
            three_numbers(2, 22, 23): "your number for the second answer is 23",
            "first_answer, table_later, second_answer = 2, 22.5, 'many'\n": "three whole numbers",
            three_numbers(2, 22, 44): "which of the two functions is done",
        },
    ),
)
