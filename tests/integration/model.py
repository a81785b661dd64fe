"""A deployed model, as the tests see it: jubilant for Juju, kubectl for Kubernetes.

Nothing here knows the testbed: the ``juju`` and ``kubectl`` on PATH decide what it runs on.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jubilant
import tenacity
import yaml
from demo import keys

OVERLAYS = Path(__file__).parents[2] / "overlays"
# Longer than the five minutes after which update-status has a unit that waits look again.
SETTLE_SECONDS = 360.0
ROLE = "arn:aws:iam::111122223333:role/k8s-view-role"
# No login of a role has a path: a mapping of this never worked, and never will.
PATHED = "arn:aws:iam::111122223333:role/team/dev"


def deploy(
    juju: jubilant.Juju,
    authority: str = "easyrsa",
    channel: str = "1.28/stable",
    extra: Sequence[Path] = (),
) -> None:
    """Deploy Charmed Kubernetes with aws-iam by the project's overlay, and ``extra`` ones."""
    overlays = [OVERLAYS / f"aws-iam-{authority}.yaml", *extra]
    juju.deploy("charmed-kubernetes", channel=channel, overlays=overlays)


def settle(juju: jubilant.Juju, *, wanted: str = "active") -> jubilant.Status:
    """Wait until every agent is idle, every other application active, aws-iam ``wanted``."""

    def settled(status: jubilant.Status) -> bool:
        others = [name for name in status.apps if name != "aws-iam"]
        return (
            jubilant.all_agents_idle(status)
            and jubilant.all_active(status, *others)
            and status.apps["aws-iam"].app_status.current == wanted
        )

    return juju.wait(
        settled, error=jubilant.any_error, delay=0.5, successes=2, timeout=SETTLE_SECONDS
    )


def message(juju: jubilant.Juju, unit: str = "aws-iam/0") -> str:
    """The line that the operator reads."""
    return juju.status().get_units("aws-iam")[unit].workload_status.message


@dataclass(frozen=True)
class Kubernetes:
    """kubectl with an administrator's kubeconfig, and the same cluster for a person."""

    admin: Path
    person: Path

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """What kubectl prints, for the administrator.

        Raises:
            AssertionError: it failed; with what it said.
        """
        done = _run(["kubectl", "--kubeconfig", str(self.admin), *args], stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, *args: str) -> dict[str, Any]:
        """``kubectl get`` of one object or a list."""
        return json.loads(self.kubectl("get", "-o", "json", *args))

    def map(self, name: str, arn: str, username: str, *groups: str) -> None:
        """Apply an IAMIdentityMapping."""
        mapping = {
            "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
            "kind": "IAMIdentityMapping",
            "metadata": {"name": name},
            "spec": {"arn": arn, "username": username, "groups": list(groups)},
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(mapping))

    def log_in(self, user: str) -> subprocess.CompletedProcess[str]:
        """``kubectl auth whoami`` with the AWS keys of ``user``."""
        command = ["kubectl", "--kubeconfig", str(self.person), "auth", "whoami"]
        return _run(command, environment=keys.environment(user))


def kubernetes(juju: jubilant.Juju, folder: Path, role: str = ROLE) -> Kubernetes:
    """The model's cluster, by what its control plane and its aws-iam hand out."""
    found = Kubernetes(folder / "admin", folder / "person")
    found.admin.write_text(juju.ssh("kubernetes-control-plane/leader", "cat config"))
    action = juju.run("aws-iam/leader", "get-kubeconfig", {"arn": role})
    found.person.write_text(action.results["kubeconfig"])
    return found


def whoami(done: subprocess.CompletedProcess[str]) -> str:
    """The user name in the answer of a login that succeeded."""
    assert done.returncode == 0, done.stderr
    return next(line.split()[1] for line in done.stdout.splitlines() if "Username" in line)


def logs_in(cluster: Kubernetes, user: str = "knobby") -> str:
    """Log in, as whom. Tried for a minute: an API server may be restarting, and after that the
    authenticator takes up to half a minute to watch the mappings again."""
    for attempt in tenacity.Retrying(
        stop=tenacity.stop_after_delay(60), wait=tenacity.wait_fixed(0.5), reraise=True
    ):
        with attempt:
            return whoami(cluster.log_in(user))
    raise AssertionError("unreachable")


def databag(juju: jubilant.Juju, unit: str, endpoint: str) -> Mapping[str, str]:
    """What ``unit`` sees of the remote unit on ``endpoint``."""
    shown = yaml.safe_load(juju.cli("show-unit", unit))[unit]
    relation = next(r for r in shown["relation-info"] if r["endpoint"] == endpoint)
    return {k: v for u in relation["related-units"].values() for k, v in u["data"].items()}


def _run(
    command: list[str], *, stdin: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
