"""The objects in the cluster, and whose their fields are."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

import yaml
from tests.fakes.juju.model import OWNER
from tests.fuzz import mutate, samples
from tests.fuzz.functions.config import IMAGES
from tests.fuzz.runner import Target, Violation

from certificates.keypair import KeyPair
from cluster import answers, manifests
from errors import Waiting
from migration import csa_upgrade


def make_objects(rng: Random) -> dict[str, str]:
    """Return what the objects are made of, with damage."""
    good = {"image": IMAGES[0], "cluster_id": "prod", "certificate": samples.LEAF}
    key = rng.choice(sorted(good))
    return {**good, key: mutate.utf8(mutate.text(rng, good[key]))}


def check_objects(sample: dict[str, str]) -> None:
    """Check that no value changes anything but its own field."""
    pair = KeyPair(sample["certificate"], samples.KEY, samples.AUTHORITY.certificate)
    spec = manifests.Spec(sample["image"], replicas=2, cluster_id=sample["cluster_id"], pair=pair)
    found = {each["kind"]: each for each in manifests.authenticator(OWNER, spec)}
    config = yaml.load(next(iter(found["ConfigMap"]["data"].values())), yaml.CSafeLoader)
    certificate = base64.b64decode(found["Secret"]["data"]["cert.pem"]).decode()
    (container,) = found["Deployment"]["spec"]["template"]["spec"]["containers"]
    said = {
        "image": container["image"],
        "cluster_id": config["clusterID"],
        "certificate": certificate,
    }
    if said != sample:
        raise Violation("objects that say something else", said)


_FIELDS = {"f:spec": {"f:a": {}, 'k:{"port":1}': {".": {}, "f:b": {}}}, "f:metadata": {"f:c": {}}}
_METADATA = {
    "name": "x",
    "resourceVersion": "5",
    "managedFields": [
        {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": _FIELDS},
        {"manager": "aws-iam", "operation": "Apply", "fieldsV1": {"f:spec": {"f:d": {}}}},
        {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {}},
    ],
}


def make_metadata(rng: Random) -> Any:
    """Return an object's metadata with damage."""
    found = mutate.value(rng, _METADATA)
    return found if isinstance(found, dict) else {}


def check_csa_upgrade(metadata: dict[str, Any]) -> None:
    """Check that a patch is for one version of the object, and loses nobody's fields."""
    try:
        answers.as_object(json.dumps({"metadata": metadata}).encode(), "ConfigMap")
    except Waiting:
        # Something else than Kubernetes answers, and that is a status.
        return
    patch = csa_upgrade.patch(metadata, "aws-iam")
    if patch is None:
        return
    managers = patch["metadata"]["managedFields"]
    if not managers or managers[0].get("manager") != "aws-iam":
        raise Violation("a patch without our fields", patch)


TARGETS = (
    Target("manifests.authenticator", make_objects, check_objects),
    Target("csa_upgrade.patch", make_metadata, check_csa_upgrade),
)
