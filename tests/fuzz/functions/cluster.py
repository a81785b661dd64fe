"""The objects in the cluster, and whose their fields are."""

from __future__ import annotations

import base64
from random import Random

import yaml
from tests.fakes.juju.model import OWNER
from tests.fuzz import mutate, samples
from tests.fuzz.functions.config import IMAGES
from tests.fuzz.runner import Target, Violation

from certificates.keypair import KeyPair
from cluster import manifests


def make_objects(rng: Random) -> dict[str, str]:
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


TARGETS = (Target("manifests.authenticator", make_objects, check_objects),)
