"""Rights that come with mappings, when a hook dies in between, or the leader changes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from tests.fakes.declaring import ACCOUNT, HEALTHY, Declare, entry, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fakes.kubernetes.server import FakeCluster

from access.rights import Right, bindings

OPS = f"{ACCOUNT}:role/Ops"
VIEW, EDIT = {"role": "view"}, {"role": "edit", "namespaces": ["default"]}
BEFORE = (entry("dev", access=[VIEW, EDIT]), entry("ops", OPS))
AFTER = (entry("dev", access=[EDIT]), entry("ops", OPS, access=[VIEW]))


@pytest.fixture(autouse=True)
def _roles(api: FakeCluster) -> None:
    for name in ("view", "edit"):
        api.add_role(name, "get")


def rights(api: FakeCluster) -> set[tuple[str, str]]:
    """What each group of a mapping's own has: its name and the role's."""
    return {
        (subject["name"], each["roleRef"]["name"])
        for path, each in api.objects.items()
        if path.startswith(RBAC)
        for subject in each.get("subjects") or ()
        if subject["name"].startswith("aws-iam:")
    }


((_, FORMER),) = bindings("dev", [Right("view")], "option")
REQUESTS = (
    ("take", f"DELETE {RBAC}/clusterrolebindings/{FORMER.name}"),
    ("widen", f"PATCH {MAPPINGS}/ops"),
    ("give", f"POST {RBAC}/clusterrolebindings"),
    ("look", f"GET {RBAC}/rolebindings"),
    ("roles", f"GET {RBAC}/clusterroles"),
)


@pytest.mark.parametrize(
    "request_", [path for _, path in REQUESTS], ids=[name for name, _ in REQUESTS]
)
@pytest.mark.parametrize(
    "fault",
    [
        refusal(500, "etcdserver: no leader"),
        unreachable(httpx2.ReadTimeout),
    ],
    ids=["500", "no answer"],
)
def test_given_a_request_that_fails_when_rights_change_then_later_hooks_bring_them(
    declare: Declare, deployed: Model, api: FakeCluster, request_: str, fault: Any
):
    declare(*BEFORE)
    assert rights(api) == {("aws-iam:dev", "view"), ("aws-iam:dev", "edit")}
    api.fail(fault, request=request_)

    status = declare(*AFTER)

    assert status.name in ("waiting", "active")
    assert rights(api) <= {
        ("aws-iam:dev", "view"),
        ("aws-iam:dev", "edit"),
        ("aws-iam:ops", "view"),
    }
    api.recover()
    deployed.settle()
    assert rights(api) == {("aws-iam:dev", "edit"), ("aws-iam:ops", "view")}
    assert stored(api, "ops")["spec"]["groups"] == ["aws-iam:ops"]
    assert deployed.hook().message == f"{HEALTHY}, 2 mappings"
