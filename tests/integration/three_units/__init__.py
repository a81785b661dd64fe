"""Charmed Kubernetes 1.28 with three control-plane units, deployed for each file."""
