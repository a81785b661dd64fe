"""easyrsa of the testbed, over the real easy-rsa."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import ops
import pytest
from cryptography import x509
from ops import testing

from easyrsa_charm import EasyRsaCharm

pytestmark = pytest.mark.skipif(
    not Path("/usr/share/easy-rsa/easyrsa").exists(),
    reason="needs the Debian package easy-rsa (scripts/lab setup)",
)

SANS = ["svc.kube-system.svc", "10.152.183.7"]
Run = Callable[..., testing.Relation]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> testing.Context[EasyRsaCharm]:
    monkeypatch.setattr(EasyRsaCharm, "folder", tmp_path)
    # Keys that take no time to find.
    monkeypatch.setenv("EASYRSA_ALGO", "ec")
    monkeypatch.setenv("EASYRSA_CURVE", "prime256v1")
    return testing.Context(EasyRsaCharm)


@pytest.fixture
def changed(context: testing.Context[EasyRsaCharm]) -> Run:
    def run(relation: testing.Relation) -> testing.Relation:
        event = context.on.relation_changed(relation)
        return only_relation(context.run(event, testing.State(relations=[relation])))

    return run


def only_relation(state: testing.State) -> testing.Relation:
    [relation] = state.relations
    assert isinstance(relation, testing.Relation)
    return relation


def asking(*sans: str, cn: str = "server", **local: str) -> testing.Relation:
    return testing.Relation(
        "client",
        remote_units_data={
            0: {"unit_name": "app_0", "cert_requests": json.dumps({cn: {"sans": list(sans)}})}
        },
        local_unit_data=local,
    )


def pair(relation: testing.Relation, cn: str = "server") -> tuple[str, str]:
    reply = json.loads(relation.local_unit_data["app_0.processed_requests"])[cn]
    return reply["cert"], reply["key"]


def certificate(relation: testing.Relation, cn: str = "server") -> x509.Certificate:
    return x509.load_pem_x509_certificate(_pem(pair(relation, cn)[0]))


def _pem(text: str) -> bytes:
    return text[text.index("-----BEGIN") :].encode()


def test_before_anyone_asks_the_authority_is_ready(
    context: testing.Context[EasyRsaCharm],
) -> None:
    state = context.run(context.on.install(), testing.State())

    assert state.unit_status == ops.ActiveStatus("Certificate Authority ready.")


def test_a_unit_that_asks_for_nothing_yet_gets_the_authority(changed: Run) -> None:
    relation = changed(testing.Relation("client"))

    assert set(relation.local_unit_data) >= {"ca", "client.cert", "client.key"}
    assert "chain" not in relation.local_unit_data


def test_a_batch_is_answered_with_certificates_of_the_authority(changed: Run) -> None:
    relation = changed(asking(*SANS))

    authority = x509.load_pem_x509_certificate(relation.local_unit_data["ca"].encode())
    certificate(relation).verify_directly_issued_by(authority)
    names = certificate(relation).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(name.value) for name in names.value] == ["10.152.183.7", "svc.kube-system.svc"]


def test_certificates_keep_the_text_before_them(changed: Run) -> None:
    assert pair(changed(asking(*SANS)))[0].startswith("Certificate:\n")


def test_the_same_names_in_another_order_get_the_same_pair(changed: Run) -> None:
    first = changed(asking(*SANS))

    assert pair(changed(asking(*reversed(SANS), SANS[0]))) == pair(first)


def test_other_names_get_another_pair(changed: Run) -> None:
    first = changed(asking(*SANS))

    assert pair(changed(asking("other"))) != pair(first)


def test_what_is_no_longer_asked_for_stays_answered(changed: Run) -> None:
    first = changed(asking(*SANS))

    second = changed(asking("other", cn="second", **first.local_unit_data))

    assert pair(second) == pair(first)
    assert pair(second, "second") != pair(first)


def test_a_single_request_is_answered_in_its_own_form(changed: Run) -> None:
    asked = {"common_name": "10.85.0.10", "sans": json.dumps(SANS)}
    relation = changed(testing.Relation("client", remote_units_data={0: asked}))

    answer = relation.local_unit_data
    assert answer["remote_0.server.key"].startswith("-----BEGIN PRIVATE KEY")
    assert "remote_0.processed_requests" not in answer


def test_a_request_that_is_no_json_fails_the_hook(changed: Run) -> None:
    asked = {"cert_requests": "server"}

    with pytest.raises(testing.errors.UncaughtCharmError):
        changed(testing.Relation("client", remote_units_data={0: asked}))


@pytest.mark.parametrize(("action", "same_authority"), [("reissue", True), ("new-ca", False)])
def test_an_action_makes_certificates_anew(
    context: testing.Context[EasyRsaCharm], changed: Run, action: str, same_authority: bool
) -> None:
    first = changed(asking(*SANS))

    state = context.run(context.on.action(action), testing.State(relations=[first]))

    second = only_relation(state)
    assert pair(second) != pair(first)
    assert (second.local_unit_data["ca"] == first.local_unit_data["ca"]) == same_authority
