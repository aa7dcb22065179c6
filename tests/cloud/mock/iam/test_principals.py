import pytest

from labs.cloud.mock.iam.principals import credentials_for, principal_of, reset

ROLE = "arn:aws:iam::123456789012:role/service-role/counter"


@pytest.fixture(autouse=True)
def forgotten(cloud):
    """Every test starts without sessions."""


def test_credentials_lead_back_to_the_role() -> None:
    principal = principal_of(credentials_for(ROLE, "word-counter").access_key)

    assert principal.role_arn == ROLE
    assert principal.account == "123456789012"
    assert principal.arn == "arn:aws:sts::123456789012:assumed-role/counter/word-counter"


def test_one_role_and_session_has_one_set_of_credentials() -> None:
    assert credentials_for(ROLE, "a") == credentials_for(ROLE, "a")
    assert credentials_for(ROLE, "a") != credentials_for(ROLE, "b")


def test_other_keys_are_the_learner_s() -> None:
    assert principal_of("AKIDEXAMPLE") is None
    assert principal_of("ASIAUNKNOWNUNKNOWN00") is None
    assert principal_of("") is None
    assert principal_of(None) is None


def test_reset_forgets() -> None:
    key = credentials_for(ROLE, "a").access_key
    reset()

    assert credentials_for(ROLE, "a").access_key != key


def test_sts_knows_the_session(cloud) -> None:
    identity = cloud.client("sts", ROLE, "word-counter").get_caller_identity()

    assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/counter/word-counter"
    assert identity["Account"] == "123456789012"


def test_a_role_assumed_through_sts_is_that_role(cloud) -> None:
    session = cloud.client("sts").assume_role(
        RoleArn=ROLE, RoleSessionName="me", Policy='{"Statement": []}'
    )["Credentials"]

    principal = principal_of(session["AccessKeyId"])

    assert principal.role_arn == ROLE
    assert principal.session_name == "me"
    assert principal.session_policy == '{"Statement": []}'


@pytest.mark.parametrize("arn", ["", "counter", "arn:aws:iam::123456789012:user/me", "a:b:c"])
def test_what_is_not_a_role_is_refused(arn) -> None:
    with pytest.raises(ValueError, match="not the ARN of a role"):
        credentials_for(arn, "session")
