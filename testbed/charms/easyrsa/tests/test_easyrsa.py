"""easyrsa of the testbed, over the real easy-rsa."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from ops import testing

from easyrsa_charm import EasyRsaCharm

SANS = ["10.152.183.7", "svc.kube-system.svc"]
UNSORTED = [*reversed(SANS)]
Context = testing.Context[EasyRsaCharm]
Changed = Callable[..., testing.State]


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    assert Path("/usr/share/easy-rsa/easyrsa").exists(), (
        "easy-rsa is missing; run: scripts/lab setup"
    )
    monkeypatch.setattr(EasyRsaCharm, "folder", tmp_path / "EasyRSA")
    # Keys that take no time to find.
    monkeypatch.setenv("EASYRSA_ALGO", "ec")
    monkeypatch.setenv("EASYRSA_CURVE", "prime256v1")
    return testing.Context(EasyRsaCharm)


@pytest.fixture
def changed(context: Context) -> Changed:
    """Run relation-changed, after the requirer of `before` has changed what it asks for."""

    def run(asked: testing.Relation, before: testing.State | None = None) -> testing.State:
        state = before or testing.State(relations=[asked])
        if before:
            local = dict(relation_of(before).local_unit_data)
            asked = dataclasses.replace(asked, id=relation_of(before).id, local_unit_data=local)
            state = dataclasses.replace(before, relations=[asked])
        return context.run(context.on.relation_changed(asked, remote_unit=0), state)

    return run


def relation_of(state: testing.State) -> testing.Relation:
    [relation] = state.relations
    assert isinstance(relation, testing.Relation)
    return relation


def asking(*sans: str, cn: str = "server", **more: str) -> testing.Relation:
    request = json.dumps({cn: {"sans": list(sans)}})
    asked = {"unit_name": "app_0", "cert_requests": request, **more}
    return testing.Relation("client", remote_units_data={0: asked})


def bag(state: testing.State) -> dict[str, str]:
    return dict(relation_of(state).local_unit_data)


def pair(state: testing.State, cn: str = "server", kind: str = "requests") -> dict[str, str]:
    return json.loads(bag(state)[f"app_0.processed_{kind}"])[cn]


def certificate(state: testing.State, **which: str) -> x509.Certificate:
    return _load(pair(state, **which)["cert"])


def authority(state: testing.State) -> x509.Certificate:
    return _load(bag(state)["ca"])


def _load(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text[text.index("-----BEGIN") :].encode())


def requested(context: Context, request: str, state: testing.State) -> testing.State:
    """The state after `testbedctl authority easyrsa REQUEST`."""
    with context(context.on.update_status(), state) as manager:
        getattr(manager.charm.on, f"testbed_{request.replace('-', '_')}").emit()
        return manager.run()


def test_a_unit_that_asks_for_nothing_yet_gets_the_authority(changed: Changed) -> None:
    state = changed(testing.Relation("client"))

    assert set(bag(state)) >= {"ca", "client.cert", "client.key"}
    assert "chain" not in bag(state)


def test_a_batch_is_answered_with_certificates_of_the_authority(changed: Changed) -> None:
    state = changed(asking(*SANS))

    certificate(state).verify_directly_issued_by(authority(state))
    names = certificate(state).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert [str(name.value) for name in names.value] == SANS


def test_a_client_is_answered_in_a_form_of_its_own(changed: Changed) -> None:
    requests = json.dumps({"reader": {"sans": []}})

    state = changed(asking(*SANS, client_cert_requests=requests))

    reader = certificate(state, cn="reader", kind="client_requests")
    reader.verify_directly_issued_by(authority(state))
    usage = reader.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_certificates_keep_the_text_before_them(changed: Changed) -> None:
    assert pair(changed(asking(*SANS)))["cert"].startswith("Certificate:\n")


def test_the_same_names_in_another_order_get_the_same_pair(changed: Changed) -> None:
    first = changed(asking(*SANS))

    assert pair(changed(asking(*UNSORTED, SANS[0]), first)) == pair(first)


def test_names_that_do_not_come_sorted_get_the_same_pair(changed: Changed) -> None:
    first = changed(asking(*UNSORTED))

    assert pair(changed(asking(*UNSORTED), first)) == pair(first)


def test_other_names_get_another_pair(changed: Changed) -> None:
    first = changed(asking(*SANS))

    assert pair(changed(asking("other"), first)) != pair(first)


def test_another_relation_gets_the_pair_that_there_is(changed: Changed) -> None:
    first = changed(asking(*SANS))

    assert pair(changed(asking(*SANS))) == pair(first)


def test_a_pair_whose_files_were_deleted_is_made_again_for_a_new_relation(
    changed: Changed, tmp_path: Path
) -> None:
    first = changed(asking(*SANS))
    for kind in ("issued/server.crt", "private/server.key", "reqs/server.req"):
        (tmp_path / "EasyRSA/pki" / kind).unlink()

    assert pair(changed(asking(*SANS), first)) == pair(first)
    assert pair(changed(asking(*SANS))) != pair(first)


def test_what_is_no_longer_asked_for_stays_answered(changed: Changed) -> None:
    first = changed(asking(*SANS))

    second = changed(asking("other", cn="second"), first)

    assert pair(second) == pair(first)
    assert pair(second, "second") != pair(first)


def test_a_single_request_is_answered_in_its_own_form(changed: Changed) -> None:
    asked = {"common_name": "10.85.0.10", "sans": json.dumps(SANS)}

    state = changed(testing.Relation("client", remote_units_data={0: asked}))

    assert bag(state)["remote_0.server.key"].startswith("-----BEGIN PRIVATE KEY")
    assert "remote_0.processed_requests" not in bag(state)


def test_a_request_that_is_no_json_fails_the_hook(changed: Changed) -> None:
    asked = {"cert_requests": "server"}

    with pytest.raises(testing.errors.UncaughtCharmError):
        changed(testing.Relation("client", remote_units_data={0: asked}))


@pytest.mark.parametrize(
    ("request_", "same_authority"), [("reissue", True), ("new-authority", False)]
)
def test_the_testbed_has_certificates_issued_again(
    context: Context, changed: Changed, request_: str, same_authority: bool
) -> None:
    first = changed(asking(*SANS))

    second = requested(context, request_, first)

    assert pair(second) != pair(first)
    assert (authority(second) == authority(first)) == same_authority
    certificate(second).verify_directly_issued_by(authority(second))


def test_a_unit_that_comes_back_after_a_new_authority_keeps_its_answer_of_the_former(
    context: Context, changed: Changed
) -> None:
    first = changed(asking(*SANS))
    away = changed(testing.Relation("client", remote_units_data={0: {}}), first)

    renewed = requested(context, "new-authority", away)
    back = changed(asking(*SANS), renewed)

    assert authority(back) != authority(first)
    assert pair(back) == pair(first)
    certificate(changed(asking("other"), back)).verify_directly_issued_by(authority(back))
    renamed = changed(asking(*SANS, cn="other"), back)
    certificate(renamed, cn="other").verify_directly_issued_by(authority(back))
    assert pair(renamed) == pair(first)
