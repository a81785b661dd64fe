"""Who may log in: IAM principals, and the mappings that name them."""
