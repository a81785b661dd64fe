"""The controller: what follows from a change of a model, for all models."""
