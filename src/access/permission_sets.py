"""Permission sets of IAM Identity Center, and the IAM roles that it makes of them. Pure."""

from __future__ import annotations

import dataclasses
import re

# The API of IAM Identity Center: a permission set's name.
_NAME = re.compile(r"[\w+=,.@-]{1,32}", re.ASCII)
_ACCOUNT = re.compile(r"[0-9]{12}")
_SUFFIX = re.compile(r"[0-9a-f]{16}")


@dataclasses.dataclass(frozen=True)
class PermissionSet:
    """A permission set in an account; ``suffix`` is what its role's name ends with, if known.

    Raises:
        ValueError: one of them cannot be; the text says which.
    """

    name: str
    account: str
    suffix: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name[:40]!r} is not the name of a permission set")
        if not _ACCOUNT.fullmatch(self.account):
            raise ValueError(f"account {self.account[:40]!r} is not 12 digits")
        if self.suffix and not _SUFFIX.fullmatch(self.suffix):
            raise ValueError(f"suffix {self.suffix[:40]!r} is not 16 hexadecimal digits")

    def matches(self, canonical_arn: str) -> bool:
        """Return whether ``canonical_arn`` is the role of this set, in any partition."""
        role = f"role/AWSReservedSSO_{self.name}_"
        head, _, suffix = canonical_arn.rpartition("_")
        _, _, service, region, account, resource = [*f"{head}_".split(":", 5), *[""] * 6][:6]
        return (
            (service, region, account) == ("iam", "", self.account)
            and resource.lower() == role.lower()
            and bool(_SUFFIX.fullmatch(suffix))
            and self.suffix in ("", suffix)
        )

    def role_arn(self, partition: str) -> str:
        """Return the ARN of the role, without its path; the suffix must be known."""
        role = f"AWSReservedSSO_{self.name}_{self.suffix}"
        return f"arn:{partition}:iam::{self.account}:role/{role}"
