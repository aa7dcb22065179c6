"""Bad weather on request, met by real boto3 clients and by the motors."""

import json
import threading
import time

import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from labs import cloud
from labs.cloud.faults import Faults
from labs.cloud.inside import Inside, NotRun
from labs.cloud.mock import faults as rules
from labs.cloud.mock import transfers
from labs.cloud.mock.operations import Operation
from labs.pubsub import deploy, slack
from tests.cloud.mock.lambda_account import NO_RETRIES, until

PRINTS = "import json\ndef f(event, context): print('RAN', context.aws_request_id)"


@pytest.fixture
def s3(aws):
    client = aws.client("s3", config=NO_RETRIES)
    client.create_bucket(Bucket="bucket")
    return client


def code_of(call, **arguments):
    """(AWS's code, HTTP status) of a call; None when it went well."""
    try:
        call(**arguments)
    except ClientError as wrong:
        return (
            wrong.response["Error"]["Code"],
            wrong.response["ResponseMetadata"]["HTTPStatusCode"],
        )
    return None


def seconds(call, **arguments):
    started = time.monotonic()
    call(**arguments)
    return time.monotonic() - started


# --- errors in each protocol ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "operation", "method", "arguments", "throttle"),
    [
        ("s3", "ListBuckets", "list_buckets", {}, ("SlowDown", 503)),  # rest-xml
        (
            "dynamodb",
            "ListTables",
            "list_tables",
            {},
            ("ProvisionedThroughputExceededException", 400),
        ),  # json
        ("sns", "ListTopics", "list_topics", {}, ("Throttling", 400)),  # query
        ("ec2", "DescribeVpcs", "describe_vpcs", {}, ("RequestLimitExceeded", 503)),  # ec2
        (
            "lambda",
            "ListFunctions",
            "list_functions",
            {},
            ("TooManyRequestsException", 429),
        ),  # rest-json
        ("logs", "DescribeLogGroups", "describe_log_groups", {}, ("ThrottlingException", 400)),
        ("cloudwatch", "ListMetrics", "list_metrics", {}, None),  # CBOR
        ("sqs", "ListQueues", "list_queues", {}, ("RequestThrottled", 400)),
    ],
)
def test_errors_and_throttles_in_each_services_own_form(
    aws, service, operation, method, arguments, throttle
):
    call = getattr(aws.client(service, config=NO_RETRIES), method)
    with aws.faults(service, operation, error="InternalFailure") as rule:
        assert code_of(call, **arguments) == ("InternalFailure", 500)
        assert rule.hits == 1
    with aws.faults(service, operation, rate=0.001):
        assert code_of(call, **arguments) is None, "the first one is within the rate"
        refused = code_of(call, **arguments)
        assert refused == throttle if throttle else refused[0].startswith("Throttling")
    assert code_of(call, **arguments) is None


def test_an_error_becomes_boto3s_own_exception(account):
    with (
        account.aws.faults("sns", "Publish", error="NotFoundException"),
        pytest.raises(account.sns.exceptions.NotFoundException),
    ):
        account.sns.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:t", Message="m")


def test_the_sdk_tries_again_and_the_trace_shows_each_try(aws):
    client = aws.client(
        "dynamodb", config=Config(retries={"mode": "standard", "total_max_attempts": 3})
    )
    with aws.faults("dynamodb", "ListTables", error="ThrottlingException") as rule:
        assert code_of(client.list_tables)[0] == "ThrottlingException"
        assert rule.hits == 3
    calls = aws.trace.calls(3)
    assert [hop.error for hop in calls] == ["ThrottlingException"] * 3
    assert "aws.faults" in calls[0].detail


def test_a_head_is_refused_without_a_body(aws, s3):
    with aws.faults("s3", "HeadBucket", error="SlowDown"):
        assert code_of(s3.head_bucket, Bucket="bucket") == ("503", 503)


# --- patterns, rate, probability ------------------------------------------------------------------


def test_a_pattern_meets_what_it_names_and_nothing_else(aws, s3):
    with aws.faults("s3", "*Object", error="SlowDown"):
        assert code_of(s3.put_object, Bucket="bucket", Key="k") == ("SlowDown", 503)
        assert code_of(s3.get_object, Bucket="bucket", Key="k") == ("SlowDown", 503)
        assert code_of(s3.list_buckets) is None
        assert code_of(aws.client("sns").list_topics) is None


def test_a_rate_lets_some_pass_and_counts_the_others(aws, s3):
    with aws.faults("s3", "PutObject", rate=2) as rule:
        began = time.monotonic()
        results = [code_of(s3.put_object, Bucket="bucket", Key=str(n)) for n in range(40)]
        allowed = 2 + 2 * (time.monotonic() - began) + 1
    refused = [result for result in results if result]
    assert results[:2] == [None] * 2, "the bucket is full at first"
    assert refused and set(refused) == {("SlowDown", 503)}
    assert len(results) - len(refused) <= allowed
    assert rule.hits == len(refused)


def test_a_rates_own_error(aws, s3):
    with aws.faults("s3", "ListBuckets", rate=0.001, error="RequestTimeout"):
        assert code_of(s3.list_buckets) is None
        assert code_of(s3.list_buckets) == ("RequestTimeout", 400)


def test_probability_is_a_share_and_the_seed_repeats_it(aws, s3):
    def drawn(seed):
        with aws.faults("s3", "ListBuckets", error="SlowDown", probability=0.5, seed=seed) as rule:
            fate = [bool(code_of(s3.list_buckets)) for _ in range(40)]
            assert rule.hits == sum(fate)
        return fate

    first = drawn(7)
    assert 5 < sum(first) < 35
    assert drawn(7) == first
    assert drawn(8) != first


# --- slow lines -----------------------------------------------------------------------------------


def test_latencies_of_nested_rules_add_up(aws, s3):
    with aws.faults("s3", "ListBuckets", latency=0.1):
        assert seconds(s3.list_buckets) >= 0.1
        with aws.faults("s3", "List*", latency=0.2) as inner:
            assert seconds(s3.list_buckets) >= 0.3
        assert inner.hits == 1
        assert [rule.hits for rule in aws.faults.list()] == [2]


def test_bandwidth_goes_by_logical_size(aws, s3):
    big = {"logical-size": "2000000"}
    with aws.faults("s3", "*", bandwidth=10e6) as rule:
        put = {"Bucket": "bucket", "Key": "big", "Body": b"tiny"}
        assert seconds(s3.put_object, Metadata=big, **put) >= 0.2
        assert seconds(s3.get_object, Bucket="bucket", Key="big") >= 0.2
        copy = {"Bucket": "bucket", "Key": "copy", "CopySource": "bucket/big"}
        assert seconds(s3.copy_object, **copy) >= 0.2
        assert rule.hits == 3
        assert s3.list_buckets()
        assert rule.hits == 3, "a listing carries no object"
        part = {"Bucket": "bucket", "Key": "parts", "PartNumber": 1, "Body": b"x" * 2_000_000}
        upload = s3.create_multipart_upload(Bucket="bucket", Key="parts")["UploadId"]
        assert seconds(s3.upload_part, UploadId=upload, **part) >= 0.2


@pytest.mark.parametrize(
    ("name", "parameters", "environ", "expected"),
    [
        ("PutObject", {"Bucket": "b"}, {"CONTENT_LENGTH": "12"}, 12),
        (
            "PutObject",
            {"Bucket": "b"},
            {"CONTENT_LENGTH": "99", "HTTP_X_AMZ_DECODED_CONTENT_LENGTH": "12"},
            12,
        ),
        ("PutObject", {"Metadata": {"Logical-Size": "7"}}, {"CONTENT_LENGTH": "12"}, 7),
        ("PutObject", {"Metadata": {"logical-size": "many"}}, {"CONTENT_LENGTH": "12"}, 12),
        ("UploadPart", {"Bucket": "b"}, {"CONTENT_LENGTH": "5"}, 5),
        ("GetObject", {"Bucket": "no-such", "Key": "k"}, {}, 0),
        ("CopyObject", {"Bucket": "b", "CopySource": "no-such/k?versionId=1"}, {}, 0),
        ("CopyObject", {"Bucket": "b"}, {}, 0),
        ("ListBuckets", {"Bucket": "b"}, {"CONTENT_LENGTH": "12"}, 0),
        ("PutObject", {}, {"CONTENT_LENGTH": "12"}, 0),
    ],
)
def test_the_size_of_a_transfer(name, parameters, environ, expected):
    assert transfers.size(Operation("s3", name, parameters), environ) == expected


@pytest.mark.parametrize(
    ("wanted", "share"),
    [
        (None, 1.0),
        ("bytes=0-24", 0.25),
        ("bytes=75-", 0.25),
        ("bytes=-25", 0.25),
        ("bytes=50-999", 0.5),
        ("bytes=9-2", 0.0),
        ("bytes=-", 1.0),
        ("lines=1-2", 1.0),
    ],
)
def test_a_ranges_share_of_an_object(wanted, share):
    assert transfers._share(wanted, 100) == share


# --- the life of a rule ---------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [ValueError, KeyboardInterrupt, SystemExit])
def test_the_block_ends_its_rule_whatever_happens(aws, s3, wrong):
    with pytest.raises(wrong), aws.faults("s3", "ListBuckets", error="SlowDown"):
        raise wrong
    assert aws.faults.list() == []
    assert code_of(s3.list_buckets) is None


def test_a_block_ends_only_its_own_rule(aws, s3):
    outer = aws.faults("s3", "ListBuckets", error="SlowDown")
    with aws.faults("s3", "ListBuckets", latency=0.01):
        pass
    assert code_of(s3.list_buckets) == ("SlowDown", 503)
    outer.end()
    outer.end()
    assert code_of(s3.list_buckets) is None
    assert outer.hits == 1, "the last number stays"


def test_an_interrupt_while_a_rule_begins_leaves_none(aws, monkeypatch):
    ask = Inside.ask

    def interrupted(self, method, *rest, **more):
        answer = ask(self, method, *rest, **more)
        if method == "PUT":
            raise KeyboardInterrupt
        return answer

    monkeypatch.setattr(Inside, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        aws.faults("s3", "ListBuckets", error="SlowDown")
    assert aws.faults.list() == []


def test_an_interrupt_while_a_rule_ends_still_ends_it(aws, monkeypatch):
    ask, interrupts = Inside.ask, [KeyboardInterrupt]

    def interrupted(self, method, *rest, **more):
        if method == "DELETE" and interrupts:
            raise interrupts.pop()
        return ask(self, method, *rest, **more)

    monkeypatch.setattr(Inside, "ask", interrupted)
    with pytest.raises(KeyboardInterrupt), aws.faults("s3", "ListBuckets", error="SlowDown"):
        pass
    assert aws.faults.list() == []


def test_two_threads_with_a_rule_each(aws):
    clients = {name: aws.client(name, config=NO_RETRIES) for name in ("s3", "sns")}
    both_at_work, found = threading.Barrier(2), {}

    def storm(service, operation, method, other):
        with aws.faults(service, operation, error="InternalError") as rule:
            both_at_work.wait(20)
            found[service] = code_of(getattr(clients[service], method))
            both_at_work.wait(20)
            assert rule.hits == 1

    threads = [
        threading.Thread(target=storm, args=arguments)
        for arguments in (
            ("s3", "ListBuckets", "list_buckets", "sns"),
            ("sns", "ListTopics", "list_topics", "s3"),
        )
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert {code for code, _ in found.values()} == {"InternalError"} and len(found) == 2
    assert aws.faults.list() == []


def test_clear_and_a_new_connection_end_all_rules(aws):
    aws.faults("s3", "*", latency=0.01)
    aws.faults("sns", "deliver", duplicate=1)
    assert [rule.hits for rule in aws.faults.list()] == [0, 0]
    aws.faults.clear()
    assert aws.faults.list() == []
    left = aws.faults("s3", "*", latency=0.01)
    assert cloud.connect(lesson="test").faults.list() == []
    left.end()
    assert "ended" in repr(left)


@pytest.mark.parametrize(
    ("service", "operation", "more", "message"),
    [
        ("dynamo", "PutItem", {"latency": 1}, "Did you mean dynamodb"),
        ("s3", "put_object", {"latency": 1}, "PutObject"),
        ("sns", "delivery", {"latency": 1}, "Did you mean deliver"),
        ("s3", "Frobnicate*", {"latency": 1}, "no operation"),
        ("s3", "PutObject", {}, "would do nothing"),
        ("s3", "PutObject", {"latency": -1}, "seconds, 0 or more"),
        ("s3", "PutObject", {"latency": "slow"}, "seconds, 0 or more"),
        ("s3", "PutObject", {"rate": 0}, "more than 0"),
        ("s3", "PutObject", {"error": "no code"}, "no error code"),
        ("s3", "PutObject", {"error": 503}, "no error code"),
        ("s3", "PutObject", {"error": "SlowDown", "probability": 2}, "up to 1"),
        ("s3", "ListBuckets", {"bandwidth": 1}, "carries S3 objects"),
        ("s3", "PutObject", {"duplicate": 1}, "duplicate is for"),
        ("sns", "Publish", {"duplicate": 1}, "duplicate is for"),
        ("sns", "deliver", {"rate": 1}, "has no rate"),
        (None, "PutObject", {"latency": 1}, "are texts"),
    ],
)
def test_what_cannot_be_is_refused_in_words(aws, service, operation, more, message):
    with pytest.raises(ValueError, match=message):
        aws.faults(service, operation, **more)
    assert aws.faults.list() == []


values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())
)


@given(
    st.dictionaries(
        st.one_of(st.sampled_from([*rules.Settings.__dataclass_fields__]), st.text()), values
    ),
    st.sampled_from([{}, {"service": "s3", "operation": "PutObject"}]),
)
def test_any_settings_are_a_rule_or_misunderstood(settings, more):
    try:
        rules.add("hostile", {**settings, **more})
    except rules.Misunderstood as misunderstood:
        assert str(misunderstood)
    else:
        rules.weather("s3", "PutObject", lambda: 10**6)
        rules.copies("s3", "PutObject")
    finally:
        rules.clear()


def test_the_door_refuses_what_is_no_rule(aws):
    url = f"{aws.client('s3').meta.endpoint_url}/_labs/faults/x"
    for body in (b"", b"[]", b"{", b'{"colour": "red"}'):
        answer = requests.put(url, data=body, timeout=10)
        assert answer.status_code == 400 and answer.json()["message"], body
    assert requests.get(f"{url}/y", timeout=10).status_code == 404


def test_live_mode_says_that_it_is_not_run():
    with pytest.raises(NotRun, match="not run: AWS cannot be told to fail"):
        Faults(Inside(None))("s3", "GetObject", latency=1)
    with pytest.raises(NotRun):
        Faults(Inside(None)).list()


# --- the motors -----------------------------------------------------------------------------------


@pytest.fixture
def topic(account):
    """A topic with one subscribed function, "consumer"."""
    topic = account.sns.create_topic(Name="topic")["TopicArn"]
    arn = account.function("consumer", PRINTS)
    account.lambda_.add_permission(
        FunctionName="consumer",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
    )
    account.subscription = account.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    return topic


def runs(path):
    return [hop for hop in path if hop.operation == "run"]


def test_duplicate_deliveries_make_eleven_twenty_one(aws):
    course = deploy.deploy(aws.session, aws.name)
    with aws.faults("sns", "deliver", duplicate=1) as rule:
        slack.post(course.url, "word")
        path = aws.trace()
    table = aws.resource("dynamodb").Table(course.table)
    assert table.get_item(Key={"word": "word"})["Item"]["count"] == 21
    assert rule.hits == 2, "one for each subscription"
    deliveries = [hop for hop in path if hop.operation == "deliver"]
    assert len(deliveries) == 4
    assert len({hop.message for hop in deliveries}) == 1, "the same MessageId"
    assert len({hop.message for hop in runs(path)}) == 5, "each its own request"


@pytest.mark.parametrize("once_more", [1, 1.0])
def test_a_doubled_event_has_one_request_id(account, once_more):
    account.function("consumer", PRINTS)
    with account.aws.faults("lambda", "Invoke", duplicate=once_more):
        account.later("consumer", {})
        path = account.aws.trace()
    assert len(runs(path)) == 2
    assert len({hop.message for hop in path}) == 1


def test_a_late_delivery_does_not_hold_up_the_publisher(account, topic):
    with account.aws.faults("sns", "deliver", latency=0.5):
        account.sns.publish(TopicArn=topic, Message="m")
        path = account.aws.trace()
    publish, _, run = path
    assert publish.duration_ms < 500
    assert run.time_ms >= 500


def test_a_failing_delivery_goes_to_the_subscriptions_dead_letters(account, topic):
    url, arn = account.queue("dead")
    account.sns.set_subscription_attributes(
        SubscriptionArn=account.subscription["SubscriptionArn"],
        AttributeName="RedrivePolicy",
        AttributeValue=json.dumps({"deadLetterTargetArn": arn}),
    )
    with account.aws.faults("sns", "deliver", error="InternalError"):
        account.sns.publish(TopicArn=topic, Message="lost")
    assert json.loads(account.message(url)["Body"])["Message"] == "lost"
    refused = account.aws.trace()[1]
    assert (refused.status, refused.error) == ("refused", "InternalError")


def test_an_event_comes_back_until_lambda_is_well_again(account):
    account.function("consumer", PRINTS)
    with account.aws.faults("lambda", "Invoke", error="ServiceException") as rule:
        account.later("consumer", {})
        until(lambda: rule.hits >= 2)
        assert account.said("consumer", "RAN") == []
    path = account.aws.trace(wait=20)
    assert [hop.operation for hop in path] == ["Invoke", "throttle", "run"]
    assert len(account.said("consumer", "RAN")) == 1


def test_a_synchronous_invocation_meets_the_rule_once(account):
    account.function("consumer", PRINTS)
    with account.aws.faults("lambda", "Invoke", latency=0.2, error="ServiceException") as rule:
        assert code_of(account.invoke, name="consumer") == ("ServiceException", 500)
        assert rule.hits == 1


def test_a_request_at_the_gateway_meets_it_too(aws):
    course = deploy.deploy(aws.session, aws.name)
    with aws.faults("lambda", "Invoke", error="ServiceException"):
        assert slack.post(course.url, "word").status_code == 500
        assert "ServiceException" in aws.trace()[0].detail
    assert slack.post(course.url, "word").status_code == 200


def test_a_functions_own_calls_meet_the_weather(aws):
    course = deploy.deploy(aws.session, aws.name)
    with aws.faults("dynamodb", "UpdateItem", error="InternalServerError"):
        slack.post(course.url, "word")
        wrong = [hop for hop in aws.trace() if hop.service == "dynamodb"]
    assert {hop.error for hop in wrong} == {"InternalServerError"}
    assert {hop.caller for hop in wrong} == {course.functions["word_counter"]}


def test_without_rules_nobody_is_asked_for_a_size():
    def size():
        raise AssertionError

    assert rules.weather("s3", "PutObject", size) == rules.FINE
