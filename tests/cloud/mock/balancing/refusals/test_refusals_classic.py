"""Classic Load Balancers: what AWS refuses is refused, and what is described is true."""

import pytest

from tests.cloud.mock.balancing.refusals.account import Account, refused


def port(protocol="HTTP", number=80, instance_port=80, **settings):
    return {
        "Protocol": protocol,
        "LoadBalancerPort": number,
        "InstancePort": instance_port,
        **settings,
    }


@pytest.fixture
def elb(account):
    return account.elb


def create(account, name="old", listeners=None, **settings):
    """Its description."""
    settings = settings or {"Subnets": account.subnet_ids}
    account.elb.create_load_balancer(
        LoadBalancerName=name, Listeners=listeners or [port()], **settings
    )
    return describe(account, name)


def describe(account, name="old"):
    found = account.elb.describe_load_balancers(LoadBalancerNames=[name])
    return found["LoadBalancerDescriptions"][0]


def listeners_of(account, name="old"):
    return [each["Listener"] for each in describe(account, name)["ListenerDescriptions"]]


# --- Balancers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a" * 33, "under_score", "two words", "-begin", "end-"])
def test_a_bad_name_is_refused(account, name):
    with refused("ValidationError", "LoadBalancer name cannot"):
        create(account, name)


def test_it_needs_zones_or_subnets_and_not_both(account, elb):
    zone = account.subnets[0]["AvailabilityZone"]
    with refused("ValidationError", "Either"):
        elb.create_load_balancer(LoadBalancerName="old", Listeners=[port()])
    with refused("ValidationError", "Only one"):
        create(account, AvailabilityZones=[zone], Subnets=account.subnet_ids)
    with refused("ValidationError", "eu-central-1z"):
        create(account, AvailabilityZones=["eu-central-1z"])
    with refused("SubnetNotFound"):
        create(account, Subnets=["subnet-0bad"])
    assert create(account, AvailabilityZones=[zone])["AvailabilityZones"] == [zone]


def test_zones_follow_the_subnets(account, elb):
    first, second = account.subnets
    zones = sorted(subnet["AvailabilityZone"] for subnet in (first, second))
    assert create(account)["AvailabilityZones"] == zones
    gone = [second["SubnetId"]]
    elb.detach_load_balancer_from_subnets(LoadBalancerName="old", Subnets=gone)
    assert describe(account)["AvailabilityZones"] == [first["AvailabilityZone"]]
    elb.attach_load_balancer_to_subnets(LoadBalancerName="old", Subnets=gone)
    assert describe(account)["AvailabilityZones"] == zones
    twin = account.ec2.create_subnet(
        VpcId=account.vpc, CidrBlock="172.31.200.0/24", AvailabilityZone=first["AvailabilityZone"]
    )["Subnet"]["SubnetId"]
    with refused("InvalidConfigurationRequest", "same AZ"):
        elb.attach_load_balancer_to_subnets(LoadBalancerName="old", Subnets=[twin])
    with refused("InvalidConfigurationRequest", "same AZ"):
        create(account, "twins", Subnets=[first["SubnetId"], twin])


def test_a_fresh_balancer_has_the_health_check_that_aws_sets(account):
    created = create(account, listeners=[port(instance_port=8080), port(number=81)])
    assert created["HealthCheck"] == {
        "Target": "TCP:8080",
        "Interval": 30,
        "Timeout": 5,
        "UnhealthyThreshold": 2,
        "HealthyThreshold": 10,
    }


def test_the_dns_name_is_of_the_region_and_says_internal(refusing_moto, account):
    assert create(account)["DNSName"].startswith("old-")
    far = Account(refusing_moto, "eu-west-1")
    internal = create(far, Subnets=far.subnet_ids, Scheme="internal")["DNSName"]
    assert internal.startswith("internal-old-")
    assert internal.endswith(".eu-west-1.elb.amazonaws.com")
    assert describe(account)["DNSName"].endswith(".eu-central-1.elb.amazonaws.com")


def test_what_is_done_to_a_balancer_that_is_not_there_is_refused(account, elb):
    name = {"LoadBalancerName": "nobody"}
    calls = [
        lambda: elb.register_instances_with_load_balancer(**name, Instances=[]),
        lambda: elb.create_load_balancer_listeners(**name, Listeners=[port()]),
        lambda: elb.delete_load_balancer_listeners(**name, LoadBalancerPorts=[80]),
        lambda: elb.describe_load_balancer_attributes(**name),
        lambda: elb.create_lb_cookie_stickiness_policy(**name, PolicyName="p"),
        lambda: elb.attach_load_balancer_to_subnets(**name, Subnets=account.subnet_ids),
    ]
    for call in calls:
        with refused("LoadBalancerNotFound", "nobody"):
            call()
    elb.delete_load_balancer(**name)  # on AWS too, this succeeds


def test_an_attribute_is_described_once_however_often_it_is_modified(account, elb):
    create(account)
    for seconds in (10, 20, 30):
        elb.modify_load_balancer_attributes(
            LoadBalancerName="old",
            LoadBalancerAttributes={"ConnectionSettings": {"IdleTimeout": seconds}},
        )
    attributes = elb.describe_load_balancer_attributes(LoadBalancerName="old")
    attributes = attributes["LoadBalancerAttributes"]
    assert attributes["ConnectionSettings"] == {"IdleTimeout": 30}
    assert attributes["AdditionalAttributes"] == [
        {"Key": "elb.http.desyncmitigationmode", "Value": "defensive"}
    ]


# --- Listeners ----------------------------------------------------------------------------------


def test_instance_protocols_are_kept(account, elb):
    certificate = {"SSLCertificateId": account.certificate()}
    create(
        account,
        listeners=[
            port("HTTPS", 443, InstanceProtocol="HTTP", **certificate),
            port("TCP", 25, 25),
            port("SSL", 465, 25, InstanceProtocol="tcp", **certificate),
        ],
    )
    elb.create_load_balancer_listeners(
        LoadBalancerName="old", Listeners=[port("HTTP", 8443, 443, InstanceProtocol="HTTPS")]
    )
    found = {each["LoadBalancerPort"]: each["InstanceProtocol"] for each in listeners_of(account)}
    assert found == {443: "HTTP", 25: "TCP", 465: "TCP", 8443: "HTTPS"}


@pytest.mark.parametrize(
    ("listener", "code", "words"),
    [
        (port("HTTPS", 443), "ValidationError", "Secure Listeners need to specify"),
        (port("SSL", 443), "ValidationError", "Secure Listeners need to specify"),
        (port("HTTPS", 443, SSLCertificateId="arn:aws:iam::1:x"), "CertificateNotFound", "arn:"),
        (port("HTTP", InstanceProtocol="TCP"), "ValidationError", "one layer"),
        (port("TCP", InstanceProtocol="HTTP"), "ValidationError", "one layer"),
        (port("UDP"), "UnsupportedProtocol", "'UDP'"),
        (port(number=0), "ValidationError", "loadBalancerPort"),
        (port(instance_port=70_000), "ValidationError", "instancePort"),
    ],
)
def test_bad_listeners_are_refused_with_the_balancer_and_later(account, elb, listener, code, words):
    with refused(code, words):
        create(account, listeners=[listener])
    create(account, "fine")
    with refused(code, words):
        elb.create_load_balancer_listeners(LoadBalancerName="fine", Listeners=[listener])
    assert len(listeners_of(account, "fine")) == 1


def test_the_same_listener_again_is_fine_and_another_on_its_port_is_not(account, elb):
    create(account)

    def add(*listeners):
        elb.create_load_balancer_listeners(LoadBalancerName="old", Listeners=list(listeners))

    add(port())
    for other in (port(instance_port=81), port("TCP"), port(InstanceProtocol="HTTPS")):
        with refused("DuplicateListener", "old", "LoadBalancerPort 80"):
            add(other)
    with refused("DuplicateListener"):
        create(account, "twice", [port(), port(instance_port=81)])
    assert len(listeners_of(account)) == 1


def test_listeners_are_deleted_together(account, elb):
    create(account, listeners=[port(number=number) for number in (80, 81, 82)])
    elb.delete_load_balancer_listeners(LoadBalancerName="old", LoadBalancerPorts=[80, 82])
    assert [each["LoadBalancerPort"] for each in listeners_of(account)] == [81]


def test_a_certificate_is_set_where_there_is_a_secure_listener(account, elb):
    certificate = account.certificate()
    create(account, listeners=[port(), port("SSL", 443, 443, SSLCertificateId=certificate)])

    def set_certificate(number, arn):
        elb.set_load_balancer_listener_ssl_certificate(
            LoadBalancerName="old", LoadBalancerPort=number, SSLCertificateId=arn
        )

    with refused("ListenerNotFound", "8443"):
        set_certificate(8443, certificate)
    with refused("InvalidConfigurationRequest", "HTTP"):
        set_certificate(80, certificate)
    with refused("CertificateNotFound"):
        set_certificate(443, certificate + "0")
    set_certificate(443, account.certificate())


# --- Health checks and instances ----------------------------------------------------------------


def health_check(**settings):
    return {
        "Target": "HTTP:80/ping",
        "Interval": 10,
        "Timeout": 5,
        "UnhealthyThreshold": 2,
        "HealthyThreshold": 3,
        **settings,
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"Interval": 4},
        {"Interval": 301},
        {"Timeout": 1},
        {"Timeout": 61, "Interval": 100},
        {"Timeout": 10},
        {"UnhealthyThreshold": 1},
        {"HealthyThreshold": 11},
        {"Target": "HTTP:80"},
        {"Target": "TCP:80/ping"},
        {"Target": "UDP:80"},
        {"Target": "TCP"},
        {"Target": "TCP:0"},
        {"Target": "TCP:65536"},
        {"Target": "http:80/"},
        {"Target": "HTTP:80/" + "a" * 1024},
    ],
)
def test_bad_health_checks_are_refused(account, elb, settings):
    created = create(account)
    with refused("ValidationError"):
        elb.configure_health_check(LoadBalancerName="old", HealthCheck=health_check(**settings))
    assert describe(account)["HealthCheck"] == created["HealthCheck"]


@pytest.mark.parametrize("target", ["TCP:1", "SSL:65535", "HTTP:80/", "HTTPS:443/a/b?c=d"])
def test_good_health_checks_are_kept(account, elb, target):
    create(account)
    wanted = health_check(Target=target)
    elb.configure_health_check(LoadBalancerName="old", HealthCheck=wanted)
    assert describe(account)["HealthCheck"] == wanted


def test_instances_that_are_there_are_registered_once_and_told(account, elb):
    create(account)
    first, second, gone = (account.instance() for _ in range(3))
    account.ec2.terminate_instances(InstanceIds=[gone])

    def register(*instances):
        answer = elb.register_instances_with_load_balancer(
            LoadBalancerName="old", Instances=[{"InstanceId": each} for each in instances]
        )
        return [each["InstanceId"] for each in answer["Instances"]]

    for wrong in (gone, "i-0123456789abcdef0", "web-1"):
        with refused("InvalidInstance", wrong):
            register(first, wrong)
    assert register(first) == [first]
    assert register(second, first) == [first, second]
    assert [each["InstanceId"] for each in describe(account)["Instances"]] == [first, second]
    foreign = account.ec2.create_subnet(VpcId=account.other_vpc(), CidrBlock="10.9.0.0/24")
    stranger = account.instance(SubnetId=foreign["Subnet"]["SubnetId"])
    with refused("InvalidInstance", stranger, "same VPC"):
        register(stranger)


# --- Policies -----------------------------------------------------------------------------------


def test_policies_have_names_of_their_own_and_types_that_exist(account, elb):
    create(account)
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="old", PolicyName="sticky")
    with refused("DuplicatePolicyName", "sticky"):
        elb.create_lb_cookie_stickiness_policy(LoadBalancerName="old", PolicyName="sticky")
    with refused("DuplicatePolicyName", "sticky"):
        elb.create_app_cookie_stickiness_policy(
            LoadBalancerName="old", PolicyName="sticky", CookieName="c"
        )
    with refused("ValidationError", "not ok"):
        elb.create_lb_cookie_stickiness_policy(LoadBalancerName="old", PolicyName="not ok")
    with refused("PolicyTypeNotFound", "MagicPolicyType"):
        elb.create_load_balancer_policy(
            LoadBalancerName="old", PolicyName="p", PolicyTypeName="MagicPolicyType"
        )
    elb.create_load_balancer_policy(
        LoadBalancerName="old",
        PolicyName="proxy",
        PolicyTypeName="ProxyProtocolPolicyType",
        PolicyAttributes=[{"AttributeName": "ProxyProtocol", "AttributeValue": "true"}],
    )


def test_listeners_get_policies_that_are_there_and_fit(account, elb):
    create(account, listeners=[port(), port("TCP", 25)])
    elb.create_lb_cookie_stickiness_policy(LoadBalancerName="old", PolicyName="sticky")

    def set_policies(number, *names):
        elb.set_load_balancer_policies_of_listener(
            LoadBalancerName="old", LoadBalancerPort=number, PolicyNames=list(names)
        )

    with refused("PolicyNotFound", "nothing"):
        set_policies(80, "nothing")
    with refused("ListenerNotFound", "81"):
        set_policies(81, "sticky")
    with refused("InvalidConfigurationRequest", "TCP"):
        set_policies(25, "sticky")
    with refused("PolicyNotFound"):
        elb.set_load_balancer_policies_for_backend_server(
            LoadBalancerName="old", InstancePort=80, PolicyNames=["nothing"]
        )
    set_policies(80, "sticky")
    assert describe(account)["ListenerDescriptions"][0]["PolicyNames"] == ["sticky"]
    with refused("InvalidConfigurationRequest", "in use"):
        elb.delete_load_balancer_policy(LoadBalancerName="old", PolicyName="sticky")
    set_policies(80)
    elb.delete_load_balancer_policy(LoadBalancerName="old", PolicyName="sticky")
