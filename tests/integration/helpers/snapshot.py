"""Everything that a cluster and its machines have, to be compared before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jubilant
from tests.integration.helpers import units
from tests.integration.helpers.kubernetes import Cluster

Object = dict[str, Any]

# What Kubernetes itself renews or forgets all the time.
_VOLATILE = {"events", "events.events.k8s.io", "leases.coordination.k8s.io", "componentstatuses"}
_SYSTEMS_OWN = ("resourceVersion", "generation", "managedFields")
# Where the machine's people and charms keep files. What else is there is the system's.
_FOLDERS = "/root/cdk /root/.kube /home /etc /opt /srv /usr/local /var/lib/aws-iam"
_LIST = f"""
for folder in {_FOLDERS}; do [ ! -e $folder ] || find $folder -xdev -printf '%y %m %l %p\\n'; done
find /root/cdk /root/.kube /home -xdev -type f -exec sha256sum {{}} +
"""


@dataclass(frozen=True)
class Snapshot:
    """What was there at one moment: objects by kind, namespace and name, and files by their paths.

    Neither has what changes by itself, such as an object's status.
    """

    objects: Mapping[str, Object]
    files: Mapping[str, str]


def take(juju: jubilant.Juju, cluster: Cluster) -> Snapshot:
    """Return everything that the cluster and the machines of its control planes have now."""
    return Snapshot(objects(cluster), files(juju))


def objects(cluster: Cluster) -> dict[str, Object]:
    """Return every object of every kind that the cluster lists."""
    return {name(each): _content(each) for each in _listed(cluster)}


def files(juju: jubilant.Juju) -> dict[str, str]:
    """Return every file of the machines of control planes, with its content where people look."""
    found: dict[str, str] = {}
    for unit in units.principals(juju):
        for line in juju.exec(_LIST, unit=unit).stdout.splitlines():
            about, path = line.rsplit(maxsplit=1)
            found[f"{unit}:{path}"] = found.get(f"{unit}:{path}", "") + about
    return found


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Return what is new (+), gone (-) or different (~), each by its name."""
    return [*_compared(before.objects, after.objects), *_compared(before.files, after.files)]


def _listed(cluster: Cluster, *args: str) -> list[Object]:
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    return cluster.get(",".join(sorted({*kinds} - _VOLATILE)), "--all-namespaces", *args)["items"]


def name(found: Object) -> str:
    """Return an object's kind, and its name with the namespace before it."""
    metadata = found["metadata"]
    # Kubernetes adds letters of chance to it.
    said = f"{metadata['generateName']}…" if "generateName" in metadata else metadata["name"]
    namespace = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{found['kind']} {namespace}{said}"


def _content(found: Object) -> Object:
    """Return an object without its status, and without what the API server says of its changes."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in _SYSTEMS_OWN}
    return {key: value for key, value in found.items() if key != "status"} | {"metadata": metadata}


def _compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    signs = {each: "+" for each in after if each not in before}
    signs |= {each: "-" for each in before if each not in after}
    signs |= {each: "~" for each in after if each in before and before[each] != after[each]}
    return [f"{signs[each]} {each}" for each in sorted(signs)]
