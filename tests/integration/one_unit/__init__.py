"""Charmed Kubernetes 1.28 with one unit. The files share one model; the last removes the charm."""
