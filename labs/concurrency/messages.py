"""Copies by Lambda: a message for each object, and for each message a run that copies it.

The region is the client's, the account the one that boto3 finds by itself.
"""

import json
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from labs.concurrency.functions.deploy import PUBLISHER_TIMEOUT, deploy
from labs.concurrency.functions.outcomes import Outcomes
from labs.concurrency.rows import Rows

if TYPE_CHECKING:
    from pandas import DataFrame

LONGEST_NAME = 64  # of a function and of a role. Sources: Lambda API, CreateFunction; IAM quotas
LONGEST_PLAIN = len("-batch-publisher")


def sns_lambda(
    s3: Any, source: str, destination: str, keys: Sequence[str], workers: int
) -> "DataFrame":
    """SNS invokes a Lambda function for each object, `workers` of them at a time.

    Deploys before the time begins. In the end, and when it is interrupted, deletes the copier and
    with it the events that wait; runs at hand go on, and have no row. `outcomes` says what a row
    tells. Objects up to 5 GB. Raises ValueError for more workers than the account has.
    """
    if not keys:
        return Rows(keys).frame()
    session = boto3.session.Session(region_name=s3.meta.region_name)
    with Rows(keys) as rows:
        pipeline = deploy(session, naming(destination), source, destination)
        try:
            reserve(session.client("lambda"), pipeline.copier, workers)
            outcomes = Outcomes(session, pipeline)
            rows.begin()
            unsent = publish(session, pipeline.publisher, keys)
            for row in outcomes.of(keys, unsent):
                rows.add(row)
                rows.show()
        finally:
            session.client("lambda").delete_function(FunctionName=pipeline.copier)
    return rows.frame()


def naming(bucket: str) -> Callable[[str], str]:
    """Makes names that begin as the bucket's does: nobody else in the account has it, and
    `aws.cleanup` finds them.

    A bucket's name may have dots, and be too long to add to: a sum then keeps names apart.
    """
    stem, most = bucket.replace(".", "-"), LONGEST_NAME - LONGEST_PLAIN
    if stem != bucket or len(stem) > most:
        stem = f"{stem[: most - 9]}-{zlib.crc32(bucket.encode()):08x}"
    return lambda plain: f"{stem}-{plain}"


def reserve(functions: Any, name: str, workers: int) -> None:
    """Let the function run so many at a time. Raises ValueError when the account has not got them.

    Source: Lambda API, PutFunctionConcurrency: of an account's limit 100 stay unreserved.
    """
    if workers < 1:
        raise ValueError(f"workers={workers}: expected 1 or more; with 0 Lambda runs nothing.")
    try:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=workers)
    except functions.exceptions.InvalidParameterValueException as refusal:
        limit = functions.get_account_settings()["AccountLimit"]
        raise ValueError(
            f"workers={workers}: Lambda refuses so many. This account has"
            f" {limit['UnreservedConcurrentExecutions']} to reserve from, and must keep some:"
            f" {refusal.response['Error']['Message']}"
        ) from None


def publish(session: boto3.Session, publisher: str, keys: Sequence[str]) -> list[str]:
    """Have a function publish the keys; those that it could not.

    Once only, for as long as it may run: a second call would publish all of them again. Raises
    RuntimeError when the function fails.
    """
    once = Config(read_timeout=PUBLISHER_TIMEOUT + 10, retries={"total_max_attempts": 1})
    answer = session.client("lambda", config=once).invoke(
        FunctionName=publisher, Payload=json.dumps({"keys": list(keys)})
    )
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise RuntimeError(f"{publisher} failed: {told.get('errorMessage', told)}")
    return told["failed"]
