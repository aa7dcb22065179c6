"""From one measured run to parameters: of a pool, and of SNS and Lambda."""

from dataclasses import replace

import pandas as pd

from labs.concurrency.simulation.fitting import (
    in_order,
    line_of,
    quickest,
    refuse_disturbed,
    with_front,
)
from labs.concurrency.simulation.functions import predict_lambda
from labs.concurrency.simulation.model import Parameters
from labs.concurrency.simulation.pool import predict


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

    `front` is the one number that is fitted: with it, the model takes as long as the run did. If
    the quickest call took longer, besides its bytes, the rest is `latency`.

    Raises ValueError for a run with failed or repeated copies: their waits are not the line's.
    """
    refuse_disturbed(frame["error"].fillna("").ne("") | frame["attempts"].gt(1))
    copied = in_order(frame, objects)
    given = Parameters(bandwidth or line_of(frame, copied))
    workers = workers or frame["worker"].nunique()
    return with_front(
        given,
        frame,
        lambda guess: predict(guess, workers=workers, objects=copied),
        quickest(frame, copied, given.bandwidth),
    )


def calibrate_lambda(
    runs: pd.DataFrame,
    *,
    objects: pd.DataFrame | None = None,
    bandwidth: float | None = None,
    limit: int | None = None,
    publish: float = 0.0,
    time_scale: float = 1.0,
) -> Parameters:
    """Parameters from the log of one measured run of SNS and Lambda, as `calibrate` of a pool.

    runs:       as `functions.runs` reads them. Choose the run with the highest limit, and more
                objects than that: an environment that ran once tells nothing of `start`.
    limit:      of the run; without, as many as environments ran.
    publish:    seconds from one message to the next, if known: the copier's log does not tell.
    time_scale: AWS's own waits are divided by it: TIME_SCALE in the mock, 1 on AWS.
    objects, bandwidth: as in `calibrate`.

    `environment` is read from the first run of each, `start` from the pauses between the runs of
    one (their median); `front` and `latency` come about as in `calibrate`.

    Raises ValueError for a log with failed or repeated runs.
    """
    refuse_disturbed(runs["error"].ne("") | runs["attempt"].gt(1) | ~runs["copied"].astype(bool))
    copied, began = in_order(runs, objects), runs.sort_values("start").groupby("sandbox")
    firsts, pauses = began["start"].min(), (runs["start"] - began["end"].shift()).dropna()
    usual = Parameters(bandwidth or line_of(runs, copied), limit=limit or len(firsts))
    given = replace(
        usual,
        publish=publish,
        start=max(0.0, float(pauses.median())) if len(pauses) else 0.0,
        environment=float(firsts.max() - firsts.min()) / max(1, len(firsts) - 1),
        queue_back_off=usual.queue_back_off / time_scale,
        most_queue_back_off=usual.most_queue_back_off / time_scale,
        function_retries=tuple(wait / time_scale for wait in usual.function_retries),
    )
    return with_front(
        given,
        runs,
        lambda guess: predict_lambda(guess, objects=copied),
        quickest(runs, copied, given.bandwidth),
    )
