# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""What the leader alone does."""
