"""Lambda end to end: from the call of boto3's invoke to the payload in hand."""

from concurrent.futures import ThreadPoolExecutor

from labs import cloud
from labs.cloud.settings import size
from tests.benchmarks import clouds
from tests.benchmarks.rows import Row, milliseconds, spread

WARM_TIMES, INVOCATIONS = 200, 1000


def measure_zygote() -> list[Row]:
    """lambda.zygote.*: cold and warm milliseconds, forked sandboxes."""
    return _cold_and_warm("zygote")


def measure_spawn() -> list[Row]:
    """lambda.spawn.*: cold and warm milliseconds, a fresh interpreter for each sandbox."""
    return _cold_and_warm("spawn")


def _cold_and_warm(sandbox: str) -> list[Row]:
    with clouds.mock(sandbox) as aws:
        return [row for kind in clouds.SOURCES for row in _of_kind(aws, sandbox, kind)]


def _of_kind(aws: cloud.Connection, sandbox: str, kind: str) -> list[Row]:
    cloud.connect(lesson="bench")  # an empty account, and no sandbox of the last kind
    clouds.make_table(aws)
    role = clouds.make_role(aws)
    functions = aws.client("lambda", config=clouds.PATIENT)
    # A function for each cold start, none of which has to make room for another.
    names = [f"{kind}-{number}" for number in range(min(20, size().concurrency - 1))]
    for name in ("first", *names):
        clouds.make_function(aws, name, clouds.SOURCES[kind], role)

    def timed(name: str) -> float:
        return milliseconds(lambda: clouds.invoke(functions, name, {}))

    timed("first")  # the mock's own first time is not measured
    cold = [timed(name) for name in names]
    warm = [timed(names[-1]) for _ in range(WARM_TIMES)]
    of = f"lambda.{sandbox}"
    return spread(f"{of}.cold.{kind}", cold, "ms") + spread(f"{of}.warm.{kind}", warm, "ms")


def measure_rate() -> list[Row]:
    """lambda.rate.*: invocations a second of a trivial function, all clients in this process.

    What the account's limit refuses is tried again by boto3; only what ran counts.
    """
    with clouds.mock() as aws:
        clouds.make_function(aws, "trivial", clouds.SOURCES["trivial"], clouds.make_role(aws))
        functions = aws.client("lambda", config=clouds.PATIENT)

        def run(_: int) -> None:
            clouds.invoke(functions, "trivial", {})

        rows = []
        for clients in (1, 8, 32):
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(run, range(2 * clients)))  # connections and sandboxes
                spent = milliseconds(lambda pool=pool: list(pool.map(run, range(INVOCATIONS))))
            name = f"lambda.rate.{clients}_client{'s' if clients > 1 else ''}"
            rows.append(Row(name, INVOCATIONS / spent * 1000, "/s", INVOCATIONS))
        return rows
