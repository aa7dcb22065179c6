"""Article 3, for real: a Slack message over HTTPS, three Lambdas, a table and a topic."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from labs import cloud
from labs.pubsub import deploy, slack
from tests.cloud.processes import wait_until


@pytest.fixture
def aws():
    with cloud.connect(lesson="e2e") as aws:
        yield aws


def counts(aws, table: str) -> dict[str, int]:
    """{word: count}, all pages."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return {item["word"]["S"]: int(item["count"]["N"]) for page in pages for item in page["Items"]}


def test_one_then_eleven_then_twelve(aws):
    course = deploy.deploy(aws.session, aws.name)
    words = ("awsadvent", "some", "words")
    first = slack.post(course.url, "awsadvent some words")
    assert first.status_code == 200
    assert first.headers["Content-Type"].startswith("application/json")
    assert first.json() == {"text": "awsadvent: 1, some: 1, words: 1"}
    assert wait_until(lambda: counts(aws, course.table) == dict.fromkeys(words, 11))
    second = slack.post(course.url, "awsadvent some words")
    assert second.json() == {"text": "awsadvent: 12, some: 12, words: 12"}


def test_the_url_is_https_with_a_certificate_that_only_this_course_trusts(aws):
    url = deploy.deploy(aws.session, aws.name).url
    assert url.startswith("https://")
    assert ".execute-api.us-east-1.amazonaws.com/" in url
    with pytest.raises(requests.exceptions.SSLError):
        requests.post(url, data={"text": "x"}, verify=requests.certs.where(), timeout=10)
    plain = url.replace("https://", "http://")
    with pytest.raises(requests.exceptions.ConnectionError):  # as on AWS, port 80 is closed
        requests.post(plain, data={"text": "x"}, timeout=10)


def test_without_permission_to_publish_the_count_stays_and_the_log_tells(aws):
    course = deploy.deploy(aws.session, aws.name)
    role = course.functions["word_counter"]
    policies = aws.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
    document = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"},
    }
    assert policies
    aws.client("iam").put_role_policy(
        RoleName=role, PolicyName="deny", PolicyDocument=json.dumps(document)
    )
    assert slack.post(course.url, "hello").json() == {"text": "hello: 1"}
    logs = aws.client("logs")

    def printed() -> str:
        group = f"/aws/lambda/{role}"
        return "".join(e["message"] for e in logs.filter_log_events(logGroupName=group)["events"])

    assert wait_until(lambda: "is not authorized to perform" in printed())
    assert counts(aws, course.table) == {"hello": 1}


@pytest.mark.timeout(300)
def test_a_thousand_messages_by_32_clients_lose_and_double_nothing(aws):
    """Consumers limited to 10 of the account's 25: throttled, queued, never lost.

    A client whose message was refused before it ran (the front answers 500 or 429, as AWS does)
    sends it again; each message has a word of its own, so that a loss or a double shows.
    """
    course = deploy.deploy(aws.session, aws.name)
    functions = aws.client("lambda")
    limit = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    for name in ("sns_multiplier", "sns_logger"):
        functions.put_function_concurrency(
            FunctionName=course.functions[name], ReservedConcurrentExecutions=limit * 2 // 5
        )
    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=32))

    def send(number: int) -> None:
        body = slack.form(f"word{number}")
        while (answer := session.post(course.url, data=body, timeout=60)).status_code != 200:
            assert answer.status_code in (429, 500, 503), (answer.status_code, answer.text)
            time.sleep(0.05)  # a client's own back-off
        assert answer.json() == {"text": f"word{number}: 1"}

    with ThreadPoolExecutor(32) as clients:
        list(clients.map(send, range(1000)))
    expected = {f"word{number}": 11 for number in range(1000)}
    assert wait_until(lambda: sum(counts(aws, course.table).values()) >= 11_000, 120)
    assert counts(aws, course.table) == expected
