"""A model in which aws-iam is deployed, changed and removed again and again, and killed."""
