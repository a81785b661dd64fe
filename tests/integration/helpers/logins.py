"""People who log in with AWS keys."""

from __future__ import annotations

import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import jubilant
import yaml
from tests.integration.helpers import arns, kubernetes, units
from tests.integration.helpers.kubernetes import Cluster

# A profile of the AWS CLI, in which knobby assumes the role in a session that is called alice.
PROFILE = f"""\
[profile k8s]
role_arn = {arns.ROLE}
role_session_name = alice
source_profile = knobby
"""


def username(done: subprocess.CompletedProcess[str]) -> str:
    """Return the user name in what ``kubectl auth whoami`` printed."""
    assert done.returncode == 0, done.stderr
    return next(line.split()[1] for line in done.stdout.splitlines() if "Username" in line)


def wait_for_login(cluster: Cluster, user: str = "knobby", seconds: float = 180) -> str:
    """Log in until it succeeds, and return the user name.

    An API server may be restarting. After that, pods hear of a new mapping up to two minutes late.
    """
    deadline = time.monotonic() + seconds
    while (done := cluster.whoami(user)).returncode and time.monotonic() < deadline:
        time.sleep(0.5)
    return username(done)


def first_login(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Let knobby log in through a role; return the cluster once that succeeds."""
    cluster = kubernetes.connect(juju, folder)
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    wait_for_login(cluster)
    return cluster


def log_in_everywhere(juju: jubilant.Juju, cluster: Cluster) -> None:
    """Log in through the API server of every control-plane unit."""
    for name in units.names(juju):
        person = cluster.person.with_name(name.replace("/", "-"))
        if not person.exists():
            kubernetes.save_kubeconfig(juju, person, name, arn=arns.ROLE)
        assert api_server(person) in units.addresses(juju, name)
        assert wait_for_login(Cluster(cluster.admin, person)) == "knobby"


def api_server(kubeconfig: Path) -> str:
    """Return the host of the API server that a kubeconfig names."""
    cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
    return str(urlsplit(cluster["server"]).hostname)


class RepeatedLogins:
    """Logins one after the other, for as long as the block runs."""

    def __init__(self, cluster: Cluster, user: str = "knobby") -> None:
        self._cluster, self._user = cluster, user
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.succeeded = 0
        self.failed: list[str] = []

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                assert username(self._cluster.whoami(self._user)) == self._user
                self.succeeded += 1
            except (AssertionError, subprocess.TimeoutExpired) as error:
                self.failed.append(str(error))

    def __enter__(self) -> RepeatedLogins:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
