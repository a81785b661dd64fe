"""The hooks of an intercepted application: where their requests go, and the answers."""

from __future__ import annotations

import base64
import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from testbed.faults.intercept import Intercepts
from testbed.faults.requests import Fault, RequestLog
from testbed.juju.errors import JujuError
from unit.faults.conftest import ApiServer

PATCH = ("PATCH", "/api/v1/namespaces/kube-system/services/a?force=true")


class Hook:
    """A hook of an intercepted application, which sends requests from its machine."""

    def __init__(self, intercepts: Intercepts, root: Path):
        self._root = root
        context: Any = SimpleNamespace(
            id="rider/0-start-1",
            model=SimpleNamespace(uuid="m"),
            application=SimpleNamespace(name="rider"),
            unit=SimpleNamespace(
                name="rider/0",
                machine=SimpleNamespace(
                    host=SimpleNamespace(id="0", root=root, address="127.0.0.1")
                ),
            ),
            hook=SimpleNamespace(name="start"),
            action=None,
        )
        self.command = intercepts.intercept(context, ["dispatch"])

    @property
    def kubeconfig(self) -> Path:
        return self._root / "var/lib/testbed/faults/rider/kubeconfig"

    def send(self, method: str = PATCH[0], path: str = PATCH[1]) -> tuple[int, str, bytes]:
        """Return code, type and body of the answer. Raise the errors of a client."""
        config = yaml.safe_load(self.kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=authority)
        for name in ("client-certificate", "client-key"):
            (self._root / name).write_bytes(base64.b64decode(user[f"{name}-data"]))
        context.load_cert_chain(self._root / "client-certificate", self._root / "client-key")
        host = urlsplit(cluster["server"])
        connection = http.client.HTTPSConnection(
            host.hostname or "", host.port, context=context, timeout=5
        )
        try:
            connection.request(method, path, b"{}")
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read()
        finally:
            connection.close()


@pytest.fixture
def intercepts(tmp_path: Path) -> Iterator[Intercepts]:
    intercepts = Intercepts(tmp_path)
    intercepts.add("m", "rider")
    yield intercepts
    intercepts.remove("m")


@pytest.fixture
def requests(intercepts: Intercepts) -> RequestLog:
    return intercepts.requests("m", "rider")


@pytest.fixture
def hook(intercepts: Intercepts, api_server: ApiServer, tmp_path: Path) -> Hook:
    (tmp_path / "var/lib/testbed").mkdir(parents=True)
    (tmp_path / "var/lib/testbed/pki").symlink_to(api_server.folder)
    return Hook(intercepts, tmp_path)


def test_given_no_fault_then_the_api_server_gets_the_request_from_its_administrator(
    hook: Hook, api_server: ApiServer, requests: RequestLog
) -> None:
    assert hook.send() == (201, "application/json", b'{"kind": "Service"}')
    assert api_server.asked == [(*PATCH, "admin", b"{}")]
    (seen,) = requests.requests
    assert (seen.hook, seen.run) == ("start", "rider/0-start-1")
    assert (seen.method, seen.path, seen.code) == (*PATCH, 201)


@pytest.mark.parametrize("what", ["403", "409", "429", "500"])
def test_given_a_refusal_then_the_charm_gets_a_status_object_and_nothing_is_done(
    hook: Hook, api_server: ApiServer, requests: RequestLog, what: str
) -> None:
    requests.set(Fault(what, "*"))
    code, kind, body = hook.send()
    assert (code, kind) == (int(what), "application/json")
    assert b'"kind": "Status"' in body
    assert api_server.asked == []


def test_given_html_then_the_charm_gets_a_page_with_200(hook: Hook, requests: RequestLog) -> None:
    requests.set(Fault("html", "*"))
    code, kind, body = hook.send()
    assert (code, kind.partition(";")[0]) == (200, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


def test_given_half_an_answer_then_the_request_is_carried_out(
    hook: Hook, api_server: ApiServer, requests: RequestLog
) -> None:
    requests.set(Fault("half", "*"))
    with pytest.raises(http.client.IncompleteRead) as cut:
        hook.send()
    assert cut.value.partial == b'{"kind": '
    assert len(api_server.asked) == 1


def test_given_no_answer_then_the_request_is_not_carried_out_until_the_fault_ends(
    hook: Hook, api_server: ApiServer, requests: RequestLog
) -> None:
    requests.set(Fault("closed", "*"))
    with pytest.raises(http.client.RemoteDisconnected):
        hook.send()
    assert api_server.asked == []
    requests.set(None)
    assert hook.send()[0] == 201


def test_given_a_slow_answer_then_the_request_is_carried_out_and_the_charm_waits(
    hook: Hook, api_server: ApiServer, requests: RequestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[float, int]] = []

    def sleep(seconds: float) -> None:
        waits.append((seconds, len(api_server.asked)))

    monkeypatch.setattr("testbed.faults.proxy.time.sleep", sleep)
    requests.set(Fault("slow:30", "*"))
    assert hook.send()[0] == 201
    assert waits == [(30.0, 1)]


def test_given_a_client_without_a_certificate_of_the_cluster_then_it_is_refused(
    hook: Hook, api_server: ApiServer
) -> None:
    server = urlsplit(
        yaml.safe_load(hook.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    )
    context = ssl.create_default_context(cafile=api_server.folder / "ca.crt")
    connection = http.client.HTTPSConnection(server.hostname or "", server.port, context=context)
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        _get(connection)
    assert api_server.asked == []


def _get(connection: http.client.HTTPSConnection) -> None:
    try:
        connection.request("GET", "/")
        connection.getresponse()
    finally:
        connection.close()


def test_given_an_intercepted_application_then_only_its_hook_sees_the_proxys_kubeconfig(
    hook: Hook,
) -> None:
    assert hook.command[:3] == ["/usr/bin/unshare", "--mount", "--"]
    assert hook.command[-1] == "dispatch"
    assert hook.kubeconfig.stat().st_mode & 0o777 == 0o600


def test_given_an_application_that_is_not_intercepted_then_its_hooks_run_unchanged(
    intercepts: Intercepts, tmp_path: Path
) -> None:
    intercepts.remove("m", "rider")
    assert Hook(intercepts, tmp_path).command == ["dispatch"]
    with pytest.raises(JujuError, match="faults on rider"):
        intercepts.requests("m", "rider")
