"""How the stand-in refuses: each error is what its user reads."""

from __future__ import annotations


class JujuError(Exception):
    """Juju refuses the operation: one line for the operator, exit code 1."""

    code = 1


class UsageError(JujuError):
    """The arguments are wrong: exit code 2, as in Juju."""

    code = 2


class UnsupportedError(UsageError):
    """Juju can do this, and this stand-in cannot."""

    def __init__(self, what: str):
        super().__init__(
            f"{what} is outside this testbed's subset of juju (see testbed/README.md)"
        )


class SshError(JujuError):
    """The machine refuses the connection: ssh's own message and exit code."""

    code = 255


class ToolError(Exception):
    """A hook tool fails: the text for its stderr, and its exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


class CommitError(Exception):
    """The controller refuses what a hook has written, and so takes nothing of it."""


class HelpRequested(Exception):
    """The arguments contain `--help` or `-h`: the answer is the usage text, with exit code 0."""
