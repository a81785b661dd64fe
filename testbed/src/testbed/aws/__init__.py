"""The stand-ins for AWS: an STS, and the DNS that leads to it."""
