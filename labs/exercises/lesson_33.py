"""Lesson 33, keep the count right when messages fail: checks, hints, solutions, wrong answers."""

import json
import math
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from labs.course.packaging import package
from labs.exercises import Exercise, NotTried, NotYet
from labs.exercises.variables import other_variables

NEEDS = {
    "33.2": ("course", "multiplier", "folder", "counts", "update_multiplier"),
    "33.3": ("course", "lambda_client"),
}

FOLDER = Path("functions/multiplier")
AT_ONCE = 4  # deliveries: enough to meet in different sandboxes


# What both checks of the consumer need


def deploy_multiplier(aws: Any) -> str:
    """The name of the consumer, which holds the learner's folder now. Raises NotYet, NotTried."""
    if not (FOLDER / "counting.py").is_file() or not (FOLDER / "app.py").is_file():
        raise NotTried
    try:
        code = package(FOLDER)
    except ValueError as wrong:
        raise NotYet(
            found=f"Lambda could not load your files. {wrong}",
            expected="Python files",
            look_at="the line that it names.",
        ) from None
    functions, name = aws.client("lambda"), aws.name("sns_multiplier")
    functions.update_function_configuration(FunctionName=name, Handler="app.handler")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    functions.update_function_code(FunctionName=name, ZipFile=code)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    return name


def event(words: list[Any], message_id: str) -> bytes:
    """What SNS hands to a function, as far as this consumer reads it."""
    message = json.dumps({"version": 1, "words": words})
    sns = {"MessageId": message_id, "Message": message, "Type": "Notification"}
    return json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": sns}]}).encode()


def deliver(aws: Any, name: str, words: list[Any], message_id: str) -> str:
    """Deliver a message and wait; returns the error that the function ended in, or ""."""
    reply = aws.client("lambda").invoke(FunctionName=name, Payload=event(words, message_id))
    payload = json.load(reply["Payload"])
    if "FunctionError" not in reply:
        return ""
    payload = payload if isinstance(payload, dict) else {}
    return f"{payload.get('errorType', 'an error')}: {payload.get('errorMessage', '')}"


def deliver_well(aws: Any, name: str, words: list[Any], message_id: str) -> None:
    """Deliver a message that the function has to take. Raises NotYet if it fails."""
    error = deliver(aws, name, words, message_id)
    if error.startswith("ConditionalCheckFailedException"):
        raise NotYet(
            found=f"a delivery of a message with the words {words} ends in {error}",
            expected="no error: what is counted already needs no other try",
            look_at="how `claim` takes a condition that does not hold; and whether yours should"
            " have held.",
        )
    if error:
        raise NotYet(
            found=f"a message with the words {words} ends in {error}",
            expected="no error: there is nothing wrong with this message",
            look_at="the line that the error names, in `log(multiplier)`; and what the role of the"
            " function allows.",
        )


@contextmanager
def fresh_words(aws: Any, count: int) -> Iterator[list[str]]:
    """Words that nobody has counted yet, and that are gone from the table afterwards."""
    words = [f"check-{uuid.uuid4().hex[:8]}" for _ in range(count)]
    try:
        yield words
    finally:
        table = aws.resource("dynamodb").Table(aws.name("table"))
        for word in words:
            table.delete_item(Key={"word": word})


def count_of(aws: Any, word: str) -> int:
    """How often the table has counted a word."""
    table = aws.resource("dynamodb").Table(aws.name("table"))
    item = table.get_item(Key={"word": word}, ConsistentRead=True).get("Item", {})
    return int(item.get("count", 0))


def message_id() -> str:
    """A MessageId as SNS gives it."""
    return str(uuid.uuid4())


# 33.1: count each message once


def check_once(aws: Any) -> None:
    """Deliver messages to the learner's consumer, some of them several times, and read the table.

    The words stand in the table before, at 1, as the first function leaves them.
    """
    name = deploy_multiplier(aws)
    with fresh_words(aws, 2) as words:
        table = aws.resource("dynamodb").Table(aws.name("table"))
        for word in words:
            table.put_item(Item={"word": word, "count": 1})
        first, second = message_id(), message_id()
        deliver_well(aws, name, words, first)
        expect_counts(aws, words, 11, "after one message, delivered once")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            third = message_id()
            list(pool.map(lambda _: deliver_well(aws, name, words, third), range(AT_ONCE)))
        expect_counts(aws, words, 21, f"after a new message, delivered {AT_ONCE} times at once")
        deliver_well(aws, name, words, second)
        expect_counts(aws, words, 31, "after one more message with the same words")
        load_anew(aws, name)
        deliver_well(aws, name, words, first)
        expect_counts(aws, words, 31, "after the first message was delivered once more, late")
    error = deliver(aws, name, [None], message_id())
    if not error:
        raise NotYet(
            found="a word that the table cannot take, null, and the function ends without an error",
            expected="an error: what is not a second delivery must be tried again, and found",
            look_at="which exceptions your code catches, and which of them mean *counted already*.",
        )


def load_anew(aws: Any, name: str) -> None:
    """Have Lambda load the function again, as it may at any time; its memory is gone then."""
    functions = aws.client("lambda")
    functions.update_function_configuration(FunctionName=name, Description=f"check {message_id()}")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def expect_counts(aws: Any, words: list[str], expected: int, when: str) -> None:
    """Raises NotYet when a word stands at another number."""
    found = [count_of(aws, word) for word in words]
    if found != [expected] * len(words):
        raise NotYet(
            found=f"{when}, two words that began at 1 stand at {found[0]} and {found[1]}",
            expected=f"{expected} and {expected}: 10 for each message, not for each delivery",
            look_at="the condition of your write: for which deliveries does it hold? What does"
            " your code remember, and where?",
        )


ONCE_SOLUTION = """\
%%writefile functions/multiplier/counting.py
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["DYNAMO_TABLE"])


def add(word, amount, message_id):
    # Counting and remembering are one write: no second delivery comes between them, and a run
    # that dies half-way has done both or neither for each word. Only a refused condition is caught.
    try:
        table.update_item(
            Key={"word": word},
            UpdateExpression="ADD #count :amount, seen :ids",
            ConditionExpression="NOT contains(seen, :id)",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":amount": amount, ":ids": {message_id}, ":id": message_id},
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        print(f"{word} is counted already for {message_id}")
"""

ONCE_BY_ATTRIBUTE = """\
%%writefile functions/multiplier/counting.py
import os

import boto3
from botocore.exceptions import ClientError

dynamodb = boto3.client("dynamodb")


def add(word, amount, message_id):
    # An attribute of its own for each message.
    try:
        dynamodb.update_item(
            TableName=os.environ["DYNAMO_TABLE"],
            Key={"word": {"S": word}},
            UpdateExpression="SET #id = :true ADD #count :amount",
            ConditionExpression="attribute_not_exists(#id)",
            ExpressionAttributeNames={"#count": "count", "#id": message_id},
            ExpressionAttributeValues={":amount": {"N": str(amount)}, ":true": {"BOOL": True}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
"""

ONCE_IN_MEMORY = """\
%%writefile functions/multiplier/counting.py
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["DYNAMO_TABLE"])
seen = set()


def add(word, amount, message_id):
    if (word, message_id) in seen:
        return
    seen.add((word, message_id))
    table.update_item(
        Key={"word": word},
        UpdateExpression="ADD #count :amount",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":amount": amount},
    )
"""

ONCE_READ_FIRST = """\
%%writefile functions/multiplier/counting.py
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["DYNAMO_TABLE"])


def add(word, amount, message_id):
    item = table.get_item(Key={"word": word}).get("Item", {})
    if message_id not in item.get("seen", set()):
        table.update_item(
            Key={"word": word},
            UpdateExpression="ADD #count :amount, seen :ids",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":amount": amount, ":ids": {message_id}},
        )
"""


def condition(expression: str) -> str:
    """The argument that makes a write conditional."""
    return f'ConditionExpression="{expression}"'


NOT_CONTAINS = condition("NOT contains(seen, :id)")
ID_VALUE = ', ":id": message_id'
LAST_ONLY = (
    ONCE_SOLUTION.replace('"ADD #count :amount, seen :ids"', '"SET seen = :id ADD #count :amount"')
    .replace(NOT_CONTAINS, condition("attribute_not_exists(seen) OR seen <> :id"))
    .replace('":ids": {message_id}, ', "")
)

ONCE_UNCAUGHT = """\
%%writefile functions/multiplier/counting.py
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["DYNAMO_TABLE"])


def add(word, amount, message_id):
    table.update_item(
        Key={"word": word},
        UpdateExpression="ADD #count :amount, seen :ids",
        ConditionExpression="NOT contains(seen, :id)",
        ExpressionAttributeNames={"#count": "count"},
        ExpressionAttributeValues={":amount": amount, ":ids": {message_id}, ":id": message_id},
    )
"""

ONCE_WRONG = {
    # Writes once, and calls the second delivery a failure: Lambda would try it again.
    ONCE_UNCAUGHT: "counted already needs no other try",
    # The set is each sandbox's own, and ends with it: at once or late, some delivery meets another.
    ONCE_IN_MEMORY: "two words that began at 1 stand at",
    # The first function made the item: the condition never holds.
    ONCE_SOLUTION.replace(NOT_CONTAINS, condition("attribute_not_exists(word)")).replace(
        ID_VALUE, ""
    ): "delivered once, two words that began at 1 stand at 1 and 1",
    # Remembers that there was a message, and not which.
    ONCE_SOLUTION.replace(NOT_CONTAINS, condition("attribute_not_exists(seen)")).replace(
        ID_VALUE, ""
    ): "two words that began at 1 stand at 11 and 11",
    # Remembers the last message only.
    LAST_ONLY: "delivered once more, late",
    # Looks first and writes then; the role does not even allow the look.
    ONCE_READ_FIRST: "is not authorized to perform: dynamodb:GetItem",
    # Catches everything, and calls it a second delivery.
    ONCE_SOLUTION.replace(
        "table.meta.client.exceptions.ConditionalCheckFailedException", "Exception"
    ): "ends without an error",
}


# 33.2: mend the reader of a poison message


def check_poison(aws: Any) -> None:
    """Deliver messages such as the caretakers', and one while the table is out of reach."""
    name = deploy_multiplier(aws)
    with fresh_words(aws, 2) as (one, two):
        deliver_well(aws, name, [one, two, two], message_id())
        expect_words(aws, {one: 10, two: 20}, "of three words, the last two the same")
    with fresh_words(aws, 2) as (one, two):
        words = [one, 42, two]
        error = deliver(aws, name, words, message_id())
        if error:
            # What the table refused stands in the queue; finding it there is the exercise.
            as_before = error.startswith("ClientError")
            raise NotYet(
                found="a message like that in the queue still ends in"
                f" {'the error that it ended in before' if as_before else error}",
                expected="no error, and its words counted",
                look_at="the dead letter itself. Its body holds the message; its attributes, the"
                " error.",
            )
        expect_words(aws, {one: 10, two: 10}, "like that in the queue")
    with table_out_of_reach(aws, name):
        error = deliver(aws, name, ["anything"], message_id())
    if not error:
        raise NotYet(
            found="while its table was out of reach, the function took a message and ended without"
            " an error",
            expected="an error: this message was not counted, and nobody will deliver it again",
            look_at="which exceptions your code catches. Is the message at fault in all of them?",
        )


def expect_words(aws: Any, expected: dict[str, int], words: str) -> None:
    """Raises NotYet when a message's words were not counted as expected."""
    found = {word: count_of(aws, word) for word in expected}
    if found != expected:
        raise NotYet(
            found=f"after a message {words}, the table says {found}",
            expected=str(expected),
            look_at="what your handler does with the words before and after one it cannot use.",
        )


def table_out_of_reach(aws: Any, name: str) -> AbstractContextManager[None]:
    """While the block runs, the function looks for a table that is not there."""
    return other_variables(aws, name, DYNAMO_TABLE=f"{aws.name('table')}-missing")


APP = """\
%%writefile functions/multiplier/app.py
import json
from collections import Counter

from counting import add


def handler(event, context):
    for record in event["Records"]:
        words = json.loads(record["Sns"]["Message"])["words"]
        for word, times in Counter(words).items():
            add(word, 10 * times, record["Sns"]["MessageId"])
"""

POISON_SOLUTION = """\
%%writefile functions/multiplier/app.py
import json
from collections import Counter

from counting import add


def handler(event, context):
    for record in event["Records"]:
        words = json.loads(record["Sns"]["Message"])["words"]
        # 42 is a number, and the table's key is a string. What is no word is left out; every
        # other trouble still ends in an error, and so in another try.
        words = [word for word in words if isinstance(word, str)]
        for word, times in Counter(words).items():
            add(word, 10 * times, record["Sns"]["MessageId"])
"""

POISON_AS_TEXT = APP.replace("Counter(words)", "Counter(map(str, words))")

IN_THE_LOOP = """\
        for word, times in Counter(words).items():
            add(word, 10 * times, record["Sns"]["MessageId"])
"""

POISON_WRONG = {
    # Every error is swallowed, where it stops the loop.
    APP.replace(
        IN_THE_LOOP,
        """\
        try:
            for word, times in Counter(words).items():
                add(word, 10 * times, record["Sns"]["MessageId"])
        except Exception as error:
            print(error)
""",
    ): "before and after one it cannot use",
    # ... and where it does not, but hides that the table is out of reach.
    APP.replace(
        IN_THE_LOOP,
        """\
        for word, times in Counter(words).items():
            try:
                add(word, 10 * times, record["Sns"]["MessageId"])
            except Exception as error:
                print(error)
""",
    ): "while its table was out of reach",
    # The whole message is dropped.
    APP.replace(
        IN_THE_LOOP,
        "        if not all(isinstance(word, str) for word in words):\n"
        "            continue\n" + IN_THE_LOOP,
    ): "the table says",
    # Only this number is left out, from the wrong place: it is no string.
    APP.replace(
        "Counter(words)", 'Counter(word for word in words if word != "42")'
    ): "still ends in",
}


# 33.3: who waits, and where


def check_limit(_aws: Any, posters: Any, waiting_room: Any, last_s: Any) -> None:
    """Compare with what the experiment shows, and with messages x seconds / copies."""
    if any(answer is None or answer is ... for answer in (posters, waiting_room, last_s)):
        raise NotYet(
            found="not every question has an answer",
            expected="`posters`, `waiting_room` and `last_s`",
            look_at="the exercise cell: which of them still holds three dots?",
        )
    if words_of(posters) not in {"about as long", "as long", "same", "the same"}:
        raise NotYet(
            found=f"you say that posters wait {short(posters)}",
            expected="what the right half of the figure shows",
            look_at="the medians of the posts with limit 3 and limit 1. For what does the first"
            " function wait when it publishes?",
        )
    if words_of(waiting_room) not in {"lambda's queue", "lambdas queue", "lambda queue", "lambda"}:
        raise NotYet(
            found=f"you say that messages wait in {short(waiting_room)}",
            expected="where a message is after the topic has handed it on, and before a copy of"
            " the function is free",
            look_at="what we saw in the experiment. A topic hands on and keeps nothing; a dead"
            " letter waits for nobody any more.",
        )
    seconds = number_of(last_s)
    if not 0.9 * LAST_S <= seconds <= 1.15 * LAST_S:
        raise NotYet(
            found=f"you say that the last message is done after {seconds:g} s",
            expected="the time in which this many copies do this many messages",
            look_at="how many messages are done in each second. What does one copy do in a second,"
            " and how many copies are there?",
        )


LAST_S = 600 * 0.5 / 2


def words_of(answer: Any) -> str:
    """An answer in words, whatever its capitals, apostrophes and ends."""
    text = answer if isinstance(answer, str) else ""
    return text.strip().strip(".").lower().replace("’", "'")


def short(answer: Any) -> str:
    """An answer as it can stand in a sentence."""
    return f'"{answer[:60]}"' if isinstance(answer, str) else f"a {type(answer).__name__}"


def number_of(answer: Any) -> float:
    """An answer as a number. Raises NotYet for what is none."""
    try:
        number = float(answer)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(answer, bool) or not math.isfinite(number):
        raise NotYet(
            found=f"`last_s` is {short(answer)}",
            expected="a number of seconds",
            look_at="the last line of the exercise cell.",
        )
    return number


def limit_answer(posters: str, waiting_room: str, last_s: str) -> str:
    """An exercise cell with these answers."""
    return f"posters = {posters}\nwaiting_room = {waiting_room}\nlast_s = {last_s}\n"


LIMIT_SOLUTION = """\
# The first function has done its work when the topic has taken the message. Lambda's queue keeps
# what the consumer cannot take yet: two copies do two messages each second each, so 600 take 150 s.
""" + limit_answer('"about as long"', '"Lambda\'s queue"', "600 * 0.5 / 2")


EXERCISES = (
    Exercise(
        id="33.1",
        title="count each message once",
        kind="build",
        check=check_once,
        hints=(
            "Two deliveries of one message have something in common that two messages have not."
            " `add` gets it already. Where can all copies of a function see what was there before?",
            "Whatever you remember must be written together with the count, in one call, or"
            " something can come between. One UpdateExpression may add to two attributes of the"
            " item.",
            "Keep the MessageIds in a set in the word's own item. The condition: the set does not"
            " contain this one. Catch"
            " `table.meta.client.exceptions.ConditionalCheckFailedException`, and no other.",
        ),
        solution=ONCE_SOLUTION,
        also=(ONCE_BY_ATTRIBUTE,),
        wrong=ONCE_WRONG,
    ),
    Exercise(
        id="33.2",
        title="mend the reader of a poison message",
        kind="repair",
        check=check_poison,
        hints=(
            "What does the dead letter hold? `sqs.receive_message(QueueUrl=queue_url,"
            ' MessageAttributeNames=["All"], VisibilityTimeout=0)` shows it, and leaves it there.',
            "Its attribute ErrorMessage names a type that was found and one that was expected."
            " Which of the three words has the first type?",
            "Before counting, deal with what is not a `str`: leave it out, or make it one. No"
            " `try` is needed.",
        ),
        solution=POISON_SOLUTION,
        also=(POISON_AS_TEXT,),
        wrong=POISON_WRONG,
    ),
    Exercise(
        id="33.3",
        title="say who waits, and where",
        kind="explain",
        check=check_limit,
        hints=(
            "Follow one message from the poster to the table. At which step does somebody wait for"
            " the next step to end?",
            "SNS calls the function asynchronously: Lambda says *taken* at once, and runs it when"
            " there is a copy free. What does it need to keep its word?",
            "One copy does two messages a second. How many do two copies do, and how often does"
            " that go into 600?",
        ),
        solution=LIMIT_SOLUTION,
        also=(
            limit_answer('"About as long."', '"lambda\'s queue"', "150"),
            limit_answer('"the same"', '"Lambda"', "150.5"),
        ),
        wrong={
            limit_answer('"longer"', '"Lambda\'s queue"', "150"): "right half of the figure",
            limit_answer('"about as long"', '"the topic"', "150"): "keeps nothing",
            limit_answer('"about as long"', '"the dead-letter queue"', "150"): "a dead letter",
            # Seconds for one copy; the limit forgotten.
            limit_answer('"about as long"', '"Lambda\'s queue"', "300"): "how many copies",
            limit_answer('"about as long"', '"Lambda\'s queue"', "0.5"): "in each second",
            limit_answer('"about as long"', '"Lambda\'s queue"', "..."): "not every question",
        },
    ),
)
