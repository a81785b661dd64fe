"""A settled unit: no former pod serves beside its own, it only reads, and it undoes what somebody
changed of the charm's objects.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import jubilant
from tests.integration.helpers import juju_status, testbed_only, units
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import KUBE_SYSTEM, MAPPINGS, Cluster

from testbed.faults.client import Faults

Object = dict[str, Any]
Patch = list[Object]

_NAME = "aws-iam-authenticator"
_AT_ONCE = ("--force", "--grace-period=0", "--ignore-not-found")
_SERVICE = f"kube-system service/{_NAME}"
_GROUP = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:authenticated"}
_GROUPS = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/groups/default"


def _add(path: str, value: Any) -> Patch:
    return [{"op": "add", "path": path, "value": value}]


# What is changed of each object, which has its namespace in front.
CHANGES: dict[str, Patch] = {
    f"kube-system serviceaccount/{_NAME}": _add("/metadata/annotations/aws-iam~1owner", "mallory"),
    f"kube-system configmap/{_NAME}": _add("/data/config.yaml", "clusterID: other"),
    "kube-system secret/aws-iam-certs": [{"op": "remove", "path": "/metadata/labels/aws-iam"}],
    f"kube-system poddisruptionbudget/{_NAME}": _add("/spec/maxUnavailable", 2),
    f"kube-system deployment/{_NAME}": _add("/spec/strategy/rollingUpdate/maxSurge", 2),
    _SERVICE: _add("/spec/selector/x", "y"),
    f"- clusterrole/{_NAME}": _add("/rules/0/resourceNames", ["x"]),
    f"- clusterrolebinding/{_NAME}": _add("/subjects/-", _GROUP),
    f"- crd/{MAPPINGS}": _add(_GROUPS, ["system:masters"]),
    "- validatingadmissionpolicy/aws-iam-mappings": _add("/spec/failurePolicy", "Ignore"),
    "- validatingadmissionpolicybinding/aws-iam-mappings": _add(
        "/spec/validationActions", ["Audit"]
    ),
}


def end_former_pods(juju: jubilant.Juju, cluster: Cluster) -> None:
    """End the pods at once that would serve for another minute, and have the leader see it."""
    for pod in cluster.pods():
        if "deletionTimestamp" in pod["metadata"]:
            cluster.kubectl("delete", *KUBE_SYSTEM, "pod", pod["metadata"]["name"], *_AT_ONCE)
    juju_status.run_update_status(juju, units.leader(juju))
    juju_status.wait_until_active(juju)


def check_only_reads(juju: jubilant.Juju) -> None:
    """Check that a hook of the leader, which finds nothing to do, writes nothing."""
    testbed_only.require("only the testbed stands between a charm and the API server")
    juju_status.wait_until_active(juju)
    with Faults(juju.model or "", "aws-iam") as tap:
        juju_status.run_update_status(juju, units.leader(juju))
        sent = tap.requests()
    written = [f"{each.method} {each.path}" for each in sent if each.method != "GET"]
    assert sent
    assert not written, written


def check_changes_are_undone(juju: jubilant.Juju, cluster: Cluster) -> None:
    """Check that the next hook undoes changes: plain ones, and those whose maker forges owners."""
    juju_status.wait_until_active(juju)
    before, applied = _contents(cluster, CHANGES), _applied_fields(cluster)
    for what, patch in CHANGES.items():
        cluster.kubectl("patch", *_where(what), "--type=json", "-p", json.dumps(patch))
    _check_undone(juju, cluster, before)
    for what in CHANGES:
        _forget_managers(cluster, what)
    _forge_selector(cluster, applied)
    _check_undone(juju, cluster, before)


def _check_undone(juju: jubilant.Juju, cluster: Cluster, before: Mapping[str, Object]) -> None:
    changed = [each for each, now in _contents(cluster, before).items() if now != before[each]]
    assert changed, "nothing has changed"
    with juju_status.frequent_update_status(juju):
        eventually(lambda: _contents(cluster, before) == before, f"as before: {changed}")
    juju_status.wait_until_active(juju)


def _contents(cluster: Cluster, names: Iterable[str]) -> dict[str, Object]:
    return {what: _content(_get(cluster, what)) for what in names}


def _content(found: Object) -> Object:
    """Return what the charm sets: all but the status, and what others say in the metadata."""
    metadata = found["metadata"]
    owner = metadata.get("annotations", {}).get("aws-iam/owner")
    fields = {key: value for key, value in found.items() if key not in ("metadata", "status")}
    return {**fields, "labels": metadata.get("labels"), "owner": owner}


def _forget_managers(cluster: Cluster, what: str) -> None:
    """Let the API server forget who applied what of an object."""
    none = json.dumps({"metadata": {"managedFields": [{}]}})
    cluster.kubectl("patch", *_where(what), "--type=merge", "-p", none)


def _applied_fields(cluster: Cluster) -> Object:
    """Return which fields of the Service the charm has applied, as the API server notes it."""
    noted = _get(cluster, _SERVICE)["metadata"]["managedFields"]
    return next(
        each for each in noted if each["manager"] == "aws-iam" and each["operation"] == "Apply"
    )


def _forge_selector(cluster: Cluster, applied: Object) -> None:
    """Let the Service select nothing, as if the charm owned one label of its selector only."""
    service = _get(cluster, _SERVICE)
    service["spec"]["selector"]["x"] = "y"
    applied["fieldsV1"]["f:spec"]["f:selector"] = {"f:k8s-app": {}}
    service["metadata"]["managedFields"] = [applied]
    cluster.kubectl("replace", "-f", "-", stdin=json.dumps(service))


def _get(cluster: Cluster, what: str) -> Object:
    return cluster.get(*_where(what), "--show-managed-fields")


def _where(what: str) -> tuple[str, ...]:
    namespace, name = what.split()
    return ("-n", "default" if namespace == "-" else namespace, name)
