"""From one measured run to parameters, and how wrong they are about another."""

from dataclasses import replace

import pandas as pd

from labs.concurrency.simulation.model import Parameters, Prediction
from labs.concurrency.simulation.pool import predict
from labs.concurrency.workload import LARGEST, SMALLEST

#: Halvings of the interval in which `front` lies: to a millionth of where the search began.
STEPS = 20


def calibrate(
    frame: pd.DataFrame,
    *,
    objects: pd.DataFrame | None = None,
    bandwidth: float | None = None,
    workers: int | None = None,
) -> Parameters:
    """Parameters from one measured run of a pool; `dataclasses.replace` sets those it cannot tell.

    frame:     as copying gives it. Choose the run with the most workers: only where they are in
               each other's way does a run tell how much of a call is `front`. A loop cannot: there
               all that a call takes longer looks the same.
    objects:   (key, bytes); without, each object counts as 700 MB, the article's middle.
    bandwidth: bytes a second, where it was set (`aws.faults`); without, the median of the run's
               calls. (Then a busy front looks like a slow line: choose a run with few workers.)
    workers:   of the run; without, as many as its frame names.

    `front` is the one number that is fitted: with it, the model takes as long as the run did.

    Raises ValueError for a run with failed or repeated copies: their waits are not the line's.
    """
    disturbed = frame["error"].fillna("").ne("") | frame["attempts"].gt(1)
    if disturbed.any() or frame.empty:
        raise ValueError(
            f"Found {disturbed.sum()} of {len(frame)} copies failed or repeated; expected one or "
            "more copies and none of those. Calibrate on a run without SlowDown."
        )
    known = {} if objects is None else dict(zip(objects["key"], objects["bytes"], strict=True))
    begun = frame.sort_values("start")
    sizes = begun["object"].map(lambda key: known.get(key, (SMALLEST + LARGEST) // 2))
    copied = pd.DataFrame({"key": begun["object"], "bytes": sizes})
    if bandwidth is None:
        bandwidth = float((sizes / (begun["end"] - begun["start"])).median())
    workers = workers or frame["worker"].nunique()
    return _with_front(Parameters(bandwidth), frame, copied, workers)


def _with_front(
    given: Parameters, frame: pd.DataFrame, objects: pd.DataFrame, workers: int
) -> Parameters:
    """The `front` with which the model is as slow as the run: halve the interval it must be in."""
    least, most = 0.0, _lasted(frame) / len(frame)  # as if the run had been nothing but front
    for _ in range(STEPS):
        guess = replace(given, front=(least + most) / 2)
        if error(predict(guess, workers=workers, objects=objects), frame) < 0:
            least = guess.front
        else:
            most = guess.front
    return replace(given, front=least)


def error(prediction: Prediction, frame: pd.DataFrame) -> float:
    """How wrong: 0.1 is foretold 10 % too slow, -0.1 is 10 % too fast.

    A measured run lasts from its first start to its last end.
    """
    return prediction.seconds / _lasted(frame) - 1


def _lasted(frame: pd.DataFrame) -> float:
    return float(frame["end"].max() - frame["start"].min())
