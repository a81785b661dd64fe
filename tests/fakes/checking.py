"""What the steps of `check` are told in their tests."""

from __future__ import annotations

import datetime

from tests.fakes.kubernetes.paths import ADDRESS

from checks import Names

NAMES = Names("aws-iam/1", "kubernetes-control-plane/2")
RECONCILE = (
    "run: juju exec --unit aws-iam/leader -- JUJU_DISPATCH_PATH=hooks/update-status ./dispatch"
)
CLOCK = "run: juju exec --unit kubernetes-control-plane/2 -- timedatectl set-ntp true"
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
COMMAND = (
    "run: juju config kubernetes-control-plane "
    f"authn-webhook-endpoint=https://{ADDRESS}:443/authenticate"
)
HOST = "sts.amazonaws.com"
