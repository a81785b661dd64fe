# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Kubernetes: the client, the objects that the charm owns, and their rollout."""
