"""What turns the access that there is into the one that is wanted."""

from __future__ import annotations

from access.changes import changes
from access.desired import Access
from access.mapping import RoleBinding


def test_given_a_binding_whose_mapping_somebody_has_just_deleted_then_it_goes():
    left = RoleBinding("aws-iam-alice-1", "", "view", "aws-iam:alice", "grant", owner="uid")

    found = changes(Access((), (left,)), Access((), (left,)))

    assert (found.unbind, found.bind) == ((left,), ())
