# SPDX-License-Identifier: Apache-2.0

"""The catalogue of every text that `juju status` can show. Pure.

`make docs` writes docs/reference/statuses.md from it, in the order that it has here.
"""
