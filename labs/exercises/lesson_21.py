"""Lesson 21, copy many objects at once: checks, hints, solutions, wrong answers."""

import math
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from numbers import Real
from typing import Any

from botocore.client import BaseClient
from botocore.config import Config

from labs.concurrency import cpu
from labs.exercises import Exercise, NotTried, NotYet

MADE_ABOVE = ("s3", "source", "destination", "keys", "loop_s")
NEEDS = {"21.2": MADE_ABOVE, "21.3": MADE_ABOVE, "21.4": MADE_ABOVE}


# What several checks need


def number_of(answer: Any) -> float | None:
    """An answer as a number; None for what is none."""
    if isinstance(answer, bool) or not isinstance(answer, Real):
        return None
    return float(answer) if abs(answer) < 1e12 else None


def in_words(answer: Any) -> str:
    """An answer as it can stand in a sentence."""
    if answer is None or answer is ...:
        return "nothing yet"
    if number_of(answer) is not None:
        return f"{answer:g}"
    return f'"{answer[:60]}"' if isinstance(answer, str) else f"of the type {type(answer).__name__}"


def expect_all_answered(**answers: Any) -> None:
    """Raises NotYet when one of them is missing."""
    blank = [f"`{name}`" for name, answer in answers.items() if answer is None or answer is ...]
    if blank:
        raise NotYet(
            found=f"no answer yet for {' and '.join(blank)}",
            expected=f"an answer for each of {', '.join(answers)}",
            look_at="the exercise cell: where do dots still stand?",
        )


# 21.1: copy with a pool of threads, and lose no object


OBJECTS, WORKERS = 10, 4
MISSING = "not-there"
PATIENCE = 1.0  # seconds in which another copy would have begun, if one were to come
LONGEST = 20.0  # seconds to wait for what a learner's code left behind
QUIET = 0.3  # seconds without a begin or an end, after which nothing is under way any more


class Watch:
    """Counts the copies that are under way through a client.

    It holds the first ones until no more come: so all are seen that the learner's code lets begin,
    however fast a copy is. Source: Boto3 guide, "Extensibility guide": events of a client.
    """

    def __init__(self, client: BaseClient) -> None:
        self.begun = self.most = self._now = 0
        self._change = threading.Condition()
        self._hold = True
        for event, react in (
            ("before-call", self._begin),
            ("after-call", self._end),
            ("after-call-error", self._end),
        ):
            client.meta.events.register(f"{event}.s3.CopyObject", react)

    def _begin(self, **_: Any) -> None:
        with self._change:
            self.begun += 1
            self._now += 1
            self.most = max(self.most, self._now)
            self._change.notify_all()
            while self._hold and self.most <= WORKERS:
                self._hold = self._change.wait(PATIENCE) and self._hold
            self._change.notify_all()

    def _end(self, **_: Any) -> None:
        with self._change:
            self._now -= 1
            self._change.notify_all()

    def wait_until_quiet(self) -> None:
        """Let go of what is held, and wait for what the learner's code did not wait for."""
        with self._change:
            self._hold = False
            self._change.notify_all()
            deadline = time.monotonic() + LONGEST
            while (self._change.wait(QUIET) or self._now) and time.monotonic() < deadline:
                pass


def check_copy_all(aws: Any, copy_all: Any) -> None:
    """Let the learner's function copy 10 objects, and one that is not there, by 4 workers."""
    if not callable(copy_all):
        raise NotYet(
            found=f"`copy_all` is {in_words(copy_all)}",
            expected="the function itself: its name, without parentheses",
            look_at="the line of the check.",
        )
    s3 = aws.client("s3", config=Config(max_pool_connections=OBJECTS + 1))
    with two_buckets(aws, s3) as (source, destination, keys):
        watch = Watch(s3)
        try:
            told = copy_all(s3, source, destination, [*keys[:3], MISSING, *keys[3:]], WORKERS)
        except Exception as stopped:  # whatever a learner's code raises
            raise stopped_by(stopped, len(keys_of(s3, destination))) from None
        finally:
            there = keys_of(s3, destination)
            watch.wait_until_quiet()
    if told is None and not watch.begun:
        raise NotTried
    judge_copies(watch, [key for key in keys if key not in there])
    judge_outcomes(told, keys)


@contextmanager
def two_buckets(aws: Any, s3: Any) -> Iterator[tuple[str, str, list[str]]]:
    """A bucket with objects, an empty one, and the keys; gone when the block ends."""
    tag = uuid.uuid4().hex[:8]
    source, destination = (aws.name(f"check-{tag}-{end}") for end in ("from", "to"))
    keys = [f"{tag}/{number}" for number in range(OBJECTS)]
    made = []
    try:
        for bucket in (source, destination):
            s3.create_bucket(Bucket=bucket)
            made.append(bucket)
        for key in keys:
            s3.put_object(Bucket=source, Key=key, Body=key.encode())
        yield source, destination, keys
    finally:
        for bucket in made:
            for key in keys_of(s3, bucket):
                s3.delete_object(Bucket=bucket, Key=key)
            s3.delete_bucket(Bucket=bucket)


def keys_of(s3: Any, bucket: str) -> list[str]:
    """The keys in a small bucket."""
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def stopped_by(stopped: Exception, copied: int) -> NotYet:
    """What to say of a function that raised."""
    return NotYet(
        found=f"one of {OBJECTS + 1} objects is not there, and your function was stopped:"
        f" {type(stopped).__name__}: {stopped}. By then, {copied} objects were copied, and nobody"
        " is told which",
        expected="no exception, but an outcome for every object, also for one that fails",
        look_at="where the exception comes from. When it leaves `copy_object`, who is the first"
        " that could catch it?",
    )


def judge_copies(watch: Watch, lacking: list[str]) -> None:
    """Raises NotYet when not all was copied, or not by as many workers as asked for."""
    if not watch.begun:
        raise NotYet(
            found="no call of CopyObject by the client that your function was given",
            expected="a copy of each object, by this client, from the first bucket to the second",
            look_at="the parameters of `copy_all`: are all of them used? And does your pool wait"
            " for anything to do?",
        )
    if lacking:
        raise NotYet(
            found=f"when your function came back, {len(lacking)} of {OBJECTS} objects were not in"
            " the second bucket",
            expected="a function that comes back when all that can be copied is there",
            look_at="what waits for the workers to end, and what becomes of the other objects when"
            " one fails.",
        )
    if watch.most != WORKERS:
        raise NotYet(
            found=f"asked for {WORKERS} workers, your function had {watch.most}"
            f" {'copy' if watch.most == 1 else 'copies'} under way at a time",
            expected=f"{WORKERS}, as long as there are so many objects",
            look_at="how many threads may be at work, and who says so.",
        )


def judge_outcomes(told: Any, keys: list[str]) -> None:
    """Raises NotYet unless the outcomes say which object failed, and that it was the only one."""
    if not isinstance(told, Mapping):
        raise NotYet(
            found=f"your function returned a value {in_words(told)}",
            expected="a dictionary: each key, and None or the error that its object ended in",
            look_at="the last line of your function.",
        )
    if lost := [key for key in (*keys, MISSING) if key not in told]:
        raise NotYet(
            found=f"{len(lost)} of {OBJECTS + 1} objects do not stand in what your function"
            f" returned, {lost[0]} for one",
            expected="an entry for every object, copied or not",
            look_at="whether the outcome of each object finds its way out of the pool.",
        )
    if not told[MISSING]:
        raise NotYet(
            found=f"{MISSING} cannot have been copied, since there is no such object, and your"
            f" function returned {told[MISSING]!r} for it",
            expected="the error that it ended in",
            look_at="what happens to an exception inside a worker: who asks for it?",
        )
    if wrong := [key for key in keys if told[key]]:
        raise NotYet(
            found=f"{wrong[0]} was copied, and your function returned {in_words(told[wrong[0]])}"
            " for it",
            expected="None for what was copied, so that failures stand out",
            look_at="what your worker returns when all goes well.",
        )


COPY_ALL_SOLUTION = '''\
def copy_all(s3, source, destination, keys, workers):
    """Copy, by so many threads. Each failure is caught where it happens, so none hides another."""

    def copy(key):
        try:
            s3.copy_object(Bucket=destination, Key=key, CopySource={"Bucket": source, "Key": key})
        except Exception as error:
            return repr(error)

    # map keeps the order of the keys, and leaving the block waits for the last thread.
    with ThreadPoolExecutor(workers) as pool:
        return dict(zip(keys, pool.map(copy, keys)))
'''

COPY_ALL_FUTURES = """\
from concurrent.futures import as_completed


def copy_all(s3, source, destination, keys, workers):
    outcomes = {}
    with ThreadPoolExecutor(max_workers=workers) as pool:
        futures = {
            pool.submit(s3.copy, {"Bucket": source, "Key": key}, destination, key): key
            for key in keys
        }
        for future in as_completed(futures):
            outcomes[futures[future]] = future.exception()
    return outcomes
"""

COPY_ALL_SEMAPHORE = """\
import threading


def copy_all(s3, source, destination, keys, workers):
    outcomes, gate = {}, threading.Semaphore(workers)

    def copy(key):
        with gate:
            try:
                where = {"Bucket": source, "Key": key}
                s3.copy_object(Bucket=destination, Key=key, CopySource=where)
                outcomes[key] = None
            except Exception as error:
                outcomes[key] = error

    threads = [threading.Thread(target=copy, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
"""

ONE_COPY = """\
    def copy(key):
        s3.copy_object(Bucket=destination, Key=key, CopySource={"Bucket": source, "Key": key})
"""
RAISING = "def copy_all(s3, source, destination, keys, workers):\n" + ONE_COPY

COPY_ALL_WRONG = {
    # A loop, with a try: nothing lost, nothing gained.
    """\
def copy_all(s3, source, destination, keys, workers):
    outcomes = {}
    for key in keys:
        try:
            s3.copy_object(Bucket=destination, Key=key, CopySource={"Bucket": source, "Key": key})
            outcomes[key] = None
        except Exception as error:
            outcomes[key] = error
    return outcomes
""": "had 1 copy under way",
    # What map found is asked for: the first failure comes out, and hides the rest.
    RAISING
    + """
    with ThreadPoolExecutor(workers) as pool:
        return dict(zip(keys, pool.map(copy, keys)))
""": "your function was stopped: NoSuchKey",
    # What map found is never asked for: the failure stays inside.
    RAISING
    + """
    with ThreadPoolExecutor(workers) as pool:
        pool.map(copy, keys)
    return {key: None for key in keys}
""": "there is no such object, and your function returned None",
    # The failed object is left out, as if it had never been asked for.
    COPY_ALL_SOLUTION.replace(
        "return dict(zip(keys, pool.map(copy, keys)))",
        "told = dict(zip(keys, pool.map(copy, keys)))\n"
        "    return {key: None for key in keys if not told[key]}",
    ): "1 of 11 objects do not stand",
    # A thread for each object, and nobody counts them.
    COPY_ALL_SOLUTION.replace("ThreadPoolExecutor(workers)", "ThreadPoolExecutor(len(keys))"): (
        "asked for 4 workers, your function had"
    ),
    # The pool is left alone: the function is back before the copies are there.
    COPY_ALL_SOLUTION.replace(
        "    with ThreadPoolExecutor(workers) as pool:\n"
        "        return dict(zip(keys, pool.map(copy, keys)))",
        "    pool = ThreadPoolExecutor(workers)\n"
        "    pool.map(copy, keys)\n"
        "    pool.shutdown(wait=False)\n"
        "    return {key: None for key in keys}",
    ): "when your function came back",
    # Only what failed is told.
    COPY_ALL_SOLUTION.replace(
        "return dict(zip(keys, pool.map(copy, keys)))",
        "return [error for error in pool.map(copy, keys) if error]",
    ): "a value of the type list",
}


# 21.2: 64 workers, 10 connections


TASKS = 64


def check_connections(aws: Any, mended: Any) -> None:
    """Look at the client that the learner made, and copy an object with it."""
    meta = getattr(mended, "meta", None)
    if not isinstance(mended, BaseClient) or meta.service_model.service_name != "s3":
        raise NotYet(
            found=f"`mended` is {in_words(mended)}",
            expected="a client of S3, such as `s3` and `theirs` are",
            look_at="how the set-up cell makes `s3`.",
        )
    connections = meta.config.max_pool_connections
    if connections < TASKS:
        raise NotYet(
            found=f"{TASKS} tasks that share {connections} connections: {TASKS - connections} of"
            " them have to wait",
            expected="a client by which all of them can have a call under way",
            look_at="in what `theirs.meta.config` and `s3.meta.config` differ.",
        )
    with two_buckets(aws, mended) as (source, destination, keys):
        mended.copy_object(
            Bucket=destination, Key=keys[0], CopySource={"Bucket": source, "Key": keys[0]}
        )


CONNECTIONS_SOLUTION = """\
# A call needs a connection of its own for as long as it takes. boto3's default is a pool of 10.
mended = aws.client(
    "s3",
    config=Config(
        connect_timeout=5, retries={"total_max_attempts": 3}, max_pool_connections=64
    ),
)
"""

CONNECTIONS_WRONG = {
    # More tasks, fewer seconds?
    "mended = theirs\nframe = copying.asynchronous(mended, source, destination, keys, 256)\n": (
        "64 tasks that share 10 connections"
    ),
    # The setting of boto3's own transfers, which this copy does not use.
    "from boto3.s3.transfer import TransferConfig\n\n"
    "mended = TransferConfig(max_concurrency=64)\n": "`mended` is of the type TransferConfig",
    # The settings without a client that has them.
    "mended = Config(max_pool_connections=64)\n": "`mended` is of the type Config",
    # Half the way.
    'mended = aws.client("s3", config=Config(max_pool_connections=32))\n': (
        "32 of them have to wait"
    ),
    # More patience with each connection, and no more of them.
    'mended = aws.client("s3", config=Config(connect_timeout=60, read_timeout=600))\n': (
        "54 of them have to wait"
    ),
}


# 21.3: threads or processes, decided by measurement


WAYS = ("loop", "threads", "processes")
PIECES = 12
CLOSE = 1.15  # times the fastest: so near to it, any choice is right
COPIES, CHECKSUM_S = 96, 0.1
LEAST_S = COPIES * CHECKSUM_S


def check_choice(_aws: Any, measured: Any, choice: Any, least_s: Any) -> None:
    """Hold the choice against the learner's own measurement, and the bound against the GIL."""
    times = times_of(measured)
    expect_all_answered(choice=choice, least_s=least_s)
    fastest = min(times, key=times.get)
    if not isinstance(choice, str) or choice.strip().lower() not in WAYS:
        raise NotYet(
            found=f"`choice` is {in_words(choice)}",
            expected='one of "loop", "threads" and "processes"',
            look_at="the exercise cell.",
        )
    chosen = choice.strip().lower()
    if times[chosen] > CLOSE * times[fastest]:
        ratio = times[chosen] / times[fastest]
        raise NotYet(
            found=f'you choose "{chosen}", and it took {ratio:.1f} times as long as another way in'
            " your own measurement",
            expected="the way that was fastest, or close to it",
            look_at="`measured`. Does `compress` behave as `checksum` did?",
        )
    judge_bound(least_s)


def times_of(measured: Any) -> dict[str, float]:
    """Way -> seconds. Raises NotTried, or NotYet for what cannot have been measured."""
    if isinstance(measured, Mapping) and all(measured.get(way, ...) is ... for way in WAYS):
        raise NotTried
    if not isinstance(measured, Mapping) or any(
        number_of(measured.get(way)) is None for way in WAYS
    ):
        raise NotYet(
            found=f"`measured` is {in_words(measured)}"
            if not isinstance(measured, Mapping)
            else "`measured` lacks a number for "
            + " and ".join(way for way in WAYS if number_of(measured.get(way)) is None),
            expected='seconds for "loop", "threads" and "processes", as `seconds` returns them',
            look_at="the exercise cell.",
        )
    times = {way: float(measured[way]) for way in WAYS}
    began = time.perf_counter()
    cpu.compress(0)
    one = time.perf_counter() - began
    # Two workers do at best half of the pieces each; the rest of the factor is for a busy machine.
    if impossible := [way for way in WAYS if times[way] < one * PIECES / 2 / 4]:
        raise NotYet(
            found=f"{PIECES} pieces in {times[impossible[0]]:.3g} s ({impossible[0]}), where one"
            f" takes {one:.2g} s in this kernel",
            expected=f"the seconds until all {PIECES} pieces are done",
            look_at="whether the clock was stopped before the pool had ended. `seconds`, above,"
            " leaves the pool first.",
        )
    return times


def judge_bound(least_s: Any) -> None:
    """Raises NotYet unless it is the time that the checksums alone take, one after the other."""
    bound = number_of(least_s)
    if bound is None:
        raise NotYet(
            found=f"`least_s` is {in_words(least_s)}",
            expected="a number of seconds",
            look_at="the exercise cell.",
        )
    if not 0.98 * LEAST_S <= bound <= 1.07 * LEAST_S:
        raise NotYet(
            found=f"you say at least {bound:g} s for {COPIES} copies and checksums by 32 threads",
            expected="the time that no number of threads can shorten"
            if bound < LEAST_S
            else "a shorter time: some of it can be had by several threads at once",
            look_at="which of the two, waiting or computing, several threads of one Python can do"
            " at the same time. Which part is left when the other costs nothing?",
        )


def choice_answer(measured: str, choice: str, least_s: str) -> str:
    """An exercise cell with these answers."""
    return f"measured = {measured}\nchoice = {choice}\nleast_s = {least_s}\n"


TIMED = """{
    "loop": seconds(ThreadPoolExecutor(1), cpu.compress, range(12)),
    "threads": seconds(ThreadPoolExecutor(2), cpu.compress, range(12)),
    "processes": seconds(ProcessPoolExecutor(2, spawn), cpu.compress, range(12)),
}"""
CHOICE_SOLUTION = """\
# compress lets go of the GIL, so threads gain what the cores give, and need no new processes.
# The checksums of 96 objects come one after the other, whoever waits meanwhile: 96 x 0.1 s.
""" + choice_answer(TIMED, "min(measured, key=measured.get)", "96 * 0.1")

CHOICE_WRONG = {
    # Not what was measured, but what is said of CPU-bound work.
    choice_answer('{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"processes"', "9.6"): (
        "took 1.4 times as long as another way in your own measurement"
    ),
    # The clock stopped when the work was handed over.
    choice_answer('{"loop": 4.0, "threads": 0.0004, "processes": 2.2}', '"threads"', "9.6"): (
        "whether the clock was stopped"
    ),
    # 32 threads, so a thirty-second.
    choice_answer(
        '{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"threads"', "96 * 0.3 / 32"
    ): ("the time that no number of threads can shorten"),
    # Nothing at the same time.
    choice_answer('{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"threads"', "96 * 0.3"): (
        "a shorter time"
    ),
    choice_answer('{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"asyncio"', "9.6"): (
        '`choice` is "asyncio"'
    ),
    choice_answer('{"loop": 4.0, "threads": 2.2, "processes": ...}', '"threads"', "9.6"): (
        "lacks a number for processes"
    ),
    choice_answer('{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"threads"', "..."): (
        "no answer yet for `least_s`"
    ),
}


# 21.4: check the article's numbers


DAILY, BULK, EACH_S = 250, 1500, 6300 / 250
TRIED = (1, 2, 7, 50, 62, 63, 64, 83, 84, 100, 125, 249, 250, 300)
EXPLAINING = range(63, 84)
HALF_A_YEAR = range(180 * DAILY, 184 * DAILY + 1)


def check_claims(_aws: Any, took: Any, explaining: Any, bulk_days: Any, half_year: Any) -> None:
    """Ask the learner's function for several numbers of workers; then the numbers."""
    judge_waves(took)
    expect_all_answered(explaining=explaining, bulk_days=bulk_days, half_year_objects=half_year)
    judge_explaining(explaining)
    days = number_of(bulk_days)
    if days is None or abs(days - BULK / DAILY) > 0.5:
        raise NotYet(
            found=f"you say that {BULK} objects are {in_words(bulk_days)} days of data",
            expected=f"the days in which {BULK} objects come, {DAILY} each day",
            look_at="the two numbers in the text of the exercise.",
        )
    objects = number_of(half_year)
    if objects is None or not HALF_A_YEAR[0] <= objects <= HALF_A_YEAR[-1]:
        raise NotYet(
            found=f"you say that six months are {in_words(half_year)} objects",
            expected=f"the objects that come in about 182 days, {DAILY} each day",
            look_at="the daily number, and the days of half a year.",
        )


def judge_waves(took: Any) -> None:
    """Raises NotYet unless `took(workers)` is right for all kinds of numbers, NotTried if empty."""
    if not callable(took):
        raise NotYet(
            found=f"`took` is {in_words(took)}",
            expected="the function itself: its name, without parentheses",
            look_at="the line of the check.",
        )
    said = {workers: took(workers) for workers in TRIED}
    if all(answer is None for answer in said.values()):
        raise NotTried
    for workers, answer in said.items():
        seconds, right = number_of(answer), math.ceil(DAILY / workers) * EACH_S
        if seconds is None or abs(seconds - right) > 0.001 * right:
            raise NotYet(
                found=f"took({workers}) is {in_words(answer)}",
                expected=f"the seconds until the last of {DAILY} copies has ended",
                look_at=hint_for(workers, seconds, right),
            )


def hint_for(workers: int, seconds: float | None, right: float) -> str:
    """Where to look: at one worker, at many, or at waves that are not full."""
    if seconds is None:
        return "what your function returns: is it a number of seconds?"
    if workers == 1:
        return "the loop: one worker, and all objects one after the other."
    if workers > DAILY:
        return "what those workers do that find no object left. Can one object be shared?"
    if seconds < right:
        return (
            f"the last copies: {workers} workers begin at the same time, and how many times? The"
            " last time, some of them find nothing to do; do the others end sooner for that?"
        )
    return f"how many times {workers} workers begin together until {DAILY} objects are done."


def judge_explaining(explaining: Any) -> None:
    """Raises NotYet unless these are the numbers of workers that take about 100 s."""
    if isinstance(explaining, Mapping | str) or not isinstance(explaining, Iterable):
        raise NotYet(
            found=f"`explaining` is {in_words(explaining)}",
            expected="a list of all numbers of workers for which `took` says about 100 s",
            look_at="`took`, for every number from 1 to 250.",
        )
    said = sorted({number_of(each) or -1 for each in islice(explaining, 1000)})
    if not said or said[0] < 1:
        raise NotYet(
            found="`explaining` is empty" if not said else "`explaining` holds what is no number",
            expected="whole numbers of workers",
            look_at="`took`, for every number from 1 to 250: which are within 2 s of 100?",
        )
    right = set(map(float, EXPLAINING))
    if more := sorted(set(said) - right):
        raise NotYet(
            found=f"`explaining` has {more[0]:g} workers in it",
            expected="only numbers for which 250 copies of 25.2 s take 98 to 102 s",
            look_at=f"how many waves {more[0]:g} workers need, and how long these take.",
        )
    if fewer := sorted(right - set(said)):
        raise NotYet(
            found=f"`explaining` has {len(said)} numbers, from {said[0]:g} to {said[-1]:g}",
            expected=f"all that fit: {len(fewer)} more do",
            look_at="`took` for the numbers next to yours. Where does it change?",
        )


TOOK_SOLUTION = """\
import math


def took(workers):
    # Workers that begin together end together: a wave. The last wave takes as long as a full one.
    return math.ceil(250 / workers) * 25.2


explaining = [workers for workers in range(1, 251) if abs(took(workers) - 100) <= 2]
bulk_days = 1500 / 250
half_year_objects = 182 * 250
"""

TOOK_BY_CLOCK = """\
def took(workers):
    free = [0] * workers
    for _ in range(250):
        free.sort()
        free[0] += 25.2
    return max(free)


explaining = set(range(63, 84))
bulk_days = 6
half_year_objects = 45_500
"""


def claims_answer(took: str, explaining: str, bulk_days: str, half_year: str) -> str:
    """An exercise cell with these answers."""
    return (
        f"import math\n\n\ndef took(workers):\n    return {took}\n\n\nexplaining = {explaining}\n"
        f"bulk_days = {bulk_days}\nhalf_year_objects = {half_year}\n"
    )


WAVES = "math.ceil(250 / workers) * 25.2"
CLAIMS_WRONG = {
    # As if the last objects could be cut in pieces.
    claims_answer("6300 / workers", "[63]", "6", "45500"): "took(7)",
    claims_answer("250 // workers * 25.2", "[63]", "6", "45500"): "took(7)",
    # One more than needed where it divides well.
    claims_answer("(250 // workers + 1) * 25.2", "[63]", "6", "45500"): "took(1)",
    claims_answer(WAVES, "[63]", "6", "45500"): "20 more do",
    # range leaves its end out.
    claims_answer(WAVES, "range(63, 83)", "6", "45500"): "1 more do",
    claims_answer(WAVES, "range(62, 84)", "6", "45500"): "has 62 workers in it",
    # The article's word for it.
    claims_answer(WAVES, "range(63, 84)", "182", "45500"): "are 182 days of data",
    claims_answer(WAVES, "range(63, 84)", "6", "1500"): "six months are 1500 objects",
    claims_answer(WAVES, "range(63, 84)", "6", "..."): "no answer yet for `half_year_objects`",
}


EXERCISES = (
    Exercise(
        id="21.1",
        title="copy with a pool of threads, and lose no object",
        kind="build",
        check=check_copy_all,
        hints=(
            "Begin with a function that copies one object. What should come back from it when the"
            " copy fails, so that nobody has to remember which one it was?",
            "If that function catches the exception itself and returns it, `pool.map` gives you an"
            " outcome for each key, in the order of the keys.",
            "`dict(zip(keys, pool.map(copy, keys)))`, inside `with ThreadPoolExecutor(workers) as"
            " pool:`, has them all. `copy` returns None when all is well.",
        ),
        solution=COPY_ALL_SOLUTION,
        also=(COPY_ALL_FUTURES, COPY_ALL_SEMAPHORE),
        wrong=COPY_ALL_WRONG,
    ),
    Exercise(
        id="21.2",
        title="give every worker a connection",
        kind="repair",
        check=check_connections,
        hints=(
            "Both runs have 64 tasks and the same objects; only the client is another one. What can"
            " a client have too few of?",
            "`theirs.meta.config` and `s3.meta.config` are the settings of the two. `vars` shows"
            " them.",
            "`Config(max_pool_connections=...)` says how many connections a client keeps. Make a"
            " client with as many as there are tasks.",
        ),
        solution=CONNECTIONS_SOLUTION,
        also=(
            "mended = s3\n",
            'mended = aws.client("s3", config=theirs.meta.config.merge('
            "Config(max_pool_connections=100)))\n",
        ),
        wrong=CONNECTIONS_WRONG,
    ),
    Exercise(
        id="21.3",
        title="choose threads or processes by measuring",
        kind="explain",
        check=check_choice,
        hints=(
            "The three pools of the cells above, with `cpu.compress` in place of `cpu.checksum`:"
            " what does `seconds` say for each?",
            "For `choice`, believe your measurement. For `least_s`: 32 threads can wait at the same"
            " time. How many can compute Python's steps at the same time?",
            "All 96 checksums go through one GIL, one after the other. Whatever else happens"
            " meanwhile, that alone takes 96 times 0.1 s.",
        ),
        solution=CHOICE_SOLUTION,
        also=(
            choice_answer('{"loop": 4.0, "threads": 2.2, "processes": 3.1}', '"threads"', "9.8"),
            choice_answer('{"loop": 1.0, "threads": 1.05, "processes": 1.9}', '"loop"', "10"),
        ),
        wrong=CHOICE_WRONG,
    ),
    Exercise(
        id="21.4",
        title="check the article's numbers",
        kind="build",
        check=check_claims,
        hints=(
            "With 100 workers and 250 objects: how many are under way at first, then, and in the"
            " end? When does the last one end?",
            "Workers begin in waves of 25.2 s, and a wave that is not full takes as long as a full"
            " one. How many waves are 250 objects?",
            "`math.ceil(250 / workers)` waves. About 100 s are four of them: which numbers of"
            " workers need exactly four?",
        ),
        solution=TOOK_SOLUTION,
        also=(TOOK_BY_CLOCK,),
        wrong=CLAIMS_WRONG,
    ),
)
