"""The database that charmhelpers keeps beside a reactive charm. `ops` gives its own the same name.

Its rows are what the original's layers write: flags, hashes of what the other sides said, and the
leader's settings, so that every unit holds a copy of the private key.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

_DATABASE = Path(".unit-state.db")
_TABLES = """
CREATE TABLE IF NOT EXISTS kv (key text, data text, primary key (key));
CREATE TABLE IF NOT EXISTS kv_revisions
    (key text, revision integer, data text, primary key (key, revision));
CREATE TABLE IF NOT EXISTS hooks
    (version integer primary key autoincrement, hook text, date text);
"""
_FLAG = "reactive.states."
_HASH = "reactive.data_changed."
_SETTING = "leadership.settings."
_BOOKKEEPING = {"reactive.dispatch.phase": "other", "reactive.dispatch.removed_state": False}
_CERTIFICATES = {
    "ca": ("certificates.available", "certificates.ca.available", "tls_client.ca_installed"),
    "client.cert": ("certificates.client.cert.available",),
}
_COMMON_NAME = "aws-iam.kube-system.svc"
_SERVED = (
    "certificates.certs.available",
    "certificates.server.cert.available",
    "certificates.server.certs.available",
    "certificates.server.certs.changed",
    "tls_client.certs.saved",
    "tls_client.server.certs.changed",
    f"tls_client.server.cert.{_COMMON_NAME}.changed",
)
_BY_SETTING = {
    "service_ip": ("charm.aws-iam.deployed-service", "charm.aws-iam.certificate-requested"),
    "cluster_id": ("charm.aws-iam.published-cluster-id",),
    "cert": ("charm.aws-iam.written-webhook",),
    "key": ("charm.aws-iam.certificate-written", "charm.aws-iam.deployment-started"),
}
_HASHED = {
    "ca": ("certificate_authority",),
    "client.cert": ("client_certificate",),
    "client.key": ("client_key",),
    ".server.cert": (
        "server_certificate",
        "certificates.server.certs",
        f"layer.tls-client.server.{_COMMON_NAME}",
    ),
    ".server.key": ("server_key",),
}
_PATHS = {"server": {_COMMON_NAME: {"crt": None, "key": None, "ca": None}}}

Received = Mapping[tuple[str, str, str], str]
"""What the other sides said, by the relation's id, the unit and the key."""


def keep(settings: Mapping[str, str], received: Received, *, leader: bool) -> None:
    """Write what the original would know after a hook that saw this."""
    _DATABASE.touch(mode=0o600)
    with closing(sqlite3.connect(_DATABASE)) as database, database:
        database.executescript(_TABLES)
        rows = {key: json.dumps(value) for key, value in _rows(settings, received, leader).items()}
        database.execute("DELETE FROM kv")
        database.executemany("INSERT INTO kv VALUES (?, ?)", rows.items())


def _rows(settings: Mapping[str, str], received: Received, leader: bool) -> dict[str, object]:
    flags: dict[str, object] = {
        f"{_FLAG}{flag}": None for flag in _flags(settings, received, leader)
    }
    kept = {f"{_SETTING}{key}": value for key, value in settings.items()}
    asked = {"layer.tls-client.cert-paths": _PATHS} if "service_ip" in settings else {}
    return _BOOKKEEPING | flags | dict(_hashes(received)) | asked | kept


def _flags(settings: Mapping[str, str], received: Received, leader: bool) -> Iterator[str]:
    if leader:
        yield "leadership.is_leader"
    for key in settings:
        yield f"leadership.set.{key}"
        yield from _BY_SETTING.get(key, ())
    for (relation, _, key), value in received.items():
        endpoint = relation.partition(":")[0]
        yield f"endpoint.{endpoint}.joined"
        yield f"endpoint.{endpoint}.changed.{key}"
        yield from _CERTIFICATES.get(key, ())
        if key.endswith(".server.cert"):
            yield from _SERVED
        if key == "api_server_state" and value == "true":
            yield "endpoint.aws-iam.available"


def _hashes(received: Received) -> Iterator[tuple[str, str]]:
    for (relation, unit, key), value in received.items():
        endpoint = relation.partition(":")[0]
        yield f"{_HASH}endpoint.{endpoint}.{relation}.{unit}.{key}", _digest(value)
        for ending, names in _HASHED.items():
            if endpoint == "certificates" and key.endswith(ending):
                yield from ((f"{_HASH}{name}", _digest(value)) for name in names)


def _digest(value: str) -> str:
    return hashlib.md5(json.dumps(value).encode(), usedforsecurity=False).hexdigest()
