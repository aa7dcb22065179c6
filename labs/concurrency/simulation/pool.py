"""A pool of workers on one machine: each takes the next object when it is done with its last."""

from collections.abc import Generator, Iterator

import pandas as pd
import simpy

from labs.concurrency.simulation.model import COLUMNS, Parameters, Prediction, Storage, to_copy


def predict(
    parameters: Parameters, *, workers: int, n: int = 250, objects: pd.DataFrame | None = None
) -> Prediction:
    """Foretell a run of a pool. One worker is the loop.

    objects: (key, bytes), as `workload.objects` gives them; without, the first n of its list.

    Raises ValueError when there is no worker.
    """
    if workers < 1:
        raise ValueError(f"workers={workers}: expected 1 or more.")
    objects = to_copy(n) if objects is None else objects
    env = simpy.Environment()
    storage = Storage(env, parameters)
    todo = zip(objects["key"], objects["bytes"], strict=True)  # one for all workers
    rows: list[tuple] = []
    for worker in range(workers):
        env.process(_work(worker, todo, storage, rows))
    env.run()
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Prediction(float(frame["end"].max()) if rows else 0.0, frame)


def _work(
    worker: int, todo: Iterator[tuple[str, int]], storage: Storage, rows: list[tuple]
) -> Generator[simpy.Event, object, None]:
    for key, size in todo:
        start = storage.env.now
        attempts, error = yield from storage.copy(size)
        rows.append((key, worker, start, storage.env.now, attempts, error))
