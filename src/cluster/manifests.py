"""The objects that the charm wants in the cluster; pure: same input, same objects."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import Any

import templating
from access import arn

NAMESPACE = "kube-system"
NAME = "aws-iam-authenticator"
SECRET = "aws-iam-certs"  # noqa: S105  (a name)
# The pods' annotation that tells which pair they serve with.
CERTIFICATE_HASH = "aws-iam/certificate-hash"
POD_LABELS = {"k8s-app": NAME}
HOSTNAMES = (f"{NAME}.{NAMESPACE}.svc", f"{NAME}.{NAMESPACE}.svc.cluster.local")

Manifest = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Bundle:
    """What the pods serve with: PEM texts. ``certificate`` is the leaf and its
    intermediates, ``ca`` what a client must trust."""

    certificate: str
    key: str = dataclasses.field(repr=False)
    ca: str

    @property
    def hash(self) -> str:
        """A name for the pair: the pods are replaced when it changes."""
        return _hash(self.certificate + self.key)


def service(address: str | None) -> Manifest:
    """The Service; ``address`` is the ClusterIP to ask for, None for any."""
    return _load(templating.render("service.yaml.j2", address=address))[0]


def mapping_definition(*, strict: bool) -> Manifest:
    """The CustomResourceDefinition of IAMIdentityMapping.

    ``strict`` refuses, at admission, mappings that can never work. It asks for a server of
    1.30 or newer: an older one would check stored mappings on every write, the
    authenticator's own included, and so break them.
    """
    return _load(templating.render("crd.yaml.j2", strict=strict, partitions=arn.PARTITIONS))[0]


def authenticator(*, image: str, replicas: int, cluster_id: str, served: Bundle) -> list[Manifest]:
    """Everything else, in the order in which it is applied."""
    server_config = templating.render("server.yaml.j2", cluster_id=cluster_id)
    text = templating.render(
        "authenticator.yaml.j2",
        image=image,
        replicas=replicas,
        server_config=server_config,
        config_hash=_hash(server_config),
        certificate=_base64(served.certificate),
        key=_base64(served.key),
        ca=_base64(served.ca),
        certificate_hash=served.hash,
    )
    return _load(text)


def _load(text: str) -> list[Manifest]:
    import yaml

    return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
