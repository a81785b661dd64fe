"""self-signed-certificates of the testbed: signs over the newer protocol, or refuses."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable
from typing import Any

import ops
import pytest
from charmlibs.interfaces.certificate_transfer import CertificateTransferRequires
from charmlibs.interfaces.tls_certificates import (
    Certificate,
    CertificateRequestAttributes,
    PrivateKey,
)
from ops import testing

from self_signed_charm import SelfSignedCertificates

Context = testing.Context[SelfSignedCertificates]
Refuse = Callable[[testing.State, str], testing.State]
KEY = PrivateKey.generate()


@pytest.fixture
def context() -> Context:
    return testing.Context(SelfSignedCertificates)


@pytest.fixture
def refuse(context: Context, monkeypatch: pytest.MonkeyPatch) -> Refuse:
    """The state after `testbedctl authority self-signed-certificates refuse CODE`."""

    def run(state: testing.State, code: str) -> testing.State:
        monkeypatch.setenv("TESTBED_ARGUMENT", code)
        with context(context.on.start(), state) as manager:
            manager.charm.on.testbed_refuse.emit()
            return manager.run()

    return run


def asked(*, ip: bool = True, dns: bool = True, **config: str) -> testing.State:
    """A unit that is asked for one certificate."""
    attributes = CertificateRequestAttributes(
        common_name="server",
        sans_ip=frozenset({"10.152.183.7"} if ip else ()),
        sans_dns=frozenset({"svc.kube-system.svc"} if dns else ()),
    )
    csr = str(attributes.generate_csr(KEY))
    requests = json.dumps([{"certificate_signing_request": csr, "ca": False}])
    relation = testing.Relation(
        "certificates", id=1007, remote_app_data={"certificate_signing_requests": requests}
    )
    return testing.State(leader=True, relations=[relation], config=dict(config))


def settled(context: Context, state: testing.State) -> testing.State:
    """The state after two hooks: the first one makes the authority."""
    for _ in range(2):
        state = context.run(context.on.update_status(), state)
    return state


def answer(state: testing.State, key: str = "certificates") -> list[dict[str, Any]]:
    relation = state.get_relation(1007)
    assert isinstance(relation, testing.Relation)
    return json.loads(relation.local_app_data.get(key, "[]"))


def with_config(state: testing.State, **config: str) -> testing.State:
    return dataclasses.replace(state, config=dict(config))


def test_a_request_is_signed_by_the_authority(context: Context) -> None:
    state = settled(context, asked())

    [given] = answer(state)
    certificate, ca = map(Certificate.from_string, given["chain"])
    assert given["ca"] == str(ca)
    assert ca.common_name == "self-signed-certificates-operator"
    assert certificate.matches_private_key(KEY)
    assert certificate.sans_ip == {"10.152.183.7"}
    assert state.unit_status == ops.ActiveStatus()


@pytest.mark.parametrize(
    ("text", "validity"),
    [
        ("3m", datetime.timedelta(minutes=3)),
        ("45", datetime.timedelta(days=45)),
        ("2w", datetime.timedelta(weeks=2)),
    ],
)
def test_a_certificate_is_valid_for_as_long_as_the_option_says(
    context: Context, text: str, validity: datetime.timedelta
) -> None:
    [given] = answer(settled(context, with_config(asked(), **{"certificate-validity": text})))

    certificate = Certificate.from_string(given["certificate"])
    lasts = certificate.expiry_time - certificate.validity_start_time
    assert abs(lasts - validity) <= datetime.timedelta(seconds=1)


def test_a_hook_without_a_change_writes_nothing(context: Context) -> None:
    state = settled(context, asked())

    assert context.run(context.on.update_status(), state).relations == state.relations


@pytest.mark.parametrize("change", [{"ca-common-name": "other"}, {"root-ca-validity": "200d"}])
def test_a_new_authority_revokes_first_and_signs_at_the_next_hook(
    context: Context, change: dict[str, str]
) -> None:
    before = settled(context, asked())

    revoked = context.run(context.on.config_changed(), with_config(before, **change))
    after = context.run(context.on.update_status(), revoked)

    assert [given["revoked"] for given in answer(revoked)] == [True]
    [given] = answer(after)
    assert not given.get("revoked")
    assert given["ca"] != answer(before)[0]["ca"]


@pytest.mark.parametrize(
    ("error", "ip", "dns", "refused"),
    [
        ("IP_NOT_ALLOWED", True, True, True),
        ("IP_NOT_ALLOWED", False, True, False),
        ("DOMAIN_NOT_ALLOWED", True, True, True),
        ("DOMAIN_NOT_ALLOWED", True, False, False),
        ("OTHER", False, False, True),
    ],
)
def test_it_refuses_what_the_testbed_says(
    context: Context, refuse: Refuse, error: str, ip: bool, dns: bool, refused: bool
) -> None:
    state = settled(context, refuse(asked(ip=ip, dns=dns), error))

    errors = [given["error"]["name"] for given in answer(state, "request_errors")]
    assert errors == ([error] if refused else [])
    assert len(answer(state)) == (0 if refused else 1)


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("certificate-validity", "soon", "['certificate-validity', 'root-ca-validity']"),
        ("certificate-validity", "200d", "['certificate-validity', 'root-ca-validity']"),
        ("root-ca-validity", "0d", "['certificate-validity', 'root-ca-validity']"),
        ("ca-common-name", "", "['ca-common-name']"),
    ],
)
def test_an_option_that_cannot_be_is_named(
    context: Context, option: str, value: str, named: str
) -> None:
    state = context.run(context.on.config_changed(), with_config(asked(), **{option: value}))

    message = f"The following configuration values are not valid: {named}"
    assert state.unit_status == ops.BlockedStatus(message)
    with pytest.raises(testing.ActionFailed, match="configuration values are not valid"):
        context.run(context.on.action("rotate-private-key"), state)


def test_a_second_unit_says_that_it_is_of_no_use(context: Context) -> None:
    second = dataclasses.replace(asked(), leader=False)

    state = context.run(context.on.update_status(), second)

    assert state.unit_status == ops.BlockedStatus("Scaling is not implemented for this charm")
    with pytest.raises(testing.ActionFailed):
        context.run(context.on.action("rotate-private-key"), second)


def test_the_authority_is_sent_to_those_who_are_to_trust_it(context: Context) -> None:
    state = settled(context, testing.State(leader=True))
    relation = testing.Relation("send-ca-cert")
    state = dataclasses.replace(state, relations=[relation])

    state = context.run(context.on.relation_created(relation), state)
    after = context.run(context.on.update_status(), state)

    [secret] = after.secrets
    assert secret.latest_content
    assert received(after, relation.id) == {secret.latest_content["ca-certificate"]}
    assert after.relations == state.relations


def received(state: testing.State, relation: int) -> set[str]:
    """What the interface's own library reads at the other end of the relation."""
    app = state.get_relation(relation).local_app_data
    other = testing.Relation("receive-ca-cert", remote_app_data=app)
    requires = {"receive-ca-cert": {"interface": "certificate_transfer"}}
    context = testing.Context(ops.CharmBase, meta={"name": "other", "requires": requires})
    with context(context.on.start(), testing.State(relations=[other])) as manager:
        library = CertificateTransferRequires(manager.charm, "receive-ca-cert")
        return library.get_all_certificates()
