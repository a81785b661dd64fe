"""What a person gains by a removal, a new deployment or a hook who may write mappings and no more,
or edit namespace `default`: nothing."""

from __future__ import annotations

import httpx2
import ops
from tests.fakes.declaring import HEALTHY
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import DEFINED, DEFINITION, POLICY, POLICY_BINDING
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

BOUND = f"{RBAC}/namespaces/default/rolebindings/aws-iam-authenticator"


def test_given_a_delegate_when_removed_and_deployed_again_then_a_policy_judges_each_mapping(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    """A mapping of `system:masters` that nobody judges makes its writer an administrator."""
    unguarded = list[str]()

    def look(request: httpx2.Request) -> None:
        is_guarded = {POLICY, POLICY_BINDING} <= api.objects.keys()
        if DEFINITION in api.objects and not is_guarded:
            unguarded.append(f"{request.method} {request.url.path}")

    api.fail(look)
    for name in ("aws-iam", "login"):
        model = Model(easyrsa, machines[:1], application=name)
        model.settle()
        assert model.hook().name == "active"
        model.hook(model.on.stop())

    assert unguarded == []
    assert set(api.objects) == {*DEFINED}


def forge(api: FakeCluster) -> None:
    """An editor of the namespace binds another role by the charm's name, and keeps it."""
    bound = api.objects[BOUND]
    bound["roleRef"] = {**bound["roleRef"], "name": "theirs"}
    bound["metadata"]["finalizers"] = ["example.com/keep"]


def test_given_a_forged_binding_in_default_when_a_hook_runs_then_it_is_ours_again(
    deployed: Model, api: FakeCluster
):
    forge(api)

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 0 mappings")

    assert api.objects[BOUND]["roleRef"]["name"] == "aws-iam-authenticator"
    assert not api.objects[BOUND]["metadata"].get("finalizers")


def test_given_a_forged_binding_in_default_when_removed_then_it_goes_too(
    deployed: Model, api: FakeCluster
):
    forge(api)
    deployed.hook(deployed.on.stop())

    assert set(api.objects) == {*DEFINED}
