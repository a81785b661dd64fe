# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""What the verdicts are about, fetched from the cluster, the pods and this machine."""
