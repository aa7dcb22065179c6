"""Load balancers as the mock runs them: state from the API, traffic through real proxies."""
