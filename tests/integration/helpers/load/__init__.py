"""A steady load of logins through the real API servers, and what became of each."""
