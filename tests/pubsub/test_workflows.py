"""Steps of workflows, in an account of moto's, and the figure of their times."""

import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from moto import mock_aws

from labs.pubsub import workflow_figures, workflows
from labs.pubsub.workflows import Told

HERE = Path(workflows.__file__).parent


@pytest.fixture
def account(shared_session):
    """A session of an empty account that has AWS's own policies, as every account has."""
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        yield shared_session


def record(message: str) -> dict:
    return {"Records": [{"Sns": {"Message": message, "MessageId": "m-1"}}]}


def test_a_table_can_be_made_twice_and_has_its_keys(session):
    arn = workflows.table(session, "notes", "message", "system")
    assert workflows.table(session, "notes", "message", "system") == arn
    table = session.client("dynamodb").describe_table(TableName="notes")["Table"]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
        ("message", "HASH"),
        ("system", "RANGE"),
    ]


def test_a_notifier_can_be_deployed_twice_and_may_do_no_more_than_it_needs(account):
    sns, iam = account.client("sns"), account.client("iam")
    topic, next_topic = (sns.create_topic(Name=name)["TopicArn"] for name in ("first", "second"))
    notes = workflows.table(account, "notes", "message", "system")
    for _ in range(2):
        name = workflows.notifier(account, "pager", topic, "pager", "0.1", notes, next_topic)
    (subscription,) = sns.list_subscriptions()["Subscriptions"]
    assert subscription["TopicArn"] == topic
    assert subscription["Endpoint"].endswith(":function:pager")
    settings = account.client("lambda").get_function_configuration(FunctionName=name)
    assert settings["Environment"]["Variables"] == {
        "SYSTEM": "pager",
        "SECONDS": "0.1",
        "NOTES": "notes",
        "NEXT_TOPIC_ARN": next_topic,
    }
    (policy,) = iam.list_role_policies(RoleName="pager")["PolicyNames"]
    document = iam.get_role_policy(RoleName="pager", PolicyName=policy)["PolicyDocument"]
    allowed = {(each["Action"], each["Resource"]) for each in document["Statement"]}
    assert allowed == {("dynamodb:PutItem", notes), ("sns:Publish", next_topic)}


def test_an_endpoint_keeps_its_url(account, tmp_path):
    code = tmp_path / "app.py"
    code.write_text("def handler(event, context):\n    return {'statusCode': 200}\n")
    urls = {
        workflows.endpoint(account, "signed", code, "app.handler", "slack", environment={"A": "b"})
        for _ in range(2)
    }
    assert len(urls) == 1
    assert urls.pop().endswith(f".execute-api.{account.region_name}.amazonaws.com/prod/slack")


def test_a_report_carries_its_attributes(session, topic):
    client = session.client("sns")
    subscription = client.list_subscriptions()["Subscriptions"][0]["SubscriptionArn"]
    client.set_subscription_attributes(
        SubscriptionArn=subscription,
        AttributeName="FilterPolicy",
        AttributeValue=json.dumps({"severity": ["critical"]}),
    )
    workflows.report(client, topic.arn, "disk full", severity="minor")
    workflows.report(client, topic.arn, "all down", severity="critical")
    assert topic.messages() == ["all down"]


def test_the_notifier_notes_and_passes_on(session, topic, load, monkeypatch):
    workflows.table(session, "notes", "message", "system")
    for name, value in {"NOTES": "notes", "SYSTEM": "pager", "SECONDS": "0.05"}.items():
        monkeypatch.setenv(name, value)
    notifier = load("system_notifier")
    notifier.handler(record("first"), None)
    assert topic.messages() == []
    monkeypatch.setenv("NEXT_TOPIC_ARN", topic.arn)
    notifier.handler(record("second"), None)
    assert topic.messages() == ["second"]
    items = session.resource("dynamodb").Table("notes").scan()["Items"]
    assert {(item["message"], item["system"]) for item in items} == {
        ("first", "pager"),
        ("second", "pager"),
    }
    (note,) = workflows.told(items, "first")
    assert note.begun == 0
    assert note.ended == pytest.approx(0.05, abs=0.5)


def test_the_slow_multiplier_is_slow_and_then_multiplies(table, load, monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))  # in the package, the two files stand side by side
    monkeypatch.delitem(sys.modules, "sns_multiplier", raising=False)
    monkeypatch.setenv("PAUSE_SECONDS", "0.01")
    message = json.dumps({"version": 1, "words": ["tea", "milk", "tea"]})
    try:
        load("slow_multiplier").handler(record(message), None)
    finally:
        sys.modules.pop("sns_multiplier", None)
    assert table.counts() == {"tea": 20, "milk": 10}


def item(system: str, begun: str, ended: str, message: str = "down") -> dict:
    return {"message": message, "system": system, "begun": Decimal(begun), "ended": Decimal(ended)}


def test_notes_are_told_from_the_first_begin_on():
    items = [
        item("pager", "100.6", "101.2"),
        item("statuspage", "100", "100.2"),
        item("nagios", "99", "99.4", message="another"),
    ]
    told = workflows.told(items, "down")
    assert [note.system for note in told] == ["statuspage", "pager"]
    assert [note.begun for note in told] == pytest.approx([0, 0.6])
    assert workflows.seconds(told) == pytest.approx(1.2)
    assert workflows.told(items, "nothing of the kind") == []
    assert workflows.seconds([]) == 0


SERIES = [Told("statuspage", 0, 0.2), Told("nagios", 0.2, 0.6), Told("pager", 0.6, 1.2)]
AT_ONCE = [Told("pager", 0, 0.6), Told("statuspage", 0, 0.2), Told("nagios", 0, 0.4)]


def test_the_figure_says_the_ratio_and_has_a_bar_for_each_system():
    both = {"in series": SERIES, "all at once": AT_ONCE}
    assert (
        workflow_figures.finding(both)
        == "Telling them in series took 2.0 times as long as all at once"
    )
    (axes,) = workflow_figures.draw_timelines(both).axes
    assert [round(bar.get_width(), 1) for bar in axes.patches] == [0.2, 0.4, 0.6, 0.6, 0.2, 0.4]
    assert [label.get_text() for label in axes.get_yticklabels()][:3] == [
        "statuspage",
        "nagios",
        "pager",
    ]
    words = workflow_figures.in_words("in series", SERIES)
    assert words == "in series: statuspage 0.0 to 0.2 s, nagios 0.2 to 0.6 s, pager 0.6 to 1.2 s."
