"""One copy: in one call or in parts, without I/O, and with every end that it can take."""

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from labs.concurrency import one_object

MIB = 1024**2
TOO_BUSY = ClientError({"Error": {"Code": "SlowDown"}}, "UploadPartCopy")


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # of mock mode, if other tests began it
    with mock_aws():
        s3 = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        s3.create_bucket(Bucket="here")
        s3.create_bucket(Bucket="there")
        yield s3


def begin_parts():
    """The calls of a large object, as far as its first part."""
    calls = one_object.calls("here", "there", "large")
    assert next(calls)[0] == "head_object"
    name, _ = calls.send({"ContentLength": one_object.LARGEST_COPY + 1})
    assert name == "create_multipart_upload"
    name, parameters = calls.send({"UploadId": "id"})
    assert (name, parameters["PartNumber"]) == ("upload_part_copy", 1)
    return calls


def test_an_object_over_the_limit_is_copied_in_parts(s3, monkeypatch):
    """5 MiB are the least that S3 takes as a part."""
    monkeypatch.setattr(one_object, "LARGEST_COPY", 10 * MIB)
    monkeypatch.setattr(one_object, "PART", 5 * MIB)
    body = bytes(range(256)) * (11 * MIB // 256)
    s3.put_object(Bucket="here", Key="large", Body=body, Metadata={"logical-size": "7"})
    row = one_object.copy(s3, "here", "there", "large", "me")
    copied = s3.get_object(Bucket="there", Key="large")
    assert (row.error, row.attempts, row.worker) == (None, 1, "me")
    assert copied["ETag"].endswith('-3"')
    assert copied["Metadata"] == {"logical-size": "7"}
    assert copied["Body"].read() == body


def test_logical_size_makes_no_object_large(s3):
    metadata = {"logical-size": str(6 * 1024**3)}
    s3.put_object(Bucket="here", Key="small", Body=b"few", Metadata=metadata)
    assert one_object.copy(s3, "here", "there", "small", "me").error is None
    assert "-" not in s3.head_object(Bucket="there", Key="small")["ETag"]


def test_exactly_the_limit_is_one_call():
    calls = one_object.calls("here", "there", "key")
    next(calls)
    assert calls.send({"ContentLength": one_object.LARGEST_COPY})[0] == "copy_object"


def test_a_failed_part_ends_the_upload_and_the_first_error_is_reported():
    calls = begin_parts()
    assert calls.throw(TOO_BUSY) == (
        "abort_multipart_upload",
        {"Bucket": "there", "Key": "large", "UploadId": "id"},
    )
    with pytest.raises(ClientError, match="SlowDown"):
        calls.throw(OSError("the abort failed too"))


def test_an_interrupt_ends_the_upload_too():
    assert begin_parts().throw(KeyboardInterrupt())[0] == "abort_multipart_upload"


def test_calls_that_nobody_answers_any_more_can_be_closed():
    begin_parts().close()


@given(st.integers(1, 60 * 1024**4))
def test_parts_cover_an_object_without_gap_and_are_few_enough(size):
    spans = [span.removeprefix("bytes=").split("-") for span in one_object.ranges(size)]
    firsts, lasts = ([int(number) for number in numbers] for numbers in zip(*spans, strict=True))
    assert firsts == [0, *(last + 1 for last in lasts[:-1])]
    assert lasts[-1] == size - 1
    assert len(spans) <= one_object.MOST_PARTS


def test_a_missing_object_has_a_row_with_the_error(s3):
    row = one_object.copy(s3, "here", "there", "nothing", "me")
    assert (row.object, row.error, row.attempts) == ("nothing", "404", 1)
    assert row.start <= row.end
