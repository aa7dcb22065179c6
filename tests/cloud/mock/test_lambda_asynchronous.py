"""Events: retries, throttling, age, dead letters.

Source: Lambda guide, "How Lambda handles errors and retries with asynchronous invocation",
"Adding a dead-letter queue".
"""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cloud.mock.lambda_account import HELD, until

FAILS = 'def f(event, context): raise ValueError(f"no {event}")'


def configure(account, name, **settings):
    return account.lambda_.put_function_event_invoke_config(FunctionName=name, **settings)


def runs(account, name):
    """The request ids of all runs."""
    return [line.split()[2] for line in account.said(name, "START RequestId")]


def test_an_event_runs_once_if_it_succeeds(account):
    account.function("f", "def f(event, context): print('got', event)")
    account.later("f", {"n": 1})
    until(lambda: account.said("f", "REPORT"))
    assert account.said("f", "got") == ["got {'n': 1}"]


def test_an_error_is_retried_twice_and_then_a_dead_letter(account):
    """60 and 120 seconds of AWS's are 2.4 and 4.8 here."""
    url, arn = account.queue("dead")
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": arn})
    accepted = account.later("f", {"word": "wörd"})["ResponseMetadata"]["RequestId"]
    letter = account.message(url)
    assert json.loads(letter["Body"]) == {"word": "wörd"}
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": accepted},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "no {'word': 'wörd'}"},
    }
    assert runs(account, "f") == [accepted] * 3, "all tries have one request id"
    assert "Messages" not in account.sqs.receive_message(QueueUrl=url)


def test_the_dead_letter_of_a_topic(account):
    url, queue_arn = account.queue("subscriber")
    topic = account.sns.create_topic(Name="dead")["TopicArn"]
    account.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": topic})
    configure(account, "f", MaximumRetryAttempts=0)
    account.later("f", [1])
    envelope = json.loads(account.message(url)["Body"])
    assert json.loads(envelope["Message"]) == [1]
    attributes = envelope["MessageAttributes"]
    assert {name: attribute["Type"] for name, attribute in attributes.items()} == {
        "RequestID": "String",
        "ErrorCode": "Number",
        "ErrorMessage": "String",
    }
    assert attributes["ErrorMessage"]["Value"] == "no [1]"


@pytest.mark.parametrize("retries", [0, 1])
def test_fewer_retries(account, retries):
    url, arn = account.queue("dead")
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": arn})
    configure(account, "f", MaximumRetryAttempts=retries)
    account.later("f", 1)
    account.message(url)
    assert len(runs(account, "f")) == retries + 1


def test_a_time_out_is_a_dead_letter_too(account):
    url, arn = account.queue("dead")
    source = "import time\ndef f(event, context): time.sleep(60)"
    account.function("f", source, Timeout=1, DeadLetterConfig={"TargetArn": arn})
    configure(account, "f", MaximumRetryAttempts=0)
    accepted = account.later("f", 1)["ResponseMetadata"]["RequestId"]
    attributes = account.message(url)["MessageAttributes"]
    assert attributes["RequestID"]["StringValue"] == accepted
    assert "Task timed out after 1.00 seconds" in attributes["ErrorMessage"]["StringValue"]


def test_an_event_that_waits_too_long_is_given_up_and_has_not_run(account):
    """60 seconds, AWS's least, are 2.4 here."""
    url, arn = account.queue("dead")
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": arn})
    configure(account, "f", MaximumEventAgeInSeconds=60)
    account.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=0)
    account.later("f", 1)
    letter = account.message(url)
    assert letter["Body"] == "1"
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "EventAgeExceeded"
    assert runs(account, "f") == []


def test_a_throttled_event_runs_later_and_once(account, gate):
    account.function("f", HELD, Timeout=30)
    account.lambda_.put_function_concurrency(FunctionName="f", ReservedConcurrentExecutions=1)
    with ThreadPoolExecutor() as threads:
        running = threads.submit(account.value, "f", gate.event)
        gate.wait_for(1)
        for _ in range(3):
            account.later("f", gate.event)
        assert gate.started() == 1
        gate.open()
        running.result()
    until(lambda: len(account.said("f", "REPORT")) == 4)
    assert len(set(runs(account, "f"))) == 4


def test_the_dead_letter_queue_is_shown_set_and_removed(account):
    _, arn = account.queue("dead")
    account.function("f", FAILS)

    def shown():
        found = account.lambda_.get_function_configuration(FunctionName="f")
        return found.get("DeadLetterConfig", {}).get("TargetArn")

    assert shown() is None
    account.lambda_.update_function_configuration(
        FunctionName="f", DeadLetterConfig={"TargetArn": arn}
    )
    assert shown() == arn
    account.lambda_.update_function_configuration(FunctionName="f", Timeout=5)
    assert shown() == arn
    account.lambda_.update_function_configuration(
        FunctionName="f", DeadLetterConfig={"TargetArn": ""}
    )
    assert shown() is None


def test_the_invoke_configuration_is_replaced_by_put_and_merged_by_update(account):
    account.function("f", FAILS)
    missing = account.lambda_.exceptions.ResourceNotFoundException
    with pytest.raises(missing):
        account.lambda_.update_function_event_invoke_config(
            FunctionName="f", MaximumRetryAttempts=1
        )
    configure(account, "f", MaximumRetryAttempts=2, MaximumEventAgeInSeconds=60)
    account.lambda_.update_function_event_invoke_config(FunctionName="f", MaximumRetryAttempts=1)
    shown = account.lambda_.get_function_event_invoke_config(FunctionName="f")
    assert (shown["MaximumRetryAttempts"], shown["MaximumEventAgeInSeconds"]) == (1, 60)
    configure(account, "f", MaximumRetryAttempts=0)
    shown = account.lambda_.get_function_event_invoke_config(FunctionName="f")
    assert shown["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in shown


def test_a_function_that_is_deleted_while_events_wait(account):
    url, arn = account.queue("dead")
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": arn})
    account.later("f", 1)
    until(lambda: account.said("f", "REPORT"))
    account.lambda_.delete_function(FunctionName="f")
    account.function("other", "def f(event, context): print('ran')")
    account.later("other", 1)
    until(lambda: account.said("other", "ran"))
    assert "Messages" not in account.sqs.receive_message(QueueUrl=url)


def test_a_dead_letter_queue_that_is_gone_harms_nobody(account):
    url, arn = account.queue("dead")
    account.function("f", FAILS, DeadLetterConfig={"TargetArn": arn})
    configure(account, "f", MaximumRetryAttempts=0)
    account.sqs.delete_queue(QueueUrl=url)
    for _ in range(2):
        account.later("f", 1)
    until(lambda: len(runs(account, "f")) == 2)
