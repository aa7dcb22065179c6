"""What Route 53 would answer for a name in one of the mock's hosted zones.

A reader of the address book's "zones" (`labs.cloud.mock.zones` writes them), oldest first:

    [{"name": "shop.example",
      "vpcs": ["vpc-1"],                      a private zone's; None: public
      "names": {"www.shop.example": {"A": [
          {"weight": 90, "alias": "old-1.us-east-1.elb.amazonaws.com"},
          {"weight": 10, "alias": "new-2.us-east-1.elb.amazonaws.com"}]},
                "*.shop.example": {"A": [{"values": ["203.0.113.10"]}]}}}]

Every look-up asks anew, so each new connection gets a choice of its own. On AWS resolvers keep an
answer for its TTL (60 s for an alias of a load balancer), and their clients follow it as long:
here a new weight counts at once, and shares come out smoother than there.

A zone answers as soon as it exists: nobody has to register its domain or delegate to it. Of two
zones with one name, the younger answers. Health checks are not looked at (EvaluateTargetHealth
neither). Names with failover, latency, geographic or IP-based records do not resolve.

Sources: Amazon Route 53 Developer Guide, "Choosing a routing policy" (weighted, multivalue answer),
"Choosing between alias and non-alias records", "Considerations when working with a private hosted
zone"; RFC 1034, 4.3.2 and RFC 4592 (wildcards).

Standard library only, for any Python from 3.8.
"""

#: Names that one look-up may lead through: aliases and CNAMEs can go round in a circle.
HOPS = 8
#: Route 53 answers a multivalue query with that many records at most.
MULTIVALUE = 8


class NoAnswer(Exception):
    """There is no address. rcode: DNS's word for it; NOERROR: the name exists, without one."""

    def __init__(self, rcode, why):
        super().__init__(why)
        self.rcode = rcode


def resolve(zones, name, vpc=None, is_outside=lambda name: False):
    """Where a name leads: IP literals, or one name that no zone has; [name] for such a name.

    name: in lower case, without a final dot. vpc: where the caller is, None for the internet.
    is_outside: whether a name is none of the zones' business, though one may cover it.
    Raises NoAnswer for a name in a zone that has no address there.
    """

    def is_ours(name):
        return not is_outside(name) and any(covers(zone, name) for zone in zones)

    if not is_ours(name):
        return [name]
    found, refusal = [], None
    for kind in ("A", "AAAA"):
        try:
            found += _follow(zones, name, kind, vpc, is_ours)
        except NoAnswer as error:
            refusal = refusal or error
    if not found:
        raise refusal
    return found


def _follow(zones, name, kind, vpc, is_ours):
    """The literals at the end of aliases and CNAMEs, or a name outside the zones.

    The latter for A only: what has no zone here is a balancer's or the internet's name, and the
    look-up of that name gives all its addresses.
    """
    seen = name
    for _ in range(HOPS):
        if not is_ours(seen):
            if kind == "A":
                return [seen]
            raise NoAnswer("NOERROR", f"{seen} has no AAAA record here")
        record = answer(zones, seen, kind, vpc)
        if "alias" in record:
            seen = record["alias"]
        elif record["type"] == "CNAME":
            seen = record["values"][0].lower().rstrip(".")
        else:
            return record["values"]
    raise NoAnswer("SERVFAIL", f"{name} leads through more than {HOPS} names")


def answer(zones, name, kind, vpc=None):
    """The record that answers a query: {"type": ..., "values": [...]} or {..., "alias": NAME}.

    A CNAME answers a query for any type. Raises NoAnswer, also for a name that no zone covers.
    """
    zone = zone_of(zones, name, vpc)
    if zone is None:
        private = any(covers(zone, name) for zone in zones)
        where = "the VPCs of its private zone only" if private else "no hosted zone"
        raise NoAnswer("NXDOMAIN", f"{name} is known in {where}")
    types = types_of(zone["names"], name, zone["name"])
    if types is None:
        raise NoAnswer("NXDOMAIN", f"the hosted zone {zone['name']} has no record for {name}")
    kind = "CNAME" if "CNAME" in types else kind
    if not types.get(kind):
        raise NoAnswer("NOERROR", f"the hosted zone {zone['name']} has no {kind} record for {name}")
    return {"type": kind, **choose(types[kind], name)}


def covers(zone, name):
    """Is the name the zone's own, or below it?"""
    return name == zone["name"] or name.endswith("." + zone["name"])


def zone_of(zones, name, vpc):
    """The zone that answers a caller: the closest to the name, a private one of its VPC first."""
    covering = [zone for zone in zones if covers(zone, name)]
    private = [zone for zone in covering if vpc and vpc in (zone["vpcs"] or ())]
    seen = private or [zone for zone in covering if zone["vpcs"] is None]
    return max(reversed(seen), key=lambda zone: len(zone["name"]), default=None)


def types_of(names, name, apex):
    """The records of a name, by type; {} for one that only has names below; None: no such name.

    A wildcard answers for a name that does not exist, if it stands directly below the closest
    parent that does.
    """
    if name in names:
        return names[name]
    if _has_below(names, name):
        return {}
    while name != apex:
        name = name.partition(".")[2]
        if "*." + name in names:
            return names["*." + name]
        if name in names or _has_below(names, name):
            return None
    return None


def _has_below(names, name):
    return any(other.endswith("." + name) for other in names)


def choose(records, name):
    """One of the records that a name has for one type, as its routing policy says.

    Weighted: by weight; never one of weight 0, unless all are 0: then each as often as another.
    The order of several values is random, as Route 53's is.
    """
    # A generator of its own: neither does random.seed() set it nor does it move the caller's.
    from random import SystemRandom  # most processes never look into a zone

    generator = SystemRandom()
    policies = {record["policy"] for record in records if "policy" in record}
    if policies - {"multivalue"}:
        raise NoAnswer(
            "SERVFAIL", f"mock AWS has no motor for the {min(policies)} records of {name}"
        )
    if policies:
        some = generator.sample(records, min(len(records), MULTIVALUE))
        return {"values": [value for record in some for value in record["values"]]}
    weights = [record.get("weight", 1) for record in records]
    chosen = generator.choices(records, weights if any(weights) else None)[0]
    if "alias" in chosen:
        return {"alias": chosen["alias"]}
    return {"values": generator.sample(chosen["values"], len(chosen["values"]))}
