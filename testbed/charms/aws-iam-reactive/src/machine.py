"""What the reactive layers leave on the machine and beside the charm, whatever the charm does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

_VENV = Path("../.venv")
_BOOTSTRAPPED = Path("wheelhouse/.bootstrapped")
_CONFIG = Path(".juju-persistent-config")
_AUTHORITIES = Path("/usr/local/share/ca-certificates")
_READABLE_BY_GROUP = 0o440
_FOLDER = 0o770


def bootstrap() -> None:
    """Leave what the first hook's installation of Python packages leaves."""
    if _BOOTSTRAPPED.exists():
        return
    (_VENV / "bin").mkdir(parents=True, exist_ok=True)
    (_VENV / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    _BOOTSTRAPPED.touch()


def keep_config(config: Mapping[str, object]) -> None:
    """Keep the options' values, by which the next hook would know that they changed."""
    _CONFIG.touch(mode=0o600)
    _CONFIG.write_text(json.dumps(config))


def trust(application: str, authority: str, folder: Path = _AUTHORITIES) -> None:
    """Have the whole machine trust an authority (PEM, empty for none)."""
    path = folder / f"{application}.crt"
    if not authority or (path.exists() and path.read_text() == authority):
        return
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(_FOLDER)
    path.write_text(authority)
    path.chmod(_READABLE_BY_GROUP)
    subprocess.run(["update-ca-certificates"], check=True, capture_output=True)
