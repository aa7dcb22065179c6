"""The path of a message, hop by hop, as `aws.trace` tells it."""

import html
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs import cloud
from labs.cloud.inside import Inside, NotRun
from labs.cloud.mock import app, operations, trace
from labs.cloud.trace import Hop, Path, Trace
from labs.pubsub import deploy, slack

FAILS = "def f(event, context): raise ValueError('no good')"
CALLS = (
    "import boto3\ndef f(event, context): return boto3.client('sts').get_caller_identity()['Arn']"
)


def steps(path):
    return [(hop.depth, hop.service, hop.operation) for hop in path]


def only(path, **wanted):
    """The one hop with these attributes."""
    fitting = [hop for hop in path if all(getattr(hop, n) == v for n, v in wanted.items())]
    assert len(fitting) == 1, path
    return fitting[0]


def topic_with_function(account, code, permission=True):
    topic = account.sns.create_topic(Name="topic")["TopicArn"]
    arn = account.function("consumer", code)
    if permission:
        account.lambda_.add_permission(
            FunctionName="consumer",
            StatementId="sns",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
        )
    subscription = account.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    return topic, subscription["SubscriptionArn"]


def test_the_word_counters_whole_path_in_order(aws):
    course = deploy.deploy(aws.session, aws.name)
    slack.post(course.url, "two words")
    path = aws.trace()
    consumer = {
        course.functions["sns_multiplier"]: [(5, "dynamodb", "UpdateItem")] * 2,
        course.functions["sns_logger"]: [],
    }
    order = [hop.resource for hop in path if hop.operation == "deliver"]
    assert sorted(order) == sorted(consumer)
    assert steps(path) == [
        (0, "execute-api", "POST"),
        (1, "lambda", "run"),
        (2, "dynamodb", "UpdateItem"),
        (2, "dynamodb", "UpdateItem"),
        (2, "sns", "Publish"),
        *(
            step
            for name in order
            for step in [(3, "sns", "deliver"), (4, "lambda", "run"), *consumer[name]]
        ),
    ]
    assert path.at_rest
    assert not any(hop.went_wrong for hop in path)
    counter = course.functions["word_counter"]
    assert only(path, service="execute-api").resource.endswith(deploy.PATH)
    assert only(path, operation="Publish").caller == counter
    assert "cold start" in only(path, operation="run", resource=counter).detail
    assert {h.resource for h in path if h.service == "dynamodb"} == {course.table}
    message = only(path, operation="Publish").message
    assert re.fullmatch(r"[0-9a-f-]{36}", message)
    assert {hop.message for hop in path if hop.operation == "deliver"} == {message}

    waited_for = path[:5]  # by the client: each within the request, one after the other
    assert [hop.time_ms for hop in waited_for] == sorted(hop.time_ms for hop in waited_for)
    assert all(hop.duration_ms <= path[0].duration_ms for hop in waited_for)

    slack.post(course.url, "again")
    again = aws.trace()
    assert only(again, operation="run", resource=counter).detail == "warm"
    both = aws.trace(last=2)
    assert [hop.chain for hop in both] == [1] * len(path) + [2] * len(again)
    assert len(aws.trace(last=9)) == len(both)


def test_a_missing_permission_to_publish_is_a_hop_with_its_error(aws):
    course = deploy.deploy(aws.session, aws.name)
    role = course.functions["word_counter"]
    iam = aws.client("iam")
    [policy] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    iam.delete_role_policy(RoleName=role, PolicyName=policy)
    slack.post(course.url, "hello")
    denied = only(aws.trace(), service="dynamodb")
    assert denied.went_wrong
    assert (denied.status, denied.error) == ("400", "AccessDeniedException")
    assert "dynamodb:UpdateItem" in denied.detail
    assert denied.caller == role
    assert aws.trace()[0].status == "200", "the function answered all the same"


def test_a_refused_delivery_says_why(account):
    topic, _ = topic_with_function(account, CALLS, permission=False)
    account.sns.publish(TopicArn=topic, Message="lost")
    publish, deliver = account.aws.trace()
    assert (publish.status, publish.went_wrong) == ("200", False)
    assert (deliver.status, deliver.error) == ("refused", "AccessDeniedException")
    assert "lambda:InvokeFunction" in deliver.detail
    assert deliver.message == publish.message != ""


def test_a_filtered_message_says_by_what(account):
    topic, subscription = topic_with_function(account, CALLS)
    account.sns.set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="FilterPolicy",
        AttributeValue='{"kind": ["new"]}',
    )
    account.sns.publish(TopicArn=topic, Message="kept away")
    filtered = only(account.aws.trace(), operation="deliver")
    assert filtered.status == "filtered"
    assert '"kind"' in filtered.detail
    assert not filtered.went_wrong, "it does what it was asked to do"


def test_a_publish_that_nobody_hears_is_a_path_too(account):
    topic = account.sns.create_topic(Name="lonely")["TopicArn"]
    account.sns.publish(TopicArn=topic, Message="hello?")
    [publish] = account.aws.trace()
    assert (publish.operation, publish.resource) == ("Publish", "lonely")


def test_retries_the_giving_up_and_the_dead_letter(account):
    _, queue = account.queue("dead")
    account.role("letters", statements=[{"Effect": "Allow", "Action": "*", "Resource": "*"}])
    account.function(
        "fails",
        FAILS,
        Role="arn:aws:iam::123456789012:role/letters",
        DeadLetterConfig={"TargetArn": queue},
    )
    account.lambda_.put_function_event_invoke_config(FunctionName="fails", MaximumRetryAttempts=1)
    account.later("fails", {})
    path = account.aws.trace(wait=30)
    assert [hop.operation for hop in path] == [
        "Invoke",
        "run",
        "retry",
        "run",
        "give up",
        "dead letter",
    ]
    first, second = (hop for hop in path if hop.operation == "run")
    assert (first.status, first.error) == ("failed", "ValueError")
    assert "no good" in first.detail
    assert "try 2" in second.detail
    assert first.message == second.message
    assert "try 1 of 2" in only(path, operation="retry").detail
    assert only(path, operation="give up").error == "RetriesExhausted"
    assert only(path, operation="dead letter").resource == "dead"


def test_many_throttles_of_an_event_are_one_hop(account):
    account.function("never", CALLS)
    account.lambda_.put_function_concurrency(FunctionName="never", ReservedConcurrentExecutions=0)
    account.lambda_.put_function_event_invoke_config(
        FunctionName="never", MaximumEventAgeInSeconds=60
    )
    account.later("never", {})
    assert not account.aws.trace(wait=0).at_rest
    path = account.aws.trace(wait=30)
    throttle = only(path, operation="throttle")
    assert (throttle.status, throttle.error) == ("throttled", "TooManyRequestsException")
    assert int(throttle.detail.split()[0]) > 1
    assert only(path, operation="give up").error == "EventAgeExceeded"


def test_a_throttled_request_shows_what_its_client_cannot_see(account):
    account.function("never", CALLS)
    account.lambda_.put_function_concurrency(FunctionName="never", ReservedConcurrentExecutions=0)
    with pytest.raises(account.lambda_.exceptions.TooManyRequestsException):
        account.invoke("never")
    [invoke] = account.aws.trace()
    assert (invoke.status, invoke.error) == ("429", "TooManyRequestsException")


def test_a_time_out_is_an_error_of_the_run(account):
    account.function("slow", "import time\ndef f(event, context): time.sleep(9)", Timeout=1)
    account.invoke("slow")
    invoke, run = account.aws.trace()
    assert invoke.status == "200"
    assert "function did not" in invoke.detail
    assert (run.error, run.went_wrong) == ("Sandbox.Timedout", True)


def test_polling_does_not_hide_a_message_and_shows_among_the_calls(account):
    topic, _ = topic_with_function(account, CALLS)
    account.sns.publish(TopicArn=topic, Message="m")
    for _ in range(30):
        account.lines("consumer")
    assert account.aws.trace()[0].operation == "Publish"
    calls = account.aws.trace.calls(5)
    assert [hop.operation for hop in calls] == ["FilterLogEvents"] * 5
    assert {hop.caller for hop in calls} == {"learner"}


def test_nothing_yet_is_said_in_words(aws):
    path = aws.trace()
    assert list(path) == []
    assert "No message has travelled yet" in repr(path)
    assert "No message has travelled yet" in path._repr_html_()
    assert list(path.frame().columns)[:3] == ["chain", "time_ms", "service"]


def test_since_leaves_out_what_was_before(account):
    topic, _ = topic_with_function(account, CALLS)
    account.sns.publish(TopicArn=topic, Message="before")
    account.aws.trace()
    between = time.time()
    assert list(account.aws.trace(since=between)) == []
    account.sns.publish(TopicArn=topic, Message="after")
    assert account.aws.trace(last=5, since=between)[0].chain == 1
    assert {hop.chain for hop in account.aws.trace(last=5, since=between)} == {1}


@pytest.mark.parametrize("query", [{"last": 0}, {"last": "x"}, {"since": "yesterday"}])
def test_a_wrong_question_is_a_value_error(aws, query):
    with pytest.raises(ValueError):
        aws.trace(**query)


def test_connecting_anew_forgets(account):
    topic, _ = topic_with_function(account, CALLS)
    account.sns.publish(TopicArn=topic, Message="m")
    assert list(cloud.connect(lesson="test").trace()) == []


def test_chains_at_once_do_not_mix(account):
    account.function("asks", CALLS)
    with ThreadPoolExecutor(8) as clients:
        list(clients.map(lambda _: account.value("asks"), range(24)))
    path = account.aws.trace(last=24)
    chains = {number: [h for h in path if h.chain == number] for number in range(1, 25)}
    for hops in chains.values():
        assert [hop.operation for hop in hops] == ["Invoke", "run", "GetCallerIdentity"]
        assert hops[0].message == hops[1].message, "the request's id"
    assert len({hops[0].message for hops in chains.values()}) == 24


def test_a_functions_events_by_the_table_are_its_writers_chain(account):
    """moto calls the function in a thread of its own while the table is locked."""
    table = account.dynamodb.create_table(
        TableName="words",
        KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    account.function("listens", CALLS)
    account.lambda_.create_event_source_mapping(
        FunctionName="listens", EventSourceArn=table["LatestStreamArn"], StartingPosition="LATEST"
    )
    account.dynamodb.put_item(TableName="words", Item={"word": {"S": "w"}})

    def listened():
        return [hop for hop in account.aws.trace() if hop.operation == "run"]

    deadline = time.monotonic() + 20
    while not listened() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert account.aws.trace()[0].operation == "PutItem"
    assert [hop.resource for hop in listened()] == ["listens"]


HOSTILE = Hop(
    1, 0.0, "s3", "PutObject", "<b>&", "learner", "403", "<i>", 1.0, "", "<script>x</script>", 0
)


def test_the_table_escapes_what_others_named():
    class Texts(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags, self.text = set(), ""

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)

        def handle_data(self, data):
            self.text += data

    page = Texts()
    page.feed(Path([HOSTILE])._repr_html_())
    assert page.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert "<script>x</script>" in page.text
    assert "✗ 403 <i>" in page.text, "an error is told in text, not by colour"
    assert html.escape(Path([HOSTILE]).heading) in Path([HOSTILE])._repr_html_()


def test_the_frame_has_what_the_course_promises():
    [row] = Path([HOSTILE]).frame().to_dict("records")
    wanted = {"time_ms", "service", "operation", "resource", "caller", "status", "error"}
    assert wanted | {"duration_ms", "message"} <= set(row)
    assert (row["service"], row["duration_ms"]) == ("s3", 1.0)


def test_live_mode_says_that_it_is_not_run():
    with pytest.raises(NotRun, match="not run: AWS cannot be asked") as refused:
        Trace(Inside(None))()
    assert refused.value._render_traceback_() == [str(refused.value)], "one line in a notebook"
    with pytest.raises(NotRun):
        Trace(Inside(None)).calls()


# --- the recorder -------------------------------------------------------------------------------


def test_the_record_is_bounded_and_keeps_the_newest():
    trace.reset()
    for number in range(trace.MOST_HOPS + 7):
        trace.note("sns", "deliver", str(number), status="ok")
    kept = trace._recorder.hops()
    assert len(kept) == trace.MOST_HOPS
    assert kept[-1].resource == str(trace.MOST_HOPS + 6)
    trace.reset()


def test_hops_nest_and_an_exception_is_an_error():
    trace.reset()
    with pytest.raises(KeyError), trace.hop("a", "Outer") as outer:
        with trace.hop("b", "Inner") as inner:
            pass
        raise KeyError("gone")
    assert (inner.chain, inner.parent, inner.caller) == (outer.chain, outer.id, "a")
    assert (outer.error, inner.status) == ("KeyError", "ok")
    assert trace.cause().chain != outer.chain, "what comes after is not part of it"


def test_what_waits_keeps_a_chain_from_rest():
    trace.reset()
    with trace.hop("sns", "Publish"):
        waiting = trace.cause()
    trace.expect(waiting)
    assert [chain["at_rest"] for chain in trace.chains(1)] == [False]
    trace.arrived(waiting)
    trace.arrived(waiting)  # of before a reset: one too many
    assert [chain["at_rest"] for chain in trace.chains(1)] == [True]


def test_the_header_travels_and_comes_back():
    cause = trace.Cause(parent="0123456789abcdef")
    again = trace.received(cause.header)
    assert (again.chain, again.parent) == (cause.chain, cause.parent)


@given(st.one_of(st.none(), st.text(), st.from_regex(r"Root=1-[0-9a-f;=P]{0,40}")))
def test_any_header_gives_a_chain(header):
    found = trace.received(header)
    assert re.fullmatch(r"1-[0-9a-f]{8}-[0-9a-f]{24}", found.chain)


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:dynamodb:us-east-1:123456789012:table/words", "words"),
        ("arn:aws:sns:us-east-1:123456789012:topic", "topic"),
        ("arn:aws:lambda:us-east-1:123456789012:function:f:live", "f:live"),
        ("arn:aws:s3:::bucket/a/b", "bucket/a/b"),
        ("arn:aws:iam::123456789012:role/service-role/r", "service-role/r"),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/lambda/f:log-stream:", "/aws/lambda/f"),
        ("arn:aws:apigateway:us-east-1::/restapis/abc", "/restapis/abc"),
        ("*", ""),
        ("https://example.com", "https://example.com"),
    ],
)
def test_short_names(arn, name):
    assert trace.short_name(arn) == name


def test_recording_costs_little_beside_the_call_itself(account):
    """The same PutItem: naming and recording it, against the whole call at the client."""
    account.dynamodb.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    body = b'{"TableName": "t", "Item": {"k": {"S": "x"}}}'
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.PutItem",
        "HTTP_AUTHORIZATION": "Credential=AK/20260101/us-east-1/dynamodb/aws4_request",
        "wsgi.input": io.BytesIO(body),
    }

    def record():
        operation = operations.identify(environ, body)
        with trace.hop(operation.service, operation.name, app._resource(operation)):
            pass

    def call():
        account.dynamodb.put_item(TableName="t", Item={"k": {"S": "x"}})

    def seconds(action):
        started = time.perf_counter()
        action()
        return time.perf_counter() - started

    recording = median(seconds(record) for _ in range(300))
    calling = median(seconds(call) for _ in range(50))
    assert recording < 0.2 * calling
