"""DynamoDB under many threads: no update is lost. Source: DynamoDB API, UpdateItem ("ADD" is
atomic), PutItem (conditions), TransactWriteItems."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config

THREADS = 64


@pytest.fixture
def dynamodb(aws):
    client = aws.client("dynamodb", config=Config(max_pool_connections=THREADS))
    client.create_table(
        TableName="words",
        KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def at_once(function, arguments):
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(function, arguments))


def key(word):
    return {"word": {"S": word}}


def add_one(dynamodb, word):
    """The counter after this update."""
    answer = dynamodb.update_item(
        TableName="words",
        Key=key(word),
        UpdateExpression="ADD hits :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["hits"]["N"])


def test_adding_to_one_counter_that_does_not_exist_yet(dynamodb):
    seen = at_once(lambda _: add_one(dynamodb, "new"), range(256))
    assert sorted(seen) == list(range(1, 257)), "each update saw its own result"


def test_adding_to_many_counters_that_do_not_exist_yet(dynamodb):
    """First creation is where moto alone loses most."""
    words = [f"w{number}" for number in range(16)] * 16
    seen = at_once(lambda word: (word, add_one(dynamodb, word)), words)
    assert sorted(seen) == sorted((word, n + 1) for word in set(words) for n in range(16))


def test_adding_to_an_existing_counter(dynamodb):
    dynamodb.put_item(TableName="words", Item={**key("old"), "hits": {"N": "1000"}})
    seen = at_once(lambda _: add_one(dynamodb, "old"), range(128))
    assert sorted(seen) == list(range(1001, 1129))


def test_reading_and_writing_with_a_condition_loses_nothing_either(dynamodb):
    """Optimistic locking: those that come too late are refused, and only those."""
    dynamodb.put_item(TableName="words", Item={**key("lock"), "version": {"N": "0"}})

    def claim(_):
        try:
            dynamodb.update_item(
                TableName="words",
                Key=key("lock"),
                UpdateExpression="SET version = version + :one",
                ConditionExpression="version = :zero",
                ExpressionAttributeValues={":one": {"N": "1"}, ":zero": {"N": "0"}},
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    assert sum(at_once(claim, range(THREADS))) == 1
    item = dynamodb.get_item(TableName="words", Key=key("lock"))["Item"]
    assert item["version"]["N"] == "1"


def test_no_reader_sees_an_update_half_done(dynamodb):
    """moto makes a new item of its key first, and adds then."""

    def add_or_scan(number):
        if number % 2:
            return add_one(dynamodb, f"w{number}") and []
        return dynamodb.scan(TableName="words")["Items"]

    seen = [item for items in at_once(add_or_scan, range(512)) for item in items]
    assert seen
    assert [item for item in seen if item.get("hits") != {"N": "1"}] == []


def test_exactly_one_conditional_put_wins(dynamodb):
    def put(number):
        try:
            dynamodb.put_item(
                TableName="words",
                Item={**key("once"), "by": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(word)",
            )
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return number

    winners = [number for number in at_once(put, range(THREADS)) if number is not None]
    assert len(winners) == 1
    item = dynamodb.get_item(TableName="words", Key=key("once"))["Item"]
    assert item["by"]["N"] == str(winners[0])


def test_transactions_and_single_updates_mix(dynamodb):
    """A transaction adds to both or, when its condition fails, to neither."""

    def both(number):
        if number % 2:
            return add_one(dynamodb, "a")
        add = {
            "TableName": "words",
            "UpdateExpression": "ADD hits :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        dynamodb.transact_write_items(
            TransactItems=[{"Update": {**add, "Key": key(word)}} for word in "ab"]
        )
        return None

    at_once(both, range(128))
    counts = {
        word: dynamodb.get_item(TableName="words", Key=key(word))["Item"]["hits"]["N"]
        for word in "ab"
    }
    assert counts == {"a": "128", "b": "64"}


def test_a_transaction_that_fails_changes_nothing(dynamodb):
    put = {"TableName": "words", "Item": key("new")}
    check = {
        "TableName": "words",
        "Key": key("missing"),
        "ConditionExpression": "attribute_exists(word)",
    }
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=[{"Put": put}, {"ConditionCheck": check}])
    assert "Item" not in dynamodb.get_item(TableName="words", Key=key("new"))


def test_updated_new_tells_what_was_updated_and_not_the_key(aws):
    dynamodb = aws.client("dynamodb")
    dynamodb.create_table(
        TableName="words",
        KeySchema=[{"AttributeName": "word", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "word", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for expected in ("1", "2"):
        reply = dynamodb.update_item(
            TableName="words",
            Key={"word": {"S": "new"}},
            UpdateExpression="ADD #count :one",
            ExpressionAttributeNames={"#count": "count"},
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        assert reply["Attributes"] == {"count": {"N": expected}}
