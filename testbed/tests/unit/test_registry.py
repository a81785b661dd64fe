"""The private registry: what it answers to a container runtime."""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import ssl
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from testbed.cluster import images, pki
from testbed.registry import server
from testbed.registry.content import Repository

NAME = "eks-distro/kubernetes-sigs/aws-iam-authenticator"
TAG = images.AUTHENTICATOR_TAGS[0]


class Client:
    """A container runtime, which trusts the registry's authority."""

    def __init__(self, port: int, authority: bytes) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cadata=authority.decode())

    def ask(self, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPSConnection("localhost", self._port, context=self._tls)
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def json(self, path: str) -> Any:
        return json.loads(self.ask(path)[1])


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    authority = pki.new_authority("ca")
    pair = pki.issue(authority, "registry", sans=["localhost"])
    for name, content in (("crt", pair.certificate_pem), ("key", pair.key_pem)):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "aws-iam-authenticator").write_bytes(b"code")
    (tmp_path / "aws").write_bytes(b"pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "crt", tmp_path / "key")
    repository = Repository(
        images.AUTHENTICATOR_REFERENCES, lambda: server.private_image(tmp_path, tmp_path / "aws")
    )
    running = server.Server(("127.0.0.1", 0), repository, tls)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,))
    thread.start()
    yield Client(running.server_address[1], authority.certificate_pem)
    running.shutdown()
    thread.join()
    running.server_close()


def test_an_image_is_pulled(client: Client) -> None:
    assert client.ask("/v2/")[0].status == 200
    manifest = client.json(f"/v2/{NAME}/manifests/{TAG}")
    (described,) = manifest["layers"]
    _, layer = client.ask(f"/v2/{NAME}/blobs/{described['digest']}")
    config = client.json(f"/v2/{NAME}/blobs/{manifest['config']['digest']}")

    assert described["digest"] == f"sha256:{hashlib.sha256(layer).hexdigest()}"
    assert described["size"] == len(layer)
    assert config["rootfs"]["diff_ids"] == [described["digest"]]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tree:
        assert {"aws-iam-authenticator", "etc/registry"} < set(tree.getnames())


def test_a_tag_is_resolved_to_a_digest_that_is_served_too(client: Client) -> None:
    path = f"/v2/{NAME}/manifests/"
    resolved, body = client.ask(path + TAG, method="HEAD")
    digest = resolved.headers["Docker-Content-Digest"]
    response, manifest = client.ask(path + digest)

    assert body == b""
    assert resolved.headers["Content-Length"] == str(len(manifest))
    assert response.headers["Content-Type"] == "application/vnd.oci.image.manifest.v1+json"
    assert digest == f"sha256:{hashlib.sha256(manifest).hexdigest()}"


def test_the_tags_of_an_image_are_listed(client: Client) -> None:
    listed = client.json(f"/v2/{NAME}/tags/list?n=1000")

    assert listed == {"name": NAME, "tags": sorted(images.AUTHENTICATOR_TAGS)}
    assert client.ask("/v2/another/tags/list")[0].status == 404


@pytest.mark.parametrize(
    "path", [f"/v2/{NAME}/manifests/v1", f"/v2/a/manifests/{TAG}", f"/v2/{NAME}/blobs/sha256:0"]
)
def test_another_image_is_not_found(client: Client, path: str) -> None:
    assert client.ask(path)[0].status == 404
