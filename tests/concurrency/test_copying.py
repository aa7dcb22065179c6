"""Every way copies all, loses no object, and ends when it is interrupted."""

import _thread
import gc
import os
import signal
import subprocess
import sys
import threading
from functools import partial

import pytest
from botocore.config import Config
from tqdm.auto import tqdm

from labs.concurrency import copying, rows, workload
from tests.cloud.processes import wait_until

COLUMNS = ["object", "worker", "start", "end", "attempts", "error"]
every_way = pytest.mark.parametrize("way", copying.WAYS.values(), ids=copying.WAYS)


@every_way
def test_copies_all_and_tells_of_the_one_that_is_not_there(way, buckets):
    keys = [*buckets.fill(6), "not-there"]
    frame = way(buckets.s3, buckets.source, buckets.destination, keys, 2)
    assert list(frame.columns) == COLUMNS
    assert sorted(frame["object"]) == sorted(keys)
    assert frame.set_index("object")["error"].dropna().to_dict() == {"not-there": "404"}
    assert copying.missing(buckets.s3, buckets.source, buckets.destination) == []
    assert (frame["start"] >= 0).all()
    assert (frame["end"] > frame["start"]).all()
    assert frame["start"].is_monotonic_increasing
    assert (frame["attempts"] == 1).all()
    assert frame["worker"].min() == 0


@every_way
def test_nothing_to_do_is_an_empty_frame(way, buckets):
    frame = way(buckets.s3, buckets.source, buckets.destination, [], 2)
    assert list(frame.columns) == COLUMNS
    assert frame.empty


@pytest.mark.parametrize("way", [copying.thread_pool, copying.asynchronous])
def test_what_slows_down_is_tried_again_and_counted(way, aws, buckets):
    keys = buckets.fill(8)
    with aws.faults("s3", "CopyObject", error="SlowDown", probability=0.3, seed=3) as rule:
        frame = way(buckets.s3, buckets.source, buckets.destination, keys, 8)
    assert rule.hits > 0
    assert frame["attempts"].sum() == len(keys) + rule.hits
    assert frame["error"].isna().all()


@pytest.mark.parametrize("way", [copying.loop, copying.process_pool, copying.asynchronous])
def test_a_second_run_copies_what_the_first_could_not(way, aws, buckets):
    once = aws.client("s3", config=Config(retries={"total_max_attempts": 1}))
    keys = buckets.fill(8)
    with aws.faults("s3", "CopyObject", error="SlowDown", probability=0.5, seed=1):
        first = way(once, buckets.source, buckets.destination, keys, 2)
    lost = first.loc[first["error"] == "SlowDown", "object"].tolist()
    assert 0 < len(lost) < len(keys)
    assert (first["attempts"] == 1).all(), "the client's own settings hold, in every process"
    left = copying.missing(once, buckets.source, buckets.destination)
    assert left == sorted(lost)
    again = way(once, buckets.source, buckets.destination, left, 2)
    assert again["error"].isna().all()
    assert copying.missing(once, buckets.source, buckets.destination) == []


def test_missing_finds_what_has_another_size(buckets):
    [key] = buckets.fill(1)
    buckets.s3.put_object(Bucket=buckets.destination, Key=key, Body=b"")
    assert copying.missing(buckets.s3, buckets.source, buckets.destination) == [key]


@pytest.fixture
def no_collection():
    """Hypothesis looks on at each garbage collection, and an interrupt there would be lost."""
    gc.disable()
    yield
    gc.enable()


@every_way
@pytest.mark.usefixtures("no_collection")
def test_an_interrupt_keeps_the_rows_so_far_and_leaves_no_worker(way, aws, buckets):
    """Each row is a copy and each copy has its row, and nothing goes on behind our back."""
    keys, done = buckets.fill(60), threading.Event()

    def interrupt():
        if wait_until(lambda: aws.faults.list()[0].hits >= 3, seconds=60):
            _thread.interrupt_main()
        done.set()

    before = {*threading.enumerate()}
    with aws.faults("s3", "CopyObject", latency=0.3):
        threading.Thread(target=interrupt).start()
        with pytest.warns(UserWarning, match="Interrupted: "):
            frame = way(buckets.s3, buckets.source, buckets.destination, keys, 2)
        assert done.wait(10)
    assert 0 < len(frame) < len(keys)
    assert frame["error"].isna().all()
    left = copying.missing(buckets.s3, buckets.source, buckets.destination)
    known = {*left, *frame["object"]}
    assert len(known) == len(left) + len(frame), "a row for what was not copied"
    assert len(set(keys) - known) <= (way is copying.loop), "copied, and no row"
    wait_until(lambda: {*threading.enumerate()} <= before)
    assert {*threading.enumerate()} - before == set()


@pytest.mark.parametrize("way", [copying.process_pool, copying.multiprocess])
def test_objects_of_a_process_that_died_have_rows(way, aws, buckets, monkeypatch):
    keys, before = buckets.fill(6), children()

    def kill_one():
        if wait_until(lambda: aws.faults.list()[0].hits >= 1):
            os.kill(min(workers(before)), signal.SIGTERM)

    with aws.faults("s3", "CopyObject", latency=0.5):
        killer = threading.Thread(target=kill_one)
        killer.start()
        frame = way(buckets.s3, buckets.source, buckets.destination, keys, 2)
        killer.join()
    assert sorted(frame["object"]) == sorted(keys)
    assert set(frame["error"].dropna()) <= {"BrokenProcessPool", "WorkerDied"}
    assert frame["error"].notna().any()


def children():
    import psutil

    return {child.pid for child in psutil.Process().children()}


def workers(before):
    """The processes spawned since, without multiprocessing's tracker of resources."""
    import psutil

    new = [psutil.Process(pid) for pid in children() - before]
    return [each.pid for each in new if "spawn_main" in " ".join(each.cmdline())]


def test_many_at_a_time_are_faster_and_a_pool_of_connections_is_what_counts(aws, buckets):
    """Order only: loop after threads, and threads held up by 2 connections in between."""
    keys = buckets.fill(12)
    few = aws.client("s3", config=Config(max_pool_connections=2))
    took = {}
    # A copy waits for so long that a busy machine's work for it counts little.
    with aws.faults("s3", "CopyObject", bandwidth=workload.bandwidth(0.8)):
        for name, way, s3, some in (
            ("loop", copying.loop, buckets.s3, keys[:2]),
            ("threads", copying.thread_pool, buckets.s3, keys),
            ("asyncio", copying.asynchronous, buckets.s3, keys),
            ("few", copying.asynchronous, few, keys),
        ):
            frame = way(s3, buckets.source, buckets.destination, some, 12)
            assert frame["error"].isna().all()
            # Not the client that asyncio makes: on a busy machine that alone takes seconds.
            took[name] = (frame["end"].max() - frame["start"].min()) / len(some)
    assert took["loop"] > 3 * took["threads"], took
    assert took["loop"] > 3 * took["asyncio"], took
    assert took["few"] > 1.5 * took["asyncio"], took


def test_works_where_an_event_loop_is_at_work_already(buckets):
    """As in a notebook's kernel."""
    import asyncio

    keys = buckets.fill(2)

    async def cell():
        return copying.asynchronous(buckets.s3, buckets.source, buckets.destination, keys, 2)

    assert asyncio.run(cell())["error"].isna().all()


def test_the_bar_counts_objects_where_someone_looks(buckets, monkeypatch, capsys):
    monkeypatch.setattr(rows, "tqdm", partial(tqdm, mininterval=0))
    keys = buckets.fill(2)
    copying.loop(buckets.s3, buckets.source, buckets.destination, keys, 1)
    assert "2/2" in capsys.readouterr().err


def test_importing_the_ways_needs_no_mock_and_no_pandas():
    """A spawned worker imports them: what it does not need, it should not wait for."""
    code = (
        "import sys, labs.concurrency.copying\n"
        "sys.exit(str({'pandas', 'labs.cloud', 'matplotlib', 'IPython'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr.strip() == "set()"
