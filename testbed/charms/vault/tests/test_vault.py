"""vault of the testbed: sealed at first, then an authority of its own or below another."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
from typing import Any

import ops
import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ops import testing

from vault_charm import Vault

SANS = ["10.152.183.7", "svc.kube-system.svc"]
UNSORTED = [*reversed(SANS)]
READY = ops.ActiveStatus("Unit is ready (active: true, mlock: disabled)")
Context = testing.Context[Vault]


@pytest.fixture
def context() -> Context:
    return testing.Context(Vault)


@pytest.fixture
def authorized(context: Context) -> testing.State:
    """A unit that may use its Vault, and is asked for a certificate."""
    return authorize(context, sealed(asking(*SANS)))


@pytest.fixture
def serving(context: Context, authorized: testing.State) -> testing.State:
    """A unit that has answered."""
    return act(context, "generate-root-ca", authorized)


def sealed(*relations: testing.Relation, **config: bool) -> testing.State:
    peers = testing.PeerRelation("cluster")
    return testing.State(leader=True, relations=[peers, *relations], config=dict(config))


def asking(*sans: str, cn: str = "server") -> testing.Relation:
    asked = {"unit_name": "app_0", "cert_requests": json.dumps({cn: {"sans": list(sans)}})}
    return testing.Relation("certificates", id=1007, remote_units_data={0: asked})


def unseal(context: Context, state: testing.State) -> testing.State:
    """The state after `testbedctl authority vault unseal`."""
    with context(context.on.update_status(), state) as manager:
        manager.charm.on.testbed_unseal.emit()
        return manager.run()


def authorize(context: Context, state: testing.State) -> testing.State:
    unsealed = unseal(context, state)
    return act(context, "authorize-charm", unsealed, token=shared(unsealed)["token"])


def act(context: Context, action: str, state: testing.State, **params: Any) -> testing.State:
    return context.run(context.on.action(action, params=params), state)


def output(context: Context) -> str:
    assert context.action_results is not None
    return context.action_results["output"]


def shared(state: testing.State) -> dict[str, str]:
    [peers] = state.get_relations("cluster")
    return dict(peers.local_app_data)


def bag(state: testing.State) -> dict[str, str]:
    return dict(state.get_relation(1007).local_unit_data)


def pair(state: testing.State, cn: str = "server") -> dict[str, str]:
    return json.loads(bag(state)["app_0.processed_requests"])[cn]


def certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


def verifies(state: testing.State) -> bool:
    """Whether the answer is one of the authority that is published."""
    try:
        certificate(pair(state)["cert"]).verify_directly_issued_by(certificate(bag(state)["ca"]))
    except InvalidSignature:
        return False
    return True


def asked_again(state: testing.State, relation: testing.Relation) -> testing.State:
    """The same unit, asked something else by the same requirer."""
    [peers] = state.get_relations("cluster")
    asked = dataclasses.replace(relation, local_unit_data=bag(state))
    return dataclasses.replace(state, relations=[peers, asked])


def another(state: testing.State, published: testing.State | None = None) -> testing.State:
    """The state of another unit of the application, with what that one has published."""
    [peers] = state.get_relations("cluster")
    relation = published.get_relation(1007) if published else asking(*SANS)
    stored = published.stored_states if published else ()
    return dataclasses.replace(state, relations=[peers, relation], stored_states=stored)


def changed(context: Context, state: testing.State) -> testing.State:
    relation = state.get_relation(1007)
    assert isinstance(relation, testing.Relation)
    return context.run(context.on.relation_changed(relation, remote_unit=0), state)


class Root:
    """An authority elsewhere, which signs what vault asks for."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere")])
        self.pem = self._sign(self._name, self._key.public_key())

    def sign(self, csr: str) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        return self._sign(request.subject, request.public_key())

    def _sign(self, subject: x509.Name, key: Any) -> str:
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        )
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode().strip()


def upload(context: Context, state: testing.State, *pem: str, root: str = "") -> testing.State:
    params = {"pem": encoded("\n".join(pem)), **({"root-ca": encoded(root)} if root else {})}
    return act(context, "upload-signed-csr", state, **params)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def below(context: Context, root: Root, state: testing.State, **params: Any) -> testing.State:
    """The state once vault is an authority below this root."""
    waiting = act(context, "regenerate-intermediate-ca", state, **params)
    return upload(context, waiting, root.sign(output(context)), root=root.pem)


# from sealed to authorized


def test_unsealed_it_waits_to_be_authorized_with_the_token_that_was_printed(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    unsealed = unseal(context, sealed(asking(*SANS)))
    token = capsys.readouterr().out.strip()

    with pytest.raises(testing.ActionFailed, match="permission denied"):
        act(context, "authorize-charm", unsealed, token="another")
    after = act(context, "authorize-charm", unsealed, token=token)

    message = "Vault charm not yet authorized: run authorize-charm action."
    assert unsealed.unit_status == ops.BlockedStatus(message)
    assert after.unit_status == ops.BlockedStatus("Missing CA cert")


def test_unsealed_twice_it_has_the_same_token(context: Context) -> None:
    once = unseal(context, sealed())

    assert shared(unseal(context, once)) == shared(once)


def test_a_sealed_vault_is_not_authorized(context: Context) -> None:
    with pytest.raises(testing.ActionFailed, match="sealed"):
        act(context, "authorize-charm", sealed(), token="")


def test_the_option_makes_an_authority_once(context: Context, authorized: testing.State) -> None:
    option = {"auto-generate-root-ca-cert": True}
    before = dataclasses.replace(authorized, config=option)
    state = context.run(context.on.config_changed(), before)

    disabled = act(context, "disable-pki", state)
    after = context.run(context.on.config_changed(), disabled)

    assert verifies(state)
    assert after.unit_status == ops.BlockedStatus("Missing CA cert")


# the authority


def test_a_root_is_published_without_a_chain(serving: testing.State) -> None:
    assert set(bag(serving)) >= {"ca", "client.cert", "client.key"}
    assert "chain" not in bag(serving)
    leaf = certificate(pair(serving)["cert"])
    leaf.verify_directly_issued_by(certificate(bag(serving)["ca"]))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {*SANS, "server"}
    assert serving.unit_status == READY


def test_what_was_uploaded_above_the_issuer_is_in_the_chain(
    context: Context, authorized: testing.State
) -> None:
    root = Root()
    waiting = act(context, "regenerate-intermediate-ca", authorized, **{"common-name": "mine"})
    signed = root.sign(output(context))

    state = upload(context, waiting, signed, root.pem)

    assert bag(state)["chain"] == f"{signed}\n{root.pem}"
    assert certificate(signed).subject.rfc4514_string() == "CN=mine"


def test_a_certificate_of_another_key_is_refused(
    context: Context, authorized: testing.State
) -> None:
    waiting = act(context, "regenerate-intermediate-ca", authorized)

    with pytest.raises(testing.ActionFailed, match="does not match private key"):
        upload(context, waiting, Root().pem)
    assert waiting.unit_status == ops.BlockedStatus("Missing CA cert")


def test_nothing_is_uploaded_that_was_not_asked_for(
    context: Context, authorized: testing.State
) -> None:
    with pytest.raises(testing.ActionFailed, match="private key"):
        upload(context, authorized, Root().pem)


def test_an_authority_that_there_is_goes_only_by_force(
    context: Context, serving: testing.State
) -> None:
    with pytest.raises(testing.ActionFailed, match="already configured"):
        act(context, "generate-root-ca", serving)
    with pytest.raises(testing.ActionFailed, match="force=True"):
        act(context, "regenerate-intermediate-ca", serving)

    act(context, "regenerate-intermediate-ca", serving, force=True)

    assert output(context).startswith("-----BEGIN CERTIFICATE REQUEST")


def test_a_new_root_has_every_request_answered_again(
    context: Context, serving: testing.State
) -> None:
    renewed = act(context, "generate-root-ca", act(context, "disable-pki", serving))

    assert bag(renewed)["ca"] != bag(serving)["ca"]
    assert bag(renewed)["client.cert"] != bag(serving)["client.cert"]
    assert pair(renewed) != pair(serving)
    assert verifies(renewed)


def test_a_chain_that_was_published_stays_as_the_originals_does(
    context: Context, authorized: testing.State
) -> None:
    before = below(context, Root(), authorized)

    after = act(context, "generate-root-ca", act(context, "disable-pki", before))

    assert bag(after)["chain"] == bag(before)["chain"]
    assert verifies(after)


# answers


def test_the_same_names_in_another_order_get_the_same_pair(
    context: Context, serving: testing.State
) -> None:
    again = asked_again(serving, asking(*UNSORTED))

    assert bag(changed(context, again)) == bag(serving)


def test_names_that_do_not_come_sorted_get_another_pair_in_every_hook(
    context: Context, authorized: testing.State
) -> None:
    [peers] = authorized.get_relations("cluster")
    state = dataclasses.replace(authorized, relations=[peers, asking(*UNSORTED)])
    first = act(context, "generate-root-ca", state)

    assert pair(changed(context, first)) != pair(first)


def test_other_names_get_another_pair(context: Context, serving: testing.State) -> None:
    again = asked_again(serving, asking("other"))

    assert pair(changed(context, again)) != pair(serving)


# leaders and others


def test_a_leader_that_comes_back_after_a_new_authority_keeps_its_answers_of_the_former(
    context: Context, serving: testing.State
) -> None:
    elsewhere = another(serving)
    renewed = act(context, "generate-root-ca", act(context, "disable-pki", elsewhere))

    after = context.run(context.on.leader_elected(), another(renewed, published=serving))

    assert bag(after)["ca"] == bag(renewed)["ca"]
    assert pair(after) == pair(serving)
    assert not verifies(after)
    assert verifies(act(context, "reissue-certificates", after))


def test_a_unit_that_does_not_lead_keeps_what_it_published(
    context: Context, serving: testing.State
) -> None:
    follower = dataclasses.replace(serving, leader=False)

    after = changed(context, follower)

    assert bag(after) == bag(serving)
    assert after.unit_status == ops.ActiveStatus("Unit is ready (active: false, mlock: disabled)")


def test_a_unit_that_was_told_to_issue_again_does_so_when_it_leads(
    context: Context, serving: testing.State
) -> None:
    told = act(context, "reissue-certificates", dataclasses.replace(serving, leader=False))

    leads = context.run(context.on.leader_elected(), dataclasses.replace(told, leader=True))

    assert bag(told) == bag(serving)
    assert pair(leads) != pair(serving)


ACTIONS = {
    "authorize-charm": {"token": "x"},
    "generate-root-ca": {},
    "regenerate-intermediate-ca": {},
    "upload-signed-csr": {"pem": ""},
    "disable-pki": {},
}


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_elsewhere_than_on_the_leader_says_so(context: Context, action: str) -> None:
    with pytest.raises(testing.ActionFailed, match="Please run action on lead unit"):
        act(context, action, testing.State(), **ACTIONS[action])


@pytest.mark.parametrize("action", sorted(ACTIONS.keys() - {"authorize-charm"}))
def test_an_action_before_the_charm_is_authorized_says_so(context: Context, action: str) -> None:
    with pytest.raises(testing.ActionFailed, match="Vault is not ready"):
        act(context, action, unseal(context, sealed()), **ACTIONS[action])
