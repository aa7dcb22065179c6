"""Instances as the mock runs them: user data as a process. Not a security boundary."""
