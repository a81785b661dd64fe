"""Targets that are functions of the charm: no hook, no files, no cluster."""

from __future__ import annotations

import atexit
import base64
import contextlib
import dataclasses
import datetime
import functools
import json
import shutil
import tempfile
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import yaml
from charms.aws_iam.v0.aws_iam import AwsIamProvider, AwsIamRequirer
from tests.fuzz import mutate, samples
from tests.fuzz.runner import Target, Violation
from tests.unit.model import OWNER

import kubeconfigs
from access import arn, declared, mappings, plan
from certificates import legacy, pem, verdict
from certificates.keypair import KeyPair
from certificates.sans import COMMON_NAME
from cluster import api, csa_upgrade, manifests
from config import Config
from errors import Waiting, brief, status_line

ARNS = (
    "arn:aws:iam::111122223333:role/k8s-view-role",
    "arn:aws:iam::111122223333:role/team/dev/admin",
    "arn:aws-us-gov:iam::111122223333:user/path/bob",
    "arn:aws:iam::111122223333:root",
    "arn:aws:sts::111122223333:assumed-role/k8s-view-role/alice",
    "arn:aws-cn:sts::111122223333:federated-user/carol",
)
IMAGES = (
    "registry.example.com:5000/a/aws-iam-authenticator:v0.7.13",
    "a/b@sha256:" + "0123456789abcdef" * 4,
)


def line(text: str, limit: int = 300) -> None:
    """Check that Juju can show ``text``."""
    if len(text) > limit or not text.isprintable():
        raise Violation("a text that Juju cannot show", repr(text[:400]))


def secretless(text: str) -> None:
    """Check that no secret is in ``text``."""
    if found := samples.leaked(text):
        raise Violation("a secret is told", f"{found} in {text[:400]!r}")


# arn.parse


def make_arn(rng: Random) -> str:
    """Return an ARN with damage."""
    return mutate.text(rng, rng.choice(ARNS), ARNS)


def check_arn(text: str) -> None:
    """Check that an ARN is refused, or has one canonical form."""
    with contextlib.suppress(ValueError):
        line(status_line(arn.parse(text)))
    line(status_line(arn.mismatch(text) or ""))
    try:
        found = arn.canonicalize(text)
    except ValueError as error:
        return line(status_line(error))
    if (again := arn.canonicalize(found)) != found:
        raise Violation("a canonical ARN that is not its own", f"{found} {again}")
    return None


# mappings.check


def make_mappings(rng: Random) -> list[tuple[str, str, str, str]]:
    """Return some mappings, of which several name the same principal."""
    pool = [mutate.text(rng, rng.choice(ARNS), ARNS) for _ in range(3)] + list(ARNS)
    return [
        (f"m{n}", rng.choice(pool), rng.choice(("", "dev")), rng.choice(["", *pool]).lower())
        for n in range(rng.randint(1, 5))
    ]


def check_mappings(sample: list[tuple[str, str, str, str]]) -> None:
    """Check that corrections correct, and leave nothing to correct."""
    found = [mappings.IdentityMapping(*each) for each in sample]
    report = mappings.check(found)
    corrected = [
        dataclasses.replace(m, canonical=report.corrections.get(m.name, m.canonical))
        for m in found
    ]
    if left := mappings.check(corrected).corrections:
        raise Violation("a correction that needs another", left)
    for problem in report.problems.values():
        line(status_line(problem))


# declared.parse


LISTS = (
    """\
- arn: arn:aws:iam::111122223333:role/team/dev
  username: dev
  groups: [view]
  expires: 2026-12-31T18:00:00Z
- {permission-set: DevOps, account: '111122223333', suffix: 0123456789abcdef}
""",
    """\
kind: ConfigMap
data:
  mapRoles: |
    - rolearn: arn:aws:iam::111122223333:role/node
      groups: [system:nodes]
  mapUsers: |
    - userarn: arn:aws:iam::111122223333:user/bob
""",
    """\
mapRoles: [&x {rolearn: 'arn:aws:iam::111122223333:root', name: top}]
mapUsers: [*x]
mapAccounts: ['111122223333']
""",
)
NOW = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)


def make_declared(rng: Random) -> str:
    """Return a list of mappings with damage."""
    return mutate.text(rng, rng.choice(LISTS), LISTS)


def check_declared(text: str) -> None:
    """Check that a list is refused in one line, or that its plan needs no other after it."""
    try:
        found = declared.parse(text, NOW)
    except ValueError as error:
        return line(status_line(error))
    for out in found.left_out:
        line(status_line(f"{out.place}: {out.reason}"))
    first = plan.of(found.entries, [])
    second = plan.of(found.entries, first.after)
    if second.update or second.create or second.delete:
        raise Violation("a plan that needs another", second)
    if corrections := mappings.check(first.after).corrections:
        raise Violation("a declared mapping that needs a correction", corrections)
    return None


# Config


def make_config(rng: Random) -> dict[str, Any]:
    """Return options with damage."""
    replicas = rng.choice((1, 2, 10, 0, -1, 11, 2**63 - 1, -(2**63)))
    return {
        "image": mutate.text(rng, rng.choice(IMAGES), IMAGES),
        "cluster_id": rng.choice(("", "prod", mutate.text(rng, "my-cluster.1_x"))),
        "replicas": replicas if rng.random() < 0.3 else 2,
        "partition": make_partition(rng),
        "image_registry": rng.choice(("", mutate.text(rng, "registry.example.com:5000/mirror"))),
    }


def make_partition(rng: Random) -> str:
    """Return a partition, mostly the usual one, seldom with damage."""
    return rng.choice(("aws", "aws", *arn.PARTITIONS, mutate.text(rng, "aws-cn")))


def check_config(sample: dict[str, Any]) -> None:
    """Check that options are refused in one line, or have a version to show."""
    try:
        config = Config(**sample)
        line(config.version, 200)
        line(config.deployed_image, 10**6)
    except ValueError as error:
        line(str(error))


# Certificates


def make_reply(rng: Random) -> list[dict[str, str]]:
    """Return the older protocol's databags of one to three units."""
    reply = {COMMON_NAME: {"cert": samples.LEAF, "key": samples.KEY}}
    bag = {"ca": samples.AUTHORITY.certificate, "aws-iam_0.processed_requests": json.dumps(reply)}
    good = [bag, {**bag, "ca": samples.OTHER_AUTHORITY.certificate}, {"ca": "", "chain": "x"}]
    return [mutate.bag(rng, b, damage_reply) for b in good[: rng.randint(1, 3)]]


def damage_reply(rng: Random, text: str) -> str:
    """Return a value of the older protocol's databag with damage."""
    if not text.startswith("{"):
        return mutate.pem(rng, text, samples.AUTHORITY.sign)
    reply, name = mutate.decoded(text), rng.choice(("cert", "cert", "key"))
    try:
        inner = next(iter(reply.values()))
        inner[name] = mutate.pem(rng, inner[name], samples.AUTHORITY.sign)
    except (AttributeError, LookupError, StopIteration, TypeError):
        return mutate.json_text(rng, text)
    return json.dumps(reply) if rng.random() < 0.7 else mutate.json_text(rng, text)


def check_reply(bags: list[dict[str, str]]) -> None:
    """Check that any databag is a list of pairs, which can be checked."""
    legacy.is_spoken_by(bags)
    for name in legacy.names_for_authority(bags):
        line(name)
    for _, pair in legacy.replies("aws-iam/0", bags):
        check_pair({"certificate": pair.certificate, "key": pair.key, "ca": pair.ca})


def make_request(rng: Random) -> list[str]:
    """Return a unit's name and names to ask for."""
    return [mutate.text(rng, "aws-iam/0"), *(mutate.text(rng, n) for n in samples.SANS)]


def check_request(sample: list[str]) -> None:
    """Check that a request can be read back."""
    asked = json.loads(legacy.request(sample[0], COMMON_NAME, sample[1:])["cert_requests"])
    if asked != {COMMON_NAME: {"sans": sorted(sample[1:])}}:
        raise Violation("a request that says something else", asked)


def make_pair(rng: Random) -> dict[str, str]:
    """Return a pair with damage."""
    pair = {"certificate": samples.LEAF, "key": samples.KEY, "ca": samples.AUTHORITY.certificate}
    other = {
        "certificate": samples.OTHER_LEAF,
        "key": samples.OTHER_KEY,
        "ca": samples.OTHER_AUTHORITY.certificate,
    }
    key = rng.choice(("certificate", "certificate", "ca", "key"))
    if rng.random() < 0.1:
        return {**pair, key: other[key]}
    return {**pair, key: mutate.pem(rng, pair[key], samples.AUTHORITY.sign)}


def check_pair(sample: dict[str, str]) -> None:
    """Check that a pair is refused in one line without its key, or has an end."""
    try:
        verdict.check(KeyPair(**sample), samples.SANS)
    except ValueError as error:
        line(str(error))
        secretless(str(error))


def make_pem(rng: Random) -> list[str]:
    """Return PEM texts with damage."""
    texts = (samples.LEAF, samples.AUTHORITY.certificate, samples.KEY)
    pool = [mutate.pem(rng, rng.choice(texts)) for _ in range(3)]
    return [rng.choice(pool), mutate.text(rng, "".join(pool), texts)]


def check_pem(texts: list[str]) -> None:
    """Check that blocks are whole, and each there once."""
    blocks = pem.certificates(*texts)
    for block in blocks:
        if not block.startswith("-----BEGIN CERTIFICATE-----\n") or not block.endswith("-----"):
            raise Violation("a block that is not whole", block)
    bundle = pem.ca_bundle(*texts)
    if pem.ca_bundle(bundle) != bundle or sorted(blocks) != pem.certificates(bundle):
        raise Violation("a bundle that is not its own bundle", bundle)


# kubeconfigs


_CA = base64.b64encode(samples.AUTHORITY.certificate.encode()).decode()
_KUBECONFIG: dict[str, Any] = {
    "clusters": [
        {"name": "c", "cluster": {"server": "https://k8s", "certificate-authority-data": _CA}}
    ],
    "users": [
        {"name": "u", "user": {"client-key-data": samples.KUBECONFIG_KEY, "token": samples.TOKEN}}
    ],
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "current-context": "x",
}
_FORMS = (
    json.dumps,
    yaml.safe_dump,
    functools.partial(json.dumps, indent=4),
    functools.partial(yaml.safe_dump, default_style='"'),
    functools.partial(yaml.safe_dump, default_style="'", width=999),
    functools.partial(yaml.safe_dump, default_flow_style=True, width=999),
)


def make_kubeconfig(rng: Random) -> str:
    """Return a kubeconfig with damage, in one of the forms that YAML has."""
    config = _KUBECONFIG
    if rng.random() < 0.1:
        server = f"https://admin:{samples.PASSWORD}@k8s"
        config = {**config, "clusters": [{"name": "c", "cluster": {"server": server}}]}
    if rng.random() < 0.5:
        return rng.choice(_FORMS)(mutate.value(rng, config))
    text = rng.choice(_FORMS)(config)
    if rng.random() < 0.3:
        # YAML's errors quote what stands after one of its marks.
        mark = rng.choice(("*", "&", "!", "!!", "%", "@", "`", '"', "'", "- ", "? ", "|", "\t"))
        text = text.replace(samples.TOKEN, f"{mark}{samples.TOKEN}")
    return mutate.text(rng, text)


def check_public_endpoint(text: str) -> None:
    """Check that a kubeconfig is refused in one line, or gives a client's without secrets."""
    try:
        server, ca = kubeconfigs.public_endpoint(text)
        login = kubeconfigs.Login("id")
        if samples.leaked(urlsplit(server).netloc.rpartition("@")[2]):
            return  # The damage made the password the host's name, which is public.
        secretless(kubeconfigs.client(login, context="c", server=server, ca=ca))
    except ValueError as error:
        line(status_line(error))
        secretless(str(error))


def make_client(rng: Random) -> dict[str, str]:
    """Return the action's parameters with damage."""
    good = {
        "arn": rng.choice(ARNS),
        "region": "eu-west-1",
        "profile": "work",
        "context": "aws-iam-authenticator",
        "server": "https://k8s.example.com:443",
        "cluster_id": "0123456789abcdef",
        "ca": samples.AUTHORITY.certificate,
        "partition": make_partition(rng),
    }
    keys = rng.sample(sorted(good), 2)
    return {**good, **{key: mutate.utf8(mutate.text(rng, good[key])) for key in keys}}


def check_client(sample: dict[str, str]) -> None:
    """Check that parameters are refused in one line, or stand in a kubeconfig as given."""
    try:
        login = kubeconfigs.login(sample["cluster_id"], sample, sample["partition"])
        text = kubeconfigs.client(
            login, context=sample["context"], server=sample["server"], ca=sample["ca"]
        )
    except ValueError as error:
        return line(status_line(error))
    config = yaml.load(text, yaml.CSafeLoader)
    user = config["users"][0]["user"]["exec"]
    said = (config["current-context"], config["clusters"][0]["cluster"]["server"], user["args"])
    if said != (sample["context"], sample["server"], login.args):
        raise Violation("a kubeconfig that says something else", said)
    return None


def make_webhook(rng: Random) -> list[str]:
    """Return an address and a CA bundle with damage."""
    texts = [rng.choice((samples.ADDRESS, "fd00::14")), samples.AUTHORITY.certificate]
    at = rng.randrange(2)
    texts[at] = mutate.utf8(mutate.text(rng, texts[at]))
    return texts


def check_webhook(sample: list[str]) -> None:
    """Check that the webhook's kubeconfig says what was given."""
    address, ca = sample
    config = yaml.load(kubeconfigs.webhook(OWNER, address, ca), yaml.CSafeLoader)
    cluster = config["clusters"][0]["cluster"]
    if base64.b64decode(cluster["certificate-authority-data"]).decode() != ca:
        raise Violation("another CA bundle in the webhook's file")
    if cluster["server"] != kubeconfigs.endpoint(address):
        raise Violation("another server in the webhook's file", cluster["server"])


# The cluster


@functools.cache
def _file() -> Path:
    folder = tempfile.mkdtemp(prefix="fuzz-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "config"


def check_connect(text: str) -> None:
    """Check that a kubeconfig is a client's, or that it is waited for without its text."""
    _file().write_text(text, errors="surrogatepass")
    try:
        api.connect(_file())
    except Waiting as wait:
        line(status_line(wait))
        secretless(str(wait))


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


# The rest


def make_text(rng: Random) -> str:
    """Return text of any kind."""
    return mutate.text(rng, rng.choice(mutate.TEXTS), mutate.TEXTS)


def check_errors(text: str) -> None:
    """Check that any text can be a status."""
    line(status_line(text))
    line(brief(text), 100)
    line(brief(ValueError(text)), 100)
    status_line(text).encode()


def make_interface(rng: Random) -> dict[str, str]:
    """Return the databag of the other end of ``aws-iam``."""
    bag = {
        "api_server_state": "true",
        "webhook_status": "true",
        "webhook_hash": '"0123"',
        "cluster_id": '"my-cluster"',
    }
    return mutate.bag(rng, bag, mutate.json_text)


def check_interface(bag: dict[str, str]) -> None:
    """Check both sides of the library: each value has its type."""
    unit = object()
    relation = SimpleNamespace(active=True, units=[unit], data={unit: bag})
    charm: Any = SimpleNamespace(model=SimpleNamespace(relations={"aws-iam": [relation]}))
    requirer, provider = AwsIamRequirer(charm), AwsIamProvider(charm)
    said = (requirer.api_server_ready, requirer.acknowledged)
    if not isinstance(said[0], bool) or not isinstance(said[1], str | None):
        raise Violation("a value of another type", said)
    webhook = provider.webhook
    if webhook and not (isinstance(webhook.cluster_id, str) and isinstance(webhook.hash, str)):
        raise Violation("a webhook of another type", webhook)


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
        patch = csa_upgrade.patch(metadata, "aws-iam")
    except api._UNEXPECTED:
        # `api.errors_as_status` makes these a status.
        return
    if patch is None:
        return
    managers = patch["metadata"]["managedFields"]
    if not managers or managers[0].get("manager") != "aws-iam":
        raise Violation("a patch without our fields", patch)


TARGETS = (
    Target("arn.parse", make_arn, check_arn),
    Target("mappings.check", make_mappings, check_mappings),
    Target("declared.parse", make_declared, check_declared),
    Target("Config", make_config, check_config),
    Target("legacy.replies", make_reply, check_reply),
    Target("legacy.request", make_request, check_request),
    Target("pem.certificates", make_pem, check_pem),
    Target("verdict.check", make_pair, check_pair),
    Target("kubeconfigs.public_endpoint", make_kubeconfig, check_public_endpoint),
    Target("kubeconfigs.client", make_client, check_client),
    Target("kubeconfigs.webhook", make_webhook, check_webhook),
    Target("api.connect", make_kubeconfig, check_connect),
    Target("manifests.authenticator", make_objects, check_objects),
    Target("errors", make_text, check_errors),
    Target("library aws_iam", make_interface, check_interface),
    Target("csa_upgrade.patch", make_metadata, check_csa_upgrade),
)
