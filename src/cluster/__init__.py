"""Kubernetes: the client, the objects that the charm owns, and their rollout."""
