"""SNS and Lambda: a message for each object, an invocation for each message, up to a limit."""

from collections.abc import Generator

import pandas as pd
import simpy

from labs.concurrency.simulation.account import Account, Waiting, in_line
from labs.concurrency.simulation.model import COLUMNS, Parameters, Prediction, to_copy
from labs.concurrency.simulation.storage import Storage


def predict_lambda(
    parameters: Parameters,
    *,
    n: int = 250,
    objects: pd.DataFrame | None = None,
    waiting: Waiting = in_line,
) -> Prediction:
    """Foretell a run of SNS and Lambda; `worker` in the frame is the number of an environment.

    objects: (key, bytes), as `workload.objects` gives them; without, the first n of its list.
    """
    objects = to_copy(n) if objects is None else objects
    env = simpy.Environment()
    storage, account = Storage(env, parameters), Account(env, parameters)
    rows: list[tuple] = []

    def publisher() -> Generator[simpy.Event, object, None]:
        for key, size in zip(objects["key"], objects["bytes"], strict=True):
            yield env.timeout(parameters.publish)
            env.process(_event(key, size, storage, account, waiting, rows))

    env.process(publisher())
    env.run()
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return Prediction(float(frame["end"].max()) if rows else 0.0, frame, account.throttles)


def _event(
    key: str, size: int, storage: Storage, account: Account, waiting: Waiting, rows: list[tuple]
) -> Generator[simpy.Event, object, None]:
    """One message on its way: run, and run again after a failure, then a row for good."""
    env, given = storage.env, storage.parameters
    calls, first = 0, None
    for wait in (*given.function_retries, None):
        environment = yield from waiting(account)
        yield from account.prepare(environment)
        first = env.now if first is None else first
        attempts, error = yield from storage.copy(size)
        account.leave(environment)
        calls += attempts
        if error is None or wait is None:
            break
        yield env.timeout(wait)
    rows.append((key, environment, first, env.now, calls, error))
