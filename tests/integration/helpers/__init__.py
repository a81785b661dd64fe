"""What integration tests and benchmarks share.

Everything works on any controller, but for `testbed_only` and what imports it: `load`.
"""
