"""The page on machines, whose tokens AWS signs: its reader, its files and its commands."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import jubilant
import pytest
from botocore.credentials import Credentials
from demo import keys
from tests.integration.helpers import aws_tokens, bad_tokens, how_to, juju_status, kubernetes
from tests.integration.helpers.bad_tokens import TRUST, WITH_AWS_CLI
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import Cluster

PAGE = "signed-tokens.md"
AUDIENCE = "prod.k8s.example.com"
ROLES = "arn:aws:iam::111122223333:role"
_OPENING = (
    "1. Have AWS sign tokens for the role",
    "2. Tell the API servers",
    "3. Give the role rights",
    "4. Make the machine's kubeconfig",
)
_COMMANDS = ("aws ", "sed ", "juju ", "kubectl ", "KUBECONFIG=", "jq ")


@contextlib.contextmanager
def operator(juju: jubilant.Juju, cluster: Cluster, folder: Path) -> Iterator[Reader]:
    """Yield a reader who administers the account, and has the page's files and a kubeconfig."""
    path = kubernetes.run([*WITH_AWS_CLI, "sh", "-c", 'printf %s "$PATH"']).stdout
    settings = {
        **TRUST,
        **keys.environment("ada"),
        "AWS_REGION": aws_tokens.REGION,
        "JUJU_MODEL": juju.model or "",
        "KUBECONFIG": str(cluster.admin),
        "PATH": path,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        shutil.copy(cluster.person, folder / "aws-iam.yaml")
        yield Reader(folder)


def open_it(juju: jubilant.Juju, reader: Reader) -> None:
    """Do what the page says until a machine can log in; API servers restart on the way."""
    for heading in _OPENING:
        follow(reader, heading)
        juju_status.wait_until_active(juju)


def follow(reader: Reader, heading: str) -> str:
    """Run every command below a heading, and return what they print."""
    commands = [block for block in how_to.blocks(PAGE, heading) if block.startswith(_COMMANDS)]
    assert commands, f"{PAGE} has no command below {heading!r}"
    return "".join(map(reader.run, commands))


def session(user: str, role: str) -> Credentials:
    """Return the credentials of a session of a role that a user assumes."""
    return aws_tokens.assume(bad_tokens.credentials(user), role, "build-17")
