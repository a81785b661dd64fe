"""vault of the testbed: an intermediate authority that several units share."""

from __future__ import annotations

import dataclasses
import json

import ops
import pytest
from cryptography import x509
from ops import testing

from vault_charm import Vault

SANS = ["svc.kube-system.svc", "10.152.183.7"]
Context = testing.Context[Vault]


@pytest.fixture
def context() -> Context:
    return testing.Context(Vault)


@pytest.fixture
def serving(context: Context) -> testing.State:
    """A unit that is unsealed and has answered."""
    state = testing.State(leader=True, relations=[testing.PeerRelation("cluster"), asking(*SANS)])
    return context.run(context.on.action("unseal"), state)


def asking(*sans: str, cn: str = "server", relation_id: int = 1007) -> testing.Relation:
    asked = {"unit_name": "app_0", "cert_requests": json.dumps({cn: {"sans": list(sans)}})}
    return testing.Relation("certificates", id=relation_id, remote_units_data={0: asked})


def bag(state: testing.State) -> dict[str, str]:
    return dict(state.get_relation(1007).local_unit_data)


def pair(state: testing.State, cn: str = "server") -> dict[str, str]:
    return json.loads(bag(state)["app_0.processed_requests"])[cn]


def certificate(text: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(text.encode())


def asking_again(state: testing.State, relation: testing.Relation) -> testing.State:
    """The same unit, asked something else by the same requirer."""
    peers = next(iter(state.get_relations("cluster")))
    asked = dataclasses.replace(relation, local_unit_data=bag(state))
    return dataclasses.replace(state, relations=[peers, asked])


def changed(context: Context, state: testing.State) -> testing.State:
    return context.run(context.on.relation_changed(state.get_relation(1007)), state)


def test_a_sealed_vault_is_silent_and_says_so(context: Context) -> None:
    state = testing.State(leader=True, relations=[testing.PeerRelation("cluster"), asking(*SANS)])

    after = changed(context, state)

    assert "ca" not in bag(after)
    assert after.unit_status == ops.BlockedStatus("Unit is sealed")


def test_unsealed_it_answers_below_a_root(serving: testing.State) -> None:
    issuer, root = x509.load_pem_x509_certificates(bag(serving)["chain"].encode())

    assert certificate(bag(serving)["ca"]) == issuer
    issuer.verify_directly_issued_by(root)
    leaf = certificate(pair(serving)["cert"])
    leaf.verify_directly_issued_by(issuer)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in names} == {*SANS, "server"}
    assert serving.unit_status == ops.ActiveStatus("Unit is ready (active: true, mlock: disabled)")


def test_the_option_unseals_without_the_action(context: Context) -> None:
    state = testing.State(
        leader=True,
        config={"totally-unsecure-auto-unlock": True},
        relations=[testing.PeerRelation("cluster"), asking(*SANS)],
    )

    assert "ca" in bag(context.run(context.on.config_changed(), state))


def test_the_same_names_in_another_order_get_the_same_pair(
    context: Context, serving: testing.State
) -> None:
    again = asking_again(serving, asking(*reversed(SANS)))

    assert bag(changed(context, again)) == bag(serving)


def test_other_names_get_another_pair(context: Context, serving: testing.State) -> None:
    again = asking_again(serving, asking("other"))

    assert pair(changed(context, again)) != pair(serving)


@pytest.mark.parametrize(
    ("action", "same_authority"), [("reissue-certificates", True), ("generate-root-ca", False)]
)
def test_an_action_makes_certificates_anew(
    context: Context, serving: testing.State, action: str, same_authority: bool
) -> None:
    after = context.run(context.on.action(action), serving)

    assert pair(after) != pair(serving)
    assert (bag(after)["ca"] == bag(serving)["ca"]) == same_authority
    certificate(pair(after)["cert"]).verify_directly_issued_by(certificate(bag(after)["ca"]))


def test_a_new_leader_answers_from_the_same_authority_with_pairs_of_its_own(
    context: Context, serving: testing.State
) -> None:
    peers = next(iter(serving.get_relations("cluster")))
    state = testing.State(leader=True, relations=[peers, asking(*SANS)])

    after = context.run(context.on.leader_elected(), state)

    assert bag(after)["ca"] == bag(serving)["ca"]
    assert pair(after) != pair(serving)


def test_a_leader_that_comes_back_after_the_authority_changed_answers_from_the_new_one(
    context: Context, serving: testing.State
) -> None:
    renewed = context.run(context.on.action("generate-root-ca"), serving)
    peers = next(iter(renewed.get_relations("cluster")))
    state = testing.State(leader=True, relations=[peers, serving.get_relation(1007)])

    after = context.run(context.on.leader_elected(), state)

    assert bag(after)["ca"] == bag(renewed)["ca"]
    certificate(pair(after)["cert"]).verify_directly_issued_by(certificate(bag(after)["ca"]))


def test_a_unit_that_does_not_lead_keeps_what_it_published(
    context: Context, serving: testing.State
) -> None:
    follower = dataclasses.replace(serving, leader=False)

    after = changed(context, follower)

    assert bag(after) == bag(serving)
    assert after.unit_status == ops.ActiveStatus("Unit is ready (active: false, mlock: disabled)")


@pytest.mark.parametrize("action", ["unseal", "reissue-certificates", "generate-root-ca"])
def test_an_action_elsewhere_than_on_the_leader_names_the_leader(
    context: Context, action: str
) -> None:
    with pytest.raises(testing.ActionFailed, match="vault/leader"):
        context.run(context.on.action(action), testing.State())


@pytest.mark.parametrize("action", ["reissue-certificates", "generate-root-ca"])
def test_an_action_on_a_sealed_vault_says_how_to_unseal(context: Context, action: str) -> None:
    state = testing.State(leader=True, relations=[testing.PeerRelation("cluster")])

    with pytest.raises(testing.ActionFailed, match="unseal"):
        context.run(context.on.action(action), state)
