"""The walk through the page that an operator and a person follow, on the testbed."""
