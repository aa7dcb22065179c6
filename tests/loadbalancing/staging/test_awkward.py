"""The Classic balancers of lesson 15: what their plans say, and that they are made once."""

import pytest

from labs import cloud
from labs.loadbalancing import certificates, fleet, migration
from labs.loadbalancing.staging import awkward


@pytest.fixture(scope="module")
def aws():
    with cloud.connect("mock", lesson=15) as connection:
        yield connection


@pytest.fixture(scope="module")
def network(aws):
    return fleet.network(aws.client("ec2"), aws.name("web"))


@pytest.fixture(scope="module")
def certificate(aws):
    issued = certificates.authority().issue("www.shop.example")
    return aws.client("acm").import_certificate(**issued)["CertificateArn"]


@pytest.fixture
def problems(aws):
    """What the plan of a balancer refuses."""

    def of(name: str) -> list[str]:
        clients = migration.Clients.of(aws)
        return [problem.found for problem in migration.plan(migration.read(clients, name)).problems]

    return of


def test_each_of_three_is_refused_for_its_own_reasons(aws, network, certificate, problems):
    games, intranet, vault = awkward.three(aws.client("elb"), aws.name, network, certificate)
    [layers] = problems(games)
    assert "both layers" in layers
    subnets, check = problems(intranet)
    assert "subnet" in subnets
    assert "TCP:80" in check
    [back_end] = problems(vault)
    assert "known-servers" in back_end


def test_one_of_three_more_is_refused(aws, network, problems):
    accounts, *others = awkward.three_more(aws.client("elb"), aws.name, network)
    [cookie] = problems(accounts)
    assert "SESSION" in cookie
    assert [problems(name) for name in others] == [[], []]


def test_what_was_mended_stays_mended(aws, network, certificate, problems):
    """The cell that makes them runs again after exercise 15.2."""
    elb = aws.client("elb")
    _, intranet, _ = awkward.three(elb, aws.name, network, certificate)
    elb.attach_load_balancer_to_subnets(LoadBalancerName=intranet, Subnets=[network.subnets[1]])
    awkward.check_health(elb, intranet, "HTTP:80/health")
    awkward.three(elb, aws.name, network, certificate)
    awkward.three_more(elb, aws.name, network)
    assert problems(intranet) == []


def test_old_settings_differ_in_cookie_and_policy(aws, network, certificate):
    elb, name = aws.client("elb"), aws.name("old")
    secure = awkward.listener("HTTPS", 443) | {"SSLCertificateId": certificate}
    assert awkward.make(elb, name, network, [awkward.listener("HTTP", 80), secure])
    awkward.old_settings(elb, name, cookie_days=30, tls="ELBSecurityPolicy-2015-05")
    clients = migration.Clients.of(aws)
    notes = {each.what: each for each in migration.plan(migration.read(clients, name)).adjustments}
    assert notes["stickiness of HTTP:80"].classic == "balancer cookie, 2,592,000 s"
    assert notes["TLS policy of HTTPS:443"].classic == "ELBSecurityPolicy-2015-05"
