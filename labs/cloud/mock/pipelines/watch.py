"""Looks at sources whose action polls, and starts their pipeline when they have changed.

AWS looks about once a minute, which TIME_SCALE divides; an object that is put is looked at at once.
Source: User Guide, "Amazon S3 source action reference" (PollForSourceChanges: true unless it says
false).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from labs.cloud.mock.inward import Ended
from labs.cloud.mock.pipelines.actions import SOURCES
from labs.cloud.mock.pipelines.definition import Action, stage_names
from labs.cloud.mock.pipelines.model import Pipeline, Trigger
from labs.cloud.mock.pipelines.work import ActionFailed, Lost

if TYPE_CHECKING:
    from labs.cloud.mock.pipelines.motor import Pipelines

#: Seconds until the next look at a pipeline whose sources were being read at the last.
SOON = 0.05
log = logging.getLogger("labs.mock.pipelines")


class Watch:
    """One thread for all pipelines. It begins with the first that polls."""

    def __init__(self, motor: Pipelines) -> None:
        self._motor = motor
        self._pipelines: list[Pipeline] = []
        self._thread: threading.Thread | None = None
        self._awake = threading.Event()
        self._is_closed = False

    def follow(self, pipeline: Pipeline) -> None:
        """A pipeline is new, or has changed. Called with the motor's lock held."""
        self.forget(pipeline)
        if not any(polled(pipeline)):
            return
        self._pipelines.append(pipeline)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="pipeline-watch", daemon=True)
            self._thread.start()

    def forget(self, pipeline: Pipeline) -> None:
        """Called with the motor's lock held."""
        self._pipelines = [one for one in self._pipelines if one is not pipeline]

    def reset(self) -> None:
        self._pipelines = []

    def wake(self) -> None:
        """Look now: something was put into a bucket."""
        if self._pipelines:
            self._awake.set()

    def close(self) -> None:
        """End the thread, for good."""
        self._is_closed = True
        self._awake.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        pause = self._motor.waits.poll
        while not self._is_closed:
            self._awake.wait(pause)
            self._awake.clear()
            pause = self._motor.waits.poll
            for pipeline in list(self._pipelines):
                if self._is_closed:
                    return
                try:
                    if not self._look_at(pipeline):
                        pause = SOON
                except Exception:
                    log.exception("the sources of %s could not be looked at", pipeline.name)

    def _look_at(self, pipeline: Pipeline) -> bool:
        """Start the pipeline if a source has changed; False: it is not the moment to ask."""
        first = stage_names(pipeline.definition)[0]
        changed = False
        for action in polled(pipeline):
            with self._motor.changed:
                place = pipeline.place(first)
                if place.holder or place.waiting:
                    return False
            try:
                revision = SOURCES[provider(action)].newest(self._motor, pipeline, action)
            except (ActionFailed, ClientError, Ended, Lost):
                continue  # nothing is there, or it may not be read: the next execution says so
            with self._motor.changed:
                changed = changed or revision != pipeline.seen.get(action["name"])
                pipeline.seen[action["name"]] = revision
        if changed:
            with self._motor.changed:
                if pipeline in self._pipelines:
                    self._motor.start(pipeline, Trigger("PollForSourceChanges"))
        return True


def polled(pipeline: Pipeline) -> Iterator[Action]:
    """The source actions that look for changes."""
    for action in pipeline.definition["stages"][0]["actions"]:
        configuration = action["configuration"]
        wanted = configuration.get("PollForSourceChanges") or configuration.get("DetectChanges")
        if provider(action) in SOURCES and (wanted or "true").lower() != "false":
            yield action


def provider(action: Action) -> str:
    return action["actionTypeId"]["provider"]
