"""What the units of vault share, in the peers' databag: the leader writes, all read."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass

import ops

from vault_pki import Authority


@dataclass(frozen=True)
class Store:
    """The application's part of the databag of `peers`, which is None while there is none."""

    peers: ops.Relation | None
    app: ops.Application

    @property
    def token(self) -> str:
        """The token that authorizes the charm; there is none while vault is sealed."""
        return self._read("token")

    def unseal(self) -> str:
        """Unseal vault if it is not, and return its token."""
        token = self.token or f"s.{secrets.token_hex(12)}"
        self._write("token", token)
        return token

    @property
    def authorized(self) -> bool:
        """Whether the charm may use vault."""
        return bool(self._read("authorized"))

    def authorize(self) -> None:
        """Let the charm use vault."""
        self._write("authorized", "true")

    @property
    def root(self) -> str:
        """The root's certificate, which is what every requirer trusts."""
        return self._read("root-ca")

    @property
    def pki(self) -> Authority | None:
        """The authority, which may still wait for its certificate."""
        stored = self._read("pki")
        return Authority(**json.loads(stored)) if stored else None

    @property
    def authority(self) -> Authority | None:
        """The authority, once it has a certificate."""
        pki = self.pki
        return pki if pki and pki.certificate else None

    def keep(self, pki: Authority | None, root: str) -> None:
        """Put an authority, or none, in the place of the one that there is."""
        self._write("pki", json.dumps(asdict(pki)) if pki else "")
        self._write("root-ca", root)

    def _read(self, key: str) -> str:
        return self.peers.data[self.app].get(key, "") if self.peers else ""

    def _write(self, key: str, value: str) -> None:
        if self.peers:
            self.peers.data[self.app][key] = value
