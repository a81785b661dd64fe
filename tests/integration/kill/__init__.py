"""Deploy, change and remove aws-iam again and again, and kill its hooks on the way."""
