"""What stands in for AWS: an STS and the DNS that leads to it."""
