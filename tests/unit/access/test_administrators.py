"""Who is more than a mapping shows: service accounts, and who can become administrator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.explaining import explained
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import POLICY, POLICY_BINDING
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add, items, table

from access import administrators, rbac
from access.administrators import Rule
from access.mapping import IdentityMapping


@pytest.mark.parametrize(
    ("binding", "subject", "roles"),
    [
        ("controller", "kube-system:controller", ["ClusterRole/x"]),
        # In a RoleBinding, an account without a namespace is one of the binding's.
        ("kube-system/controller", "controller", ["ClusterRole/x in kube-system"]),
        ("controller", "controller", []),
        ("controller", "default:controller", []),
    ],
)
def test_given_the_name_of_a_service_account_when_listed_then_it_has_the_accounts_roles(
    deployed: Model, api: FakeCluster, binding: str, subject: str, roles: list[str]
):
    add(api, "dev", "Dev", "system:serviceaccount:kube-system:controller")
    api.add_binding(binding, "ClusterRole/x", ServiceAccount=subject)

    assert items(deployed)[0]["roles"] == roles


def rule(group: str, resource: str, *verbs: str, names: tuple[str, ...] = ()) -> Rule:
    return Rule(frozenset(verbs), frozenset({group}), frozenset({resource}), frozenset(names))


RBAC_GROUP, MAPPING_GROUP = "rbac.authorization.k8s.io", "iamauthenticator.k8s.aws"
POWERS = {
    "everything": (rule("*", "*", "*"), "do everything"),
    "a user": (rule("", "users", "impersonate"), "impersonate users"),
    "a group": (rule("", "groups", "impersonate"), "impersonate groups"),
    "masters": (
        rule("", "groups", "impersonate", names=("system:masters",)),
        "impersonate groups",
    ),
    "an account": (rule("", "serviceaccounts", "impersonate"), "impersonate service accounts"),
    "any group": (rule("*", "users", "impersonate"), "impersonate users"),
    "any verb": (rule("", "serviceaccounts", "*"), "impersonate service accounts"),
    "escalate": (rule(RBAC_GROUP, "clusterroles", "escalate"), "escalate roles"),
    "bind": (rule(RBAC_GROUP, "*", "bind"), "bind roles"),
    "bind one": (rule(RBAC_GROUP, "clusterroles", "bind", names=("cluster-admin",)), "bind roles"),
    "mappings": (rule(MAPPING_GROUP, "iamidentitymappings", "update"), "write mappings"),
    "new mappings": (rule(MAPPING_GROUP, "iamidentitymappings", "create"), "write mappings"),
    "status": (rule(MAPPING_GROUP, "iamidentitymappings/status", "patch"), "write mappings"),
}


@pytest.mark.parametrize(("given", "power"), POWERS.values(), ids=POWERS)
def test_given_a_rule_that_makes_administrators_then_it_is_named(given: Rule, power: str):
    assert administrators.powers_of([rule("", "pods", "get"), given], "") == (power,)


HARMLESS = {
    "a delegate of one group": rule("", "groups", "impersonate", names=("developers",)),
    "all objects of one name": rule("*", "*", "*", names=("x",)),
    "another group": rule("apps", "users", "impersonate"),
    "one role": rule(RBAC_GROUP, "clusterroles", "bind", names=("view",)),
    "reading roles": rule(RBAC_GROUP, "clusterroles", "get", "create"),
}


@pytest.mark.parametrize("given", HARMLESS.values(), ids=HARMLESS)
def test_given_a_rule_that_makes_no_administrators_then_nothing_is_named(given: Rule):
    assert administrators.powers_of([given], "") == ()


@pytest.mark.parametrize(
    ("namespace", "powers"), [("default", ()), ("kube-system", ("do everything in kube-system",))]
)
def test_given_a_role_in_a_namespace_then_only_all_of_kube_system_makes_administrators(
    namespace: str, powers: tuple[str, ...]
):
    assert administrators.powers_of([rule("*", "*", "*")], namespace) == powers
    assert administrators.powers_of([rule("", "users", "impersonate")], namespace) == ()


def test_given_a_role_that_makes_administrators_when_listed_and_explained_then_it_is_marked(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice", "team")
    everything = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
    api.add_rules("x", {**everything, "resourceNames": ["y"]})
    api.add_rules("z", everything)
    api.add_binding("x", "ClusterRole/x", Group="team")
    api.add_binding("kube-system/z", "ClusterRole/z", Group="team")
    power = "do everything in kube-system (ClusterRole/z in kube-system)"

    assert items(deployed)[0]["administrator_by"] == [power]
    header, row = table(deployed)
    assert row[header.index("CAN BECOME ADMINISTRATOR BY")] == power
    assert f"it can become administrator, because it may {power}" in explained(deployed)


@pytest.mark.parametrize(
    ("actions", "powers"),
    [
        (["Deny", "Audit"], []),
        (["Warn", "Audit"], ["write mappings (ClusterRole/x)"]),
        (None, ["write mappings (ClusterRole/x)"]),
        ("no policy", ["write mappings (ClusterRole/x)"]),
    ],
    ids=str,
)
def test_given_a_policy_on_mappings_when_listed_then_writers_are_marked_unless_it_denies(
    deployed: Model, api: FakeCluster, actions: list[str] | str | None, powers: list[str]
):
    api.objects[POLICY_BINDING]["spec"]["validationActions"] = actions
    if actions == "no policy":
        api.delete(POLICY)
    add(api, "dev", "dev", "alice", "team")
    mappings = {"apiGroups": [MAPPING_GROUP], "resources": ["iamidentitymappings"]}
    api.add_rules("x", {**mappings, "verbs": ["update"]})
    api.add_binding("x", "ClusterRole/x", Group="team")

    assert items(deployed)[0]["administrator_by"] == powers


def test_given_a_binding_to_a_template_when_listed_and_explained_then_nobody_has_its_role(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "viewer:{{SessionName}}", "team")
    api.add_binding("x", "ClusterRole/x", User="viewer:{{SessionName}}")

    assert items(deployed)[0]["roles"] == []
    assert "run: kubectl create clusterrolebinding NAME --clusterrole=view --group=team" in (
        explained(deployed)
    )


def test_given_a_template_and_no_group_when_explained_then_no_command_binds_the_template(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "viewer:{{SessionName}}", "team:{{SessionName}}")

    assert explained(deployed)[3:5] == [
        "no binding names its groups, and none can name a template such as its username",
        "give the mapping a group, and bind a role to that",
    ]


# Who certainly administers the cluster by one of all mappings.

DEV = "arn:aws:iam::111122223333:role/Dev"
EVERYTHING = ("do everything",)
OPEN = "{{SessionName}}"
BINDINGS = [
    rbac.Binding("all", "", "ClusterRole", "all", ("root", OPEN), ("admins", OPEN), EVERYTHING),
    rbac.Binding("x", "", "ClusterRole", "x", (), ("delegates",), ("impersonate users",)),
    rbac.Binding("y", "kube-system", "ClusterRole", "all", (), ("system",), ("bind roles",)),
    rbac.Binding("view", "", "ClusterRole", "view", (), ("view",)),
]


def mapping(name: str = "dev", arn: str = DEV, **more: Any) -> IdentityMapping:
    fields: dict[str, Any] = {"username": "dev", **more}
    return IdentityMapping(name, arn, canonical=arn.lower(), **fields)


@pytest.mark.parametrize(
    ("fields", "does"),
    [
        ({"groups": ("system:masters",)}, True),
        ({"groups": ("admins",)}, True),
        ({"groups": (OPEN, "admins")}, True),
        ({"username": "root"}, True),
        ({"groups": ("delegates",)}, False),
        ({"groups": ("system",)}, False),
        ({"groups": (OPEN,)}, False),
        ({"username": OPEN}, False),
        ({"groups": ("admins",), "expires": "2099-01-01T00:00:00Z"}, False),
        ({"groups": ("view",)}, False),
        ({"groups": ("admins",), "arn": DEV.replace("Dev", "path/Dev")}, False),
        ({"groups": ("admins",), "arn": DEV.replace("aws", "aws-cn", 1)}, False),
    ],
    ids=str,
)
def test_given_a_mapping_then_somebody_certainly_administers_the_cluster_by_it_or_not(
    fields: dict[str, Any], does: bool
):
    found = mapping(**fields)

    assert administrators.certain([found], BINDINGS, "aws") == [found] * does


@pytest.mark.parametrize(("groups", "does"), [(("admins",), True), ((), False)])
def test_given_two_mappings_of_one_principal_then_it_administers_by_both_or_not_for_certain(
    groups: tuple[str, ...], does: bool
):
    both = [mapping(groups=("admins",)), mapping("other", groups=groups)]

    assert administrators.certain(both, BINDINGS, "aws") == both * does


LAST = "takes away the last mapping that can certainly administer the cluster"
STILL = "the control plane's kubeconfig /home/ubuntu/config still can"


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ("", ""),
        ("a", f"{LAST}: a ({DEV}); {STILL}"),
        ("abcde", f"{LAST}: a ({DEV}), b ({DEV}), c ({DEV}), and 2 more; {STILL}"),
    ],
    ids=["none", "the last", "five"],
)
def test_given_mappings_of_administrators_that_go_then_a_warning_names_them(taken: str, said: str):
    assert administrators.warning([mapping(name) for name in taken]) == said
