"""What a batch of changes does to a zone: pure, and all or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.cloud.mock.zones import batch
from labs.cloud.mock.zones.batch import InvalidBatch, InvalidInput, RecordSet, stored

ZONE = "shop.example."
BALANCER = {"HostedZoneId": "ZELB", "DNSName": "Web-1.elb.example", "EvaluateTargetHealth": False}


def record(name="www.shop.example", kind="A", values=("192.0.2.7",), ttl=60, **more):
    data = {"Name": name, "Type": kind, "TTL": ttl}
    return {**data, "ResourceRecords": [{"Value": value} for value in values], **more}


def alias(name="www.shop.example", **more):
    return {"Name": name, "Type": "A", "AliasTarget": BALANCER, **more}


def after(changes, held=(), find_target=lambda zone, name: ()):
    """The zone's record sets by key, after [(action, record set), ...]."""
    given = [RecordSet({**one, "Name": stored(one["Name"])}) for one in held]
    asked = [{"Action": action, "ResourceRecordSet": one} for action, one in changes]
    return {one.key: one for one in batch.change(ZONE, given, asked, find_target)}


def refusals(changes, held=(), find_target=lambda zone, name: ()):
    with pytest.raises(InvalidBatch) as caught:
        after(changes, held, find_target)
    return caught.value.messages


def test_names_are_stored_as_route_53_lists_them():
    assert list(after([("CREATE", record("*.Shop.Example"))])) == [
        ("\\052.shop.example.", "A", None)
    ]


def test_create_upsert_and_delete():
    assert after([("CREATE", record())]).keys() == {("www.shop.example.", "A", None)}
    new = after([("UPSERT", record(values=["192.0.2.8"]))], [record()])
    assert [one.values for one in new.values()] == [["192.0.2.8"]]
    assert after([("DELETE", record())], [record()]) == {}


def test_a_delete_names_one_set_only():
    """moto deletes every set of that identifier in the zone."""
    blue = alias(SetIdentifier="blue", Weight=1)
    green = alias(SetIdentifier="green", Weight=1)
    api = alias("api.shop.example", SetIdentifier="blue", Weight=1)
    left = after([("DELETE", blue)], [blue, green, api])
    assert left.keys() == {
        ("www.shop.example.", "A", "green"),
        ("api.shop.example.", "A", "blue"),
    }


def test_a_simple_record_gives_way_to_weighted_ones_in_one_batch():
    weighted = alias(SetIdentifier="old", Weight=255)
    assert after([("CREATE", weighted), ("DELETE", record())], [record()]).keys() == {
        ("www.shop.example.", "A", "old")
    }


@pytest.mark.parametrize(
    ("changes", "held", "words"),
    [
        ([("CREATE", record())], [record()], "already exists"),
        ([("CREATE", record("www.myshop.example"))], [], "not permitted in zone shop.example."),
        ([("CREATE", record("evilshop.example"))], [], "not permitted in zone shop.example."),
        ([("DELETE", record())], [], "not found"),
        ([("DELETE", record(ttl=61))], [record()], "do not match the current values"),
        (
            [("DELETE", alias(SetIdentifier="a", Weight=2))],
            [alias(SetIdentifier="a", Weight=1)],
            "do not match the current values",
        ),
        ([("CREATE", record(ZONE, "CNAME", ["a.example"]))], [], "not permitted at apex"),
        ([("CREATE", record(kind="CNAME", values=["a.example"]))], [record()], "conflicts with"),
        ([("CREATE", record())], [record(kind="CNAME", values=["a.example"])], "conflicts with"),
        (
            [("CREATE", record(kind="CNAME", values=["a.example", "b.example"]))],
            [],
            "more than one value",
        ),
        ([("CREATE", record("a..shop.example"))], [], "DomainLabelEmpty"),
        ([("CREATE", record("a" * 64 + ".shop.example"))], [], "DomainLabelTooLong"),
        ([("CREATE", record("a." * 125 + "shop.example"))], [], "DomainNameTooLong"),
        ([("CREATE", record(values=["1.2.3"]))], [], "not a valid IPv4 address"),
        ([("CREATE", record(kind="AAAA", values=["192.0.2.7"]))], [], "not a valid IPv6 address"),
        (
            [("UPSERT", record(SetIdentifier="a", Weight=1))],
            [record()],
            "SetIdentifier a cannot be created as a non-weighted set exists",
        ),
        ([("UPSERT", record())], [record(SetIdentifier="a", Weight=1)], "as other RRSets exist"),
        (
            [("UPSERT", record(SetIdentifier="b", Weight=1, ttl=30))],
            [record(SetIdentifier="a", Weight=1)],
            "must contain the same TTL",
        ),
        (
            [("CREATE", record(SetIdentifier="b", Failover="PRIMARY"))],
            [record(SetIdentifier="a", Weight=1)],
            "cannot be created as a non-Failover set exists",
        ),
        ([("UPSERT", record()), ("UPSERT", record())], [], "invalid set of changes"),
        (
            [("DELETE", record(ZONE, "SOA", ["x"]))],
            [record(ZONE, "SOA", ["x"])],
            "exactly one SOA record",
        ),
        ([("DELETE", record(ZONE, "NS", ["x"]))], [record(ZONE, "NS", ["x"])], "at least one NS"),
    ],
)
def test_what_a_zone_cannot_have_is_refused(changes, held, words):
    [message] = refusals(changes, held)
    assert words in message


def test_an_alias_is_refused_for_each_reason_that_its_target_gives():
    def find_target(zone, name):
        assert (zone, name) == ("ZELB", "web-1.elb.example.")
        return ["it lies elsewhere", "it was not found"]

    first, second = refusals([("CREATE", alias())], find_target=find_target)
    assert first.endswith("type A in zone ZELB, but it lies elsewhere")
    assert second.endswith("but it was not found")


def test_all_reasons_are_told_at_once():
    messages = refusals([("CREATE", record(values=["a", "b"])), ("DELETE", record("x.example"))])
    assert len(messages) == 3


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Name": "a.shop.example", "Type": "A"}, "but found none in Change with [Action=UPSERT"),
        ({"Name": "a.shop.example", "Type": "A", "TTL": 1}, "but found none"),
        ({**record(), "AliasTarget": BALANCER}, "but found more than one"),
        (alias(TTL=60), "an alias has no TTL"),
        (record(Weight=1), "Missing field 'SetIdentifier'"),
        (record(SetIdentifier="a"), "Expected exactly one of [Weight"),
        (record(SetIdentifier="a", Weight=1, Region="eu-west-1"), "more than one in Change"),
        (record(SetIdentifier="a", Weight=256), "from 0 to 255, not 256"),
    ],
)
def test_a_record_set_that_is_not_whole_is_invalid_input(given, words):
    with pytest.raises(InvalidInput) as caught:
        after([("UPSERT", given)])
    assert words in str(caught.value)


RECORDS = st.one_of(
    st.builds(
        lambda name, weight, who: alias(f"{name}.shop.example", Weight=weight, SetIdentifier=who),
        st.sampled_from("ab"),
        st.integers(0, 255),
        st.sampled_from("xyz"),
    ),
    st.builds(
        lambda name, kind: record(f"{name}.shop.example", kind, ["192.0.2.7"]),
        st.sampled_from("ab"),
        st.sampled_from(["A", "TXT", "CNAME"]),
    ),
)


@given(st.lists(st.tuples(st.sampled_from(["CREATE", "UPSERT", "DELETE"]), RECORDS), max_size=6))
def test_whatever_is_asked_a_zone_stays_one_that_route_53_could_have(changes):
    held = []
    for change in changes:
        try:
            held = [one.given for one in after([change], held).values()]
        except InvalidBatch:
            continue
    names = {one["Name"] for one in held}
    for name in names:
        there = [one for one in held if one["Name"] == name]
        types = {one["Type"] for one in there}
        assert types == {"CNAME"} or "CNAME" not in types
        for kind in types:
            same = [one for one in there if one["Type"] == kind]
            assert len({one.get("SetIdentifier") for one in same}) == len(same)
            assert len(same) == 1 or all("Weight" in one for one in same)
