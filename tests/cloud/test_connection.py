"""`cloud.connect`: the one way in."""

import os

import pytest

from labs import cloud
from labs.cloud import settings
from labs.cloud.connection import prefix
from tests.cloud.processes import python


@pytest.fixture
def aws():
    with cloud.connect(lesson=31) as aws:
        yield aws


def test_what_a_lesson_finds(aws):
    assert aws.mode == "mock"
    assert aws.region == "us-east-1"
    assert aws.account_id == "123456789012"
    assert aws.session.client("sts").get_caller_identity()["Account"] == aws.account_id
    assert aws.client("s3", region_name="eu-west-1").meta.region_name == "eu-west-1"
    assert list(aws.resource("dynamodb").tables.all()) == []
    assert cloud.current() is aws


def test_a_second_call_resets_the_mock(aws):
    aws.client("sns").create_topic(Name="t")
    endpoint = aws.client("sns").meta.endpoint_url
    again = cloud.connect(lesson=31)
    assert again.client("sns").list_topics()["Topics"] == []
    assert again.client("sns").meta.endpoint_url == endpoint, "the same mock, not a second one"


def test_clean_up_lists_and_deletes_only_when_told(aws):
    assert aws.cleanup() == []
    aws.client("sns").create_topic(Name=aws.name("words"))
    aws.client("sns").create_topic(Name="somebody-elses")
    listed = [f"sns {aws.name('words')}"]
    assert aws.cleanup() == listed
    assert aws.cleanup() == listed, "listing deletes nothing"
    assert aws.cleanup(confirm=True) == []
    assert aws.client("sns").list_topics()["Topics"] == []


def test_closed_twice_and_no_longer_current(aws):
    aws.close()
    aws.close()
    with pytest.raises(RuntimeError, match="set-up cell"):
        cloud.current()


def test_an_unknown_mode():
    with pytest.raises(ValueError, match="mock, live"):
        cloud.connect("moc")


@pytest.mark.parametrize(
    ("who", "lesson", "expected"),
    [
        ("Ada Lovelace", 31, "adalovel-31"),
        ("José", "doctor", "jos-doctor"),
        ("王", None, "learner-x"),
        ("a", "with spaces and-more", "a-withspac"),
    ],
)
def test_prefixes_are_legal_in_every_service(who, lesson, expected):
    assert prefix(who, lesson) == expected


def live(code: str, **variables: str) -> str:
    """What code prints in a process that never was in mock mode."""
    mocks = ("AWS_", "LABS_ADDRESS_BOOK", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mocks)}
    own = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    environment = {**kept, **own, "LABS_MODE": "live", "AWS_EC2_METADATA_DISABLED": "true"}
    with python(code, env={**environment, **variables}) as process:
        return process.communicate(timeout=60)[0]


TRY = """
    from labs import cloud
    try:
        aws = cloud.connect({arguments})
        print("connected", aws.mode, aws.account_id, aws.region)
    except cloud.LiveModeRefused as refused:
        print("refused:", refused)
"""


def test_live_mode_needs_consent():
    said = live(TRY.format(arguments="'live', endpoint_url='http://127.0.0.1:9'"))
    assert said.startswith("refused: Live mode creates resources in an AWS account")


def test_live_mode_needs_credentials():
    arguments = "'live', region='us-east-1', endpoint_url='http://127.0.0.1:9', consent=True"
    said = live(TRY.format(arguments=arguments))
    assert said == "refused: These credentials do not work: Unable to locate credentials\n"


def test_live_mode_needs_a_region():
    said = live(TRY.format(arguments="'live', consent=True"))
    assert said == "refused: No region: say connect('live', region='us-east-1', ...).\n"


def test_live_mode_against_a_server_that_is_not_ours():
    """Plain moto stands for an account: same calls, another endpoint, nothing of ours."""
    code = """
    from moto.server import ThreadedMotoServer
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://127.0.0.1:%d" % server.get_host_and_port()[1]
    from labs import cloud
    aws = cloud.connect("live", region="eu-west-1", endpoint_url=url, consent=True, lesson=31)
    aws.session.client("sns").create_topic(Name=aws.name("t"))
    assert len(list(aws.resource("sns").topics.all())) == 1
    print(aws.mode, aws.account_id, aws.region, aws.cleanup())
    try:
        aws.cleanup(confirm=True)
    except cloud.LiveModeRefused as refused:
        print(refused)
    server.stop()
    """
    keys = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "LABS_LEARNER": "ada"}
    first, second = live(code, **keys).splitlines()
    assert first == "live 123456789012 eu-west-1 ['sns ada-31-t']"
    assert second.startswith("Deleting in a live account is not built yet")


def test_mock_mode_is_not_left_for_a_live_account():
    with python(TRY.format(arguments="'live', consent=True")) as process:
        assert process.communicate(timeout=60)[0].startswith("refused: This kernel is in mock mode")


def test_a_child_uses_its_parents_mock():
    code = """
    import subprocess, sys
    from labs import cloud
    aws = cloud.connect(lesson="t")
    aws.client("sns").create_topic(Name="parents")
    child = "from labs import cloud; aws = cloud.connect(lesson='t');"
    child += "print(len(aws.client('sns').list_topics()['Topics'])); aws.close()"
    print(subprocess.check_output([sys.executable, "-c", child], text=True), end="")
    print(len(aws.client("sns").list_topics()["Topics"]))
    """
    with python(code) as process:
        assert process.communicate(timeout=60)[0] == "1\n1\n"


GIB = 1 << 30


@pytest.mark.parametrize(
    ("wanted", "cores", "memory", "name"),
    [
        (None, 2, 8 * GIB, "default"),
        (None, 1, 8 * GIB, "small"),
        (None, 0.5, 8 * GIB, "small"),
        (None, 2, GIB, "small"),
        ("full", 1, GIB, "full"),
    ],
)
def test_the_size_of_the_world(wanted, cores, memory, name):
    assert settings.choose_size(wanted, cores, memory).name == name


def test_an_unknown_size():
    with pytest.raises(ValueError, match="small, default, full"):
        settings.choose_size("huge", 2, 8 * GIB)


def test_binders_limits_count(monkeypatch):
    monkeypatch.setenv("MEM_LIMIT", str(GIB))
    monkeypatch.setenv("CPU_LIMIT", "1")
    assert (settings.usable_memory(), settings.usable_cores()) == (GIB, 1)


def test_consent_can_stand_in_the_environment():
    said = live(TRY.format(arguments="'live'"), LABS_CONSENT="yes")
    assert said.startswith("refused: No region")
