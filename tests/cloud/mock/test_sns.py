"""SNS's delivery to Lambda. Source: SNS guide, "Fanout to Lambda functions", "Message filtering",
"Message delivery retries", "Amazon SNS dead-letter queues"."""

import base64
import json
import re
import time

import pytest

from tests.cloud.mock.lambda_account import HELD, Gate, until

PRINTS = "import json\ndef f(event, context): print('EVENT', json.dumps(event))"


class Topic:
    """A topic with one subscribed function that prints its events."""

    def __init__(self, account, name="topic", permission=True):
        self.account = account
        self.arn = account.sns.create_topic(Name=name)["TopicArn"]
        self.function_arn = account.function("consumer", PRINTS)
        if permission:
            self.permit()
        self.subscription = account.sns.subscribe(
            TopicArn=self.arn, Protocol="lambda", Endpoint=self.function_arn
        )["SubscriptionArn"]

    def permit(self):
        self.account.lambda_.add_permission(
            FunctionName="consumer",
            StatementId="sns",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=self.arn,
        )

    def set(self, name, value):
        self.account.sns.set_subscription_attributes(
            SubscriptionArn=self.subscription,
            AttributeName=name,
            AttributeValue=value if isinstance(value, str) else json.dumps(value),
        )

    def publish(self, message="hello", **more):
        """The message's id."""
        return self.account.sns.publish(TopicArn=self.arn, Message=message, **more)["MessageId"]

    def records(self):
        lines = self.account.said("consumer", "EVENT ")
        return [json.loads(line.removeprefix("EVENT "))["Records"][0] for line in lines]

    def messages(self):
        return [record["Sns"]["Message"] for record in self.records()]

    def last(self, count=1):
        """The last record, once there are so many."""
        return until(lambda: len(found := self.records()) >= count and found[-1])


@pytest.fixture
def topic(account):
    return Topic(account)


def text(value, kind="String"):
    return {"DataType": kind, "StringValue": value}


def test_the_envelope(topic):
    binary = {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    published = topic.publish(
        "wörd",
        Subject="about",
        MessageAttributes={"kind": text("new"), "price": text("4.5", "Number"), "raw": binary},
    )
    record = topic.last()
    assert record["EventSource"] == "aws:sns"
    assert record["EventVersion"] == "1.0"
    assert record["EventSubscriptionArn"] == topic.subscription
    sns = record["Sns"]
    assert sns["MessageId"] == published
    assert sns["TopicArn"] == topic.arn
    assert (sns["Type"], sns["Subject"], sns["Message"]) == ("Notification", "about", "wörd")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sns["Timestamp"])
    assert sns["MessageAttributes"] == {
        "kind": {"Type": "String", "Value": "new"},
        "price": {"Type": "Number", "Value": "4.5"},
        "raw": {"Type": "Binary", "Value": base64.b64encode(b"\x00\xff").decode()},
    }
    assert {"SignatureVersion", "Signature", "SigningCertUrl", "UnsubscribeUrl"} <= set(sns)


def test_without_subject_and_attributes(topic):
    topic.publish()
    sns = topic.last()["Sns"]
    assert sns["Subject"] is None
    assert sns["MessageAttributes"] == {}


def test_each_message_has_an_id_of_its_own(topic):
    published = {topic.publish(str(number)) for number in range(5)}
    until(lambda: len(topic.records()) == 5)
    assert {record["Sns"]["MessageId"] for record in topic.records()} == published
    assert sorted(topic.messages()) == ["0", "1", "2", "3", "4"]


def test_publish_does_not_wait_for_the_consumer(account, tmp_path):
    gate = Gate(tmp_path)
    topic = account.sns.create_topic(Name="topic")["TopicArn"]
    source = HELD.replace('event["folder"]', repr(str(tmp_path)))
    arn = account.function("slow", source, Timeout=30)
    account.lambda_.add_permission(
        FunctionName="slow",
        StatementId="sns",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
    )
    account.sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    try:
        account.sns.publish(TopicArn=topic, Message="1")
        assert account.said("slow", "REPORT") == []
        gate.wait_for(1)
    finally:
        gate.open()
    until(lambda: account.said("slow", "REPORT"))


def test_a_filter_on_attributes(topic):
    topic.set("FilterPolicy", {"kind": ["new"], "price": [{"numeric": [">", 3]}]})
    number = text("4", "Number")
    topic.publish("no attributes")
    topic.publish("other kind", MessageAttributes={"kind": text("old"), "price": number})
    topic.publish("cheap", MessageAttributes={"kind": text("new"), "price": text("2", "Number")})
    topic.publish("fits", MessageAttributes={"kind": text("new"), "price": number})
    assert topic.last()["Sns"]["Message"] == "fits"
    assert topic.messages() == ["fits"]


def test_a_filter_on_the_body(topic):
    topic.set("FilterPolicyScope", "MessageBody")
    topic.set("FilterPolicy", {"word": {"language": ["de", "fr"]}})
    topic.publish("no JSON")
    topic.publish(json.dumps({"word": {"language": "en"}}))
    topic.publish(json.dumps({"word": {"language": "fr"}}))
    assert json.loads(topic.last()["Sns"]["Message"]) == {"word": {"language": "fr"}}
    assert len(topic.messages()) == 1


def test_a_structure_has_a_text_for_each_protocol(topic):
    both = json.dumps({"default": "for all", "lambda": "for functions"})
    topic.publish(both, MessageStructure="json")
    assert topic.last()["Sns"]["Message"] == "for functions"
    topic.publish(json.dumps({"default": "for all"}), MessageStructure="json")
    assert topic.last(2)["Sns"]["Message"] == "for all"


def test_a_batch(topic):
    entries = [{"Id": str(n), "Message": f"m{n}", "Subject": "s"} for n in range(10)]
    answer = topic.account.sns.publish_batch(TopicArn=topic.arn, PublishBatchRequestEntries=entries)
    until(lambda: len(topic.records()) == 10)
    ids = {entry["MessageId"] for entry in answer["Successful"]}
    assert {record["Sns"]["MessageId"] for record in topic.records()} == ids
    assert sorted(topic.messages()) == [f"m{n}" for n in range(10)]


def test_nothing_comes_after_unsubscribe(topic):
    topic.publish("before")
    topic.last()
    topic.account.sns.unsubscribe(SubscriptionArn=topic.subscription)
    topic.publish("after")
    topic.account.later("consumer", {"Records": [{"Sns": {"Message": "direct"}}]})
    assert topic.last(2)["Sns"]["Message"] == "direct"


def failures(account):
    """The metric NumberOfNotificationsFailed of the topic."""
    data = account.cloudwatch.get_metric_statistics(
        Namespace="AWS/SNS",
        MetricName="NumberOfNotificationsFailed",
        Dimensions=[{"Name": "TopicName", "Value": "topic"}],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 3600,
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in data["Datapoints"])


@pytest.mark.parametrize("why", ["no permission", "for another topic", "function gone"])
def test_a_delivery_that_is_refused_is_seen(account, why):
    """A client-side error: not tried again, counted, logged, and put into the dead-letter queue."""
    topic = Topic(account, permission=why == "function gone")
    if why == "for another topic":
        account.lambda_.add_permission(
            FunctionName="consumer",
            StatementId="sns",
            Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com",
            SourceArn=f"{topic.arn}-other",
        )
    account.sns.set_topic_attributes(
        TopicArn=topic.arn,
        AttributeName="LambdaFailureFeedbackRoleArn",
        AttributeValue="arn:aws:iam::123456789012:role/basic",
    )
    url, arn = account.queue("dead")
    topic.set("RedrivePolicy", {"deadLetterTargetArn": arn})
    if why == "function gone":
        account.lambda_.delete_function(FunctionName="consumer")

    message_id = topic.publish("lost", Subject="s")
    letter = json.loads(account.message(url)["Body"])
    assert (letter["MessageId"], letter["Message"]) == (message_id, "lost")
    assert failures(account) == 1
    group = f"sns/us-east-1/123456789012/{topic.arn.rsplit(':')[-1]}/Failure"
    [event] = account.logs.filter_log_events(logGroupName=group)["events"]
    status = json.loads(event["message"])
    assert status["status"] == "FAILURE"
    assert status["notification"]["messageId"] == message_id
    assert status["delivery"]["destination"] == topic.function_arn
    assert status["delivery"]["statusCode"] == (404 if why == "function gone" else 403)

    if why != "function gone":
        topic.permit() if why == "no permission" else None
        assert topic.records() == [], "what was refused does not run"
    if why == "no permission":
        topic.publish("found")
        assert topic.last()["Sns"]["Message"] == "found"


def test_without_feedback_role_there_is_no_log_of_failures(account):
    topic = Topic(account, permission=False)
    topic.publish()
    assert failures(account) == 1
    groups = account.logs.describe_log_groups(logGroupNamePrefix="sns/")["logGroups"]
    assert groups == []


def test_a_missing_dead_letter_queue_does_not_fail_publish(account):
    topic = Topic(account, permission=False)
    url, arn = account.queue("dead")
    topic.set("RedrivePolicy", {"deadLetterTargetArn": arn})
    account.sqs.delete_queue(QueueUrl=url)
    assert topic.publish()


def test_one_consumers_failure_is_not_anothers(account):
    topic = Topic(account)
    arn = account.function("second", PRINTS)
    account.sns.subscribe(TopicArn=topic.arn, Protocol="lambda", Endpoint=arn)
    topic.publish("for both")
    assert topic.last()["Sns"]["Message"] == "for both"
    assert failures(account) == 1
    assert account.lines("second") == []
