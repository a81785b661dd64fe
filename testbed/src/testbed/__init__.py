"""A real Kubernetes cluster, an AWS STS and a Juju stand-in on one Linux machine."""
