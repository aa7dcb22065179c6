"""Route 53's motor: names in a hosted zone resolve, with the weights that its records have.

    records   moto's hosted zones as plain data, for the address book
    batch     what ChangeResourceRecordSets does to a zone, or refuses
    hooks     what moto answers from then on

The names are looked up where they are needed, in kernel, sandboxes, instances and for curl:
`labs.cloud.names.labs_zones` says how, and what differs from AWS.
"""
