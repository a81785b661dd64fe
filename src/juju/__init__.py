# SPDX-License-Identifier: Apache-2.0

"""Juju: what it tells the unit, what the unit tells it, and the other ends of its relations."""
