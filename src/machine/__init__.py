# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The control-plane machine: the files on it, and what the reactive charm left there."""
