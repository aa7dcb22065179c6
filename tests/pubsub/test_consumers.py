"""sns_multiplier and sns_logger, called in process with what SNS passes to a Lambda function."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import labs.pubsub
from labs.course import package


def event(*messages: str) -> dict:
    """Shape: Lambda guide, "Using Lambda with Amazon SNS"."""
    return {
        "Records": [
            {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": message}}
            for message in messages
        ]
    }


def version_1(*words: str) -> str:
    return json.dumps({"version": 1, "words": words})


def test_ten_for_each_word_of_each_record(load, table):
    multiplier = load("sns_multiplier")
    multiplier.handler(event(version_1("tea", "a&b", "tea"), version_1("tea")), None)
    assert table.counts() == {"tea": 30, "a&b": 10}


def test_what_the_producer_publishes_is_what_consumers_read(load, table, capsys):
    words = ["a&b", "100%", "言葉", "a\0b", "👩‍👩‍👧"]
    message = load("word_counter").message(words)
    load("sns_multiplier").handler(event(message), None)
    load("sns_logger").handler(event(message), None)
    assert table.counts() == dict.fromkeys(words, 10)
    assert capsys.readouterr().out.splitlines() == words


def test_one_then_eleven_then_twelve(load, table):
    counter, multiplier = load("word_counter"), load("sns_multiplier")
    message = counter.message(["tea"])
    counter.count_and_publish(["tea"])
    multiplier.handler(event(message), None)
    assert table.counts() == {"tea": 11}
    assert counter.count_and_publish(["tea"]) == "tea: 12"


STRANGE = ['{"version": 2, "words": ["tea"]}', '{"words": ["tea"]}', "[1]", "text=tea", ""]


@pytest.mark.parametrize("message", STRANGE)
@pytest.mark.parametrize("consumer", ["sns_multiplier", "sns_logger"])
def test_a_message_not_understood_raises_and_nothing_is_counted(load, table, consumer, message):
    with pytest.raises(ValueError):
        load(consumer).handler(event(version_1("tea"), message), None)
    assert table.counts() == {}


def test_the_error_names_the_version(load, table):
    with pytest.raises(ValueError, match="version 2"):
        load("sns_multiplier").handler(event(STRANGE[0]), None)


def test_the_multiplier_says_that_it_lacks_its_table(load):
    with pytest.raises(RuntimeError, match="DYNAMO_TABLE"):
        load("sns_multiplier").handler(event(version_1("tea")), None)


ALONE = """
import sys
sys.modules["labs"] = None  # a sandbox has no course
for name in ("word_counter", "sns_multiplier", "sns_logger"):
    sys.path.insert(0, f"{name}.zip")
    assert __import__(name).__file__.startswith(sys.path[0])
import word_counter
print(word_counter.handler({"body": "text="}, None)["statusCode"])
"""


def test_each_file_runs_alone_from_its_zip(tmp_path):
    for name in ("word_counter", "sns_multiplier", "sns_logger"):
        code = package(Path(labs.pubsub.__file__).with_name(f"{name}.py"))
        (tmp_path / f"{name}.zip").write_bytes(code)
    environment = os.environ | {"AWS_DEFAULT_REGION": "eu-central-1", "DYNAMO_TABLE": "table"}
    run = subprocess.run(
        [sys.executable, "-P", "-c", ALONE],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout, run.stderr) == ("200\n", "")
