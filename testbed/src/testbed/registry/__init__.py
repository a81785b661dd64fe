"""The stand-in for a private image registry, which wants credentials."""
