"""The uniter, the part of a unit's agent that chooses the next hook and runs it."""
