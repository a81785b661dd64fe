# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""IAMIdentityMappings in the cluster: read, write, delete them, one or thousands."""
