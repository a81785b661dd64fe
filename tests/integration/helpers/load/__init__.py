"""Log in at a steady rate through the real API servers, and report what became of each login."""
