"""The model held against a run: how wrong it is, and with which numbers it is right."""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from labs.concurrency.simulation.model import Parameters, Prediction
from labs.concurrency.workload import LARGEST, SMALLEST

#: Halvings of the interval in which `front` lies: to a millionth of where the search began.
STEPS = 20


def error(prediction: Prediction, frame: pd.DataFrame) -> float:
    """How wrong: 0.1 is foretold 10 % too slow, -0.1 is 10 % too fast.

    A run, measured or foretold, lasts from the first start of a copy to the last end.
    """
    return lasted(prediction.frame) / lasted(frame) - 1


def lasted(frame: pd.DataFrame) -> float:
    return float(frame["end"].max() - frame["start"].min())


def refuse_disturbed(disturbed: pd.Series) -> None:
    if disturbed.any() or disturbed.empty:
        raise ValueError(
            f"Found {disturbed.sum()} of {len(disturbed)} copies failed or repeated; expected one "
            "or more copies and none of those. Calibrate on a run without SlowDown."
        )


def in_order(frame: pd.DataFrame, objects: pd.DataFrame | None) -> pd.DataFrame:
    """What was copied (key, bytes), in the order in which the copies began."""
    known = {} if objects is None else dict(zip(objects["key"], objects["bytes"], strict=True))
    keys = frame.sort_values("start")["object"]
    sizes = keys.map(lambda key: known.get(key, (SMALLEST + LARGEST) // 2))
    return pd.DataFrame({"key": keys, "bytes": sizes})


def line_of(frame: pd.DataFrame, copied: pd.DataFrame) -> float:
    """Bytes a second, the median of the calls. Both frames have the same index."""
    return float((copied["bytes"] / (frame["end"] - frame["start"])).median())


def quickest(frame: pd.DataFrame, copied: pd.DataFrame, bandwidth: float) -> float:
    """Seconds that the quickest call took besides its bytes: nothing was in its way."""
    return float((frame["end"] - frame["start"] - copied["bytes"] / bandwidth).min())


def with_front(
    given: Parameters,
    frame: pd.DataFrame,
    foretell: Callable[[Parameters], Prediction],
    quick: float,
) -> Parameters:
    """`front` and `latency` with which the model is as slow as the run.

    quick: of both together, as `quickest` tells. `front` is sought by halving the interval in which
           it must be; what `quick` is longer than that is latency.
    """

    def guess(front: float) -> Parameters:
        return replace(given, front=front, latency=max(0.0, quick - front))

    least, most = 0.0, lasted(frame) / len(frame)  # as if the run had been nothing but front
    for _ in range(STEPS):
        middle = (least + most) / 2
        if error(foretell(guess(middle)), frame) < 0:
            least = middle
        else:
            most = middle
    return guess(least)
