"""Charmed Kubernetes 1.28 with three control-plane units. The files share one model."""
