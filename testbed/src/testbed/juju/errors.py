"""What the stand-in says when it refuses."""

from __future__ import annotations


class JujuError(Exception):
    """An operation that Juju refuses: one line for the operator, exit code 1."""

    code = 1


class UsageError(JujuError):
    """Bad arguments: as in the original, exit code 2."""

    code = 2


class UnsupportedError(UsageError):
    """Something that Juju has and this stand-in has not."""

    def __init__(self, what: str):
        super().__init__(
            f"{what} is outside this testbed's subset of juju (see testbed/README.md)"
        )


class ToolError(Exception):
    """A hook tool that fails: what it writes to stderr, and its exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


class HelpRequested(Exception):
    """`--help` or `-h` among the arguments: the answer is the usage text and exit code 0."""
