"""What the role of Vault's engine `pki` allows, by the options of the charm. Pure.

The charm of 1.16 and 1.17 makes a role for one domain and what is below it, and Vault allows
addresses by default. That of 1.18 has options for both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Refusal(NamedTuple):
    """Why a request is refused: the code that the charm gives it, and what Vault says."""

    code: str
    text: str


@dataclass(frozen=True)
class Role:
    """The names that are signed. An authority that has no common name has no role yet."""

    common_name: str
    domains: tuple[str, ...]
    allows_subdomains: bool = True
    allows_addresses: bool = True
    says_why: bool = False
    """Whether a refusal is an answer. Otherwise it is in the charm's log alone."""

    @classmethod
    def load(cls, config: Mapping[str, object]) -> Role:
        """Return the role of the track that has these options."""
        if "common_name" in config:
            name = str(config["common_name"])
            return cls(name, (name,))
        name = str(config.get("pki_ca_common_name", ""))
        domains = str(config.get("pki_allowed_domains", "")) or name
        return cls(
            name,
            tuple(domain.strip() for domain in domains.split(",")),
            allows_subdomains=bool(config["pki_allow_subdomains"]),
            allows_addresses=bool(config["pki_allow_ip_sans"]),
            says_why=True,
        )

    def refusal(
        self, common_name: str, names: Collection[str], addresses: Collection[str]
    ) -> Refusal | None:
        """Return why these are refused; None if they are not.

        As Vault, it looks at the common name first, then at the other names, then at addresses.
        The charm looks for "subject alternative name", which is not what Vault writes of a name.
        A domain itself is not below itself, and Vault calls it bare, which no track allows.
        """
        if not self._allows(common_name):
            text = f"common name {common_name} not allowed by this role"
            return Refusal("DOMAIN_NOT_ALLOWED", text)
        for name in sorted(names):
            if not self._allows(name):
                return Refusal("OTHER", f"subject alternate name {name} not allowed by this role")
        if addresses and not self.allows_addresses:
            text = "IP Subject Alternative Names are not allowed in this role, but was provided "
            return Refusal("IP_NOT_ALLOWED", f"{text}some via CSR")
        return None

    def _allows(self, name: str) -> bool:
        below = (domain for domain in self.domains if name.endswith(f".{domain}"))
        return self.allows_subdomains and any(below)
