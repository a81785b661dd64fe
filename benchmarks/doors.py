"""``python -m benchmarks.doors``: log in by either door in turn, and print how long each takes.

``make bench DOORS=1`` runs it in a lab with the newest Kubernetes. Every login has a token of its
own, so that no API server answers from memory.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import jubilant
import yaml
from demo import keys
from rich.console import Console
from rich.table import Table
from tests.integration.helpers import (
    arns,
    aws_tokens,
    bundle,
    juju_status,
    kubernetes,
    logins,
    second_door,
)
from tests.integration.helpers.bad_tokens import TRUST
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import tokens

from benchmarks import hooks

AWS_IAM, SIGNED = "aws-iam", "tokens that AWS signs"


def main() -> None:
    """Open the second door, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.doors")
    parser.add_argument("--logins", type=int, default=500)
    parser.add_argument("--commands", type=int, default=30)
    options = parser.parse_args()
    console = Console(highlight=False, width=120)
    juju = jubilant.Juju(model=hooks.MODEL)
    with tempfile.TemporaryDirectory() as folder:
        console.print("deploying Charmed Kubernetes with aws-iam, and opening the second door …")
        cluster = _deploy(juju, Path(folder))
        with second_door.operator(juju, cluster, Path(folder)) as operator:
            second_door.open_it(juju, operator)
            console.print(f"{options.logins} logins by each door, in turn …")
            table = Table("", "door", "p50", "p99")
            _requests(table, cluster, options.logins)
            console.print(f"{options.commands} commands by each client, in turn …")
            _commands(table, juju, Path(folder), options.commands)
    console.print(table)
    console.print(f"load of the machine: {os.getloadavg()[0]:.0f}, cores: {os.cpu_count()}")


def _deploy(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Return a cluster with the first door, for a role and for a user."""
    bundle.deploy(juju, channel="1.29/stable")
    juju_status.wait_until_active(juju)
    cluster = kubernetes.connect(juju, folder)
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    cluster.map("knobby-himself", "arn:aws:iam::111122223333:user/knobby", "knobby", "view")
    logins.wait_for_login(cluster)
    return cluster


def _requests(table: Table, cluster: Cluster, number: int) -> None:
    """Add what the API server takes for a login, and what AWS takes for a token."""
    machine = second_door.session("knobby", f"{second_door.ROLES}/deployer")
    presigned = tokens.tokens("knobby", kubernetes.cluster_id(cluster.person))

    def signed() -> str:
        return aws_tokens.get(machine, second_door.AUDIENCE)

    ask = _asking(cluster)
    for make in (lambda: next(presigned), signed):
        eventually(lambda make=make: _is_let_in(ask, make()), "let in", seconds=180)
    seconds: dict[str, list[float]] = {AWS_IAM: [], SIGNED: []}
    asked: list[float] = []
    for _ in range(number):
        began = time.monotonic()
        token = signed()
        asked.append(time.monotonic() - began)
        seconds[AWS_IAM].append(ask(next(presigned)))
        seconds[SIGNED].append(ask(token))
    for door, found in seconds.items():
        table.add_row("the API server answers a new token", door, *_percentiles(found))
    table.add_row("the machine gets a token from STS", SIGNED, *_percentiles(asked))


def _commands(table: Table, juju: jubilant.Juju, folder: Path, number: int) -> None:
    """Add what whole commands take, with the client that makes the token."""
    machine = second_door.session("knobby", f"{second_door.ROLES}/deployer")
    person = {**keys.environment("knobby"), "AWS_SESSION_TOKEN": ""}
    cli = kubernetes.save_kubeconfig(juju, folder / "cli", client="aws")
    own = kubernetes.save_kubeconfig(juju, folder / "own")
    clients = {
        f"{AWS_IAM}, aws-iam-authenticator token": (own, person),
        f"{AWS_IAM}, aws eks get-token": (cli, person),
        f"{SIGNED}, aws sts get-web-identity-token": (
            folder / "deployer.yaml",
            aws_tokens.environment(machine),
        ),
    }
    taken: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(number):
        for name, (kubeconfig, environment) in clients.items():
            command = ["kubectl", "--kubeconfig", str(kubeconfig), "auth", "whoami"]
            began = time.monotonic()
            done = kubernetes.run(command, environment={**TRUST, **environment})
            taken[name].append(time.monotonic() - began)
            if done.returncode:
                raise RuntimeError(f"{name}: {done.stderr}")
    for name, found in taken.items():
        table.add_row("kubectl auth whoami, from start to end", name, *_percentiles(found))


def _asking(cluster: Cluster) -> Callable[[str], float]:
    """Return a function that asks the API server with a token, and says how long that took.

    It asks over one connection, and raises RuntimeError where the token is refused.
    """
    entry = yaml.safe_load(cluster.person.read_text())["clusters"][0]["cluster"]
    authority = base64.b64decode(entry["certificate-authority-data"]).decode()
    url = urlsplit(entry["server"])
    context = ssl.create_default_context(cadata=authority)
    connection = http.client.HTTPSConnection(url.hostname or "", url.port, context=context)

    def ask(token: str) -> float:
        began = time.monotonic()
        connection.request("GET", "/api", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"a login was refused: {answer.status}")
        return time.monotonic() - began

    return ask


def _is_let_in(ask: Callable[[str], float], token: str) -> bool:
    try:
        return ask(token) > 0
    except RuntimeError:
        return False


def _percentiles(seconds: Sequence[float]) -> tuple[str, str]:
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return f"{cuts[49] * 1000:.1f} ms", f"{cuts[98] * 1000:.1f} ms"


if __name__ == "__main__":
    main()
