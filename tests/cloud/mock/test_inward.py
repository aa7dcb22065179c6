"""How a motor calls the mock's own API: the request that the app gets, and the end of a client."""

import pytest
from botocore.exceptions import ClientError

from labs.cloud.mock import trace
from labs.cloud.mock.iam import principals
from labs.cloud.mock.inward import CALLER, Ended, Inward, make_environ, path_info

HERE = {"account": "111111111111", "region": "eu-west-1", "by": "cloudformation"}
ROLE = "arn:aws:iam::111111111111:role/deployer"


class App:
    """Remembers requests, and answers all alike."""

    def __init__(self, status="200 OK", body=b"{}", headers=()):
        self.status, self.body, self.headers = status, body, list(headers)
        self.requests = []

    def __call__(self, environ, start_response):
        self.requests.append({**environ, "body": environ["wsgi.input"].read()})
        start_response(self.status, [("Content-Type", "application/json"), *self.headers])
        return [self.body]

    @property
    def last(self):
        return self.requests[-1]


@pytest.fixture
def inward():
    app = App()
    made = Inward(app, "http://127.0.0.1:5000")
    made.app = app
    yield made
    principals.reset()


def test_a_call_is_one_of_the_account_and_of_the_service(inward):
    inward.client("sqs", **HERE).list_queues()
    sent = inward.app.last
    assert sent["HTTP_X_MOTO_ACCOUNT_ID"] == "111111111111"
    assert "/eu-west-1/sqs/aws4_request" in sent["HTTP_AUTHORIZATION"]
    assert sent["HTTP_HOST"] == "127.0.0.1:5000"
    assert sent[CALLER] == "cloudformation"
    assert sent["CONTENT_TYPE"] == "application/x-amz-json-1.0"
    assert "HTTP_X_AMZ_SECURITY_TOKEN" not in sent


def test_a_call_under_a_role_has_the_keys_of_its_session(inward):
    inward.client("sqs", **HERE, role=ROLE, session="AWSCloudFormation").list_queues()
    sent = inward.app.last
    key = sent["HTTP_AUTHORIZATION"].partition("Credential=")[2].partition("/")[0]
    assert principals.principal_of(key).arn == (
        "arn:aws:sts::111111111111:assumed-role/deployer/AWSCloudFormation"
    )
    assert sent["HTTP_X_AMZ_SECURITY_TOKEN"]
    with pytest.raises(ValueError, match="not the ARN of a role"):
        inward.client("sqs", **HERE, role="deployer")


def test_a_client_is_made_once_for_the_same_arguments(inward):
    assert inward.client("sqs", **HERE) is inward.client("sqs", **HERE)
    assert inward.client("sqs", **HERE) is not inward.client("sqs", **HERE, role=ROLE)
    assert inward.client("sqs", **HERE) is not inward.client("sqs", **{**HERE, "region": "x"})


def test_after_a_reset_an_old_client_reaches_nothing(inward):
    old = inward.client("sqs", **HERE)
    inward.reset()
    with pytest.raises(Ended):
        old.list_queues()
    assert inward.app.requests == []
    inward.client("sqs", **HERE).list_queues()
    assert len(inward.app.requests) == 1


def test_keys_bodies_and_metadata_arrive_as_they_are(inward):
    inward.app.body = b""
    inward.client("s3", **HERE).put_object(
        Bucket="bucket", Key="a/b%2Fc d+é", Body=b"\x00\xff", Metadata={"a_B": "x"}
    )
    sent = inward.app.last
    assert sent["PATH_INFO"].encode("latin-1").decode() == "/bucket/a/b%2Fc d+é"
    assert sent["RAW_URI"] == "/bucket/a/b%252Fc%20d%2B%C3%A9"
    assert sent["body"] == b"\x00\xff"
    assert sent["CONTENT_LENGTH"] == "2"
    assert sent["HTTP_X_AMZ_META_A_B"] == "x"


@pytest.mark.parametrize(
    ("path", "found"), [("/a%20b", "/a b"), ("/a%2Fb%2fc", "/a%2Fb%2Fc"), ("/", "/")]
)
def test_an_encoded_slash_stays_one(path, found):
    assert path_info(path) == found


def test_a_query_is_no_part_of_the_path():
    environ = make_environ("GET", "http://127.0.0.1:5/a?b=c%20d", [], b"")
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a", "b=c%20d")
    assert environ["RAW_URI"] == "/a?b=c%20d"


def test_an_error_is_the_apis(inward):
    inward.app.status = "403 Forbidden"
    inward.app.body = b'{"__type": "AccessDenied", "message": "no"}'
    with pytest.raises(ClientError, match=r"\(AccessDenied\).*: no"):
        inward.client("sqs", **HERE).list_queues()
    assert len(inward.app.requests) == 1


def test_a_body_can_be_streamed(inward):
    inward.app.body = b"content"
    found = inward.client("s3", **HERE).get_object(Bucket="bucket", Key="k")
    assert found["Body"].read(3) == b"con"
    assert found["Body"].read() == b"tent"


def test_a_call_goes_on_with_the_chain_of_its_thread(inward):
    with trace.hop("cloudformation", "CreateStack") as hop:
        inward.client("sqs", **HERE).list_queues()
    assert inward.app.last["HTTP_X_AMZN_TRACE_ID"] == f"Root={hop.chain};Parent={hop.id};Sampled=1"
