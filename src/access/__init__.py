# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Who may log in: IAM principals, and the mappings that name them."""
