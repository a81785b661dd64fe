"""Step 3: what this control plane makes of its webhook."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.checking import COMMAND, SITE
from tests.fakes.kubernetes.paths import ADDRESS

from checks import StepState, webhook
from juju.control_plane import Use

API_SERVER = ["--secure-port=6443", f"{webhook.FLAG}=/root/cdk/webhook.yaml"]
URL = f"https://{ADDRESS}:443/authenticate"
IN_USE, BY_OPTION = (Use(ADDRESS, via, URL, is_used=True) for via in (True, False))
EXEC = "run: juju exec --unit kubernetes-control-plane/2 -- "


@pytest.mark.parametrize("use", [IN_USE, BY_OPTION])
def test_given_a_webhook_in_use_then_its_url_is_named_and_what_no_step_tries(use: Use) -> None:
    own = "--authentication-config"
    outcome = webhook.verdict(use, API_SERVER, SITE)
    assert outcome.state == StepState.OK
    assert f"uses https://{ADDRESS}:443/authenticate, by its " in outcome.seen
    assert own not in outcome.seen

    outcome = webhook.verdict(use, [*API_SERVER, f"{own}=/root/cdk/aws-tokens.yaml"], SITE)
    assert outcome.state == StepState.OK
    assert f", and checks other tokens itself ({own}), which no step tries" in outcome.seen


@pytest.mark.parametrize(
    ("change", "flags", "said", "remedy"),
    [
        ({"is_used": False}, API_SERVER, "does not use", f"{EXEC}JUJU_DISPATCH_PATH="),
        (
            {"via_relation": False, "url": "", "is_used": False},
            API_SERVER,
            "does not use the webhook: option authn-webhook-endpoint is not set",
            COMMAND,
        ),
        (
            {"via_relation": False, "url": "https://example.com/a?token=secret", "is_used": False},
            API_SERVER,
            "option authn-webhook-endpoint has another URL",
            COMMAND,
        ),
        ({}, None, "no API server runs on this machine", f"{EXEC}systemctl start snap.kube-a"),
        ({}, ["--secure-port=6443"], f"has no {webhook.FLAG}", f"{EXEC}JUJU_DISPATCH_PATH="),
    ],
)
def test_given_a_webhook_that_is_not_in_use_then_what_lacks_is_named_with_its_remedy(
    change: dict[str, Any], flags: list[str] | None, said: str, remedy: str
) -> None:
    outcome = webhook.verdict(IN_USE._replace(**change), flags, SITE)

    assert outcome.state == StepState.FAILED
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)
