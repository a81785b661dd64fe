"""The weekly look at the default image, at the testbed's registry: red for an old image."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from scripts import watch_image

from testbed.cluster import images, pki
from testbed.programs import build, modules
from testbed.programs.modules import Module
from testbed.registry import server
from testbed.registry.content import Repository

NAME = images.AUTHENTICATOR.partition("/")[2]
MODULE = Module(modules.HERE / "authenticator")
NEWEST, OLDER = "v0.7.18-cvefix-eks-1-36-9", "v0.7.17-eks-1-36-4"
MODIFIED = "2026-10-09T00:00:00Z"
# https://vuln.go.dev/ID/GO-2026-6617.json, and the same as if a later Go had it.
OF_GO = [("0", "1.26.9"), ("1.27.0-0", "1.27.2")]
OF_EVERY_GO = [("0", "1.999.0")]


@dataclass
class Registry:
    """A running registry, which has some tags of one image."""

    port: int

    def image(self, tag: str) -> str:
        return f"localhost:{self.port}/{NAME}:{tag}"


def database(folder: Path, ranges: Sequence[tuple[str, str]]) -> str:
    """Write a database of vulnerabilities with one of Go's own, and return its URL."""
    events = [
        {kind: version}
        for both in ranges
        for kind, version in zip(("introduced", "fixed"), both, strict=True)
    ]
    entry = {
        "schema_version": "1.3.1",
        "id": "GO-2026-6617",
        "modified": MODIFIED,
        "published": MODIFIED,
        "aliases": ["CVE-2026-97032"],
        "details": "HTTP/2 server crash",
        "affected": [
            {
                "package": {"name": "stdlib", "ecosystem": "Go"},
                "ranges": [{"type": "SEMVER", "events": events}],
                "ecosystem_specific": {"imports": [{"path": "net/http"}]},
            }
        ],
    }
    listed = {"id": entry["id"], "modified": MODIFIED, "fixed": ranges[-1][1]}
    files = {
        "index/db.json": {"modified": MODIFIED},
        "index/modules.json": [{"path": "stdlib", "vulns": [listed]}],
        "index/vulns.json": [{**listed, "aliases": entry["aliases"]}],
        f"ID/{entry['id']}.json": entry,
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return f"file://{folder}"


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Serve an image on the loopback interface, with the authenticator that the testbed builds."""
    authority = pki.new_authority("ca")
    pair = pki.issue(authority, "registry", sans=["localhost"])
    contents = {"crt": pair.certificate_pem, "key": pair.key_pem, "ca": authority.certificate_pem}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    programs = build.built([MODULE])
    references = [f"{images.AUTHENTICATOR}:{tag}" for tag in (NEWEST, OLDER)]
    repository = Repository(references, lambda: server.private_image(programs, tmp_path / "ca"))
    with server.Server(("127.0.0.1", 0), repository, tls) as running:
        port = running.server_address[1]
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca"))
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield Registry(port)
        running.shutdown()


def look(capsys: pytest.CaptureFixture[str], image: str, database: str) -> tuple[int, str]:
    code = watch_image.main([image, "--database", database])
    printed = capsys.readouterr()
    return code, printed.out or printed.err


# A tag, the published vulnerabilities, how the job ends, what it says, and what it does not say.
LOOKS: dict[str, tuple[str, list[tuple[str, str]], int, tuple[str, ...], str]] = {
    "the newest, and fixed": (
        NEWEST,
        OF_GO,
        0,
        (f"\n{MODULE.toolchain} built it.\n", "It is the newest, and no vulnerability of it"),
        "Error",
    ),
    "an older one": (OLDER, OF_GO, 1, (f"\n- `{NEWEST}`\n",), "vulnerabilities:"),
    "a vulnerability": (
        NEWEST,
        OF_EVERY_GO,
        1,
        ("- GO-2026-6617 CVE-2026-97032: fixed in stdlib v1.999.0\n",),
        "no vulnerability",
    ),
    "none": ("v9.9.9", OF_GO, 2, ("scripts/watch_image: crane: ",), "newest"),
}


@pytest.mark.parametrize(("tag", "known", "code", "said", "unsaid"), LOOKS.values(), ids=LOOKS)
def test_given_an_image_then_the_job_is_red_if_it_is_old_or_vulnerable(
    registry: Registry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tag: str,
    known: list[tuple[str, str]],
    code: int,
    said: tuple[str, ...],
    unsaid: str,
) -> None:
    found, text = look(capsys, registry.image(tag), database(tmp_path, known))

    assert found == code, text
    assert all(each in text for each in said), text
    assert unsaid not in text


@pytest.mark.parametrize(
    ("tag", "newer"),
    [
        ("v0.7.18-cvefix-eks-1-36-9", ["v0.7.21-eks-1-37-5", "v0.7.18-cvefix-eks-1-36-10"]),
        ("v0.7.18-cvefix-eks-1-36-10", ["v0.7.21-eks-1-37-5"]),
        ("v0.7.21-eks-1-37-5", []),
        ("v0.7.18-eks-1-35-1", ["v0.7.21-eks-1-37-5"]),
        ("nightly", []),
    ],
)
def test_given_tags_of_several_kubernetes_then_a_later_build_or_version_is_newer(
    tag: str, newer: list[str]
) -> None:
    tags = [
        *("v0.7.18-cvefix-eks-1-36-10", "v0.7.18-cvefix-eks-1-36-9", "v0.7.18-cvefix-eks-1-37-3"),
        *("v0.7.21-eks-1-37-5", "v0.7.4-eks-1-34-latest", "sha256-0123.sig", "latest"),
    ]

    assert watch_image.newer(tags, tag) == newer


def test_given_no_image_then_it_is_the_charms_default() -> None:
    assert watch_image.default_image().startswith(f"{images.AUTHENTICATOR}:v")
