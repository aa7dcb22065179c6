"""One by one, threads and Lambda side by side: the article's times, ours, and the model's."""

from collections.abc import Iterable, Mapping

import pandas as pd

from labs.concurrency import figures as drawing
from labs.concurrency import workload
from labs.concurrency.simulation import Parameters, predict, predict_lambda
from labs.concurrency.simulation.article import LAMBDA, SEQUENTIAL, THREADS
from labs.course import figures

ONE_BY_ONE, IN_THREADS, BY_LAMBDA = "one by one", "threads", "Lambda"


def times(one_by_one: float, threads: float, by_lambda: float) -> dict[str, float]:
    """The three ways and their seconds, as the figure wants them."""
    return {ONE_BY_ONE: one_by_one, IN_THREADS: threads, BY_LAMBDA: by_lambda}


ARTICLE = times(SEQUENTIAL, THREADS, LAMBDA)


def foretold(objects: pd.DataFrame, workers: int, bandwidth: float) -> dict[str, float]:
    """What the model says of the three ways, from what was set and no measurement.

    objects: (key, bytes). workers: threads, or functions at once. bandwidth: bytes a second, of
    each copy.
    """
    line = Parameters(bandwidth=bandwidth, limit=workers)
    return times(
        predict(line, workers=1, objects=objects).seconds,
        predict(line, workers=workers, objects=objects).seconds,
        predict_lambda(line, objects=objects).seconds,
    )


def foretold_by_limit(
    objects: pd.DataFrame, limits: Iterable[int], bandwidth: float
) -> dict[int, float]:
    """{limit: seconds} of Lambda, by the model; other arguments as in `foretold`."""
    return {
        limit: predict_lambda(Parameters(bandwidth=bandwidth, limit=limit), objects=objects).seconds
        for limit in limits
    }


def ratio(seconds: Mapping[str, float]) -> float:
    """How many times as long as threads Lambda took."""
    return seconds[BY_LAMBDA] / seconds[IN_THREADS]


def show(
    threads: float, by_lambda: float, objects: pd.DataFrame, *, workers: int, copy_s: float
) -> pd.DataFrame:
    """Show the article's bars, those measured, and the model's; (way, measured, model), seconds.

    threads, by_lambda: measured seconds. objects, workers: as in `foretold`. copy_s: seconds that
    a copy takes, as set. One by one is not measured: it is the sum of those seconds.
    """
    model = foretold(objects, workers, workload.bandwidth(copy_s))
    measured = times(model[ONE_BY_ONE], threads, by_lambda)
    sources = {"article": ARTICLE, "here, one by one reckoned": measured, "model": model}
    told = "; ".join(
        f"{source}: {', '.join(f'{way} {seconds:.3g} s' for way, seconds in ways.items())}"
        for source, ways in sources.items()
    )
    figures.show(
        drawing.draw_bars(sources, finding(measured)),
        alt=f"Bars: how many times faster than one by one. The times behind them are {told}.",
        caption=f"Set: {len(objects)} objects, {copy_s:g} s for a copy, {workers} threads or runs"
        " at once; the article had 250 objects of 25 s, 100 runs at once, and does not say how many"
        " threads. One by one is not run here: it is the sum of the copies' seconds. Measured:"
        " seconds from the call until the last object is there.",
    )
    return pd.DataFrame(
        {"way": list(measured), "measured": measured.values(), "model": model.values()}
    )


def finding(measured: Mapping[str, float]) -> str:
    """What is seen, in a sentence of ratios."""
    return (
        f"Lambda took {ratio(measured):.1f} times as long as threads here,"
        f" {ratio(ARTICLE):.1f} times in the article"
    )
