"""The model against the mock: fitted to one run, how wrong is it about runs it has not seen?

Of each run there are three, and the one of middle length counts, for fitting as well. `error` is
without its sign. Everything starts anew for a run of Lambda, environments included.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import pandas as pd
from botocore.config import Config

from labs import cloud
from labs.cloud.settings import TIME_SCALE, size
from labs.concurrency import collecting, copying, workload
from labs.concurrency.functions.deploy import deploy
from labs.concurrency.simulation import (
    Parameters,
    Prediction,
    calibrate,
    calibrate_lambda,
    error,
    predict,
    predict_lambda,
)
from labs.concurrency.simulation.model import to_copy
from tests.benchmarks import clouds
from tests.benchmarks.rows import Row

TIMES = 3
COPY_SECONDS, RUN_SECONDS = 0.2, 0.5  # of threads and of Lambda, as in lessons 21 and 22
FITTED_TO, FORETOLD = 32, (24, 12, 4)  # threads


def measure_threads() -> list[Row]:
    """simulation.threads.*: a pool of 32 threads foretells pools of 24, 12 and 4."""
    objects, line = workload.objects(size().objects), workload.bandwidth(COPY_SECONDS)
    with clouds.mock() as aws:
        s3 = aws.client("s3", config=Config(max_pool_connections=FITTED_TO))
        source, destination = make_buckets(aws, objects)

        def run(workers: int) -> pd.DataFrame:
            return copying.thread_pool(s3, source, destination, list(objects["key"]), workers)

        with aws.faults("s3", "CopyObject", bandwidth=line):
            measured = in_rounds({f"{n}": partial(run, n) for n in (FITTED_TO, *FORETOLD)})
    fitted = calibrate(measured[f"{FITTED_TO}"], objects=objects, bandwidth=line)
    foretold = {f"{n}": predict(fitted, workers=n, objects=objects) for n in FORETOLD}
    return [
        *parameters("simulation.threads", fitted, len(objects)),
        *rows("simulation.threads", measured, foretold),
    ]


def measure_lambda() -> list[Row]:
    """simulation.lambda.LIMIT.OBJECTS.*: from one log to other limits and numbers of objects."""
    line, most, usual = workload.bandwidth(RUN_SECONDS), size().concurrency - 1, size().objects
    others = [(most // 2, usual), (most // 5, usual), (most // 2, usual // 2), (most, usual * 2)]
    with clouds.mock():
        measured = in_rounds(
            {
                f"{limit}.{n}": partial(run_of_lambda, limit, n, line)
                for limit, n in ((most, usual), *others)
            }
        )
    fitted = calibrate_lambda(
        measured[f"{most}.{usual}"],
        objects=to_copy(usual),
        bandwidth=line,
        limit=most,
        time_scale=TIME_SCALE,
    )
    foretold = {
        f"{limit}.{n}": predict_lambda(replace(fitted, limit=limit), objects=to_copy(n))
        for limit, n in others
    }
    return [
        *parameters("simulation.lambda", fitted, usual, "start", "environment"),
        *rows("simulation.lambda", measured, foretold),
    ]


def run_of_lambda(limit: int, n: int, line: float) -> pd.DataFrame:
    """The copier's runs in an account that was empty."""
    aws, objects = cloud.connect(lesson="bench"), to_copy(n)
    pipeline = deploy(aws.session, aws.name, *make_buckets(aws, objects))
    functions = aws.client("lambda", config=clouds.PATIENT)
    functions.put_function_concurrency(
        FunctionName=pipeline.copier, ReservedConcurrentExecutions=limit
    )
    aws.faults("s3", "CopyObject", bandwidth=line)
    return collecting.copy_all(functions, aws.client("logs"), pipeline, list(objects["key"]))


def make_buckets(aws: cloud.Connection, objects: pd.DataFrame) -> tuple[str, str]:
    """Names of two buckets; the objects are in the first."""
    s3, names = aws.client("s3"), (aws.name("from"), aws.name("to"))
    for name in names:
        s3.create_bucket(Bucket=name)
    workload.fill(s3, names[0], objects)
    return names


def in_rounds(runs: Mapping[str, Callable[[], pd.DataFrame]]) -> dict[str, pd.DataFrame]:
    """Of each run the one that lasted neither longest nor shortest.

    All are run, then all again: what else the machine does is then alike for all of them.
    """
    rounds = [{name: run() for name, run in runs.items()} for _ in range(TIMES)]
    return {
        name: sorted((each[name] for each in rounds), key=collecting.lasted)[TIMES // 2]
        for name in runs
    }


def parameters(of: str, fitted: Parameters, n: int, *more: str) -> list[Row]:
    """What a call costs by the fit to a run of n objects, and what else is named."""
    return [
        Row(f"{of}.{name}", getattr(fitted, name) * 1000, "ms", n)
        for name in ("front", "latency", *more)
    ]


def rows(
    of: str, measured: Mapping[str, pd.DataFrame], foretold: Mapping[str, Prediction]
) -> list[Row]:
    """How long each run took, and by how much the model is wrong about those it has not seen."""
    took = [
        Row(f"{of}.{name}.took", collecting.lasted(measured[name]), "s", TIMES) for name in measured
    ]
    wrong = {name: abs(error(foretold[name], measured[name])) * 100 for name in foretold}
    return took + [Row(f"{of}.{name}.error", wrong[name], "%", TIMES) for name in wrong]
