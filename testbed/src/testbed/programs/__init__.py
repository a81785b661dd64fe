"""The programs of the cluster, built from Go modules."""
