"""What the steps of `check` are told in their tests."""

from __future__ import annotations

import datetime

from tests.fakes.kubernetes.paths import ADDRESS

from checks import Site
from juju.peers import Shared
from machine.files import Machine
from owner import Owner

SITE = Site(
    Machine(),
    Owner("aws-iam", "k8s", "u-u-i-d"),
    Shared(),
    "kubernetes-control-plane/2",
    "us-east-1",
)
RECONCILE = (
    "run: juju exec --unit aws-iam/leader -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
)
CLOCK = "run: juju exec --unit kubernetes-control-plane/2 -- timedatectl set-ntp true"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
COMMAND = (
    "run: juju config kubernetes-control-plane "
    f"authn-webhook-endpoint=https://{ADDRESS}:443/authenticate"
)
HOST = "sts.us-east-1.amazonaws.com"
