"""Messages through the whole course: a topic with two consumers, and the word counter."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from labs import cloud
from labs.pubsub.deploy import Deployment, deploy
from tests.benchmarks import clouds
from tests.benchmarks.rows import Row

FANNED_OUT, POSTED, CLIENTS, RESERVED = 500, 1000, 32, 10
DEADLINE_SECONDS = 300


def measure_fan_out() -> list[Row]:
    """fan_out.rate: messages a second, from the first publish until both consumers have all."""
    with clouds.mock() as aws:
        clouds.make_table(aws)
        role = clouds.make_role(aws)
        sns, functions = aws.client("sns", config=clouds.PATIENT), aws.client("lambda")
        topic_arn = sns.create_topic(Name="bench")["TopicArn"]
        for name in ("one", "two"):
            source = f"{clouds.SOURCES['call']}\nrun = handler\n"
            source += f'def handler(event, context):\n    run({{"name": "{name}"}}, context)\n'
            arn = clouds.make_function(aws, name, source, role)
            functions.add_permission(
                FunctionName=name,
                StatementId="sns",
                Action="lambda:InvokeFunction",
                Principal="sns.amazonaws.com",
                SourceArn=topic_arn,
            )
            sns.subscribe(TopicArn=topic_arn, Protocol="lambda", Endpoint=arn)
        started = time.perf_counter()
        with ThreadPoolExecutor(8) as clients:
            list(
                clients.map(
                    lambda number: sns.publish(TopicArn=topic_arn, Message=str(number)),
                    range(FANNED_OUT),
                )
            )
        table = aws.client("dynamodb")
        for name in ("one", "two"):
            wait(lambda name=name: count(table, "counts", "name", name) >= FANNED_OUT)
        spent = time.perf_counter() - started
        return [Row("fan_out.rate", FANNED_OUT / spent, "/s", FANNED_OUT)]


def measure_thousand() -> list[Row]:
    """thousand.*: 1,000 messages over HTTPS by 32 clients; each word must end at 11 a message.

    word_counter adds 1 and shares what multiplier and logger leave of the account's limit. Where
    it finds no room, a REST API answers 500: Lambda refused, so nothing has run, and the client
    may post again. Any other status than 200 could have counted, and ends the benchmark.
    """
    with clouds.mock() as aws:
        made = deploy(aws.session, aws.name)
        for consumer in ("sns_multiplier", "sns_logger"):
            aws.client("lambda").put_function_concurrency(
                FunctionName=made.functions[consumer], ReservedConcurrentExecutions=RESERVED
            )
        started = time.perf_counter()
        refused = post_all(made.url)
        posted = time.perf_counter() - started
        table = aws.client("dynamodb")
        wait(lambda: count(table, made.table, "word", "shared") >= 11 * POSTED)
        drained = time.perf_counter() - started
        logged = settled(lambda: logged_words(aws, made))
        return [
            Row("thousand.posted", posted, "s", POSTED),
            Row("thousand.drained", drained, "s", POSTED),
            Row("thousand.refused_and_retried", refused, "posts", POSTED),
            Row("thousand.wrong_counts", wrong_counts(table, made.table), "words", POSTED + 1),
            Row("thousand.wrong_log_lines", wrong(logged, each=1), "words", POSTED + 1),
        ]


def post_all(url: str) -> int:
    """Post every message until it is counted; how many times one was refused."""
    local = threading.local()

    def post(number: int) -> int:
        if not hasattr(local, "session"):
            local.session = requests.Session()
        # The shared word is last: once all of it is counted, so is everything else.
        form = {"text": f"word{number} shared", "user_name": "bench"}
        for refusals in range(1000):
            answer = local.session.post(url, data=form, timeout=60)
            if answer.status_code == 200 and f"word{number}: 1" in answer.json()["text"]:
                return refusals
            if answer.status_code != 500:
                raise RuntimeError(f"Expected 200 or 500, got {answer.status_code}: {answer.text}")
            time.sleep(random.uniform(0.5, 1.5) * min(0.02 * 2**refusals, 0.5))
        raise RuntimeError(f"Message {number} was refused 1000 times.")

    with ThreadPoolExecutor(CLIENTS) as clients:
        return sum(clients.map(post, range(POSTED)))


def wrong_counts(table, name: str) -> int:
    pages = table.get_paginator("scan").paginate(TableName=name)
    items = {item["word"]["S"]: int(item["count"]["N"]) for page in pages for item in page["Items"]}
    return wrong(items, each=11)


def logged_words(aws: cloud.Connection, made: Deployment) -> Counter[str]:
    """What sns_logger printed, without Lambda's own lines."""
    pages = aws.client("logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/{made.functions['sns_logger']}"
    lines = (
        event["message"].strip()
        for page in pages.paginate(logGroupName=group)
        for event in page["events"]
    )
    return Counter(line for line in lines if " " not in line)


def wrong(counts: dict[str, int], each: int) -> int:
    """How many of the words sent have another count than `each` a message, strangers included."""
    expected = {f"word{number}": each for number in range(POSTED)} | {"shared": each * POSTED}
    return sum(counts.get(word) != expected.get(word) for word in {*counts, *expected})


def count(table, name: str, key: str, value: str) -> int:
    item = table.get_item(TableName=name, Key={key: {"S": value}}).get("Item")
    return int(item["count"]["N"]) if item else 0


def wait(until: Callable[[], bool]) -> None:
    """Raises RuntimeError when it takes too long."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Messages did not arrive within {DEADLINE_SECONDS} s.")
        time.sleep(0.02)


def settled(look: Callable[[], Counter[str]]) -> Counter[str]:
    """What `look` sees once it has seen the same for a second: late doubles would show by then."""
    seen, since = look(), time.monotonic()
    while time.monotonic() - since < 1:
        time.sleep(0.1)
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
    return seen
