"""Load balancers that route: the data plane behind moto's `elb` and `elbv2`.

In the mock's own process:

    service.Balancing  follows moto's state: snapshot -> plane -> address book, health
    snapshot           moto's backends as plain data (`shapes`)
    process            the plane's process, and the connection to it
    hooks              what moto answers from then on

In the plane's process, one for all proxies (`python -m labs.cloud.mock.balancing.plane`):

    plane              applies snapshots: opens and closes listeners
    fronts, routers    a listener at layer 4 or layer 7, and where its requests go
    pools, health, checks   targets, their state, and how it is found out
    network            who reaches whom, at which address, through which loopback port

The proxies themselves are those that learners read: `labs.loadbalancing.layer4`, `.layer7` and
`.rules`. Listeners for UDP, TCP_UDP, QUIC and Gateway Load Balancers are accepted by the API and
not served. Accepted without effect, too: TLS policies, mutual TLS, access logs and metrics, and a
Classic balancer's back-end authentication. Cross-zone load balancing is always on, whatever its
attribute says: all targets of a group share its traffic.
"""
