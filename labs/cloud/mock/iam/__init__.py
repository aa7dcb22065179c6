"""Who may do what: the mock checks the calls of functions, under their role's policies."""
