"""People log in for hours, while everything changes in turn."""
