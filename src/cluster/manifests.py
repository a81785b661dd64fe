# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The objects that the charm wants in the cluster. Pure: same input, same objects."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import labels
import libyaml
import templating
from access import partitions
from access.mapping import IdentityMapping
from certificates.keypair import KeyPair
from juju.proxies import NO_PROXIES, Proxies
from labels import EXPIRES, SOURCE
from owner import Owner, short_name
from text import fingerprint, in_base64

NAMESPACE = "kube-system"
NAME = "aws-iam-authenticator"
# Where Kubernetes keeps the events of objects without a namespace.
EVENTS = "default"
# What all objects of the charm have.
LABELS = {"aws-iam": "true"}
POD_LABELS = {"k8s-app": NAME}
# Where each pod serves logins and metrics, as the templates have it.
POD_PORT = 21362
CRD = "iamidentitymappings.iamauthenticator.k8s.aws"
# What the keys of proxies have in common, in Secret aws-iam-certs.
PROXY_KEY = "_PROXY-"

Manifest = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class ObjectReference:
    """An object by its kind and name; ``namespace`` is None for a cluster-scoped one."""

    api_version: str
    kind: str
    name: str = NAME
    namespace: str | None = NAMESPACE


SECRET = ObjectReference("v1", "Secret", name="aws-iam-certs")
PULL_SECRET = ObjectReference("v1", "Secret", name="aws-iam-pull-secret")
DEPLOYMENT = ObjectReference("apps/v1", "Deployment")
SERVICE = ObjectReference("v1", "Service")
ENDPOINTS = ObjectReference("v1", "Endpoints")
# Kubernetes 1.30 and newer has these kinds.
POLICY = tuple(
    ObjectReference("admissionregistration.k8s.io/v1", kind, "aws-iam-mappings", None)
    for kind in ("ValidatingAdmissionPolicyBinding", "ValidatingAdmissionPolicy")
)
# What the policy does with a mapping that its writer may not make, by the option mapping-policy.
POLICY_ACTIONS = {"enforce": ["Deny", "Audit"], "warn": ["Warn", "Audit"]}
# How many groups of one mapping the policy can check one by one: its budget is 28 rights.
MOST_CHECKED_GROUPS = 20
# What goes when the charm goes, in the order in which it goes: the pods first, the Service last.
# The CRD stays: with it would go the mappings, which are people's.
OWNED = (
    DEPLOYMENT,
    ObjectReference("policy/v1", "PodDisruptionBudget"),
    PULL_SECRET,
    SECRET,
    ObjectReference("v1", "ConfigMap"),
    ObjectReference("rbac.authorization.k8s.io/v1", "RoleBinding", namespace=EVENTS),
    ObjectReference("rbac.authorization.k8s.io/v1", "Role", namespace=EVENTS),
    ObjectReference("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", namespace=None),
    ObjectReference("rbac.authorization.k8s.io/v1", "ClusterRole", namespace=None),
    ObjectReference("v1", "ServiceAccount"),
    *POLICY,
    SERVICE,
)
# Objects that an option asks for. The charm deletes them when the option is reset.
OPTIONAL = (PULL_SECRET,)
PERSONS_PULL_SECRET = (
    f"Secret {PULL_SECRET.name} is not the charm's: save it under another name if it is needed, "
    f"then run: kubectl -n {NAMESPACE} delete secret {PULL_SECRET.name}"
)


@dataclasses.dataclass(frozen=True)
class Spec:
    """What the authenticator is to be.

    ``pull_secret`` has the credentials for the image's registry, as Docker writes them; it is
    empty if the registry wants none.
    """

    image: str
    replicas: int
    cluster_id: str
    pair: KeyPair
    partition: str = partitions.DEFAULT
    proxies: Proxies = NO_PROXIES
    pull_secret: str = dataclasses.field(default="", repr=False)
    # What it trusts besides the image's own authorities, as PEM.
    authorities: str = ""


def reference(manifest: Manifest) -> ObjectReference:
    """Return the reference to the object that ``manifest`` describes."""
    metadata = manifest["metadata"]
    return ObjectReference(
        manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace")
    )


def removal_command() -> str:
    """Return the commands with which a person removes everything that the charm owns."""
    kept = (*OPTIONAL, *POLICY)
    owned = [what for what in OWNED if what not in kept and what.namespace != EVENTS]
    objects = _named(owned)
    policy = _named(POLICY)
    elsewhere = _named([what for what in OWNED if what.namespace == EVENTS])
    # A person may have a Secret of the pull secret's name, without the charm's label.
    optional = f"--selector aws-iam=true --field-selector metadata.name={PULL_SECRET.name}"
    return (
        f"kubectl -n {NAMESPACE} delete --ignore-not-found {objects}; "
        f"kubectl -n {EVENTS} delete --ignore-not-found {elsewhere}; "
        f"kubectl -n {NAMESPACE} delete secret {optional}; "
        f"kubectl delete --ignore-not-found {policy}; "
        f"kubectl delete iamidentitymappings --selector {SOURCE}"
    )


def _named(found: Sequence[ObjectReference]) -> str:
    return " ".join(f"{what.kind.lower()}/{what.name}" for what in found)


def service_removal(principal: str, name: str) -> str:
    """Return the command that deletes a Service, from the machine of the unit ``principal``."""
    kubectl = "/snap/bin/kubectl --kubeconfig /root/.kube/config"
    return f"juju exec --unit {principal} -- {kubectl} -n {NAMESPACE} delete service {name}"


def foreign(mark: str) -> str:
    """Return the status where another application owns the objects, by its ``mark``."""
    return (
        f"this cluster's authenticator belongs to {short_name(mark)}; if that is gone, run: "
        f"kubectl -n {NAMESPACE} annotate service {NAME} {labels.OWNER}-"
    )


def service(owner: Owner, address: str | None, *, extra: bool = False) -> Manifest:
    """Return the Service; ``address`` is the ClusterIP to ask for, None for any.

    An ``extra`` Service is for an address that the first one does not have.
    """
    name = extra_service(address).name if extra and address else NAME
    text = templating.render("service.yaml.j2", service=name, address=address, kept=False)
    return _marked(owner, text)[0]


def extra_service(address: str) -> ObjectReference:
    """Return the reference to the Service for an address that the first one does not have."""
    digits = ipaddress.ip_address(address).exploded.replace(".", "-").replace(":", "-")
    return dataclasses.replace(SERVICE, name=f"{NAME}-{digits}")


def kept_service(address: str, unit: str, name: str = NAME) -> Manifest:
    """Return the Service that only keeps ``address``, for the control-plane unit ``unit``.

    It has no owner, so any application of this charm takes it over.
    """
    text = templating.render("service.yaml.j2", service=name, address=address, kept=True)
    manifest = libyaml.load(text)
    manifest["metadata"]["annotations"] = {labels.KEPT_FOR: unit}
    return manifest


def endpoint_slice(name: str) -> ObjectReference:
    """Return the reference to an EndpointSlice."""
    return ObjectReference("discovery.k8s.io/v1", "EndpointSlice", name)


def crd(*, strict: bool, partition: str = partitions.DEFAULT) -> Manifest:
    """Return the CustomResourceDefinition of IAMIdentityMapping.

    With ``strict``, the API server refuses new mappings that can never work, which includes those
    whose logins an authenticator of ``partition`` refuses. That needs Kubernetes 1.30: an older
    server checks stored mappings too, at every write, and so would refuse what the authenticator
    itself writes into them.
    """
    return libyaml.load(
        templating.render("crd.yaml.j2", strict=strict, partitions=partitions.accepted(partition))
    )


def mapping_policy(owner: Owner, mode: str) -> list[Manifest]:
    """Return the policy on who may write mappings, and its binding, which Kubernetes 1.30 has.

    ``mode`` is the value of the option mapping-policy.
    """
    actions = POLICY_ACTIONS[mode]
    text = templating.render("mapping-policy.yaml.j2", actions=actions, groups=MOST_CHECKED_GROUPS)
    return _marked(owner, text)


def identity_mapping(owner: Owner, mapping: IdentityMapping, permission_set: str = "") -> Manifest:
    """Return the IAMIdentityMapping ``mapping``, which the charm makes.

    ``permission_set`` is the set whose role it maps, as ``<set>@<account>``.
    """
    annotations = {
        labels.OWNER: owner.mark,
        EXPIRES: mapping.expires,
        labels.PERMISSION_SET: permission_set,
    }
    return {
        "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
        "kind": "IAMIdentityMapping",
        "metadata": {
            "name": mapping.name,
            "labels": {SOURCE: mapping.source},
            "annotations": {key: value for key, value in annotations.items() if value},
        },
        "spec": {
            "arn": mapping.arn,
            "username": mapping.username,
            "groups": list(mapping.groups),
        },
    }


def authenticator(owner: Owner, spec: Spec) -> list[Manifest]:
    """Return everything else, in the order in which to apply it: the Deployment is the last."""
    server_config = templating.render(
        "server.yaml", cluster_id=spec.cluster_id, partition=spec.partition
    )
    text = templating.render(
        "authenticator.yaml.j2",
        image=spec.image,
        replicas=spec.replicas,
        server_config=server_config,
        config_hash=fingerprint(server_config),
        certificate=in_base64(spec.pair.certificate),
        key=in_base64(spec.pair.key),
        ca=in_base64(spec.pair.ca),
        certificate_hash=spec.pair.hash,
        proxies={name: in_base64(url) for name, url in spec.proxies.urls.items()},
        proxies_hash=_proxies_hash(spec),
        no_proxy=spec.proxies.no_proxy,
        pull_secret=in_base64(spec.pull_secret),
        authorities=spec.authorities,
        authorities_hash=fingerprint(spec.authorities),
    )
    return _marked(owner, text)


def keep_proxies(manifest: Manifest, proxies: Mapping[str, str]) -> Manifest:
    """Return ``manifest``, where it is the Secret's, with the keys of ``proxies`` too."""
    if reference(manifest) != SECRET:
        return manifest
    data = manifest["data"]
    kept = {key: in_base64(url) for key, url in proxies.items() if key not in data}
    return {**manifest, "data": {**data, **kept}}


def _proxies_hash(spec: Spec) -> str:
    # People who may not read the Secret can read the hash. Without the key in it, they could find
    # a short password by trying.
    return fingerprint("\0".join([spec.pair.key, *map(str, spec.proxies.urls.items())]))


def _marked(owner: Owner, text: str) -> list[Manifest]:
    manifests = libyaml.load_all(text)
    for manifest in manifests:
        manifest["metadata"]["annotations"] = {labels.OWNER: owner.mark}
    return manifests
