"""What runs in the cluster, what it is made of, and what the unit says when it fails."""
