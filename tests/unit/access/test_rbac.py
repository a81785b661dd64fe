"""What bindings give to a Kubernetes user and its groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hypothesis import example, given
from hypothesis import strategies as st

from access import rbac, subjects
from access.rbac import Binding, Bindings

OPEN = "everybody who logs in may do everything"
VIEW = Binding("v", "", "ClusterRole", "view", users=("alice",), groups=("devs",))
EDIT = Binding("e", "shop", "ClusterRole", "edit", users=("alice", "bob"))
OWN = Binding("o", "shop", "Role", "deployer", groups=("devs", "ops"))


def found(bindings: Bindings, username: str, *groups: str) -> list[tuple[str, str, str]]:
    """The binding, kind and subject of each grant."""
    return [(g.binding.name, g.kind, g.subject) for g in bindings.of(username, groups)]


def test_given_a_binding_when_shown_then_so_are_its_kind_and_where_its_role_counts():
    assert [str(each) for each in (VIEW, EDIT)] == ["ClusterRoleBinding/v", "RoleBinding/shop/e"]
    assert [each.role for each in (VIEW, EDIT, OWN)] == [
        "ClusterRole/view",
        "ClusterRole/edit in shop",
        "Role/shop/deployer",
    ]


def test_given_bindings_when_asked_for_a_user_and_its_groups_then_what_gives_most_comes_first():
    system = Binding("s", "kube-system", "ClusterRole", "all", groups=("devs",), everything=True)
    bindings = Bindings([OWN, EDIT, VIEW, system])

    assert found(bindings, "alice", "ops", "devs") == [
        ("s", "group", "devs"),
        ("v", "user", "alice"),
        ("v", "group", "devs"),
        ("e", "user", "alice"),
        ("o", "group", "ops"),
        ("o", "group", "devs"),
    ]
    assert found(bindings, "bob") == [("e", "user", "bob")]


def test_given_a_user_and_a_group_of_one_name_then_neither_has_what_the_other_is_given():
    bindings = Bindings([VIEW, EDIT, OWN])

    assert found(bindings, "devs", "alice") == []


def test_given_a_name_that_stands_twice_in_a_binding_then_it_is_given_once():
    twice = dataclasses.replace(VIEW, users=("alice", "alice"), groups=("devs", "devs"))

    assert found(Bindings([twice]), "alice", "devs") == [
        ("v", "user", "alice"),
        ("v", "group", "devs"),
    ]


def test_given_a_template_when_asked_for_then_each_subject_counts_that_it_can_become():
    users = ("dev-alice", "dev-bob", "dev", "developer", "ops-alice", "de", "dez")
    bindings = Bindings([dataclasses.replace(VIEW, users=users)])

    assert [subject for *_, subject in found(bindings, "dev-{{SessionName}}")] == [
        "dev-alice",
        "dev-bob",
    ]
    assert [subject for *_, subject in found(bindings, "{{SessionName}}-alice")] == [
        "dev-alice",
        "ops-alice",
    ]


PARTS = st.sampled_from(["a", "b", "-", ":", "{{SessionName}}", "{{AccountID}}", "\U0010ffff"])
NAMES = st.lists(PARTS, max_size=5).map("".join)


@given(st.lists(NAMES, max_size=6), NAMES)
@example(["\U0010ffffa"], "{{SessionName}}")
def test_given_any_names_when_asked_for_then_those_count_that_it_is_or_can_become(
    users: Sequence[str], name: str
):
    bindings = Bindings([dataclasses.replace(VIEW, users=tuple(users))])

    closed = {each for each in users if not subjects.is_open(each)}
    wanted = {each for each in closed if each == name}
    if subjects.is_open(name):
        wanted = {each for each in closed if subjects.can_become(name, each)}
    assert {subject for *_, subject in found(bindings, name)} == wanted


def test_given_that_everybody_may_do_everything_then_the_reason_or_the_remedy_is_said():
    assert rbac.open_to_all("RBAC: allowed by\nx", "masters") == f"{OPEN}: RBAC: allowed by x"
    assert rbac.open_to_all("", "masters") == (
        f"{OPEN}, because the API server does not ask RBAC\n"
        "run: juju config masters authorization-mode=RBAC,Node"
    )
