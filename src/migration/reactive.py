# SPDX-License-Identifier: Apache-2.0

"""What the reactive aws-iam charm left in Juju and on the machine, for `juju refresh`."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

from errors import Waiting
from machine import files
from machine.files import Machine
from statuses import waiting
from text import brief

# All that it kept in leader data, the private key included.
_LEADER_DATA = ("cluster_id", "service_ip", "cert", "key")
# The same, as each unit's database has it, and that database's tables of charmhelpers.
_COPIED_LEADER_DATA = b"leadership.settings."
_TABLES = ("kv", "kv_revisions", "hooks")
_DATABASE_SECONDS = 1
# Its layers wrote files for root and its group only, which nobody does by hand.
_MODE = 0o440
_COMMAND_SECONDS = 60


def cluster_id() -> str:
    """Return the cluster id in its leader data; empty where there is none.

    The rest of that data is of no use: the certificate is for another host name, and the
    Service still has its address.

    Raise `errors.Waiting` if Juju does not answer: another id would end everybody's kubeconfig.
    """
    try:
        found = subprocess.run(
            ["leader-get", "cluster_id"], capture_output=True, text=True, timeout=30, check=True
        )
    except FileNotFoundError:  # Juju 4 has no leader data.
        return ""
    except (OSError, subprocess.SubprocessError) as error:
        raise Waiting(waiting.JUJU(cause=brief(error))) from error
    return found.stdout.strip()


def remove_files(machine: Machine) -> None:
    """Remove its files from the machine; one of them holds the private key in plain text."""
    addons = machine.root / "root/cdk/addons"
    names = ("secret", "deployment", "service")
    files.remove(*(addons / f"aws-iam-{name}.yaml" for name in names))


def remove_state(database: Path) -> None:
    """Erase its layers' tables from the unit's database, and with them the private key.

    ops has tables of its own in the same file. It locks the file from its start to the end of the
    hook, so this must come first. A later hook tries again what fails.
    """
    with contextlib.suppress(OSError):
        if _COPIED_LEADER_DATA in database.read_bytes():
            _erase_tables(database)


def _erase_tables(database: Path) -> None:
    import sqlite3

    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(
            sqlite3.connect(database, timeout=_DATABASE_SECONDS, isolation_level=None)
        ) as connection,
    ):
        # VACUUM copies all that is left to a file of its own, unless told to use memory.
        connection.execute("PRAGMA temp_store = MEMORY")
        # Unused pages still hold former copies, and VACUUM writes the file without them. It comes
        # first, so that the next hook still finds the rows if this one is killed after it.
        connection.execute("VACUUM")
        connection.execute("PRAGMA secure_delete = ON")
        for table in _TABLES:
            connection.execute(f"DROP TABLE IF EXISTS {table}")


def trusted_authority(machine: Machine, application: str) -> Path:
    """Return where it put the authority that the whole machine trusts."""
    return machine.root / f"usr/local/share/ca-certificates/{application}.crt"


def trust_store(machine: Machine) -> Path:
    """Return the folder of the authorities that the machine trusts."""
    return machine.root / "etc/ssl/certs"


def remove_trust(machine: Machine, application: str) -> None:
    """Have the machine no longer trust the authority of its certificates.

    A later hook tries again what fails.
    """
    authority = trusted_authority(machine, application)
    # update-ca-certificates reads *.crt only. Under this name the file is a reminder until the
    # machine's bundle is without it.
    leaving = authority.with_name(f"{application}.crt.removed")
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if authority.is_file() and authority.stat().st_mode & 0o777 == _MODE:
            authority.replace(leaving)
        if leaving.exists():
            _remove_links(trust_store(machine), authority)
            _run("update-ca-certificates").check_returncode()
            # Its exit code is about other people's files, too.
            _run("openssl", "rehash", str(trust_store(machine)))
            leaving.unlink()


def _remove_links(store: Path, authority: Path) -> None:
    """Remove the link to the file, and the links by its hash to that one.

    OpenSSL finds an authority by a link that is named after its hash, and stops at one that
    dangles. If another file holds the same authority, `openssl rehash` makes a link to it, but
    leaves a dangling one in front.
    """
    targets = (authority, Path(f"{authority.stem}.pem"))
    for link in store.iterdir():
        if link.is_symlink() and link.readlink() in targets:
            link.unlink()


def _run(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, capture_output=True, timeout=_COMMAND_SECONDS, check=False)


def remove_leader_data() -> bool:
    """Remove its leader data, and return whether Juju did so; if not, a later hook must.

    Leader only.
    """
    command = ["leader-set", *(f"{key}=" for key in _LEADER_DATA)]
    try:
        subprocess.run(command, capture_output=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
