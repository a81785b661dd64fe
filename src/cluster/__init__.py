# SPDX-License-Identifier: Apache-2.0

"""Kubernetes: the client, the objects that the charm owns, and their rollout."""
