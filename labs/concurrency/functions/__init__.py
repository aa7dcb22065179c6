"""Article 2's pipeline: one function publishes names of objects, another copies each of them.

`publisher` and `copier` are Lambda functions, each a file that runs alone. What binds them is the
message on the topic: JSON, {"version": 1, "key": the object's key}.
"""
