"""Faults between a charm and the API server, for tests: see `intercept`."""
