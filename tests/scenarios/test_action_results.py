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
    lines = printed(deployed.action("list-mappings"))

    command = "kubectl -n kube-system delete configmap aws-iam-logins"
    (line,) = [line for line in lines if line.startswith("  the leader has yet to record logins")]
    assert line.endswith(f"; run: {command}")


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
