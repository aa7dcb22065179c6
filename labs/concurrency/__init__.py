"""The copies of article 2: many objects from bucket to bucket, one by one and many at a time.

`workload` has the objects, `copying` the ways to copy them, `figures` what they look like.
"""
