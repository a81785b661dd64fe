"""The controller: all models, and what follows from a change of one."""
