"""Hosted zones as a learner meets them: records by boto3, then requests by name."""

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import sys
from collections import Counter

import pytest
import trustme
from botocore.exceptions import ClientError

from labs import cloud
from labs.cloud.names import labs_names
from tests.cloud.mock.balancing.network import get, said
from tests.cloud.mock.lambda_account import Account, until

#: An instance that fetches http://NAME/ for whoever asks it for /NAME.
FETCHER = """#!/usr/bin/env python3
import http.server, urllib.request

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            with urllib.request.urlopen(f"http:/{self.path}/", timeout=10) as answer:
                body = answer.read()
        except OSError as error:
            body = repr(error).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
"""
FETCHING_FUNCTION = """
import urllib.request

def f(event, context):
    with urllib.request.urlopen(f"http://{event}/", timeout=10) as answer:
        return answer.read().decode()
"""


def refusal(call, *arguments, **named):
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    return caught.value.response["Error"]["Code"], str(caught.value)


def test_weights_shift_traffic_from_one_balancer_to_another(shop):
    old, new = shop.fixed("old", "old"), shop.fixed("new", "new")

    def shares(count):
        return Counter(get("www.shop.example").body.decode() for _ in range(count))

    shop.weigh({old: 1, new: 0})
    assert shares(10) == {"old": 10}
    shop.weigh({old: 128, new: 128})
    assert min(shares(60).values()) > 8  # less has a chance of one in 10**9
    shop.weigh({old: 0, new: 255})
    assert shares(10) == {"new": 10}
    shop.weigh({old: 0, new: 0})
    assert set(shares(60)) == {"old", "new"}


def test_a_name_leads_to_a_classic_balancer_and_to_a_network_one(shop):
    [instance] = shop.network.instances()
    classic = shop.network.classic("old", instance)
    group = shop.network.group("tcp", instance, Protocol="TCP")
    network = shop.network.nlb(group)
    shop.change(("CREATE", shop.alias(classic, "classic")), ("CREATE", shop.alias(network, "nlb")))
    shop.network.wait_for(group)
    until(lambda: shop.network.in_service("old"), 15)
    for label in ("classic", "nlb"):
        assert said(f"{label}.shop.example")["headers"]["host"] == f"{label}.shop.example"


def test_a_name_has_its_instances_addresses(shop):
    instances = shop.network.instances(2)
    public = [shop.network.describe(one)["PublicIpAddress"] for one in instances]
    shop.addresses("web", *public)
    assert {said("web.shop.example")["me"] for _ in range(40)} == {
        shop.network.describe(one)["PrivateDnsName"].partition(".")[0] for one in instances
    }
    assert sorted(shop.answer("web")["RecordData"]) == sorted(public)


def test_instances_functions_and_children_resolve_the_name(shop):
    shop.change(("CREATE", shop.alias(shop.fixed("web", "hello"))))
    [instance] = shop.network.instances(script=FETCHER)
    address = shop.network.describe(instance)["PublicIpAddress"]
    assert get(address, "/www.shop.example").body == b"hello"
    account = Account(shop.aws)
    account.function("fetch", FETCHING_FUNCTION)
    assert account.value("fetch", "www.shop.example") == "hello"
    code = "import requests; print(requests.get('http://www.shop.example/').text)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "hello"


@pytest.mark.skipif(not shutil.which("curl"), reason="this machine has no curl")
def test_curl_resolves_the_name(shop):
    shop.change(("CREATE", shop.alias(shop.fixed("web", "hello"))))
    curl = ["curl", "-sS", "-m", "20", "http://www.shop.example/"]
    assert subprocess.run(curl, capture_output=True, text=True).stdout == "hello"


def test_a_certificate_for_the_name_is_chosen_by_sni(shop):
    authority = trustme.CA()

    def certificate(name):
        issued = authority.issue_cert(name)
        return shop.network.acm.import_certificate(
            Certificate=issued.cert_chain_pems[0].bytes(),
            PrivateKey=issued.private_key_pem.bytes(),
        )["CertificateArn"]

    [instance] = shop.network.instances()
    group = shop.network.group("tg", instance)
    balancer = shop.network.balancer("secure")
    listener = shop.network.listener(
        balancer,
        group,
        Protocol="HTTPS",
        Port=443,
        Certificates=[{"CertificateArn": certificate("other.example")}],
    )
    shop.network.elbv2.add_listener_certificates(
        ListenerArn=listener, Certificates=[{"CertificateArn": certificate("www.shop.example")}]
    )
    shop.change(("CREATE", shop.alias(balancer["DNSName"])))
    shop.network.wait_for(group)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    connection = http.client.HTTPSConnection("www.shop.example", timeout=20, context=context)
    connection.request("GET", "/")
    headers = json.loads(connection.getresponse().read())["headers"]
    connection.close()
    assert (headers["host"], headers["x-forwarded-proto"]) == ("www.shop.example", "https")


def test_a_private_zone_is_known_in_its_vpc_only(shop):
    vpc = {"VPCRegion": "us-east-1", "VPCId": shop.network.vpc}
    private = shop.zone("inside.example", VPC=vpc, HostedZoneConfig={"PrivateZone": True})
    one, other = shop.network.instances(2, script=FETCHER)
    shop.addresses("db", shop.network.private(one), zone=private, name="inside.example")
    with pytest.raises(socket.gaierror, match="VPCs of its private zone only"):
        socket.getaddrinfo("db.inside.example", 80)
    address = shop.network.describe(other)["PublicIpAddress"]
    answer = get(address, "/db.inside.example").body
    assert b"URLError" in answer or b"HTTPError" in answer  # from `one`, which fetches "http:///"
    assert b"not known" not in answer
    code, _ = refusal(
        shop.route53.test_dns_answer,
        HostedZoneId=private,
        RecordName="db.inside.example",
        RecordType="A",
    )
    assert code == "InvalidInput"


def test_what_the_zone_does_not_have_does_not_resolve(shop):
    with pytest.raises(socket.gaierror, match=r"shop\.example has no record for nix"):
        socket.getaddrinfo("nix.shop.example", 80)
    answer = shop.answer("nix")
    assert (answer["ResponseCode"], answer["RecordData"]) == ("NXDOMAIN", [])


def test_a_deleted_record_and_a_deleted_balancer_do_not_resolve(shop):
    name = shop.fixed("web", "hello")
    shop.change(("CREATE", shop.alias(name)), ("CREATE", shop.alias(name, "api")))
    shop.change(("DELETE", shop.alias(name)))
    with pytest.raises(socket.gaierror):
        socket.gethostbyname("www.shop.example")
    assert get("api.shop.example").body == b"hello"
    [balancer] = shop.network.elbv2.describe_load_balancers()["LoadBalancers"]
    shop.network.elbv2.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
    with pytest.raises(socket.gaierror):
        socket.gethostbyname("api.shop.example")
    assert shop.answer("api")["RecordData"] == []


def test_what_a_name_server_would_say(shop):
    name = shop.fixed("web", "hello")
    cname = {"Type": "CNAME", "TTL": 60, "ResourceRecords": [{"Value": name}]}
    shop.change(("CREATE", shop.alias(name)), ("CREATE", {"Name": "blog.shop.example", **cname}))
    assert sorted(shop.answer("www")["RecordData"]) == sorted(socket.gethostbyname_ex(name)[2])
    assert shop.answer("blog")["RecordData"] == [name]
    assert get("blog.shop.example").body == b"hello"
    answer = shop.answer("www", "TXT")
    assert (answer["ResponseCode"], answer["Protocol"]) == ("NOERROR", "UDP")
    assert answer["RecordName"] == "www.shop.example"


def test_a_batch_is_done_whole_or_not_at_all(shop):
    name = shop.fixed("web", "hello")
    good, bad = shop.alias(name), {**shop.alias(name, "api"), "Name": "api.example.org"}
    code, message = refusal(shop.change, ("CREATE", good), ("CREATE", bad))
    assert code == "InvalidChangeBatch"
    assert (
        "[RRSet with DNS name api.example.org. is not permitted in zone shop.example.]" in message
    )
    listed = shop.route53.list_resource_record_sets(HostedZoneId=shop.id)["ResourceRecordSets"]
    assert [one["Type"] for one in listed] == ["NS", "SOA"]
    assert listed[1]["ResourceRecords"][0]["Value"].startswith("ns-2048.awsdns-64.com. ")


@pytest.mark.parametrize(
    ("target", "reasons"),
    [
        ({"HostedZoneId": "own"}, ["does not lie within the target zone", "was not found"]),
        ({"HostedZoneId": "ZNONE"}, ["does not lie within the target zone", "was not found"]),
        ({"DNSName": "web-9.us-east-1.elb.amazonaws.com"}, ["was not found"]),
        ({"DNSName": "nix.shop.example", "HostedZoneId": "own"}, ["was not found"]),
    ],
)
def test_an_alias_needs_a_target_and_the_targets_zone(shop, target, reasons):
    one = shop.alias(shop.fixed("web", "hello"))
    one["AliasTarget"] |= target
    if one["AliasTarget"]["HostedZoneId"] == "own":
        one["AliasTarget"]["HostedZoneId"] = shop.id
    code, message = refusal(shop.change, ("CREATE", one))
    assert code == "InvalidChangeBatch"
    assert message.count("Tried to create an alias") == len(reasons)
    assert all(reason in message for reason in reasons)


def test_an_alias_leads_to_another_record_and_to_a_dual_stack_name(shop):
    name = shop.fixed("web", "hello")
    shop.change(("CREATE", shop.alias(name)))
    apex = shop.alias(name)
    apex |= {"Name": "shop.example"}
    apex["AliasTarget"] |= {"HostedZoneId": shop.id, "DNSName": "www.shop.example"}
    dual = shop.alias(name, "dual")
    dual["AliasTarget"]["DNSName"] = f"dualstack.{name}"
    shop.change(("CREATE", apex), ("CREATE", dual))
    for host in ("shop.example", "dual.shop.example"):
        assert get(host).body == b"hello"


def test_a_zone_has_a_caller_reference_of_its_own(shop):
    made = shop.route53.create_hosted_zone(Name="Big.Example", CallerReference="once")
    assert made["HostedZone"]["Name"] == "big.example."
    code, _ = refusal(shop.route53.create_hosted_zone, Name="other.example", CallerReference="once")
    assert code == "HostedZoneAlreadyExists"


@pytest.mark.parametrize("name", [".", "a..example", "a" * 64 + ".example"])
def test_what_is_no_domain_name_gets_no_zone(shop, name):
    with pytest.raises(shop.route53.exceptions.InvalidDomainName, match="is not valid: Domain"):
        shop.zone(name)


def test_an_alias_is_answered_though_a_zone_is_named_like_aws(shop):
    shop.zone("amazonaws.com")
    shop.change(("CREATE", shop.alias(shop.fixed("web", "web"))))
    assert shop.answer("www")["RecordData"]


def test_deleted_zones_and_those_of_a_reset_account_are_forgotten(shop):
    shop.addresses("web", "203.0.113.10")
    other = shop.zone("other.example")
    assert {zone["name"] for zone in labs_names.read()["zones"]} == {
        "shop.example",
        "other.example",
    }
    code, _ = refusal(shop.route53.delete_hosted_zone, Id=shop.id)
    assert code == "HostedZoneNotEmpty"
    shop.route53.delete_hosted_zone(Id=other)
    assert [zone["name"] for zone in labs_names.read()["zones"]] == ["shop.example"]
    cloud.connect(lesson="test")
    assert "zones" not in labs_names.read()


def test_a_mock_without_zones_does_not_load_route_53():
    code = "import sys, labs.cloud.mock.world; print('moto.route53.models' in sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert child.stdout.strip() == "False", child.stderr
