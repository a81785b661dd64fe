"""Charmed Kubernetes 1.28 with one unit: a model for each folder, which its files share."""
