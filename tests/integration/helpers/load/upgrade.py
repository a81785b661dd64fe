"""Upgrade Charmed Kubernetes from 1.28 to 1.29 as the page says, while people log in."""

from __future__ import annotations

import datetime
import time
from pathlib import Path

import jubilant
from tests.integration.helpers import logins, upgrade_page
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report
from tests.integration.helpers.load.load import Load, Login
from tests.integration.helpers.load.report import Phase

_AFTERMATH_SECONDS = 3.0
# The original's webhook reads all authorities that the machine trusts, twice for each review.
REVIEWS_A_SECOND = 2.0
# The control plane restarts its own webhook for a new address. Meanwhile the API server logs this
# of each login; a person is told "Unauthorized".
_OWN_WEBHOOK = "http://127.0.0.1:5000/"
_AWAY = ("connection refused", "connection reset", "EOF")
_ADMIN = "/var/lib/testbed/pki/admin.kubeconfig"
_API_SERVER = "snap.kube-apiserver.daemon"
_CONTROL_PLANE = "kubernetes-control-plane/0"


def with_certificate(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Return the cluster with an administrator whom no webhook has to know."""
    found = Cluster(folder / "admin", folder / "person")
    found.admin.write_text(juju.exec("cat", _ADMIN, unit=_CONTROL_PLANE).stdout)
    return found


def steady_load(juju: jubilant.Juju, cluster: Cluster) -> Load:
    """Return logins through the API server, at a rate that the original's webhook stands."""
    logins.log_in_everywhere(juju, cluster)
    return changes.steady_load(juju, cluster, REVIEWS_A_SECOND)


def under_load(juju: jubilant.Juju, cluster: Cluster) -> tuple[Load, list[Phase]]:
    """Take every step of the page while people log in; return the logins and the steps."""
    load = steady_load(juju, cluster)
    before = _identities(cluster)
    phases = []
    with load:
        for step in upgrade_page.STEPS:
            start = time.monotonic()
            upgrade_page.take(juju, step)
            time.sleep(_AFTERMATH_SECONDS)
            phases.append(Phase(step, start, time.monotonic()))
    assert _identities(cluster) == before
    return load, phases


def lost(juju: jubilant.Juju, load: Load) -> list[Login]:
    """Return the logins that failed although the API server and its own webhook were up."""
    log = juju.exec("journalctl", "-u", _API_SERVER, unit=_CONTROL_PLANE).stdout
    shift = time.time() - time.monotonic()
    away = [moment - shift for moment in moments_without_webhook(log)]
    return [
        login
        for login in report.failures(load)
        if not any(login.start <= moment <= login.end for moment in away)
    ]


def moments_without_webhook(log: str) -> list[float]:
    """Return when the API server logged that its own webhook was away, in seconds since 1970."""
    return [
        _seconds(line)
        for line in log.splitlines()
        if _OWN_WEBHOOK in line and any(word in line for word in _AWAY)
    ]


def _seconds(line: str) -> float:
    """Return the time of a log line, as `E1126 08:57:38.123456 …`, in seconds since 1970."""
    now = datetime.datetime.now().astimezone()
    text = f"{now.year} {' '.join(line[1:].split()[:2])}"
    found = datetime.datetime.strptime(text, "%Y %m%d %H:%M:%S.%f").replace(tzinfo=now.tzinfo)
    return found.timestamp()


def _identities(cluster: Cluster) -> list[str]:
    """Return the identities of the objects that people log in by.

    The pods of a unit that was removed live on for a minute, and nobody logs in by them.
    """
    kinds = "pods,services,deployments,secrets,iamidentitymappings"
    found = (item["metadata"] for item in cluster.get("-A", kinds)["items"])
    return sorted(each["uid"] for each in found if "deletionTimestamp" not in each)
