"""The newer protocol of ``certificates``, as self-signed-certificates speaks it."""

from __future__ import annotations

import json
import re
from typing import Any
from unittest import mock

import ops
import pytest
from charmlibs.interfaces.tls_certificates import (
    CertificateRequestErrorCode,
    PrivateKey,
)
from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes import at_rest
from tests.fakes.certificates.authority import Authority, root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import SECRET
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from certificates import SERVER_NAME, ca_bundle, certificates, csr_protocol, x509

Refusal = CertificateRequestErrorCode
CURRENT = "from self-signed-certificates"
REMOVE = "run: juju remove-relation aws-iam:certificates self-signed-certificates"


@pytest.fixture(autouse=True)
def _small_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library makes RSA keys, which is slow."""

    def generate(**_: object) -> PrivateKey:
        return PrivateKey(x509_object=ec.generate_private_key(ec.SECP256R1()))

    monkeypatch.setattr(PrivateKey, "generate", generate)


@pytest.fixture
def provider() -> SelfSigned:
    return SelfSigned()


@pytest.fixture
def modern(provider: SelfSigned, api: FakeCluster, files: Files) -> Model:
    """At rest with such an authority."""
    model = Model(provider, [files])
    at_rest.settle(model, api)
    return model


def settled(model: Model, provider: SelfSigned) -> Model:
    """Let a new unit have its hooks with an authority."""
    model.provider = provider
    model.settle()
    return model


def answer(modern: Model, provider: SelfSigned, **changes: object) -> str:
    """Have the authority change a part of its answer; return the certificate."""
    (good,) = json.loads(provider.answer(modern.certificates, [])[0]["certificates"])
    provider.overrides = {"certificates": json.dumps([good | changes])}
    modern.answer()
    return good["certificate"]


@pytest.mark.parametrize("fixture", ["deployed", "modern"])
def test_given_either_protocol_when_settled_then_the_key_is_in_secrets_alone(
    request: pytest.FixtureRequest, api: FakeCluster, files: Files, fixture: str
):
    model: Model = request.getfixturevalue(fixture)
    line, unit = api.secret("key.pem").splitlines()[1], model.units[0]
    bags = [model.peer, model.certificates, unit.peer, unit.certificates, unit.webhook]

    assert line not in json.dumps(bags) + model.log()
    assert line not in str(unit.stored) + files.webhook.read_text()
    kept = any(line in str(secret.latest_content) for secret in model.secrets)
    assert kept is (fixture == "modern")


@pytest.mark.parametrize(("part", "reads"), [(0.8, False), (0.86, True)])
def test_given_a_certificate_in_its_last_two_weeks_then_each_hook_reads_the_answer(
    modern: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, part: float, reads: bool
):
    modern.hook()
    leaf = x509.read(api.secret("cert.pem"))
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    monkeypatch.setattr("certificates.now", lambda: begins + part * (ends - begins))
    obtain = csr_protocol.Requirer.obtain
    patch = mock.patch.object(csr_protocol.Requirer, "obtain", autospec=True, side_effect=obtain)

    with patch as read:
        assert modern.hook().name == "active"
    assert read.called is reads


REFUSED = f"vault does not allow {SERVER_NAME}; run: juju config vault pki_allowed_domains"
UNKNOWN = '"not by this authority\'s rules"'
LOG = "run: juju show-status-log --type application vault"


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        (Refusal.DOMAIN_NOT_ALLOWED, None, REFUSED),
        (Refusal.SERVER_NOT_AVAILABLE, None, f"vault refuses: {UNKNOWN}; {LOG}"),
        # As the charm of vault hands it on.
        (Refusal.OTHER, "Vault is sealed, on x", f"vault refuses: 'Vault is sealed, on x'; {LOG}"),
        (Refusal.OTHER, None, f"vault refuses: {UNKNOWN}; {LOG}"),
        (Refusal.OTHER, "no; run: rm x", f"vault refuses: 'no; run: rm x'; {LOG}"),
        # Made to harm.
        (Refusal.OTHER, "x" * 1_000_000, f"vault refuses: '…{'x' * 99}'; {LOG}"),
        (Refusal.OTHER, "a\0b\nc", f"vault refuses: 'a\\\\x00b c'; {LOG}"),
    ],
)
def test_given_a_refusal_when_a_hook_runs_then_the_status_gives_its_command_and_no_alarm_is_set(
    model: Model, code: CertificateRequestErrorCode, reason: str | None, status: str
):
    settled(model, SelfSigned(name="vault", refuses=code, reason=reason))

    assert model.hook() == ops.BlockedStatus(status)
    assert model.units[0].alarms == []


def test_given_a_refusal_of_another_request_when_a_hook_runs_then_it_is_not_ours(
    modern: Model, provider: SelfSigned, files: Files
):
    refusing = SelfSigned(refuses=Refusal.OTHER)
    other = settled(Model(None, [files]), refusing)
    refused, _ = refusing.answer(other.certificates, [])
    provider.overrides["request_errors"] = refused["request_errors"]
    modern.answer()

    assert modern.hook().name == "active"


def test_given_an_authority_that_leaves_when_it_has_gone_then_its_secrets_have_too(
    modern: Model, deployed: Model
):
    for model in (modern, deployed):
        model.hook(model.broken("certificates"))

    assert not any("private-key" in str(kept.label) for kept in modern.secrets)


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        ({"domain": "of others"}, f"waiting: waiting for a certificate {CURRENT}"),
        ({"revokes": True}, f"waiting: waiting for a certificate {CURRENT}"),
        ({"days": (-9, -1)}, f"blocked: certificate or its CA expired on DAY; {REMOVE}"),
    ],
    ids=["silent", "revoked", "expired"],
)
def test_given_an_authority_that_must_act_first_then_the_unit_says_so_and_its_event_is_enough(
    model: Model, api: FakeCluster, trouble: dict[str, Any], status: str
):
    found = settled(model, SelfSigned(**trouble)).hook()
    assert re.sub(r"2\d{3}-\S+ \S+ UTC", "DAY", f"{found.name}: {found.message}") == status
    assert model.units[0].alarms == []
    assert SECRET not in api.objects


# What Python's and pydantic's readers of JSON give up at.
UNREADABLE = [
    {key: text}
    for key in ("capabilities", "request_errors")
    for text in ("[" * 100_000, "9" * 5_000)
]


@pytest.mark.parametrize(
    "overrides",
    [
        {"certificates": "no JSON"},
        {"certificates": '["a"]'},
        {"certificates": "[" * 100_000},
        {"capabilities": '{"supports_ip_sans": ' + "9" * 5_000 + "}"},
        {"capabilities": "[" * 930 + "]" * 930},
        *UNREADABLE,
    ],
)
def test_given_an_answer_that_is_no_certificate_when_any_hook_runs_then_the_old_one_stays_in_use(
    modern: Model, provider: SelfSigned, api: FakeCluster, overrides: dict[str, str]
):
    before = api.secret("cert.pem")
    provider.overrides = overrides
    modern.answer()

    for event in (modern.changed("certificates"), modern.on.leader_elected(), None):
        assert modern.hook(event).name in ("blocked", "waiting")
    assert api.secret("cert.pem") == before
    assert modern.published()["webhook_status"] is True

    provider.overrides = {}
    modern.answer()
    assert modern.hook().name == "active"


@pytest.mark.parametrize("overrides", UNREADABLE, ids=range(4))
def test_given_an_unreadable_answer_when_the_certificates_secret_expires_then_it_is_renewed(
    modern: Model, provider: SelfSigned, api: FakeCluster, overrides: dict[str, str]
):
    before = api.secret("cert.pem")
    provider.overrides = overrides
    modern.answer()
    modern.expire("-certificate-")

    assert modern.units[0].status.message.startswith("malformed certificate; run: juju remove-")
    assert api.secret("cert.pem") == before

    provider.overrides = {}
    modern.answer()
    modern.settle()

    assert modern.hook().name == "active"
    assert api.secret("cert.pem") != before


def test_given_a_chain_when_settled_then_it_is_served_and_trusted_with_the_authority(
    modern: Model, provider: SelfSigned, api: FakeCluster
):
    ca, between = provider.authority.certificate, Authority("between", issuer=root()).certificate
    assert api.secret("ca.pem") == modern.peer["ca"] == ca
    assert len(certificates(api.secret("cert.pem"))) == 1
    leaf = answer(modern, provider, chain=[between])
    modern.settle()

    assert api.secret("cert.pem") == f"{leaf}\n{between}"
    assert api.secret("ca.pem") == ca_bundle(between, ca)


def test_given_an_answer_that_is_no_certificate_when_a_hook_runs_then_the_remedy_is_said(
    modern: Model, provider: SelfSigned
):
    answer(modern, provider, ca="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")

    assert modern.hook() == ops.BlockedStatus(f"malformed certificate; {REMOVE}")
    assert modern.units[0].alarms == []
    said = "the answer of self-signed-certificates cannot be read (TLSCertificatesError)"
    assert modern.log().splitlines()[-1] == said
