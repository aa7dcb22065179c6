"""Programs that run in processes of their own: the sandbox and the zygote that forks it.

They are started by path, so that a cold start pays for nothing but the standard library. Only
`frames` is imported by the mock too.
"""
