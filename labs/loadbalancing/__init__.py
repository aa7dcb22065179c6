"""Load balancing: a layer-4 and a layer-7 proxy, the rules of an ALB, packets and traffic.

Nothing here knows the mock or a notebook. The mock carries its load balancers' traffic with the
very proxies that lesson 12 reads.
"""
