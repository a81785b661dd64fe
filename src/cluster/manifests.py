# SPDX-License-Identifier: Apache-2.0

"""The objects that the charm wants in the cluster. Pure."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import yaml

import templating
from access import partitions
from access.mapping import IdentityMapping, RoleBinding
from certificates import KeyPair
from cluster import references
from cluster.references import ObjectReference
from juju.proxies import NO_PROXIES, Proxies
from owner import EXPIRES, OWNER, REASON, SOURCE, Owner
from text import fingerprint, in_base64

# What the authenticator refuses of the backend for IAMIdentityMappings: aws-iam-authenticator,
# pkg/config/types.go, ReservedPrefixConfig.
_RESERVED = [{"backendMode": "CRD", "usernamePrefixReserveList": ["system:"]}]
# What the server completes nowhere: more than the charm has set is another value.
_WHOLE = ("data", "openAPIV3Schema", "rules", "selector", "subjects")

Manifest = dict[str, Any]


# What the policy does with a mapping that its writer may not make, by the option mapping-policy.
POLICY_ACTIONS = {"enforce": ["Deny", "Audit"], "warn": ["Warn", "Audit"]}
# How many groups of one mapping the policy can check one by one: its budget is 28 rights.
MOST_CHECKED_GROUPS = 20
# How many labels, annotations, finalizers and owners a mapping may have, and how many characters
# they may have in all: each of the authenticator's pods keeps all mappings in memory.
MOST_METADATA_PARTS, MOST_METADATA_CHARACTERS = 64, 8_192
# How many characters the names of fields may have that Kubernetes keeps beside these.
MOST_MANAGED_CHARACTERS = 16_384


@dataclasses.dataclass(frozen=True)
class Spec:
    """What the authenticator is to be."""

    image: str
    replicas: int
    cluster_id: str
    pair: KeyPair
    partition: str = partitions.DEFAULT
    proxies: Proxies = NO_PROXIES
    authorities: str = ""  # What it trusts besides the image's own authorities, as PEM.
    # Whether it refuses mappings to Kubernetes' own users, such as `system:admin`.
    reserves: bool = False


def reference(manifest: Manifest) -> ObjectReference:
    """Return the reference to the object that ``manifest`` describes."""
    metadata = manifest["metadata"]
    return ObjectReference(
        manifest["apiVersion"], manifest["kind"], metadata["name"], metadata.get("namespace")
    )


def service(owner: Owner, address: str, *, same_node: bool = False) -> Manifest:
    """Return the Service; ``address`` is the ClusterIP to ask for, empty for any.

    With ``same_node``, each control plane asks the pod on its own node, as long as that is ready.
    """
    text = templating.render("service.yaml.j2", address=address, same_node=same_node)
    return _marked(owner, text)[0]


def crd(*, strict: bool, partition: str = partitions.DEFAULT) -> Manifest:
    """Return the CustomResourceDefinition of IAMIdentityMapping.

    With ``strict``, the API server refuses new mappings that can never work, which includes those
    whose logins an authenticator of ``partition`` refuses. That needs Kubernetes 1.30: an older
    server checks stored mappings too, at every write, and so would refuse what the authenticator
    itself writes into them.
    """
    accepted = partitions.accepted(partition)
    text = templating.render("crd.yaml.j2", strict=strict, partitions=accepted)
    return yaml.load(text, yaml.CSafeLoader)


def mapping_policy(owner: Owner, mode: str) -> list[Manifest]:
    """Return the policy on who may write mappings, and its binding, which Kubernetes 1.30 has.

    ``mode`` is the value of the option mapping-policy.
    """
    actions = POLICY_ACTIONS[mode]
    text = templating.render(
        "mapping-policy.yaml.j2",
        actions=actions,
        groups=MOST_CHECKED_GROUPS,
        parts=MOST_METADATA_PARTS,
        length=MOST_METADATA_CHARACTERS,
        managed=MOST_MANAGED_CHARACTERS,
    )
    return _marked(owner, text)


def identity_mapping(mapping: IdentityMapping) -> Manifest:
    """Return the IAMIdentityMapping ``mapping``, which the charm makes."""
    annotations = {EXPIRES: mapping.expires, REASON: mapping.reason}
    return {
        "apiVersion": references.MAPPINGS,
        "kind": references.MAPPING,
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


def role_binding(binding: RoleBinding, uid: str) -> Manifest:
    """Return the RoleBinding, or the ClusterRoleBinding, that comes with the mapping of this
    ``uid``: Kubernetes deletes it once that is gone."""
    owner = {
        "apiVersion": references.MAPPINGS,
        "kind": references.MAPPING,
        "name": binding.mapping,
        "uid": uid,
    }
    where = {"namespace": binding.namespace} if binding.namespace else {}
    return {
        "apiVersion": f"{references.RBAC}/v1",
        "kind": "RoleBinding" if binding.namespace else "ClusterRoleBinding",
        "metadata": {
            "name": binding.name,
            **where,
            "labels": {**references.LABELS, SOURCE: binding.source},
            "ownerReferences": [owner],
        },
        "roleRef": {
            "apiGroup": references.RBAC,
            "kind": "ClusterRole",
            "name": binding.role,
        },
        "subjects": [{"apiGroup": references.RBAC, "kind": "Group", "name": binding.group}],
    }


def authenticator(owner: Owner, spec: Spec) -> list[Manifest]:
    """Return everything else, in the order in which to apply it: the Deployment is the last."""
    server_config = templating.render(
        "server.yaml.j2",
        cluster_id=spec.cluster_id,
        partition=spec.partition,
        reserved=_RESERVED if spec.reserves else [],
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
        authorities=spec.authorities,
        authorities_hash=fingerprint(spec.authorities),
    )
    return _marked(owner, text)


def holds(stored: Any, wanted: Any, name: str = "") -> bool:
    """Return whether what is ``stored`` has all that is ``wanted``, so an apply is not needed.

    The server completes objects, and others may set fields that the charm does not. But a list has
    no other items than those that are wanted. Finalizers are everybody's.

    ``name`` is that of the part that these are.
    """
    if name in _WHOLE:
        return stored == wanted
    if name == "finalizers":
        return set(wanted) <= set(stored or ())
    if isinstance(wanted, dict) and isinstance(stored, dict):
        parts, found = cast("Manifest", wanted), cast("Manifest", stored)
        return all(holds(found.get(key), value, key) for key, value in parts.items())
    if isinstance(wanted, list) and isinstance(stored, list):
        found, items = _named(cast("list[Any]", stored)), _named(cast("list[Any]", wanted))
        return found.keys() == items.keys() and holds(found, items)
    return stored == wanted


def _named(items: list[Any]) -> dict[Any, Any]:
    """Return the items of a list by their names, which others may have put in another order; those
    without names by their places."""
    return {
        cast("Manifest", item).get("name", place) if isinstance(item, dict) else place: item
        for place, item in enumerate(items)
    }


def _proxies_hash(spec: Spec) -> str:
    # People who may not read the Secret can read the hash. Without the key in it, they could find
    # a short password by trying.
    return fingerprint("\0".join([spec.pair.key, *map(str, spec.proxies.urls.items())]))


def _marked(owner: Owner, text: str) -> list[Manifest]:
    manifests = list(yaml.load_all(text, yaml.CSafeLoader))
    for manifest in manifests:
        manifest["metadata"]["annotations"] = {OWNER: owner.mark}
    return manifests
