"""What `juju run` prints of the results of an action: YAML, in a terminal of 80 columns."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster

ROLE = "arn:aws:iam::111122223333:role/dev"


def printed(results: dict[str, str]) -> list[str]:
    """Return the lines that Juju prints: it sorts the results, and folds a long one between words
    unless it has several lines."""
    return yaml.dump(results, Dumper=_Dumper, allow_unicode=True).splitlines()


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def test_given_one_entry_with_a_command_then_its_line_is_not_folded(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("alice", ROLE, ROLE)
    other = "arn:aws:iam::111122223333:role/other"
    deployed.config = {"mappings": f"[{{name: alice, arn: '{other}'}}]"}

    lines = printed(deployed.action("list-mappings"))

    command = "kubectl delete iamidentitymapping alice"
    assert f"  mappings[0]: name alice is taken; if unused, run: {command}" in lines


@pytest.mark.parametrize(
    ("action", "params", "command"),
    [
        (
            "grant-access",
            {"arn": ROLE, "username": "alice"},
            "run: kubectl create clusterrolebinding NAME --clusterrole=view --user=alice",
        ),
        (
            "list-mappings",
            {},
            "run: juju config kubernetes-control-plane authorization-mode=RBAC,Node",
        ),
    ],
)
def test_given_a_result_with_a_command_then_it_is_printed_on_a_line_of_its_own(
    deployed: Model, api: FakeCluster, action: str, params: dict[str, Any], command: str
):
    api.fail(answer(201, b'{"spec": {}, "status": {"allowed": true}}'), request=f"POST {REVIEWS}")

    assert f"  {command}" in printed(deployed.action(action, **params))
