"""The policy on who may write mappings, as the charm deploys it.

What the API server makes of it is tested on a real one, in tests/integration/test_page_1_29.py.
"""

from __future__ import annotations

import copy
from typing import Any

import ops
from tests.fakes.juju.model import OWNER, Model
from tests.fakes.kubernetes.paths import DEFINITION, POLICY, POLICY_BINDING
from tests.fakes.kubernetes.server import FakeCluster

from access.mapping import IdentityMapping
from cluster import manifests
from owner import GRANT

SERVING = "2/2 pods, 0 mappings"
# The API server's cost of one question to its authorizers, what one expression may cost, and what
# one policy may cost for one request: k8s.io/apiserver, pkg/cel/library and pkg/apis/cel.
CHECK, MOST_OF_EXPRESSION, MOST_OF_POLICY = 350_000, 1_000_000, 10_000_000


def policy() -> Any:
    found, _ = manifests.mapping_policy(OWNER, "enforce")
    return found["spec"]


def test_given_kubernetes_1_29_when_it_is_upgraded_then_the_policy_comes(
    model: Model, api: FakeCluster
):
    api.version = "v1.29.15"
    model.settle()
    assert not {POLICY, POLICY_BINDING} & set(api.objects)
    assert model.hook().message == SERVING

    api.version = "v1.30.0"

    assert model.hook().message == SERVING
    assert {POLICY, POLICY_BINDING} <= set(api.objects)


def test_given_the_option_warn_when_a_hook_runs_then_the_policy_admits_with_a_warning(
    deployed: Model, api: FakeCluster
):
    deployed.config = {"mapping-policy": "warn"}

    # Not to deny is the operator's own choice.
    assert deployed.hook(deployed.on.config_changed()) == ops.ActiveStatus(SERVING)
    assert api.objects[POLICY_BINDING]["spec"]["validationActions"] == ["Warn", "Audit"]


def test_given_a_policy_that_somebody_weakens_or_deletes_when_a_hook_runs_then_it_is_repaired(
    deployed: Model, api: FakeCluster
):
    def guards() -> list[Any]:
        return [api.objects[path]["spec"] for path in (POLICY, POLICY_BINDING)]

    before = copy.deepcopy(guards())
    assert before[1]["validationActions"] == ["Deny", "Audit"]
    api.objects[POLICY]["spec"]["failurePolicy"] = "Ignore"
    api.objects[POLICY_BINDING]["spec"]["validationActions"] = ["Audit"]
    deployed.hook()
    assert guards() == before

    for path in (POLICY, POLICY_BINDING):
        api.delete(path)
    assert deployed.hook() == ops.ActiveStatus(SERVING)
    assert guards() == before


def test_given_a_list_of_groups_then_each_is_checked_within_the_budget_of_the_api_server():
    expressions = [each["expression"] for each in policy()["validations"]]
    checks = [expression.count(".check(") for expression in expressions]

    for index in range(manifests.MOST_CHECKED_GROUPS):
        assert f"name(variables.checked[{index}]).check('impersonate')" in " ".join(expressions)
    assert max(checks) * CHECK < MOST_OF_EXPRESSION
    assert sum(checks) * CHECK < MOST_OF_POLICY
    assert all(".check(" not in variable["expression"] for variable in policy()["variables"])


def test_given_the_policy_then_it_sees_each_write_of_mappings_and_of_their_status():
    (rule,) = policy()["matchConstraints"]["resourceRules"]
    plural, _, group = DEFINITION.rpartition("/")[2].partition(".")

    assert rule == {
        "apiGroups": [group],
        "apiVersions": ["*"],
        "operations": ["CREATE", "UPDATE"],
        "resources": [plural, f"{plural}/status"],
        "scope": "*",
    }


def test_given_a_mapping_when_its_end_is_put_off_then_its_user_and_groups_count_as_new():
    variables = {each["name"]: each["expression"] for each in policy()["variables"]}

    for kept in ("aws-iam/expires", "aws-iam/source", "spec.?arn", "finalizers"):
        assert kept in variables["isSame"]
    assert "variables.isSame" in variables["formerGroups"]
    assert "variables.isSame" in variables["keepsUsername"]


def test_given_the_longest_that_the_charm_writes_then_the_bound_of_the_metadata_suffices():
    longest = IdentityMapping(
        "n" * 253,
        "arn:aws:iam::111122223333:role/dev",
        "dev",
        "",
        source=GRANT,
        expires="2099-01-01T00:00:00Z",
        reason="r" * 200,
    )

    metadata = manifests.identity_mapping(longest)["metadata"]

    parts = [*metadata["labels"].items(), *metadata["annotations"].items()]
    assert len(parts) < manifests.MOST_METADATA_PARTS / 2
    assert len("".join(map("".join, parts))) < manifests.MOST_METADATA_CHARACTERS / 2
