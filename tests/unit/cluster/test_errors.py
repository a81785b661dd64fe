"""What the API server refuses, and what goes wrong on the way to it, as a status of the unit."""

from __future__ import annotations

import httpx2
import pytest
from tests.fakes.kubernetes.faults import Answer, answer, refusal, unreachable
from tests.fakes.kubernetes.paths import SERVICE
from tests.fakes.kubernetes.server import FakeCluster

from cluster import objects, references
from cluster.api import Client
from cluster.errors import ApiError, errors_as_status, suppress
from errors import Blocked, Unready, Waiting, WaitingForKubeconfig
from statuses import blocked, waiting

NOT_CONNECTED = "[Errno 111] Connection refused"
WHAT = references.SERVICE.text
REFUSALS = (400, 403, 404, 405, 413, 415, 422)
REJECTED = blocked.OBJECT_REJECTED(what=WHAT, reason="no")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        *(
            (refusal(code, "no"), Blocked(REJECTED))
            for code in (400, 403, 404, 405, 413, 415, 422)
        ),
        (
            refusal(401, "no"),
            WaitingForKubeconfig(waiting.KUBECONFIG_REFUSED(code=401, reason="no")),
        ),
        *(
            (refusal(code, "no"), Waiting(waiting.API_ANSWER(code=code, reason="no")))
            for code in (409, 410, 429, 500, 503)
        ),
        # Not in Kubernetes' words: those of HTTP.
        (answer(502, b"no"), Waiting(waiting.API_ANSWER(code=502, reason="Bad Gateway"))),
        (unreachable(httpx2.ReadTimeout), Waiting(waiting.API_LATE())),
        (unreachable(httpx2.ConnectTimeout), Waiting(waiting.API_LATE())),
        (unreachable(httpx2.ConnectError), Waiting(waiting.API_FAILED(cause=NOT_CONNECTED))),
        (unreachable(httpx2.LocalProtocolError), WaitingForKubeconfig(waiting.KUBECONFIG())),
        (unreachable(httpx2.UnsupportedProtocol), WaitingForKubeconfig(waiting.KUBECONFIG())),
    ],
    ids=lambda value: str(value) if isinstance(value, Unready) else "",
)
def test_given_a_write_that_goes_wrong_then_the_status_says_who_must_act(
    client: Client, api: FakeCluster, fault: Answer, expected: Unready
):
    what = references.SERVICE
    api.fail(fault, request=f"PATCH {SERVICE}")

    with pytest.raises(Unready) as raised, errors_as_status(what.text):
        client.patch(objects.kind(what), what.name, {"spec": {}}, namespace=what.namespace)

    assert type(raised.value) is type(expected)
    assert str(raised.value) == str(expected)


def test_given_an_error_without_a_text_then_the_status_has_its_name():
    with pytest.raises(Waiting) as raised, errors_as_status():
        raise httpx2.ReadError("")

    assert str(raised.value) == waiting.API_FAILED(cause="ReadError")


def test_given_a_refusal_that_is_expected_then_it_passes_and_no_other_one_does(
    client: Client, api: FakeCluster
):
    what = references.SERVICE
    api.fail(refusal(410, "gone"), request=f"PATCH {SERVICE}")

    with suppress(410):
        client.patch(objects.kind(what), what.name, {}, namespace=what.namespace)
    with pytest.raises(ApiError, match=r"^gone$"), suppress(404):
        client.patch(objects.kind(what), what.name, {}, namespace=what.namespace)
