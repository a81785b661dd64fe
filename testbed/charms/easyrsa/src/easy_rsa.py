"""A certificate authority in a folder, run by Debian's easy-rsa."""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from legacy_certificates import Pair

_EASY_RSA = Path("/usr/share/easy-rsa")
_CLIENT = "client"


@dataclass(frozen=True)
class EasyRsa:
    """The authority whose files are in `folder`. Keys are RSA of 2048 bits, as the original's."""

    folder: Path

    def create(self, common_name: str) -> None:
        """Make the authority, unless it is there."""
        if not self._ready.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._run("init-pki")
            self._run(f"--req-cn={common_name}", "build-ca", "nopass")
            self._ready.touch()

    def ca(self) -> str:
        """Return the authority's own certificate."""
        return (self.folder / "ca.crt").read_text()

    def client(self) -> Pair:
        """Return the pair that all clients share."""
        if not self._certificate(_CLIENT).exists():
            self._run("build-client-full", _CLIENT, "nopass")
        return self._pair(_CLIENT)

    def server(self, name: str, sans: tuple[str, ...]) -> Pair:
        """Return the pair for a common name, made anew where it was made for other names.

        One name has one pair, whoever asks for it.
        """
        record = self.folder / f"{name}.sans"
        wanted = json.dumps(sans)
        known = record.read_text() if record.exists() else ""
        if known != wanted or not self._certificate(name).exists():
            self._forget(name)
            options = [f"--subject-alt-name={','.join(map(_typed, sans))}"] if sans else []
            self._run(*options, "build-serverClient-full", name, "nopass")
            record.write_text(wanted)
        return self._pair(name)

    def forget_pairs(self) -> None:
        """Have every pair made anew when it is next asked for."""
        for certificate in (self.folder / "issued").glob("*.crt"):
            self._forget(certificate.stem)

    def forget_all(self) -> None:
        """Have the authority made anew, too."""
        shutil.rmtree(self.folder)

    @property
    def _ready(self) -> Path:
        return self.folder / "created"

    def _certificate(self, name: str) -> Path:
        return self.folder / "issued" / f"{name}.crt"

    def _pair(self, name: str) -> Pair:
        key = self.folder / "private" / f"{name}.key"
        return Pair(self._certificate(name).read_text(), key.read_text())

    def _forget(self, name: str) -> None:
        self._certificate(name).unlink(missing_ok=True)
        (self.folder / "private" / f"{name}.key").unlink(missing_ok=True)
        (self.folder / "reqs" / f"{name}.req").unlink(missing_ok=True)

    def _run(self, *arguments: str) -> None:
        environment = {
            **os.environ,
            "EASYRSA": str(_EASY_RSA),
            "EASYRSA_PKI": str(self.folder),
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
