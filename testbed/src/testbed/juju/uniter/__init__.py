"""The unit agent: which hook a unit runs next, and running it."""
