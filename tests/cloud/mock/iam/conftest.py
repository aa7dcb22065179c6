"""moto over HTTP with the guard in front, in this process."""

import threading
from io import BytesIO

import boto3
import pytest
import requests
from botocore.config import Config
from moto.iam.models import IAMBackend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.server import MotoRequestHandler
from werkzeug.serving import make_server

from labs.cloud.mock import errors
from labs.cloud.mock.iam import guard, managed, principals
from labs.cloud.mock.operations import identify


class Guarded:
    """A WSGI application: identify, check, and only then moto."""

    def __init__(self) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        operation = identify(environ, body)
        denial = guard.check(operation) if operation else None
        if denial:
            status, headers, answer = errors.render(
                operation, denial.code, denial.message, denial.status
            )
            start_response(status, headers)
            return [answer]
        return self.moto(environ | {"wsgi.input": BytesIO(body)}, start_response)


class Quiet(MotoRequestHandler):
    def log(self, *_) -> None:
        pass


class Cloud:
    """Clients of the guarded moto: the learner's, and those of a role."""

    def __init__(self, url: str) -> None:
        self.url = url

    def client(self, service: str, role_arn: str | None = None, session: str = "counter"):
        """A client with a role's credentials; the learner's without a role."""
        keys = ("AKIDEXAMPLE", "secret", None)
        if role_arn:
            given = principals.credentials_for(role_arn, session)
            keys = (given.access_key, given.secret_key, given.session_token)
        return self.client_with(service, *keys)

    def client_with(self, service: str, access_key: str, secret_key: str, token: str | None):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )


@pytest.fixture(scope="session")
def guarded_url():
    server = make_server("127.0.0.1", 0, Guarded(), threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cloud(guarded_url, monkeypatch):
    """A clean cloud in which AWS's own policies can be attached."""
    for name in managed.METHODS:
        monkeypatch.setattr(IAMBackend, name, managed.providing(getattr(IAMBackend, name)))
    requests.post(f"{guarded_url}/moto-api/reset", timeout=10).raise_for_status()
    principals.reset()
    yield Cloud(guarded_url)
    principals.reset()
