"""Kubeconfigs that are read and written, and the client that one makes."""

from __future__ import annotations

import atexit
import base64
import functools
import json
import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import yaml
from tests.fakes.juju.model import OWNER
from tests.fuzz import mutate, samples
from tests.fuzz.functions.access import ARNS
from tests.fuzz.functions.config import make_partition
from tests.fuzz.functions.invariants import line, secretless
from tests.fuzz.runner import Target, Violation

import login_kubeconfig
from cluster import api
from errors import Waiting
from machine import webhook_file
from text import status_line

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
        server, ca = login_kubeconfig.public_endpoint(text)
        login = login_kubeconfig.TokenCommand("id", "eu-west-1")
        if samples.leaked(urlsplit(server).netloc.rpartition("@")[2]):
            return  # The damage made the password the host's name, which is public.
        secretless(login_kubeconfig.render(login, context="c", server=server, ca=ca))
    except ValueError as error:
        line(status_line(error))
        secretless(str(error))


def make_client(rng: Random) -> dict[str, str]:
    good = {
        "arn": rng.choice(ARNS),
        "region": "eu-west-1",
        "profile": "work",
        "session": rng.choice(("", "alice")),
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
        login = login_kubeconfig.token_command(sample["cluster_id"], sample, sample["partition"])
        text = login_kubeconfig.render(
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
    texts = [rng.choice((samples.ADDRESS, "fd00::14")), samples.AUTHORITY.certificate]
    at = rng.randrange(2)
    texts[at] = mutate.utf8(mutate.text(rng, texts[at]))
    return texts


def check_webhook(sample: list[str]) -> None:
    """Check that the webhook's kubeconfig says what was given."""
    address, ca = sample
    config = yaml.load(webhook_file.render(OWNER, address, ca), yaml.CSafeLoader)
    cluster = config["clusters"][0]["cluster"]
    if base64.b64decode(cluster["certificate-authority-data"]).decode() != ca:
        raise Violation("another CA bundle in the webhook's file")
    if cluster["server"] != webhook_file.endpoint(address):
        raise Violation("another server in the webhook's file", cluster["server"])


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


TARGETS = (
    Target("login_kubeconfig.public_endpoint", make_kubeconfig, check_public_endpoint),
    Target("login_kubeconfig.render", make_client, check_client),
    Target("machine.webhook_file.render", make_webhook, check_webhook),
    Target("api.connect", make_kubeconfig, check_connect),
)
