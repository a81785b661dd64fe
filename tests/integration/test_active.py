"""A script that waits for `active`, and logs in at once."""

from __future__ import annotations

import json
from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import arns, bundle, kubernetes, logins

# A real controller deploys everything in about two minutes.
WAIT_SECONDS = 600

pytestmark = pytest.mark.slow


def test_given_a_new_deployment_when_it_becomes_active_then_the_first_login_succeeds(
    juju: jubilant.Juju, tmp_path: Path
) -> None:
    bundle.deploy(juju)
    entry = {"arn": arns.ROLE, "username": "knobby", "groups": ["view"]}
    juju.config("aws-iam", {"mappings": json.dumps([entry])})

    juju.wait(lambda s: s.apps["aws-iam"].app_status.current == "active", timeout=WAIT_SECONDS)

    cluster = kubernetes.connect(juju, tmp_path)
    assert logins.username(cluster.whoami("knobby")) == "knobby"
