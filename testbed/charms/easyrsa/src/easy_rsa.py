"""A certificate authority in a folder, run by Debian's easy-rsa."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from legacy_certificates import Pair

_EASY_RSA = Path("/usr/share/easy-rsa")
_CLIENT = "client"


@dataclass(frozen=True)
class EasyRsa:
    """The authority whose files are in `folder`. Keys are RSA of 2048 bits, as the original's.

    What easy-rsa itself keeps is in `pki`; beside it is what the charm remembers.
    """

    folder: Path

    @property
    def pki(self) -> Path:
        """The folder that easy-rsa works in."""
        return self.folder.absolute() / "pki"

    def create(self, common_name: str) -> None:
        """Make the authority, unless it is there."""
        if not self._complete.exists():
            shutil.rmtree(self.pki, ignore_errors=True)
            self.folder.mkdir(parents=True, exist_ok=True)
            self._run("init-pki")
            self._run(f"--req-cn={common_name}", "build-ca", "nopass")
            self._complete.touch()

    def ca(self) -> str:
        """Return the authority's own certificate."""
        return (self.pki / "ca.crt").read_text()

    def client(self, name: str = _CLIENT) -> Pair:
        """Return the pair of a client; without a name, the one that all clients share."""
        if not self.has(name):
            self._run("build-client-full", name, "nopass")
        return self.pair(name)

    def server(self, name: str, sans: Sequence[str]) -> Pair:
        """Return the pair for a common name, a new one if the last was made for other names.

        One name has one pair, whoever asks for it.
        """
        record = self.folder / "names" / name
        wanted = json.dumps(sans)
        if not record.exists() or record.read_text() != wanted or not self.has(name):
            self.forget(name)
            options = [f"--subject-alt-name={','.join(map(_typed, sans))}"] if sans else []
            self._run(*options, "build-serverClient-full", name, "nopass")
            record.parent.mkdir(exist_ok=True)
            record.write_text(wanted)
        return self.pair(name)

    def has(self, name: str) -> bool:
        """Say whether there is a pair of this name."""
        return self._certificate(name).exists() and self._key(name).exists()

    def pair(self, name: str) -> Pair:
        """Return the pair of this name, which must exist."""
        return Pair(self._certificate(name).read_text(), self._key(name).read_text())

    def forget(self, name: str) -> None:
        """Have the pair of this name made again when it is next asked for."""
        self._certificate(name).unlink(missing_ok=True)
        self._key(name).unlink(missing_ok=True)
        (self.pki / "reqs" / f"{name}.req").unlink(missing_ok=True)

    def forget_pairs(self) -> None:
        """Have every pair made again when it is next asked for."""
        for certificate in (self.pki / "issued").glob("*.crt"):
            self.forget(certificate.stem)

    def forget_all(self) -> None:
        """Have the authority made again, too."""
        self._complete.unlink()

    @property
    def _complete(self) -> Path:
        return self.folder / "complete"

    def _certificate(self, name: str) -> Path:
        return self.pki / "issued" / f"{name}.crt"

    def _key(self, name: str) -> Path:
        return self.pki / "private" / f"{name}.key"

    def _run(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "EASYRSA": str(_EASY_RSA),
            "EASYRSA_PKI": str(self.pki),
            "EASYRSA_BATCH": "1",
        }
        subprocess.run(
            [str(_EASY_RSA / "easyrsa"), *arguments],
            env=environment,
            check=True,
            capture_output=True,
        )


def _typed(name: str) -> str:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return f"DNS:{name}"
    return f"IP:{name}"
