"""Whether the charm decides as the programs do that act on its decisions, and runs on its Pythons.

Each folder here is a Go module: a program that answers one question a line with their own code.
"""
