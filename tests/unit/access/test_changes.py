"""What turns the access that there is into the one that is wanted."""

from __future__ import annotations

from access.changes import changes
from access.desired import Access
from access.mapping import IdentityMapping, RoleBinding, binding_of


def test_given_a_binding_whose_mapping_somebody_has_just_deleted_then_it_goes():
    left = RoleBinding("aws-iam-alice-1", "", "view", "aws-iam:alice", "grant", owner="uid")

    found = changes(Access((), (left,)), Access((), (left,)))

    assert (found.unbind, found.bind) == ((left,), ())


def test_given_any_number_of_mappings_of_others_then_what_the_charm_changes_is_told_first():
    crowd = tuple(made(f"crowd-{number}") for number in range(400))
    gone, new = made("gone", source="option"), made("new", source="option")

    late = tuple(made(f"late-{number}") for number in range(400))
    role = binding_of("new", "view", "", "option")

    found = changes(Access((*crowd, gone)), Access((*late, new), (role,)))

    assert [line.partition(" of ")[0] for line in found.lines("option mappings", {})][:4] == [
        "option mappings: delete mapping gone",
        "option mappings: write mapping new",
        f"option mappings: create binding {role.name}",
        "option mappings: delete mapping crowd-0",
    ]


def made(name: str, source: str = "") -> IdentityMapping:
    arn = f"arn:aws:iam::111122223333:role/{name}"
    return IdentityMapping(name, arn, name, arn, source=source)
