"""Step 3: what this control plane makes of its webhook."""

from __future__ import annotations

import dataclasses

import pytest
from tests.fakes.checking import NAMES
from tests.fakes.kubernetes.paths import ADDRESS

from checks import StepState, webhook
from juju.control_plane import Use

API_SERVER = ["--secure-port=6443", f"{webhook.FLAG}=/root/cdk/webhook.yaml"]
IN_USE = Use(ADDRESS, via_relation=True)


@pytest.mark.parametrize("use", [IN_USE, Use(ADDRESS, via_relation=False)])
def test_given_a_webhook_in_use_then_its_url_is_named(use: Use) -> None:
    outcome = webhook.verdict(use, API_SERVER, NAMES)
    assert outcome.state == StepState.OK
    assert f"uses https://{ADDRESS}:443/authenticate, by its " in outcome.seen


@pytest.mark.parametrize(
    ("use", "flags", "state", "said", "remedy"),
    [
        (Use("", via_relation=True), API_SERVER, StepState.NOT_CHECKED, "has not published", ""),
        (
            dataclasses.replace(IN_USE, file="/root/cdk/aws-iam-webhook.yaml was changed"),
            API_SERVER,
            StepState.FAILED,
            "was changed",
            "run: juju exec --unit aws-iam/1 -- ",
        ),
        *(
            (
                dataclasses.replace(IN_USE, **{field: False}),
                API_SERVER,
                StepState.FAILED,
                "does not use",
                "run: juju exec --unit kubernetes-control-plane/2 -- JUJU_DISPATCH_PATH=",
            )
            for field in ("acknowledged", "forwards")
        ),
        (
            Use(ADDRESS, via_relation=False, option=""),
            API_SERVER,
            StepState.FAILED,
            "does not use the webhook: option authn-webhook-endpoint is not set",
            f"run: juju config kubernetes-control-plane authn-webhook-endpoint=https://{ADDRESS}:",
        ),
        (
            Use(ADDRESS, via_relation=False, option="example.com/a; run: true"),
            API_SERVER,
            StepState.FAILED,
            "option authn-webhook-endpoint is 'example.com/a; run: true'",
            "run: juju config kubernetes-control-plane authn-webhook-endpoint=https://",
        ),
        (
            IN_USE,
            None,
            StepState.FAILED,
            "no API server runs on this machine",
            "run: juju exec --unit kubernetes-control-plane/2 -- systemctl start snap.kube-a",
        ),
        (
            IN_USE,
            ["--secure-port=6443"],
            StepState.FAILED,
            f"has no {webhook.FLAG}",
            "run: juju exec --unit kubernetes-control-plane/2 -- JUJU_DISPATCH_PATH=",
        ),
    ],
)
def test_given_a_webhook_that_is_not_in_use_then_what_lacks_is_named_with_its_remedy(
    use: Use, flags: list[str] | None, state: StepState, said: str, remedy: str
) -> None:
    outcome = webhook.verdict(use, flags, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


@pytest.mark.parametrize("use", [IN_USE, Use(ADDRESS, via_relation=False)])
def test_given_an_api_server_that_checks_tokens_itself_then_the_step_says_that_it_tries_none(
    use: Use,
) -> None:
    own = "--authentication-config"
    outcome = webhook.verdict(use, [*API_SERVER, f"{own}=/root/cdk/aws-tokens.yaml"], NAMES)

    assert outcome.state == StepState.OK
    assert f", and checks other tokens itself ({own}), which no step tries" in outcome.seen
    assert own not in webhook.verdict(use, API_SERVER, NAMES).seen
