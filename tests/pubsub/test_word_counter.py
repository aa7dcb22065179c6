"""word_counter, called in process: what it answers, counts and publishes."""

import base64
import json
from collections import Counter
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labs.pubsub.slack import form


def request(body: str | None, *, encoded: bool = False) -> dict:
    """A proxy event; what both payload versions have in common."""
    return {"body": body, "isBase64Encoded": encoded, "headers": {}}


def slack(text: str, **fields: str | None) -> dict:
    return request(urlencode(form(text, **fields)))


def text_of(answer: dict) -> str:
    assert answer["headers"]["Content-Type"] == "application/json"
    return json.loads(answer["body"])["text"]


@pytest.fixture
def counter(load, table):
    return load("word_counter")


def test_the_articles_message_is_counted_answered_and_published(counter, table, topic):
    answer = counter.handler(slack("awsadvent some words"), None)
    assert answer["statusCode"] == 200
    assert text_of(answer) == "awsadvent: 1, some: 1, words: 1"
    assert table.counts() == {"awsadvent": 1, "some": 1, "words": 1}
    assert list(map(json.loads, topic.messages())) == [
        {"version": 1, "words": ["awsadvent", "some", "words"]}
    ]


def test_the_answer_tells_all_that_was_counted_so_far(counter):
    counter.handler(slack("awsadvent tea"), None)
    assert text_of(counter.handler(slack("awsadvent"), None)) == "awsadvent: 2"


def test_a_word_that_comes_twice_counts_twice_and_is_told_twice(counter, table, topic):
    counter.handler(slack("tea or tea"), None)
    assert table.counts() == {"tea": 2, "or": 1}
    assert json.loads(topic.messages()[0])["words"] == ["tea", "or", "tea"]


def test_without_a_topic_it_still_counts(counter, table):
    assert text_of(counter.handler(slack("tea"), None)) == "tea: 1"


V1 = {"resource": "/aws_advent", "httpMethod": "POST", "path": "/aws_advent"}
V2 = {"version": "2.0", "routeKey": "POST /aws_advent", "rawPath": "/prod/aws_advent"}


@pytest.mark.parametrize("extra", [V1, V2], ids=["payload 1.0", "payload 2.0"])
@pytest.mark.parametrize("encoded", [False, True], ids=["plain", "base64"])
def test_both_payloads_plain_and_base64(counter, table, extra, encoded):
    body = urlencode(form("a&b tea"))
    body = base64.b64encode(body.encode()).decode() if encoded else body
    counter.handler(extra | request(body, encoded=encoded), None)
    assert table.counts() == {"a&b": 1, "tea": 1}


SIGNS = ["a&b", "a;b", "a+b", "100%", "%41", "=", "'; DROP", '"', "{}", "&amp;", "a\0b", "\0"]
LETTERS = ["👩\u200d👩\u200d👧", "слово", "言葉", "e\u0301", "é", "\ufffe", "x" * 2048, "é" * 1024]


@pytest.mark.parametrize("word", SIGNS + LETTERS)
def test_a_word_is_counted_and_published_as_it_was_typed(counter, table, topic, word):
    words = word.split()
    counter.handler(slack(word), None)
    assert table.counts() == dict.fromkeys(words, 1)
    assert [json.loads(message)["words"] for message in topic.messages()] == [words]


def test_composed_and_decomposed_letters_and_cases_are_words_of_their_own(counter, table):
    counter.handler(slack("é e\u0301 Tea tea tea,"), None)
    assert table.counts() == {"é": 1, "e\u0301": 1, "Tea": 1, "tea": 1, "tea,": 1}


@pytest.mark.parametrize("text", ["", " ", "\u3000\n"])
def test_a_message_without_words_is_answered_and_not_published(counter, table, topic, text):
    answer = counter.handler(slack(text), None)
    assert (answer["statusCode"], "no words" in text_of(answer)) == (200, True)
    assert (table.counts(), topic.messages()) == ({}, [])


def test_no_trigger_word_is_legal(counter, table):
    counter.handler(slack("tea", trigger_word=None), None)
    assert table.counts() == {"tea": 1}


@pytest.mark.parametrize(
    "event",
    [
        request(None),
        {},
        request(""),
        request('{"text": "tea"}'),
        request(urlencode(form("tea", text=None))),
        request("no base64!", encoded=True),
        request("dGVhx", encoded=True),
        request("t\u00e9a", encoded=True),
    ],
    ids=["no body", "no event", "empty", "JSON", "no text", "no base64", "cut base64", "not ASCII"],
)
def test_what_slack_never_sends_is_a_client_error_with_a_sentence(counter, table, event):
    answer = counter.handler(event, None)
    assert answer["statusCode"] == 400
    assert text_of(answer).endswith(".")
    assert table.counts() == {}


@pytest.mark.parametrize(
    "who",
    [
        {"bot_id": "B1"},
        {"user_name": "slackbot"},
        {"user_id": "USLACKBOT"},
        {"user_name": "awsadvent-bot"},
    ],
)
def test_a_bots_message_gets_no_answer_and_no_count(counter, table, topic, who):
    answer = counter.handler(slack("awsadvent: 1", **who), None)
    assert answer == {"statusCode": 200, "body": ""}
    assert (table.counts(), topic.messages()) == ({}, [])


def test_a_bots_message_without_a_text_gets_no_answer_either(counter):
    assert counter.handler(request("bot_id=B1"), None) == {"statusCode": 200, "body": ""}


def test_the_webhooks_own_name_can_be_set(counter, table, monkeypatch):
    monkeypatch.setenv("BOT_NAME", "grace")
    assert counter.handler(slack("tea", user_name="grace"), None)["body"] == ""
    assert text_of(counter.handler(slack("tea", user_name="awsadvent-bot"), None)) == "tea: 1"


def test_an_empty_bot_id_is_a_person(counter):
    assert text_of(counter.handler(slack("tea", bot_id=""), None)) == "tea: 1"


@pytest.mark.parametrize("value", [None, ""])
def test_without_a_table_it_says_what_to_set(counter, monkeypatch, value):
    monkeypatch.setenv("DYNAMO_TABLE", "") if value == "" else monkeypatch.delenv("DYNAMO_TABLE")
    answer = counter.handler(slack("tea"), None)
    assert (answer["statusCode"], "DYNAMO_TABLE" in text_of(answer)) == (200, True)


def test_40_kB_of_few_words_is_few_calls_and_one_message(counter, table, topic):
    text = "awsadvent tea\t" * 2900
    assert len(text) > 40_000
    counter.handler(slack(text), None)
    assert table.counts() == {"awsadvent": 2900, "tea": 2900}
    assert len(json.loads(topic.messages()[0])["words"]) == 5800


@pytest.mark.parametrize("letter", ["\0", "é", "言", "👩"])
def test_40_kB_of_any_letters_fits_a_message(counter, letter):
    words = (letter * (40_960 // len(letter.encode()))).replace(letter * 500, letter * 499 + " ")
    assert counter.refusal(words.split()) == ""


def test_more_different_words_than_there_is_time_for_are_all_refused(counter, table, topic):
    text = " ".join(map(str, range(counter.MOST_WORDS + 1)))
    assert "101 different words" in text_of(counter.handler(slack(text), None))
    assert (table.counts(), topic.messages()) == ({}, [])


def test_a_message_that_sns_would_refuse_is_refused_before_it_is_counted(counter, table, topic):
    answer = counter.handler(slack("word " * 40_000), None)
    assert "too long" in text_of(answer)
    assert (table.counts(), topic.messages()) == ({}, [])


def test_a_word_too_long_for_a_key_is_left_out_and_said_so(counter, table, topic):
    answer = counter.handler(slack(f"tea {'é' * 1025} milk"), None)
    assert text_of(answer).startswith("tea: 1, milk: 1\nI left out")
    assert table.counts() == {"tea": 1, "milk": 1}
    assert json.loads(topic.messages()[0])["words"] == ["tea", "milk"]


def test_nothing_but_a_word_too_long_is_answered_and_not_published(counter, topic):
    assert text_of(counter.handler(slack("x" * 3000), None)).startswith("I left out")
    assert topic.messages() == []


def test_a_failed_publish_keeps_count_and_answer_and_shows_in_the_log(
    counter, table, topic, refuse, capsys
):
    refuse(counter.sns, "sns.Publish", "AuthorizationError", "not allowed")
    assert text_of(counter.handler(slack("tea"), None)) == "tea: 1"
    assert table.counts() == {"tea": 1}
    assert "not published" in (log := capsys.readouterr().out)
    assert "not allowed" in log


def test_when_counting_stops_half_way_only_what_was_counted_is_published(
    counter, table, topic, refuse, capsys
):
    refuse(
        counter.dynamodb,
        "dynamodb.UpdateItem",
        "ThrottlingException",
        "too fast",
        when=lambda params: b"milk" in params["body"],
    )
    answer = counter.handler(slack("tea milk sugar tea"), None)
    assert answer["statusCode"] == 200  # anything else, and Slack sends it again
    assert text_of(answer).startswith("tea: 2\nI could not count")
    assert table.counts() == {"tea": 2}
    assert json.loads(topic.messages()[0])["words"] == ["tea", "tea"]
    assert "counted 1 of 3 words" in capsys.readouterr().out


def test_a_missing_table_is_an_answer_and_a_line_in_the_log(counter, monkeypatch, topic, capsys):
    monkeypatch.setenv("DYNAMO_TABLE", "elsewhere")
    assert "could not count" in text_of(counter.handler(slack("tea"), None))
    assert "ResourceNotFoundException" in capsys.readouterr().out
    assert topic.messages() == []


bodies = st.text() | st.lists(st.tuples(st.sampled_from(["text", "user_id"]), st.text())).map(
    lambda pairs: "&".join(f"{key}={value}" for key, value in pairs)
)
encoded_forms = st.text(max_size=60).map(lambda text: urlencode({"text": text}, errors="replace"))
raw_forms = st.binary(max_size=60).map(lambda raw: b"text=" + raw)


# A function-scoped account serves all examples: what is compared is the difference each one makes.
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=bodies | encoded_forms)
def test_any_body_is_answered_and_counts_are_what_the_form_decoder_says(counter, table, body):
    before = Counter(table.counts())
    answer = counter.handler(request(body), None)
    assert answer["statusCode"] in (200, 400)
    assert isinstance(json.loads(answer["body"] or "{}"), dict)
    sendable = body.encode("utf-8", "replace").decode()
    fields = dict(parse_qsl(sendable, keep_blank_values=True))
    words = [] if fields.get("user_id") == "USLACKBOT" else fields.get("text", "").split()
    assert Counter(table.counts()) - before == Counter(words)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(raw=raw_forms)
def test_any_bytes_in_base64_are_answered(counter, table, raw):
    body = base64.b64encode(raw).decode()
    assert counter.handler(request(body, encoded=True), None)["statusCode"] == 200


def test_calls_time_out_before_slack_does(counter):
    for client in (counter.dynamodb, counter.sns):
        assert client.meta.config.connect_timeout + client.meta.config.read_timeout <= 3
