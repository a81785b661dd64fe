# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The verdict of each step: what was seen, and what fixes it. Most are pure."""
