"""Whose an object is by its mark."""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import OWNER, UUID

from owner import Owner


@pytest.mark.parametrize(
    ("other", "owned"),
    [
        (OWNER, True),
        (Owner("aws-iam", "renamed", UUID), True),
        (Owner("aws-iam-2", "k8s", UUID), False),
        (Owner("aws-iam", "k8s", "11111111-2222-4333-8444-555555555555"), False),
    ],
)
def test_given_a_mark_then_the_application_and_the_models_uuid_count(other: Owner, owned: bool):
    assert OWNER.owns(other.mark) is owned
    assert OWNER.is_foreign(other.mark) is not owned
