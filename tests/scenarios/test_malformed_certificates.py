"""Certificates that can be loaded, but of which a part cannot be read afterwards."""

from __future__ import annotations

import json

import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.server import FakeCluster

from certificates import certificates

COMMON_NAME = "aws-iam-authenticator.kube-system.svc"
NAMES = [COMMON_NAME, ADDRESS]
# In hexadecimal DER: what is in a good certificate, and what is put in its place.
DAMAGES = {
    "a key of an unknown curve": ("2a8648ce3d030107", "2a8648ce3d03017f"),
    "an extension twice": ("0603551d13", "0603551d11"),
    "a general name of an unsupported kind": ("82256177732d69616d", "a3256177732d69616d"),
    "a general name that is none": ("82256177732d69616d", "a0256177732d69616d"),
    "an address that is none": ("87040a98b714", "81040a98b714"),
}


@pytest.fixture(params=DAMAGES.values(), ids=[*DAMAGES])
def damage(request: pytest.FixtureRequest) -> tuple[bytes, bytes]:
    whole, broken = request.param
    return bytes.fromhex(whole), bytes.fromhex(broken)


def test_given_a_certificate_of_the_older_protocol_then_the_former_stays_in_use(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, damage: tuple[bytes, bytes]
):
    before = api.secret("cert.pem")
    certificate, key = root().issue(NAMES)
    reply = {"cert": root().resign(certificate, *damage), "key": key}
    easyrsa.overrides["aws-iam_0.processed_requests"] = json.dumps({COMMON_NAME: reply})
    deployed.answer()

    assert isinstance(deployed.hook(deployed.changed("certificates")), ops.WaitingStatus)
    assert api.secret("cert.pem") == before
    assert deployed.published()["webhook_status"] is True

    del easyrsa.overrides["aws-iam_0.processed_requests"]
    deployed.answer()
    assert deployed.hook().name == "active"


def test_given_a_certificate_of_the_newer_protocol_then_the_former_leaf_stays_in_use(
    model: Model, api: FakeCluster, damage: tuple[bytes, bytes]
):
    provider = SelfSigned()
    model.provider = provider
    at_rest.settle(model, api)
    before = certificates(api.secret("cert.pem"))[0]
    for part in ("certificate", "ca", "chain"):
        provider.overrides = {"certificates": damaged(model, provider, part, damage)}
        model.answer()
        for event in (model.changed("certificates"), model.on.leader_elected(), None):
            model.hook(event)
            assert certificates(api.secret("cert.pem"))[0] == before
            assert model.published()["webhook_status"] is True
        provider.overrides = {}

    model.answer()
    assert model.hook().name == "active"


def damaged(model: Model, provider: SelfSigned, part: str, damage: tuple[bytes, bytes]) -> str:
    """The provider's answer with a damaged certificate in one part of it."""
    (answer,) = json.loads(provider.answer(model.certificates, [])[0]["certificates"])
    good, _ = Authority("other").issue(NAMES)
    bad = Authority("other").resign(good, *damage)
    answer[part] = [bad] if part == "chain" else bad
    return json.dumps([answer])
