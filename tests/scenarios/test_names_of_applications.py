"""A command has the names that the applications have in this model."""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from access import grants, rbac
from access.declaration.declared import Declared
from access.declaration.formats import Remark
from access.grants import Target
from access.mapping import IdentityMapping
from errors import Blocked
from labels import OPTION

DECLARED = IdentityMapping("dev", "arn:aws:iam::111122223333:role/dev", "dev", "", (), OPTION)


def test_given_another_name_when_a_declared_mapping_is_revoked_then_the_command_has_it():
    with pytest.raises(Blocked, match="juju config iam mappings=@<file>"):
        grants.to_revoke([DECLARED], Target("dev"), Declared(faults=(Remark("", "?"),)), "iam")


def test_given_a_control_plane_of_another_name_when_all_is_allowed_then_the_command_has_it(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    model = Model(easyrsa, [files], principal="masters")
    model.settle()
    api.fail(answer(201, b'{"spec": {}, "status": {"allowed": true}}'), request=f"POST {REVIEWS}")

    warning = model.action("list-mappings")["warning"]

    assert warning == rbac.open_to_all("", "masters")
    assert warning.endswith("run: juju config masters authorization-mode=RBAC,Node")
