# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Juju: what it tells the unit, what the unit tells it, and the other ends of its relations."""
