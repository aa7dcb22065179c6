"""Dead letters, put straight into moto's queues."""

import logging

import pytest
from moto.sqs.models import sqs_backends

from labs.cloud.mock.functions import dead_letters
from labs.cloud.mock.functions.contract import Invocation

QUEUE = "arn:aws:sqs:us-east-1:123456789012:dead-letters-test"
INVOCATION = Invocation('{"word": "wörd"}'.encode(), "arn:f", "rid")


@pytest.fixture
def queue():
    backend = sqs_backends["123456789012"]["us-east-1"]
    yield backend.create_queue("dead-letters-test")
    backend.delete_queue("dead-letters-test")


def attributes(queue):
    [message] = queue.messages
    return {name: value["StringValue"] for name, value in message.message_attributes.items()}


def test_the_body_is_the_event(queue):
    dead_letters.send(QUEUE, INVOCATION, "no")
    assert queue.messages[0].body == '{"word": "wörd"}'
    assert attributes(queue) == {"RequestID": "rid", "ErrorCode": "200", "ErrorMessage": "no"}


def test_the_message_is_cut(queue):
    dead_letters.send(QUEUE, INVOCATION, "x" * 5000)
    assert attributes(queue)["ErrorMessage"] == "x" * 1024


def test_the_message_is_never_empty(queue):
    dead_letters.send(QUEUE, INVOCATION, "")
    assert attributes(queue)["ErrorMessage"]


@pytest.mark.parametrize("arn", [QUEUE + "-gone", "arn:aws:sns:us-east-1:123456789012:gone", "no"])
def test_a_target_that_is_gone_is_logged(caplog, arn):
    with caplog.at_level(logging.ERROR, logger="labs.mock.functions"):
        dead_letters.send(arn, INVOCATION, "no")
    assert "not delivered" in caplog.text
