# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The catalogue of every text that `juju status` can show. Pure.

`make docs` writes docs/reference/statuses.md from it, in the order that it has here.
"""
