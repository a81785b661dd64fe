"""The action that lists who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

import json

import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import BINDINGS, MAPPINGS
from tests.fakes.kubernetes.rbac import EVERYTHING, RBAC, REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import ROLE, add, items

SSO = "AWSReservedSSO_DevOps_0123456789abcdef"


def test_given_mappings_when_listed_as_json_then_a_program_reads_all_of_it(
    deployed: Model, api: FakeCluster
):
    metadata = {
        "labels": {"aws-iam/source": "option"},
        "annotations": {"aws-iam/expires": "2026-12-31T18:00:00Z"},
    }
    add(api, "dev", SSO, "alice", "team", "system:masters", **metadata)
    api.add_binding("view", "ClusterRole/view", Group="team")
    api.add_binding("default/read", "Role/pod-reader", User="alice")
    api.add_binding("other", "ClusterRole/other", User="team", ServiceAccount="alice")
    api.add_binding("prod/read", "ClusterRole/view", Group=("team", "readers"))

    assert items(deployed) == [
        {
            "name": "dev",
            "arn": f"{ROLE}/{SSO}",
            "username": "alice",
            "groups": ["team", "system:masters"],
            "source": "option",
            "permission_set": "DevOps@111122223333",
            "expires": "2026-12-31T18:00:00Z",
            "roles": [
                "everything (system:masters)",
                *("ClusterRole/view", "Role/default/pod-reader", "ClusterRole/view in prod"),
            ],
            "problem": "",
        }
    ]


def test_given_no_mappings_when_listed_then_the_table_is_its_header(deployed: Model):
    assert deployed.action("list-mappings") == {
        "mappings": "NAME  ARN  USERNAME  GROUPS  SOURCE  ROLES",
        "total": "0",
    }
    assert items(deployed) == []


@pytest.mark.parametrize("form", ["table", "json"])
def test_given_more_mappings_than_a_result_can_hold_when_listed_then_administrators_come_first(
    deployed: Model, api: FakeCluster, form: str
):
    for n in range(1_000):
        add(api, f"m{n:04}", f"{'r' * 60}{n}", "alice", "a" * 50)
    add(api, "z", "Admin", "root", "system:masters")

    results = deployed.action("list-mappings", format=form)

    assert len(results["mappings"].encode()) <= 100_000
    if form == "json":
        names = [item["name"] for item in json.loads(results["mappings"])]
    else:
        names = [line.split()[0] for line in results["mappings"].splitlines()[1:]]
    assert names == ["z", *(f"m{n:04}" for n in range(len(names) - 1))]
    assert results["total"] == "1001"
    assert results["more"] == (
        f"and {1_001 - len(names)} more; run: kubectl get iamidentitymappings -o wide"
    )


def test_given_a_blocked_unit_that_does_not_lead_when_it_lists_then_it_has_the_list(
    two: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")
    two.config = {"replicas": 0}

    assert two.hook(two.on.config_changed()).name == "blocked"
    assert two.action("list-mappings", unit=1)["total"] == "1"


def test_given_thousands_of_mappings_when_listed_then_the_server_is_asked_seven_times(
    deployed: Model, api: FakeCluster
):
    for n in range(2_000):
        add(api, f"m{n}", f"r{n}", "alice")
    deployed.action("list-mappings")

    assert api.requests == [
        *(f"GET {path}" for path in BINDINGS),
        f"GET {MAPPINGS}",
        f"GET {RBAC}/clusterroles",
        *(f"GET {path}" for path in BINDINGS),
        f"POST {REVIEWS}",
    ]


def test_given_a_binding_of_everybody_to_everything_when_listed_then_the_result_warns_of_it(
    deployed: Model, api: FakeCluster
):
    api.put(f"{RBAC}/clusterroles/cluster-admin", {"rules": [EVERYTHING]})
    api.add_binding("oops", "ClusterRole/cluster-admin", Group="system:authenticated")

    assert deployed.action("list-mappings")["warning"] == (
        'everybody who logs in may do everything: RBAC: allowed by ClusterRoleBinding "oops" of '
        'ClusterRole "cluster-admin" to Group "system:authenticated"'
    )


@pytest.mark.parametrize(
    ("option", "key", "said"),
    [
        ("mapAccounts: ['1']", "left-out", "mapAccounts: a whole account cannot be mapped"),
        ("- [", "faults", "line "),
        (
            "[{}, text]",
            "faults",
            "mappings[0]: it is not a map with arn, username and groups\nmappings[",
        ),
    ],
)
def test_given_an_option_that_is_not_all_applied_when_listed_then_each_part_is_named(
    deployed: Model, option: str, key: str, said: str
):
    deployed.config = {"mappings": option}

    results = deployed.action("list-mappings")

    assert results[key].startswith(said)
    assert not results.keys() & ({"faults", "left-out", "not-applied"} - {key})


def test_given_entries_that_are_not_in_effect_when_listed_then_each_is_named_with_its_reason(
    deployed: Model, api: FakeCluster
):
    add(api, "theirs", "Dev", "alice")
    entries = [
        {"arn": f"{ROLE}/other"},
        {"permission-set": "DevOps", "account": "111122223333"},
        {"arn": f"{ROLE}/ops"},
    ]
    deployed.config = {"mappings": json.dumps(entries)}

    assert deployed.action("list-mappings")["not-applied"].splitlines() == [
        "mappings[1]: role unknown; log in once with this permission set, or set suffix",
        "mappings[0]: the leader has yet to make it",
        "mappings[2]: the leader has yet to make it",
    ]
