"""Every text of the catalogue is short, and a command in it has one form.

The form is `<fault>; run: <command>`. The texts are measured with the names that most models have.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from scripts import reference
from tests.project.test_statuses import TEXTS, parameters

# The texts that src/check-python.sh sets.
OF_THE_SHELL: dict[str, str] = {
    name: about["text"] for name, about in reference.meanings()["check-python.sh"].items()
}
LONGEST = 110
_WEBHOOK = "authn-webhook-endpoint=https://10.152.183.20:443/authenticate alone has 60 characters"
# Why a text may be longer.
LONGER = {
    "blocked.SET_WEBHOOK": _WEBHOOK,
    "blocked.REPLACE_WEBHOOK": _WEBHOOK,
    "active.NEXT_STEP": _WEBHOOK,
    "blocked.OWNED_BY_ANOTHER": "it names the owner, from whom the command takes the cluster",
    "options.PARTITION_UNKNOWN": "it lists all partitions",
    "mapping.PARTITION_UNKNOWN": "it lists all partitions",
}
# They are in the log, never in a status.
OF_THE_LOG = {"waiting.MAPPINGS_LEFT", "waiting.REMOVAL_UNKNOWN"}
# What stands before a problem of a mapping, or before the reason of an entry.
BEFORE = {"mapping": "1 broken mapping: alice: ", "entry": "1 not applied: mappings[0]: "}

CONTROL_PLANE = "kubernetes-control-plane"
_REMOVE = "juju remove-relation aws-iam:certificates self-signed-certificates"
USUAL: dict[str, Any] = {
    "address": "10.152.183.20",
    "application": "aws-iam",
    "arn": "arn:aws:iam::111122223333:role/developers",
    "authority": "self-signed-certificates",
    "cause": "dial tcp 10.0.0.12:6443: connection refused",
    "certificates": "2 certificates",
    "code": "403",
    "command": "kubectl delete iamidentitymappings --selector aws-iam/source",
    "control_plane": CONTROL_PLANE,
    "current": "keystone.example.com:5000/v3",
    "day": "2027-01-31",
    "declared": "alice",
    "file": "/root/cdk/aws-iam-webhook.yaml",
    "former": "1,000",
    "group": "aws-iam:alice",
    "id": "d0h4v2m8e1s9c7k3b5g0",
    "kind": "role",
    "kinds": "assumed-role, federated-user",
    "mapping": "alice",
    "mappings": "1,000 mappings",
    "name": "alice",
    "number": "12",
    "option": "aws-us-gov",
    "partition": "aws-cn",
    "partitions": "aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, aws-iso-f, aws-eusc",
    "pending": "120",
    "place": "mappings[0]",
    "principal": "kubernetes-worker",
    "problem": "expired on 2026-11-28 06:30 UTC",
    "range": "10.152.183.0/24",
    "ready": "1",
    "reason": "denied by the policy no-roles",
    "service": "iam",
    "time": "2026-11-28T18:00:00Z",
    "unit": "aws-iam/0",
    "units": "aws-iam/1, aws-iam/2",
    "url": "https://10.152.183.20:443/authenticate",
    "value": "'registry.example.com/aws-iam-authenticator'",
    "verb": "remove",
    "version": "v0.7.18",
    "vulnerabilities": "CVE-2026-97032",
    "wanted": "2",
}
# Fields that mean something else in one text.
OF_ONE_TEXT: dict[str, dict[str, Any]] = {
    "active.CAS_NO_ROOM": {"application": "self-signed-certificates"},
    "active.CAS_UNREADABLE": {"application": "self-signed-certificates"},
    "active.LEAVE_RELATION": {
        "command": f"juju remove-relation aws-iam:aws-iam {CONTROL_PLANE}:aws-iam"
    },
    "active.NEXT_STEP": {
        "step": f"webhook not set; run: juju config {CONTROL_PLANE} authn-webhook-endpoint="
        "https://10.152.183.20:443/authenticate"
    },
    "blocked.AUTHORITY_AWAY": {"authority": "vault"},
    "blocked.CERTIFICATE_MALFORMED": {"command": _REMOVE},
    "blocked.CERTIFICATE_UNUSABLE": {"command": _REMOVE, "problem": "cannot be read (SSLError)"},
    "blocked.INTERNAL_ERROR": {"kind": "AttributeError", "place": "cluster/manifests.py:120"},
    "blocked.NAME_REFUSED": {
        "authority": "vault",
        "name": "aws-iam-authenticator.kube-system.svc",
    },
    "blocked.OWNED_BY_ANOTHER": {"owner": "aws-iam of model k8s"},
    "blocked.POD_CANNOT_START": {
        "cause": "ErrImagePull: lookup registry.example.com: no such host"
    },
    "PYTHON_TOO_OLD": {"unit": f"{CONTROL_PLANE}/0"},
    "blocked.REQUEST_REFUSED": {"authority": "vault"},
    "blocked.SECRET_LACKS_KEYS": {"keys": "password"},
    "blocked.SECRET_OF_OTHERS": {"name": "aws-iam-pull-secret"},
    "blocked.TWO_CONTROL_PLANES": {
        "command": f"juju remove-relation aws-iam:control-plane {CONTROL_PLANE}:juju-info"
    },
    "mapping.EXPIRY_INVALID": {"problem": "'tomorrow' is not a time such as 2026-12-31T18:00Z"},
    "mapping.KIND_UNKNOWN": {"arn": "arn:aws:iam::111122223333:group/dev"},
    "mapping.NOT_AN_ARN": {"arn": "alice"},
    "mapping.SERVICE_UNKNOWN": {"arn": "arn:aws:s3:::logs"},
    "options.CLUSTER_ID_INVALID": {"value": "'our cluster'"},
    "options.MAPPINGS_INVALID": {"problem": "mapRoles[0]: 'alice' is not an ARN"},
    "options.PROXY_INVALID": {"option": "juju-https-proxy"},
    "waiting.ANOTHER_CERTIFICATE": {
        "problem": "does not cover aws-iam-authenticator.kube-system.svc"
    },
    "waiting.CERTIFICATE_EARLY": {"problem": "is not valid before 2026-11-28 06:30 UTC"},
    "waiting.KUBECONFIG_UNUSABLE": {"cause": "no token"},
    "waiting.NEXT_CERTIFICATE": {
        "problem": "waiting for a certificate from self-signed-certificates"
    },
    "waiting.NOT_KUBERNETES": {"cause": "JSON is malformed: invalid character (byte 0)"},
    "waiting.SECRET_NOT_RETURNED": {"cause": "timed out"},
}


def shown(name: str) -> str:
    """Return the text as most models would show it, with what stands before it."""
    values = {**USUAL, **OF_ONE_TEXT.get(name, {})}
    if name in OF_THE_SHELL:
        return re.sub(r"<(\w+)>", lambda found: values[found[1]], OF_THE_SHELL[name])
    before = BEFORE.get(name.partition(".")[0], "")
    return before + TEXTS[name](**{key: values[key] for key in parameters(name)})


@pytest.mark.parametrize("name", sorted((TEXTS.keys() | OF_THE_SHELL.keys()) - LONGER.keys()))
def test_given_usual_names_then_a_status_is_short(name: str):
    assert len(shown(name)) <= LONGEST, shown(name)


@pytest.mark.parametrize("name", LONGER)
def test_given_a_text_that_may_be_longer_then_it_is(name: str):
    assert len(shown(name)) > LONGEST


@pytest.mark.parametrize("name", sorted((TEXTS.keys() | OF_THE_SHELL.keys()) - OF_THE_LOG))
def test_given_a_text_with_a_command_then_its_fault_comes_first_and_the_command_ends_it(name: str):
    line = shown(name)
    commands = list(re.finditer(r"(?<![/-])\b(?:juju|kubectl|vault operator) [a-z-]", line))

    for found in commands:
        assert re.search(r"\S; (if [\w ]+, )?run: $", line[: found.start()]), line
        assert not re.search(r"[;()]|, ", line[found.start() :]), line
    assert len(commands) == line.count("run: "), line
