"""Collect everything that the charm leaves behind, and replace what differs from run to run.

Two runs with the same result are equal here. New keys, addresses and numbers read as `<ca>` or
`<address>`. A hash reads as `<hash of …>` only if it is the hash of exactly that text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jubilant
import yaml
from lightkube import Client
from lightkube.resources.apiextensions_v1 import CustomResourceDefinition
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import ConfigMap, Secret, Service, ServiceAccount
from lightkube.resources.policy_v1 import PodDisruptionBudget
from lightkube.resources.rbac_authorization_v1 import (
    ClusterRole,
    ClusterRoleBinding,
)

INSIDE = (Service, Deployment, ConfigMap, Secret, ServiceAccount, PodDisruptionBudget)
OUTSIDE = (ClusterRole, ClusterRoleBinding, CustomResourceDefinition)
_OURS = re.compile("aws-iam|iamidentitymapping")
_NEW_EACH_TIME = ("uid", "resourceVersion", "creationTimestamp", "generation")
_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
_PEM = re.compile(r"-----BEGIN ([A-Z ]+)-----.*?-----END \1-----", re.DOTALL)

# Runs on the machine. It prints every file of the charm with its mode, and whether the webhook
# answers a client that trusts the authority in the file. kube-proxy may be a moment behind.
_ON_THE_MACHINE = r"""
import base64, json, os, re, socket, ssl, time
files = {}
for folder, _, names in os.walk("/root/cdk"):
    for name in names:
        path = os.path.join(folder, name)
        if "auth-webhook" not in path:
            files[path] = [oct(os.stat(path).st_mode & 0o777), open(path).read()]
def healthy(text):
    host, port = re.search(r"https://(.*):(\d+)/authenticate", text).groups()
    ca, name = (re.search(key + r": *\"?([^\"\s]+)", text)[1]
                for key in ("certificate-authority-data", "tls-server-name"))
    context = ssl.create_default_context(cadata=base64.b64decode(ca).decode())
    with socket.create_connection((host, int(port)), 2) as plain:
        with context.wrap_socket(plain, server_hostname=name) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return connection.recv(100).split(b"\r\n")[0].decode()
said, deadline = "no webhook", time.monotonic() + 10
while "/root/cdk/aws-iam-webhook.yaml" in files and time.monotonic() < deadline:
    try:
        said = healthy(files["/root/cdk/aws-iam-webhook.yaml"][1])
        break
    except OSError as error:
        said = str(error)
        time.sleep(0.2)
print(json.dumps({"files": files, "healthz": said}))
"""


def everything(juju: jubilant.Juju, client: Client, peer: str, unit: str) -> dict[str, Any]:
    """Return all traces of aws-iam: in Juju, in the cluster, and on the machine of ``peer``.

    ``unit`` is aws-iam's unit, or was it before the removal.
    """
    found = {
        "juju": _juju(juju, peer, unit),
        "machine": json.loads(
            juju.exec(f"python3 -c {shlex.quote(_ON_THE_MACHINE)}", unit=peer).stdout
        ),
        "cluster": _cluster(client),
    }
    return _replaced(found, sorted(_names(found, unit), key=lambda pair: -len(pair[0])))


def ours(items: Iterable[Any]) -> Iterator[Any]:
    """Yield the objects among ``items`` that are the charm's."""
    return (item for item in items if _OURS.search(item.metadata.name))


def objects(client: Client) -> Iterator[tuple[Any, str, str | None]]:
    """Yield kind, name and namespace of every object of the charm."""
    for kind, item in _items(client):
        yield kind, item.metadata.name, item.metadata.namespace


def _cluster(client: Client) -> dict[str, Any]:
    return {
        f"{kind.__name__} {item.metadata.name}": _comparable(item.to_dict())
        for kind, item in _items(client)
    }


def _items(client: Client) -> Iterator[tuple[Any, Any]]:
    inside = ((kind, client.list(kind, namespace="kube-system")) for kind in INSIDE)
    outside = ((kind, client.list(kind)) for kind in OUTSIDE)
    for kind, items in (*inside, *outside):
        yield from ((kind, item) for item in ours(items))


def _comparable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the fields that time changes, and with its secrets decoded."""
    metadata = {k: v for k, v in item["metadata"].items() if k not in _NEW_EACH_TIME}
    metadata["managedFields"] = [
        {k: v for k, v in entry.items() if k != "time"}
        for entry in metadata.get("managedFields", [])
        if entry["manager"] == "aws-iam"
    ]
    if annotations := metadata.get("annotations"):
        annotations.pop("deployment.kubernetes.io/revision", None)
    item = {**item, "metadata": metadata}
    if "status" in item:
        item["status"] = {k: v for k, v in item["status"].items() if k in _COUNTS}
    if metadata["name"] == "aws-iam-certs":
        item["data"] = {k: base64.b64decode(v).decode() for k, v in item["data"].items()}
    return item


def _juju(juju: jubilant.Juju, peer: str, unit: str) -> dict[str, Any]:
    status = juju.status()
    application = status.apps.get("aws-iam")
    units = [peer, *([unit] if application else [])]
    shown = yaml.safe_load(juju.cli("show-unit", *units))
    found: dict[str, Any] = {"applications": sorted(status.apps), "relations": {}}
    for name, about in shown.items():
        ids = {str(r["relation-id"]): f"<id of {r['endpoint']}>" for r in about["relation-info"]}
        for relation in about["relation-info"]:
            del relation["relation-id"]
            published = relation.get("application-data", {})
            if number := published.get("relation"):
                published["relation"] = ids.get(number, number)
            found["relations"][f"{name} {relation['endpoint']}"] = _decoded(relation)
    if application:
        workload = status.get_units("aws-iam")[unit].workload_status
        found["version"] = application.version
        found["application"] = _status(application.app_status)
        found["unit"] = _status(workload)
    return found


def _decoded(value: Any) -> Any:
    """Decode relation data, in which many values are JSON."""
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    return json.loads(value) if isinstance(value, str) and value[:1] in ("{", "[") else value


def _status(status: Any) -> str:
    return f"{status.current}: {status.message}"


def _names(found: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    """Yield what is to be replaced, and by what."""
    yield unit, "<unit>"
    yield unit.replace("/", "_"), "<unit_>"
    relations = found["juju"]["relations"]
    published = relations.get(f"{unit} peers", {}).get("application-data", {})
    for name in ("cluster-id", "address"):
        if published.get(name):
            yield published[name], f"<{name}>"
    service = found["cluster"].get("Service aws-iam-authenticator", {}).get("metadata", {})
    if owner := service.get("annotations", {}).get("aws-iam/owner"):
        yield owner, "<owner>"
    yield from _hashes(published.get("ca", ""), "ca")
    yield from _authority(relations.get(f"{unit} certificates", {}), unit)
    for mode_and_text in found["machine"]["files"].values():
        yield from _hashes(mode_and_text[1], "webhook file")
    config = found["cluster"].get("ConfigMap aws-iam-authenticator", {}).get("data", {})
    yield from _hashes(config.get("config.yaml", ""), "config")
    secret = found["cluster"].get("Secret aws-iam-certs", {}).get("data", {})
    yield from _hashes(secret.get("cert.pem", "") + secret.get("key.pem", ""), "pair")


def _authority(relation: Mapping[str, Any], unit: str) -> Iterator[tuple[str, str]]:
    for about in relation.get("related-units", {}).values():
        data = about["data"]
        yield data["ingress-address"], "<machine>"
        texts = {name: data.get(name, "") for name in ("ca", "client.cert", "client.key")}
        for reply in data.get(f"{unit.replace('/', '_')}.processed_requests", {}).values():
            texts.update(reply)
        for name, text in texts.items():
            for block in _PEM.finditer(text):
                yield block[0], f"<{name}>"


def _hashes(text: str, name: str) -> Iterator[tuple[str, str]]:
    if text:
        yield hashlib.sha256(text.encode()).hexdigest()[:32], f"<hash of {name}>"
        yield base64.b64encode(text.encode()).decode(), f"<base64 of {name}>"


def _replaced(value: Any, names: list[tuple[str, str]]) -> Any:
    if isinstance(value, dict):
        return {_replaced(k, names): _replaced(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_replaced(item, names) for item in value]
    if not isinstance(value, str):
        return value
    for text, name in names:
        value = value.replace(text, name)
    # Other keys and certificates that an authority or the charm made for itself.
    return _PEM.sub(lambda block: f"<some {block[1].lower()}>", value)
