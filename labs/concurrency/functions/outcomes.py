"""How the copier's runs went, as rows of `copying`: what they have to tell is in their log.

A row has the times of an object's last run, by Lambda's clock: between two tries it was nobody's.
worker:   the environment that ran it. attempts: runs, as far as the log tells.
error:    AWS's code, or the exception's name, or what Lambda says of a run that it ended itself.
          Ours are "NotPublished", and "NotHeardOf" when there is no news of an object any more.
"""

import re
import time
from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

import boto3

from labs.concurrency.functions.dead_letters import lost_events
from labs.concurrency.functions.deploy import COPIER_TIMEOUT, Deployment
from labs.concurrency.functions.runs import runs
from labs.concurrency.one_object import Row

if TYPE_CHECKING:
    from pandas import DataFrame

LOOK = 0.5  # seconds between two looks at the log; AWS allows a few a second
#: Seconds without news after which none will come: the longest that Lambda waits before it tries
#: an event again, and a run. Source: Lambda guide, "How Lambda handles errors and retries with
#: asynchronous invocation".
SILENCE = 300.0 + COPIER_TIMEOUT
CODE = re.compile(r"An error occurred \((\w+)\)")  # how botocore words what AWS answered


class Outcomes:
    """Follows the runs that begin from now on: make it before anything is published."""

    def __init__(self, session: boto3.Session, pipeline: Deployment) -> None:
        self._logs, self._sqs = session.client("logs"), session.client("sqs")
        self._pipeline = pipeline
        self._old = set(self._runs()["request_id"])

    def of(self, keys: Sequence[str], unsent: Container[str] = ()) -> Iterator[Row]:
        """A row for each object, as soon as it is copied or given up. unsent: not published."""
        waiting, heard = set(keys), time.monotonic()
        for key in [key for key in waiting if key in unsent]:
            yield silent(key, "NotPublished")
            waiting.remove(key)
        while waiting and time.monotonic() < heard + SILENCE:
            for row in self._look():
                if row.object in waiting:
                    yield row
                    waiting.remove(row.object)
                    heard = time.monotonic()
            time.sleep(LOOK if waiting else 0)
        yield from (silent(key, "NotHeardOf") for key in sorted(waiting))

    def _look(self) -> Iterator[Row]:
        lost = lost_events(self._sqs, self._pipeline.lost_url, wait=0)
        found = self._runs()  # after `lost`: an event is given up when its last run has ended
        new = found[~found["request_id"].isin(self._old)]
        return rows(new, {id: lost[id] for id in lost.keys() - self._old})

    def _runs(self) -> "DataFrame":
        return runs(self._logs, self._pipeline.copier)


def rows(runs: "DataFrame", lost: dict[str, tuple[str, str]]) -> Iterator[Row]:
    """The rows of objects that are copied, or that Lambda gave up on, as the two tell.

    runs, lost: as `runs.runs` and `lost_events` give them. Of two copies the first counts.
    """
    tries: dict[str, list] = {key: [] for key, _ in lost.values()}
    for run in runs.itertuples():  # in the order in which they began
        key = run.object or lost.get(run.request_id, [""])[0]  # it may fail before it knows
        tries.setdefault(key, []).append(run)
    words = dict(lost.values())
    for key, of_it in tries.items():
        copied = [number for number, run in enumerate(of_it) if run.copied]
        if copied:
            run = of_it[copied[0]]
            yield Row(key, run.sandbox, run.start, run.end, copied[0] + 1, None)
        elif key in words and of_it:
            run = of_it[-1]
            error = code(run.error or words[key])
            yield Row(key, run.sandbox, run.start, run.end, len(of_it), error)
        elif key in words:
            yield silent(key, code(words[key]))


def silent(key: str, error: str) -> Row:
    """The row of an object of which no run tells."""
    now = time.time()
    return Row(key, "", now, now, 0, error)


def code(words: str) -> str:
    """The short name of an error in a log: "NoSuchKey", "ValueError"."""
    answered = CODE.search(words)
    return answered[1] if answered else words.partition(":")[0]
