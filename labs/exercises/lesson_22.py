"""Lesson 22, copy with Lambda: checks, hints, solutions, wrong answers."""

import json
import math
import time
import uuid
from collections.abc import Sequence
from typing import Any

from labs.cloud import settings
from labs.concurrency import colleague, collecting, copying, workload
from labs.concurrency.functions.runs import concurrency
from labs.exercises import Exercise, NotYet

DEPLOYED = ("aws", "pipeline", "keys", "source", "destination", "copy_s", "limit")
NEEDS = dict.fromkeys(("22.2", "22.3", "22.4", "22.5"), DEPLOYED)

# What several checks need


def number(answer: Any, name: str) -> float:
    """An answer as a number. Raises NotYet for what is none."""
    try:
        found = float(answer)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if isinstance(answer, bool) or not math.isfinite(found):
        raise NotYet(
            found=f"`{name}` is {short(answer)}",
            expected="a number",
            look_at=f"the line of the exercise cell that sets `{name}`.",
        )
    return found


def short(answer: Any) -> str:
    """An answer as it can stand in a sentence."""
    if answer is ...:
        return "still three dots"
    return f'"{answer[:60]}"' if isinstance(answer, str) else f"a {type(answer).__name__}"


def words(answer: Any) -> str:
    """An answer in words, whatever its capitals, apostrophes and ends; "" for what is no text."""
    text = answer if isinstance(answer, str) else ""
    return text.strip().strip(".").lower().replace("’", "'").removeprefix("the ")


def account_limit(aws: Any) -> int:
    """How many functions the account may run at once."""
    return aws.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]


# 22.1: reserve so much that all are there in time

ROUNDS = 8  # the deadline, in times of a copy
MOST = 1.5  # times what is needed: more would be taken from others


def check_deadline(aws: Any) -> None:
    """Reckon with what is reserved, then publish every name and look at the copier's runs."""
    functions, name = aws.client("lambda"), aws.name("copier")
    found = functions.get_function_concurrency(FunctionName=name)
    reserved, objects = found.get("ReservedConcurrentExecutions"), settings.size().objects
    if reserved is None:
        raise NotYet(
            found="the copier has no reserved concurrency",
            expected="a number that you reserved for it",
            look_at="the cell above that turned the dial: which call did it make?",
        )
    if reserved == 0:
        raise NotYet(
            found="0 is reserved: the copier never runs",
            expected=f"{objects} copies within the deadline",
            look_at="the figure above, and where its line goes on the left.",
        )
    rounds = math.ceil(objects / reserved)
    if rounds > ROUNDS:
        raise NotYet(
            found=f"{reserved} reserved: {objects} objects take {rounds} rounds of copies",
            expected=f"not more than {ROUNDS} rounds, so that they fit into the deadline",
            look_at="how many objects each round has to copy.",
        )
    if reserved > MOST * math.ceil(objects / ROUNDS):
        raise NotYet(
            found=f"{reserved} reserved: {objects} objects are there after {rounds} rounds, and"
            f" the other functions of the account share {account_limit(aws) - reserved}",
            expected=f"as little as {ROUNDS} rounds need, or half as much again",
            look_at="how many objects each round has to copy.",
        )
    expect_copies(aws, list(workload.objects(objects)["key"]), reserved)


def expect_copies(aws: Any, keys: Sequence[str], reserved: int) -> None:
    """Publish these names. Raises NotYet when not all are copied, or more at once than reserved."""
    moment = time.time()
    try:
        collecting.publish(aws.client("lambda"), aws.name("publisher"), keys)
        runs = collecting.runs_since(aws.client("logs"), aws.name("copier"), moment, len(keys), 40)
    except (RuntimeError, TimeoutError) as stopped:
        raise NotYet(
            found=f"the number fits, but a run of the check did not end. {stopped}",
            expected="a run for each message",
            look_at="`log(pipeline.copier)`, after `from labs.course import log`, and"
            " `aws.trace()`.",
        ) from None
    most = concurrency(runs)["running"].max()
    failed = runs[~runs["copied"]]
    if len(failed) or most > reserved:
        raise NotYet(
            found=f"the number fits, but {len(failed)} of {len(runs)} runs failed, and {most} ran"
            f" at once. {failed['error'].iloc[0] if len(failed) else ''}",
            expected=f"no failure, and {reserved} at once at most",
            look_at="the copier's log; and whether the number was changed meanwhile.",
        )


def reserve(expression: str) -> str:
    """An exercise cell that reserves so much."""
    return f"""\
lambda_client.put_function_concurrency(
    FunctionName=pipeline.copier, ReservedConcurrentExecutions={expression}
)
"""


DEADLINE_SOLUTION = """\
# A copy takes copy_s, so eight rounds of copies fit into the deadline, and each of them has to copy
# an eighth of the objects. One more or two leave room for what is no copy.
lambda_client.put_function_concurrency(
    FunctionName=pipeline.copier, ReservedConcurrentExecutions=-(-len(keys) // 8)
)
"""


# 22.2: what happens beyond the limit

COPY_S, TIMES = 10, 4  # seconds of a copy; messages, in times of the limit


def check_limit(aws: Any, running: Any, told: Any, copied: Any, last_s: Any) -> None:
    """Compare with rounds of copies at the account's limit, of which no message is lost."""
    limit = account_limit(aws)
    messages = TIMES * limit
    at_once = number(running, "running")
    if at_once != limit:
        raise NotYet(
            found=f"you say that {at_once:g} copies run after a second",
            expected="what the upper half of the figure shows, for an account where nothing is"
            " reserved and nothing else runs",
            look_at="`limit`, and what the text says of everything else in the account.",
        )
    if words(told) not in {"lambda's queue", "lambdas queue", "lambda queue"}:
        raise NotYet(
            found=f"you say that {short(told)} hears of the throttles",
            expected="who asks for a run, and is refused",
            look_at="where a message is when SNS has handed it on; and what the publisher's answer"
            " said in section 2, where far more messages came than could run.",
        )
    there = number(copied, "copied")
    if there != messages:
        raise NotYet(
            found=f"you say that {there:g} of {messages} objects are copied in the end",
            expected="all that was not given up",
            look_at="the last copies in the figure, and for how long Lambda goes on trying.",
        )
    seconds = number(last_s, "last_s")
    if not 0.9 * TIMES * COPY_S <= seconds <= 1.15 * TIMES * COPY_S:
        raise NotYet(
            found=f"you say that the last copy ends after {seconds:g} s",
            expected=f"the time of the rounds that {messages} messages take, {COPY_S} s each",
            look_at="how many messages a round takes.",
        )


def limit_answer(running: str, told: str, copied: str, last_s: str) -> str:
    """An exercise cell with these answers."""
    return f"running = {running}\ntold = {told}\ncopied = {copied}\nlast_s = {last_s}\n"


LIMIT_SOLUTION = """\
# SNS hands each message to Lambda's queue, and is done. The queue asks for runs, is refused while
# the limit is reached, and asks again, for up to 6 hours: four rounds are over long before.
""" + limit_answer("limit", '"Lambda\'s queue"', "4 * limit", "4 * 10")


# 22.3: find what was lost, mend the cause, publish it again

IN_TIME = 20.0  # seconds for what was published to be there


def check_lost(aws: Any, again: Any) -> None:
    """Try the copier with an object of that kind; then look for all objects of the morning."""
    expect_mended(aws)
    named = set(keys_of(again))
    lost, there = set(colleague.ARCHIVE), set(colleague.DAILY)
    if not lost <= named:
        raise NotYet(
            found=f"the cause is mended; `again` names {len(lost & named)} of the {len(lost)}"
            " objects that were lost",
            expected="all that was lost this morning",
            look_at="the dead letters: they name what was lost, whatever has been copied since.",
        )
    if named & there:
        raise NotYet(
            found=f"`again` names {len(named & there)} objects of this morning that had been"
            " copied: they were copied twice",
            expected="only what was lost. Each copy costs a run, and time",
            look_at="the dead letters: which objects do they name?",
        )
    deadline = time.monotonic() + IN_TIME
    s3, (source, destination) = aws.client("s3"), (aws.name("source"), aws.name("copies"))
    while left := (lost | there) & set(copying.missing(s3, source, destination)):
        if time.monotonic() > deadline:
            raise NotYet(
                found=f"the cause is mended and `again` is right, but {', '.join(sorted(left))} is"
                " not in the destination",
                expected="every object of this morning, there",
                look_at="whether the names in `again` were published after the cause was mended.",
            )
        time.sleep(collecting.LOOK)


def expect_mended(aws: Any) -> None:
    """Raises NotYet unless the copier copies one more object of the kind that was lost."""
    s3, key = aws.client("s3"), f"archive/check-{uuid.uuid4().hex[:8]}.bin"
    source, destination = aws.name("source"), aws.name("copies")
    message = json.dumps({"version": 1, "key": key})
    event = json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message}}]})
    s3.put_object(Bucket=source, Key=key, Body=b"a few bytes")
    try:
        reply = aws.client("lambda").invoke(FunctionName=aws.name("copier"), Payload=event)
        told = json.load(reply["Payload"])
        arrived = key not in copying.missing(s3, source, destination)
    finally:
        for bucket in (source, destination):
            s3.delete_object(Bucket=bucket, Key=key)
    if "FunctionError" in reply:
        kind = told.get("errorType", "an error") if isinstance(told, dict) else "an error"
        raise NotYet(
            found=f"one more object under archive/ is not copied: the copier ends in {kind}",
            expected="a copy, as of the objects under daily/",
            look_at="what a dead letter's ErrorMessage says: who may not do what, on which"
            " resource? Then the copier's role: `iam.get_role_policy`.",
        )
    if not arrived:
        raise NotYet(
            found="one more object under archive/ is not copied, and the copier ends without an"
            " error",
            expected="a copy; or an error, so that somebody learns of it",
            look_at="the copier's code: which errors does it keep to itself?",
        )


def keys_of(answer: Any) -> list[str]:
    """An answer as a list of keys. Raises NotYet for anything else."""
    if not isinstance(answer, list | tuple | set) or not all(type(key) is str for key in answer):
        other = "a list of other things" if isinstance(answer, list) else short(answer)
        raise NotYet(
            found=f"`again` is {other}",
            expected="a list of keys, texts such as those in `morning`",
            look_at="the line of the exercise cell that sets `again`.",
        )
    return list(answer)


PUBLISH = "collecting.publish(lambda_client, pipeline.publisher, again)\n"

LOST_SOLUTION = (
    """\
# The role may put objects under daily/ only, since somebody narrowed its policy. What it should be
# able to do stands in the code that deploys it: deploying again puts that back.
deploy.deploy(aws.session, aws.name, source, destination)

again = collecting.keys_in(letters)
"""
    + PUBLISH
)

LOST_BY_POLICY = (
    """\
iam = aws.client("iam")
iam.put_role_policy(
    RoleName=pipeline.copier,
    PolicyName="archive",
    PolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{destination}/archive/*",
        }],
    }),
)
again = [key for key in morning if key.startswith("archive/")]
"""
    + PUBLISH
)

DEPLOY_AGAIN = "deploy.deploy(aws.session, aws.name, source, destination)\n"

LOST_WRONG = {
    # Tried again before anything was mended.
    "again = [key for key in copying.missing(s3, source, destination) if key in morning]\n"
    + PUBLISH: "the copier ends in",
    # Mended, and nobody published.
    DEPLOY_AGAIN + "again = []\n" + PUBLISH: "0 of the 2 objects",
    # One of them only.
    DEPLOY_AGAIN + "again = morning[-1:]\n" + PUBLISH: "1 of the 2 objects",
    # Everything once more, to be safe.
    DEPLOY_AGAIN + "again = morning\n" + PUBLISH: "they were copied twice",
    # A dead letter instead of its key.
    DEPLOY_AGAIN + "again = letters\n": "a list of other things",
}


# 22.4: which sources a formula is for

RATE, SECONDS, SHARDS, MINUTE = 40, 0.5, 4, 60  # events a second; seconds of a run; shards


def check_source(_aws: Any, from_sns: Any, from_stream: Any, behind: Any, formula_for: Any) -> None:
    """Compare with the formula, and with one batch at a time for each shard."""
    pushed = number(from_sns, "from_sns")
    if pushed != RATE * SECONDS:
        raise NotYet(
            found=f"you say that {pushed:g} run at once when SNS sends {RATE} events a second",
            expected="what the formula says, which your own run in section 3 agreed with",
            look_at="the formula in section 3: events a second, times seconds.",
        )
    read = number(from_stream, "from_stream")
    if read != SHARDS:
        raise NotYet(
            found=f"you say that {read:g} run at once when {SHARDS} shards bring {RATE} events a"
            " second",
            expected="as many as Lambda runs for so many shards, with one event in a batch",
            look_at="the text above: how many batches of a shard are under way at a time?",
        )
    left = number(behind, "behind")
    if left != MINUTE * (RATE - SHARDS / SECONDS):
        raise NotYet(
            found=f"you say that {left:g} events are behind after a minute",
            expected="those that came in that minute, without those that were done",
            look_at=f"how many events one shard gets done in a second, and how many {SHARDS} do.",
        )
    said = words(formula_for)
    if said not in {"sources that push", "push", "pushing sources"}:
        raise NotYet(
            found=f"you say that the formula is for {short(formula_for)}",
            expected="one of the two kinds that the exercise names",
            look_at="your two numbers for the same rate: which of them does the formula give?",
        )


def source_answer(from_sns: str, from_stream: str, behind: str, formula_for: str) -> str:
    """An exercise cell with these answers."""
    return (
        f"from_sns = {from_sns}\nfrom_stream = {from_stream}\nbehind = {behind}\n"
        f"formula_for = {formula_for}\n"
    )


SOURCE_SOLUTION = """\
# SNS pushes: rate x duration runs at once. Of a stream, each of 4 shards has one run at a time, and
# they do 8 events a second of 40. The article says "stream based", and means the other kind.
""" + source_answer("40 * 0.5", "4", "60 * (40 - 4 / 0.5)", '"sources that push"')


EXERCISES = (
    Exercise(
        id="22.1",
        title="reserve so much that all copies are there in time",
        kind="build",
        check=check_deadline,
        hints=(
            "How many copies can one environment make within the deadline, one after the other?",
            "Eight, since the deadline is eight times a copy. How many environments does it take,"
            " if each makes eight of all the copies?",
            "An eighth of `len(keys)`, rounded up, is what is needed; one or two more leave room."
            " `put_function_concurrency` sets it.",
        ),
        solution=DEADLINE_SOLUTION,
        also=(
            reserve("len(keys) // 8 + 1"),
            reserve("int(1.4 * len(keys) / 8)"),
        ),
        wrong={
            # Too few, by one.
            reserve("-(-len(keys) // 8) - 1"): "rounds of copies",
            # The deadline taken for the number.
            reserve("1"): "rounds of copies",
            # Everything, to be safe.
            reserve("limit - 1"): "the other functions of the account share",
            reserve("0"): "never runs",
            "lambda_client.delete_function_concurrency(FunctionName=pipeline.copier)\n": "has no"
            " reserved concurrency",
        },
    ),
    Exercise(
        id="22.2",
        title="say what happens beyond the limit",
        kind="explain",
        check=check_limit,
        hints=(
            "Follow one message that comes when the limit is reached. Who holds it, and who tries"
            " to have it run?",
            "SNS hands a message to Lambda, which puts it into a queue and says *taken*. From then"
            " on only the queue can be refused. It tries for 6 hours.",
            "Nothing is lost, and four times the limit makes four rounds.",
        ),
        solution=LIMIT_SOLUTION,
        also=(
            limit_answer("limit", '"the Lambda queue"', "limit * 4", "40"),
            limit_answer("float(limit)", '"lambda\'s queue."', "4.0 * limit", "40.5"),
        ),
        wrong={
            # All of them, as if there were no limit.
            limit_answer("4 * limit", '"Lambda\'s queue"', "4 * limit", "10"): "upper half",
            limit_answer("limit", '"the publisher"', "4 * limit", "40"): "handed it on",
            limit_answer("limit", '"nobody"', "4 * limit", "40"): "handed it on",
            # What was throttled is taken for lost.
            limit_answer("limit", '"Lambda\'s queue"', "limit", "40"): "goes on trying",
            limit_answer("limit", '"Lambda\'s queue"', "4 * limit", "10"): "how many messages a",
            limit_answer("limit", '"Lambda\'s queue"', "4 * limit", "..."): "three dots",
        },
    ),
    Exercise(
        id="22.3",
        title="find what was lost, mend the cause, publish it again",
        kind="repair",
        check=check_lost,
        hints=(
            "What do the objects that were lost have in common, and the others not? What does"
            ' `letters[0]["MessageAttributes"]["ErrorMessage"]` say?',
            "The copier may not write there. `iam.get_role_policy(RoleName=pipeline.copier,"
            ' PolicyName="needs")` shows where it may.',
            "Deploying again puts the policy back: the call stands in section 1. What was lost,"
            " `collecting.keys_in(letters)` says.",
        ),
        solution=LOST_SOLUTION,
        also=(LOST_BY_POLICY,),
        wrong=LOST_WRONG,
    ),
    Exercise(
        id="22.4",
        title="test what the article says of a formula",
        kind="explain",
        check=check_source,
        hints=(
            "The formula needs a rate and a duration. Does it ask for shards anywhere?",
            "One batch at a time for each shard, and one event in a batch: 4 shards have 4 runs"
            " under way, however many events wait. Each run takes half a second.",
            "4 shards do 8 events a second, 40 come: 32 more are behind after each second. The"
            " formula gave the right number for SNS, and not for the stream.",
        ),
        solution=SOURCE_SOLUTION,
        also=(
            source_answer("20", "4.0", "1920", '"Sources that push."'),
            source_answer("20.0", "4", "32 * 60", '"push"'),
        ),
        wrong={
            # The formula for both: what the article says.
            source_answer("20", "20", "0", '"streams"'): "how many batches of a shard",
            source_answer("80", "4", "1920", '"sources that push"'): "events a second, times",
            # The events of one second only.
            source_answer("20", "4", "32", '"sources that push"'): "without those that were done",
            # All that came, as if none were done.
            source_answer("20", "4", "2400", '"sources that push"'): "without those that were done",
            source_answer("20", "4", "1920", '"streams"'): "which of them does the formula give",
        },
    ),
)
