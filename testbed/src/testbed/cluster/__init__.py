"""The cluster: machines as namespaces, their services, keys and images."""
