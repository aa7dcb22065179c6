"""Lambda function: count the words of a Slack message, answer, tell the topic.

Behind API Gateway, which passes on the form that Slack's outgoing webhook posts. Environment:
DYNAMO_TABLE, a table with the string key `word`; SNS_TOPIC_ARN, if others are to hear of the
words; BOT_NAME, the name the webhook answers under.

A word is what stands between white space, counted as typed: "Some", "some" and "some," are three
words, so are an é of one code point and an é of two. Whoever looks a word up finds it as it came,
and no rule of one language is forced on another. Slack's escapes (`&amp;`) stay for the same
reason; the answer goes back through the same escapes.

Sources: api.slack.com/legacy/custom-integrations/outgoing-webhooks; API Gateway guide, "Lambda
proxy integrations"; DynamoDB guide, "Constraints", "Reserved words"; SNS API, Publish.
"""

import base64
import json
import os
from collections import Counter
from collections.abc import Iterator
from urllib.parse import parse_qsl

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

LONGEST_WORD = 2_048  # bytes of UTF-8: the longest partition key DynamoDB takes
LONGEST_MESSAGE = 256 * 1024  # bytes: the largest message SNS takes
MOST_WORDS = 100  # different ones. Each is a call, and Slack hangs up after 3 s: all or none

# Made once for each sandbox. No single call may hang for longer than Slack waits.
timeouts = Config(connect_timeout=1, read_timeout=2)
dynamodb = boto3.client("dynamodb", config=timeouts)
sns = boto3.client("sns", config=timeouts)


def handler(event: dict, context: object) -> dict:
    """Answer a request, whatever is in it.

    Slack repeats a request that was not answered with 200, and a repeated one counts twice: 400 is
    only for what does not come from Slack.
    """
    try:
        form = read_form(event)
    except ValueError as error:
        return answer(f"The body is marked as base64, but is not: {error}.", status=400)
    if is_from_bot(form):
        return {"statusCode": 200, "body": ""}  # or the bot would talk to itself for ever
    if "text" not in form:
        return answer("This is not the form of a Slack webhook: no field `text`.", status=400)
    if not os.environ.get("DYNAMO_TABLE"):
        return answer("Set the variable DYNAMO_TABLE of this function to the name of a table.")
    words = form["text"].split()
    return answer(refusal(words) or count_and_publish(words))


def read_form(event: dict) -> dict[str, str]:
    """The fields of the posted form; of a field that comes twice, the last.

    Payloads 1.0 and 2.0 agree on the two keys read here. Raises ValueError for broken base64.
    """
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body, validate=True).decode("utf-8", "replace")
    # JSON may hold half a surrogate pair, which no service takes.
    body = str(body).encode("utf-8", "replace").decode()
    return dict(parse_qsl(body, keep_blank_values=True))


def is_from_bot(form: dict[str, str]) -> bool:
    """Did a bot write this? The webhook's own answers come back as such."""
    bots = {"slackbot", os.environ.get("BOT_NAME", "awsadvent-bot")}
    named = form.get("user_name") in bots or form.get("user_id") == "USLACKBOT"
    return named or bool(form.get("bot_id"))


def refusal(words: list[str]) -> str:
    """Why these words cannot be counted, or "". Asked before the first of them is."""
    different = len(set(words))
    if not words:
        return "There are no words in this message."
    if different > MOST_WORDS:
        return f"{different} different words, and I count {MOST_WORDS} at most. I counted none."
    if len(message(words)) > LONGEST_MESSAGE:
        return "This message is too long to pass on. I counted none of its words."
    return ""


def count_and_publish(words: list[str]) -> str:
    """Count the words and publish those that were counted; returns the totals as a sentence."""
    totals, remarks = {}, []
    countable = [word for word in words if len(word.encode()) <= LONGEST_WORD]
    if len(countable) < len(words):
        remarks.append(f"I left out words of more than {LONGEST_WORD:,} bytes.")
    try:
        for word, total in count(countable):
            totals[word] = total
    except (BotoCoreError, ClientError) as error:
        print(f"ERROR: counted {len(totals)} of {len(set(countable))} words: {error}")
        remarks.append("I could not count every word; my log says why.")
    if totals and os.environ.get("SNS_TOPIC_ARN"):
        publish([word for word in countable if word in totals])
    counts = ", ".join(f"{word}: {total}" for word, total in totals.items())
    return "\n".join(filter(None, [counts, *remarks]))


def count(words: list[str]) -> Iterator[tuple[str, str]]:
    """Add each word's occurrences to its counter; yields (word, new total) as each is done.

    ADD makes the counter that is missing and loses no update, however many add at once.
    """
    for word, times in Counter(words).items():
        reply = dynamodb.update_item(
            TableName=os.environ["DYNAMO_TABLE"],
            Key={"word": {"S": word}},
            UpdateExpression="ADD #count :times",
            ExpressionAttributeNames={"#count": "count"},  # COUNT is a reserved word
            ExpressionAttributeValues={":times": {"N": str(times)}},
            ReturnValues="UPDATED_NEW",
        )
        yield word, reply["Attributes"]["count"]["N"]


def publish(words: list[str]) -> None:
    """Tell the topic. The words are counted by now: a failure goes to the log, not to Slack."""
    try:
        sns.publish(TopicArn=os.environ["SNS_TOPIC_ARN"], Message=message(words))
    except (BotoCoreError, ClientError) as error:
        print(f"ERROR: {len(words)} words were counted, but not published: {error}")


def message(words: list[str]) -> str:
    """What consumers get: the words as counted, repeats included, as JSON in plain ASCII.

    `version` changes when an old consumer would misread the message.
    """
    return json.dumps({"version": 1, "words": words})


def answer(text: str, status: int = 200) -> dict:
    """A proxy response, the same for payloads 1.0 and 2.0. Slack shows `text` in the channel."""
    headers = {"Content-Type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps({"text": text})}
