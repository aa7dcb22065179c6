"""How fast the mock is, how much it weighs, and whether it keeps the budgets of the design.

    python -m tests.benchmarks                     all of it, about six minutes
    python -m tests.benchmarks --only "lambda.*"   some of it

Run with the environment's Python, from the repository. Each run prints a table and appends its
rows to data/benchmarks.csv. The mock is a process of its own and its clients are threads of this
one; on two cores they share the machine, and from eight threads on the client is as busy as the
mock. Nothing here is collected by pytest: tests do not depend on how fast a machine is.
"""
