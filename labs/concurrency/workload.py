"""The objects that are copied: `data/objects_2016.csv`, and how it came about.

The article copied 250 objects of 600 to 800 MB a day, and 1,500 at once in the beginning; which
ones, it does not say. These are drawn evenly. To write the file anew:
`python -m labs.concurrency.workload`.
"""

import csv
import io
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labs.commands.folders import checkout

if TYPE_CHECKING:
    from pandas import DataFrame

SEED = 21
DAILY, BULK = 250, 1500
SMALLEST, LARGEST = 600_000_000, 800_000_000  # bytes
COLUMNS = ("load", "key", "bytes")


def objects(n: int | None = None, *, bulk: bool = False) -> "DataFrame":
    """The first `n` objects of a day or of the bulk copy, or all: columns `key` and `bytes`.

    Raises ValueError when there are not so many.
    """
    from pandas import read_csv  # here: a set-up cell should not wait for it

    rows = read_csv(file())
    chosen = rows[rows["load"] == ("bulk" if bulk else "daily")]
    if n is not None and not 0 < n <= len(chosen):
        raise ValueError(f"n={n}: there are {len(chosen)} objects; ask for 1 to {len(chosen)}.")
    return chosen[["key", "bytes"]].head(n or len(chosen)).reset_index(drop=True)


def fill(s3: Any, bucket: str, objects: "DataFrame") -> None:
    """Put the objects into a bucket: a few true bytes each, which say what size they stand for.

    Only the mock's bandwidth reads the metadata `logical-size`. HEAD tells the true size, and a
    live account is charged for that.

    Raises botocore's ClientError, the first of them, when S3 refuses an object.
    """

    def put(key: str, size: int) -> None:
        s3.put_object(
            Bucket=bucket, Key=key, Body=key.encode(), Metadata={"logical-size": str(size)}
        )

    with ThreadPoolExecutor(max_workers=8) as pool:  # fewer than a client has connections
        list(pool.map(put, objects["key"], objects["bytes"].tolist()))


def bandwidth(seconds_per_object: float) -> float:
    """The bytes a second at which an average object of a day takes so many seconds.

    Raises ValueError for a time that is not above 0.
    """
    if seconds_per_object <= 0:
        raise ValueError(f"seconds_per_object={seconds_per_object}: expected more than 0.")
    return float(objects()["bytes"].mean()) / seconds_per_object


def drawn(seed: int = SEED) -> Iterator[tuple[str, str, int]]:
    """The rows of the file, the same for the same seed."""
    draw = random.Random(seed)
    for load, number in (("daily", DAILY), ("bulk", BULK)):
        for index in range(1, number + 1):
            yield load, f"{load}/{index:04}.bin", draw.randint(SMALLEST, LARGEST)


def as_csv(rows: Iterator[tuple[str, str, int]]) -> str:
    """The text of the file for these rows."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows])
    return text.getvalue()


def file() -> Path:
    """Where the objects are listed."""
    return checkout() / "data" / "objects_2016.csv"


if __name__ == "__main__":
    file().write_text(as_csv(drawn()), encoding="utf-8", newline="\n")
