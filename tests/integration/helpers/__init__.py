"""What integration tests and benchmarks share.

Everything works with any Juju in a lab, but for `testbed_only` and what imports it: `load`.
"""
