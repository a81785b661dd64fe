"""The mappings of the option `mappings` when the application is removed."""

from __future__ import annotations

import httpx2
import ops
import pytest
from tests.fakes.acting import GRANT, grant
from tests.fakes.declaring import ACCOUNT, HEALTHY, Declare, entry, names, short
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import CONFIG, MAPPINGS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster

from cluster import access


@pytest.fixture(autouse=True)
def _leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application leaves its control plane, and makes one change at a time."""
    found = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
    monkeypatch.setattr(access, "WRITERS", 1)


def test_given_a_slow_server_when_the_application_is_removed_then_the_rest_is_named_in_the_log(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(*(entry(f"r{n}", f"{ACCOUNT}:role/R{n}") for n in range(13)))
    # Grants go first, because no later application deletes them.
    api.add_mapping("z", f"{ACCOUNT}:user/z", f"{ACCOUNT}:user/z", source="grant")

    def slowly(request: httpx2.Request) -> None:
        api.clock.sleep(2 if request.method == "DELETE" and MAPPINGS in request.url.path else 0)

    api.fail(slowly)
    began = api.clock.now
    deployed.hook(deployed.on.remove())

    assert api.clock.now < began + 28
    assert 0 < len(names(api)) < 6
    assert "z" not in names(api)
    assert CONFIG not in api.objects
    assert SERVICE not in api.objects
    assert f"{len(names(api))} mappings and role bindings are left; run: kubectl" in deployed.log()
    assert "remove it with" not in deployed.log()
    assert "kubectl delete iamidentitymappings --selector aws-iam/source" in deployed.log()


def test_given_a_policy_that_keeps_a_mapping_when_removed_then_it_is_counted_and_has_no_role(
    deployed: Model, api: FakeCluster
):
    api.add_role("view", "get")
    grant(deployed, role="view")
    denied = 'admission webhook "x" denied the request: no'
    api.fail(refusal(403, denied), request=f"DELETE {MAPPINGS}/{GRANT}")

    deployed.hook(deployed.on.remove())

    assert names(api) == [short(GRANT)]
    assert "1 mappings and role bindings are left; run: kubectl" in deployed.log()


def test_given_mappings_that_a_removal_left_when_it_is_deployed_again_then_its_hooks_delete_them(
    model: Model, api: FakeCluster
):
    for n in range(5):
        principal = f"{ACCOUNT}:role/r{n}"
        api.add_mapping(f"r{n}", principal, principal, source="option")

    api.fail(unreachable(httpx2.ReadTimeout), request=f"DELETE {MAPPINGS}/r1", nth=1)
    model.answer()
    model.hook()
    model.answer()

    assert model.hook().message == f"{HEALTHY}, 0 mappings"
    assert names(api) == []
