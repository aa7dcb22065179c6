"""Load balancers of a real mock, through boto3 and by their DNS names."""

import base64
import json
import shutil
import socket
import ssl
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import trustme

from labs import cloud
from labs.cloud import names
from labs.cloud.names import labs_names
from tests.cloud.mock.balancing.network import FAST, SCRIPT, Network, get, said, silent
from tests.cloud.mock.balancing.plane_world import until


@pytest.fixture
def two(network):
    return network.instances(2)


# Each kind


def test_an_alb_serves_at_its_name_as_soon_as_it_is_made(network, two):
    name = network.alb(network.group("tg", *two))
    assert get(name).status == 200, "at once: not yet healthy targets are better than none"
    assert "alb-" in name
    assert name.endswith(".us-east-1.elb.amazonaws.com")


def test_an_nlb_serves_at_its_name_and_keeps_the_clients_address(network, two):
    group = network.group("tg", *two, Protocol="TCP")
    name = network.nlb(group)
    assert ".elb.us-east-1.amazonaws.com" in name
    assert said(name)["peer"][0] == names.LEARNER["address"]
    network.attributes(group, **{"preserve_client_ip.enabled": "false"})
    assert said(name)["peer"][0].startswith("172.31.")


def test_a_classic_balancer_serves_at_its_name(network, two):
    http = network.classic("clb-http", *two)
    tcp = network.classic("clb-tcp", *two, protocol="TCP")
    until(lambda: len(network.in_service("clb-http")) == len(network.in_service("clb-tcp")) == 2)
    assert said(http)["headers"]["x-forwarded-for"] == names.LEARNER["address"]
    assert "x-forwarded-for" not in said(tcp)["headers"]


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_finds_it_too(network, two):
    name = network.alb(network.group("tg", *two))
    done = subprocess.run(["curl", "-s", f"http://{name}/"], capture_output=True, check=True)
    assert json.loads(done.stdout)["me"].startswith("ip-172-31-")


def test_an_instance_reaches_a_balancer_and_is_known_there(network, two):
    """Through its public address: an internet-facing balancer is reached from the internet."""
    name = network.alb(network.group("tg", *two))
    script = f"""#!/usr/bin/env python3
import http.server, urllib.request
seen = urllib.request.urlopen("http://{name}/").read()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(seen)))
        self.end_headers()
        self.wfile.write(seen)

http.server.HTTPServer(("", 80), Handler).serve_forever()
"""
    [caller] = network.instances(script=script)
    instance = network.describe(caller)
    heard = said(instance["PublicIpAddress"])
    assert heard["headers"]["x-forwarded-for"] == instance["PublicIpAddress"]


def test_a_rule_is_followed_at_once(network, two):
    balancer = network.balancer("alb")
    listener = network.listener(balancer, network.group("tg", *two))
    assert get(balancer["DNSName"], "/teapot").status == 200
    rule = network.elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/teapot"]}],
        Actions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    )["Rules"][0]["RuleArn"]
    assert get(balancer["DNSName"], "/teapot").status == 404
    network.elbv2.delete_rule(RuleArn=rule)
    assert get(balancer["DNSName"], "/teapot").status == 200


def test_an_internal_balancer_is_not_there_for_the_learner(network, two):
    balancer = network.balancer("alb", Scheme="internal")
    network.listener(balancer, network.group("tg", *two))
    name = balancer["DNSName"]
    assert name.startswith("internal-alb-")
    assert silent(name, 80)


# Security groups


def test_ports_that_no_rule_opens_are_silent(network, two):
    web = network.security_group("web", (80, 80, "0.0.0.0/0"))
    balancer = network.balancer("alb", SecurityGroups=[web])
    network.listener(balancer, network.group("tg", *two))
    network.listener(balancer, network.group("tg2", *two), Port=8080)
    assert get(balancer["DNSName"]).status == 200
    assert silent(balancer["DNSName"], 8080)
    network.allow(web, 8080, 8080, "203.0.113.0/24")
    assert get(balancer["DNSName"], port=8080).status == 200


def test_an_alb_without_groups_has_the_default_one_which_is_closed(network, two):
    balancer = network.balancer("alb", SecurityGroups=[])
    network.listener(balancer, network.group("tg", *two))
    assert len(balancer["SecurityGroups"]) == 1
    assert silent(balancer["DNSName"], 80)


def test_a_classic_balancer_without_groups_opens_its_listeners(network, two):
    name = network.classic("clb", *two, SecurityGroups=[])
    until(lambda: network.in_service("clb"))
    assert get(name).status == 200


def test_targets_must_let_the_balancer_in(network):
    balancers = network.security_group("balancers", (80, 80, "0.0.0.0/0"))
    behind = network.security_group("behind")
    [instance] = network.instances(SecurityGroupIds=[behind])
    balancer = network.balancer("alb", SecurityGroups=[balancers])
    group = network.group("tg", instance)
    network.listener(balancer, group)
    network.wait_for(group, "unhealthy")
    [health] = network.health(group).values()
    assert health["Reason"] == "Target.Timeout"
    network.allow(behind, 80, 80, balancers)
    network.wait_for(group)
    assert get(balancer["DNSName"]).status == 200
    assert silent(network.describe(instance)["PublicIpAddress"], 80), "but not everybody"


# Health


def test_states_and_reasons_of_targets(network, two):
    first, second = two
    group = network.group("tg", first)
    assert set(reasons(network, group)) == {"Target.NotInUse"}
    name = network.alb(group)
    assert set(reasons(network, group)) <= {
        "Elb.RegistrationInProgress",
        "Elb.InitialHealthChecking",
        None,
    }
    network.wait_for(group)
    network.register(group, second)
    network.wait_for(group)
    get(network.describe(first)["PublicIpAddress"], "/sick")
    until(lambda: "Target.ResponseCodeMismatch" in reasons(network, group))
    assert Counter(said(name)["me"] for _ in range(6)).most_common(1)[0][1] == 6
    network.ec2.stop_instances(InstanceIds=[first])
    assert "Target.InvalidState" in reasons(network, group)
    network.deregister(group, second)
    assert "Target.DeregistrationInProgress" in reasons(network, group)
    until(lambda: len(network.health(group)) == 1)
    told = network.elbv2.describe_target_health(TargetGroupArn=group, Targets=[{"Id": second}])
    assert told["TargetHealthDescriptions"][0]["TargetHealth"]["Reason"] == "Target.NotRegistered"


def reasons(network, group):
    return [health.get("Reason") for health in network.health(group).values()]


def test_waiters_of_elbv2(network, two):
    group = network.group("tg", *two)
    network.alb(group)
    soon = {"Delay": 1, "MaxAttempts": 15}
    network.elbv2.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig=soon)
    network.deregister(group, two[0])
    network.elbv2.get_waiter("target_deregistered").wait(
        TargetGroupArn=group, Targets=[{"Id": two[0]}], WaiterConfig=soon
    )
    assert len(network.health(group)) == 1


def test_states_and_waiters_of_classic(network, two):
    name = network.classic("clb", *two)
    every = {"LoadBalancerName": "clb", "Instances": [{"InstanceId": two[0]}]}
    soon = {"Delay": 1, "MaxAttempts": 15}
    network.elb.get_waiter("any_instance_in_service").wait(
        LoadBalancerName="clb", WaiterConfig=soon
    )
    network.elb.get_waiter("instance_in_service").wait(LoadBalancerName="clb", WaiterConfig=soon)
    network.elb.modify_load_balancer_attributes(
        LoadBalancerName="clb",
        LoadBalancerAttributes={"ConnectionDraining": {"Enabled": True, "Timeout": 25}},
    )
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(get, name, "/slow/0.7") for _ in two]  # one for each
        until(lambda: said(network.describe(two[0])["PublicIpAddress"])["slow"])
        network.elb.deregister_instances_from_load_balancer(**every)
        [state] = network.elb.describe_instance_health(**every)["InstanceStates"]
        assert [one.result().status for one in waiting] == [200, 200]
    assert state["State"] == "InService"
    assert state["Description"] == "Instance deregistration currently in progress."
    network.elb.get_waiter("instance_deregistered").wait(**every, WaiterConfig=soon)
    [state] = network.elb.describe_instance_health(**every)["InstanceStates"]
    assert state["Description"] == "Instance is not currently registered with the LoadBalancer."
    get(network.describe(two[1])["PublicIpAddress"], "/sick")
    until(lambda: not network.in_service("clb"))
    [state] = network.elb.describe_instance_health(LoadBalancerName="clb")["InstanceStates"]
    assert state["ReasonCode"] == "Instance"
    assert "UnhealthyThreshold" in state["Description"]


def test_two_ports_of_one_instance(network):
    script = SCRIPT.replace(
        "PORT = 80\n",
        "import threading\nPORT = 81\n"
        "threading.Thread(target=Server(('', PORT), Handler).serve_forever).start()\n"
        "PORT = 80\n",
    )
    [instance] = network.instances(script=script)
    group = network.group("tg")
    both = [{"Id": instance, "Port": 80}, {"Id": instance, "Port": 81}]
    network.elbv2.register_targets(TargetGroupArn=group, Targets=both)
    network.alb(group)
    network.wait_for(group)
    assert set(network.health(group)) == {f"{instance}:80", f"{instance}:81"}
    network.elbv2.deregister_targets(TargetGroupArn=group, Targets=both[1:])
    until(lambda: set(network.health(group)) == {f"{instance}:80"})


def test_targets_by_address_and_a_balancer_behind_a_balancer(network, two):
    addresses = [network.private(instance) for instance in two]
    group = network.group("tg", TargetType="ip")
    network.register(group, *addresses)
    balancer = network.balancer("alb")
    network.listener(balancer, group)
    network.wait_for(group)
    albs = network.group("albs", Protocol="TCP", TargetType="alb", **FAST)
    network.register(albs, balancer["LoadBalancerArn"])
    name = network.nlb(albs)
    network.wait_for(albs)
    assert said(name)["headers"]["x-forwarded-for"] == names.LEARNER["address"]


def test_stickiness_of_both_kinds_through_the_api(network, two):
    group = network.group("tg", *two)
    name = network.alb(group)
    network.attributes(group, **{"stickiness.enabled": "true", "stickiness.type": "lb_cookie"})
    first = get(name)
    cookie = f"AWSALB={first.cookies['AWSALB']}"
    servers = {get(name, Cookie=cookie).headers["X-Whoami"] for _ in range(4)}
    assert servers == {first.headers["X-Whoami"]}

    name = network.classic("clb", *two)
    until(lambda: len(network.in_service("clb")) == 2)
    network.elb.create_lb_cookie_stickiness_policy(
        LoadBalancerName="clb", PolicyName="sticky", CookieExpirationPeriod=60
    )
    network.elb.set_load_balancer_policies_of_listener(
        LoadBalancerName="clb", LoadBalancerPort=80, PolicyNames=["sticky"]
    )
    first = get(name)
    cookie = f"AWSELB={first.cookies['AWSELB']}"
    servers = {get(name, Cookie=cookie).headers["X-Whoami"] for _ in range(4)}
    assert servers == {first.headers["X-Whoami"]}


# TLS


@pytest.fixture
def authority():
    return trustme.CA()


def imported(network, authority, *domains):
    """The ARN of a certificate for these names in ACM."""
    issued = authority.issue_cert(*domains)
    return network.acm.import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(),
        PrivateKey=issued.private_key_pem.bytes(),
        CertificateChain=authority.cert_pem.bytes(),
    )["CertificateArn"]


def secure(host, name, context):
    sock = socket.create_connection((host, 443), timeout=10)
    return context.wrap_socket(sock, server_hostname=name)


def test_certificates_by_name(network, two, authority):
    arns = [imported(network, authority, f"{word}.example") for word in ("one", "two")]
    balancer = network.balancer("alb")
    certificate = [{"CertificateArn": arns[0]}]
    listener = network.listener(
        balancer,
        network.group("tg", *two),
        Protocol="HTTPS",
        Port=443,
        Certificates=certificate,
    )
    network.elbv2.add_listener_certificates(
        ListenerArn=listener, Certificates=[{"CertificateArn": arns[1]}]
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    for name in ("one.example", "two.example"):
        with secure(balancer["DNSName"], name, context) as tls:
            tls.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b'"x-forwarded-proto": "https"' in b"".join(iter(lambda: tls.recv(65536), b""))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        secure(balancer["DNSName"], balancer["DNSName"], context)


def test_what_amazon_issues_is_trusted(network, two):
    arn = network.acm.request_certificate(DomainName="shop.example")["CertificateArn"]
    balancer = network.balancer("alb")
    network.listener(
        balancer,
        network.group("tg", *two),
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": arn}],
    )
    with secure(balancer["DNSName"], "shop.example", ssl.create_default_context()) as tls:
        assert tls.getpeercert()["subjectAltName"] == (("DNS", "shop.example"),)


# Functions


def test_a_function_as_a_target(network, account):
    account.function(
        "hello",
        "def f(event, context):\n"
        "    who = event['queryStringParameters'].get('who', 'world')\n"
        "    return {'statusCode': 200, 'headers': {'X-From': 'lambda'}, 'body': 'hello ' + who}",
    )
    arn = account.lambda_.get_function(FunctionName="hello")["Configuration"]["FunctionArn"]
    made = network.elbv2.create_target_group(Name="functions", TargetType="lambda")
    group = made["TargetGroups"][0]["TargetGroupArn"]
    account.lambda_.add_permission(
        FunctionName="hello",
        StatementId="alb",
        Action="lambda:InvokeFunction",
        Principal="elasticloadbalancing.amazonaws.com",
        SourceArn=group,
    )
    network.register(group, arn)
    name = network.alb(group)
    got = get(name, "/?who=you")
    assert (got.status, got.body, got.headers["X-From"]) == (200, b"hello you", "lambda")
    [health] = network.health(group).values()
    assert health["Reason"] == "Target.HealthCheckDisabled"
    account.lambda_.remove_permission(FunctionName="hello", StatementId="alb")
    assert get(name).status == 502


# More than one of everything


def test_the_same_names_in_another_region_and_another_account(network, two):
    group = network.group("tg", *two)
    name, classic = network.alb(group), network.classic("clb", *two)
    west = Network(network.aws, region="eu-west-1")
    [there] = west.instances()
    west_name = west.alb(west.group("tg", there))
    west_classic = west.classic("clb", there)
    assert ".eu-west-1." in west_name
    assert ".eu-west-1." in west_classic
    other = Network(network.aws, account="111122223333")
    [stranger] = other.instances()
    other_name = other.alb(other.group("tg", stranger))
    assert len({name, west_name, other_name, classic, west_classic}) == 5
    assert said(name)["me"] in {host(network, one) for one in two}
    assert said(west_name)["me"] == host(west, there)
    assert said(other_name)["me"] == host(other, stranger)


def host(network, instance):
    return "ip-" + network.private(instance).replace(".", "-")


def test_an_auto_scaling_groups_instances_come_and_go(network):
    group = network.group("tg")
    name = network.alb(group)
    network.ec2.create_launch_template(
        LaunchTemplateName="web",
        LaunchTemplateData={
            "ImageId": "ami-12c6146b",
            "SecurityGroupIds": [network.open],
            "UserData": base64.b64encode(SCRIPT.encode()).decode(),
        },
    )
    network.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="asg",
        LaunchTemplate={"LaunchTemplateName": "web"},
        MinSize=0,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=network.subnets[0],
        TargetGroupARNs=[group],
    )
    network.wait_for(group)
    assert len({said(name)["me"] for _ in range(8)}) == 2
    network.autoscaling.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=1)
    until(lambda: len(network.health(group)) == 1)
    assert len({said(name)["me"] for _ in range(8)}) == 1


def test_a_stack_may_make_them_too(network, two):
    """moto's CloudFormation registers no targets: that is done by hand."""
    template = {
        "Resources": {
            "Group": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {"Protocol": "HTTP", "Port": 80, "VpcId": network.vpc},
            },
            "Balancer": {
                "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
                "Properties": {
                    "Subnets": network.subnets[:2],
                    "SecurityGroups": [network.open],
                },
            },
            "Listener": {
                "Type": "AWS::ElasticLoadBalancingV2::Listener",
                "Properties": {
                    "LoadBalancerArn": {"Ref": "Balancer"},
                    "Protocol": "HTTP",
                    "Port": 80,
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Group"}}],
                },
            },
        },
        "Outputs": {
            "Name": {"Value": {"Fn::GetAtt": ["Balancer", "DNSName"]}},
            "Group": {"Value": {"Ref": "Group"}},
        },
    }
    stacks = network.aws.client("cloudformation")
    stacks.create_stack(StackName="web", TemplateBody=json.dumps(template))
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for output in stacks.describe_stacks(StackName="web")["Stacks"][0]["Outputs"]
    }
    assert get(outputs["Name"]).status == 503, "it has no targets yet"
    network.register(outputs["Group"], *two)
    assert get(outputs["Name"]).status == 200
    stacks.delete_stack(StackName="web")
    with pytest.raises(socket.gaierror):
        get(outputs["Name"])


# The end


def test_deleting_a_balancer_takes_its_name_away(network, two):
    balancer = network.balancer("alb")
    network.listener(balancer, network.group("tg", *two))
    name = balancer["DNSName"]
    assert get(name).status == 200
    network.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    with pytest.raises(socket.gaierror):
        get(name)


def test_deleting_a_listener_closes_its_port(network, two):
    balancer = network.balancer("alb")
    listener = network.listener(balancer, network.group("tg", *two))
    network.elbv2.delete_listener(ListenerArn=listener)
    with pytest.raises(ConnectionRefusedError):
        get(balancer["DNSName"])


def test_reset_closes_everything(network, two):
    name = network.alb(network.group("tg", *two))
    port = labs_names.read()["hosts"][name]["ports"]["80"]
    assert get(name).status == 200
    cloud.connect(lesson="test")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with pytest.raises(socket.gaierror):
        get(name)
