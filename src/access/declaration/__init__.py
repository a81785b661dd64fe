# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The option `mappings`: its formats, its entries, and what must change to follow it."""
