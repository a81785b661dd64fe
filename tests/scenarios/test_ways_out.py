"""How the pods reach AWS: by the model's proxies, and by authorities that other charms send."""

from __future__ import annotations

import base64
import json
from typing import Any
from unittest import mock

import ops
import ops.testing
import pytest
from charmlibs.interfaces.certificate_transfer import CertificateTransferProvides
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Bag, Easyrsa, Model
from tests.fakes.kubernetes.paths import CONFIG, DEPLOYMENT, SECRET
from tests.fakes.kubernetes.server import FakeCluster

from certificates import ca_bundle
from juju import trust

ACTIVE = "2/2 pods, 0 mappings"
PASSWORD = "s3cr3t-of-the-proxy"
URL = f"http://user:{PASSWORD}@proxy.example.com:3128"
OPTIONS = {
    "JUJU_CHARM_HTTP_PROXY": "http://proxy.example.com:3127",
    "JUJU_CHARM_HTTPS_PROXY": URL,
    "JUJU_CHARM_NO_PROXY": "10.0.0.0/8,registry.example.com",
}


@pytest.fixture
def proxied(deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A unit that serves, in a model with proxies, which the pods use."""
    for name, value in OPTIONS.items():
        monkeypatch.setenv(name, value)
    deployed.config = {"web-proxy-enable": True}
    deployed.settle()
    api.forget()
    return deployed


def proxy_keys(api: FakeCluster) -> set[str]:
    return {key for key in api.objects[SECRET]["data"] if "PROXY" in key}


def environment(api: FakeCluster) -> dict[str, Any]:
    """The container's environment, with the values that come from the Secret."""
    (container,) = api.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
    data = api.objects[SECRET]["data"]
    found: dict[str, Any] = {}
    for variable in container["env"]:
        source = variable.get("valueFrom", {}).get("secretKeyRef")
        assert source is None or source["name"] == "aws-iam-certs"
        value = base64.b64decode(data[source["key"]]).decode() if source else variable["value"]
        found[variable["name"]] = value
    return found


def test_given_the_models_proxies_when_enabled_then_the_pods_have_them_in_both_spellings(
    proxied: Model, easyrsa: Easyrsa, api: FakeCluster
):
    found = environment(api)

    no_proxy = found["NO_PROXY"]
    assert no_proxy.startswith("$(KUBERNETES_SERVICE_HOST),")
    assert no_proxy.endswith(",10.0.0.0/8,registry.example.com")
    urls = {"HTTP_PROXY": OPTIONS["JUJU_CHARM_HTTP_PROXY"], "HTTPS_PROXY": URL}
    for name, value in {**urls, "NO_PROXY": no_proxy}.items():
        assert found[name] == found[name.lower()] == value
    assert proxied.hook() == ops.ActiveStatus(ACTIVE)
    assert api.changes == []
    # The Secret alone holds credentials.
    others = {path: stored for path, stored in api.objects.items() if path != SECRET}
    assert PASSWORD not in json.dumps(others) + proxied.log() + proxied.bags()

    # Nobody finds a password by what can be read: the keys' names depend on the private key too.
    former = proxy_keys(api)
    easyrsa.reissue()
    proxied.settle()
    assert len(former) == 2
    assert not former & proxy_keys(api)


NO_EFFECT = ", web-proxy-enable has no effect on logins: the model has no juju-https-proxy"


@pytest.mark.parametrize(("url", "enabled", "remark"), [(URL, False, ""), (" ", True, NO_EFFECT)])
def test_given_proxies_and_option_but_not_both_then_the_pods_have_none(
    deployed: Model,
    api: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    enabled: bool,
    remark: str,
):
    before = json.dumps(api.objects)
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", url)
    deployed.config = {"web-proxy-enable": enabled}

    assert deployed.hook() == ops.ActiveStatus(f"{ACTIVE}{remark}")
    assert json.dumps(api.objects) == before


@pytest.mark.parametrize("name", OPTIONS)
def test_given_a_change_of_the_model_when_update_status_runs_then_the_pods_are_replaced(
    proxied: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, name: str
):
    before = api.objects[DEPLOYMENT]["metadata"]["generation"]
    monkeypatch.setenv(name, "http://other.example.com")

    proxied.hook()

    assert api.objects[DEPLOYMENT]["metadata"]["generation"] == before + 1
    assert "http://other.example.com" in environment(api)[name.removeprefix("JUJU_CHARM_")]


@pytest.mark.parametrize("enabled", [True, False])
def test_given_a_rollout_that_is_stuck_when_hooks_run_then_former_pods_can_restart_until_it_ends(
    proxied: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, enabled: bool
):
    former = proxy_keys(api)
    proxied.config = {"web-proxy-enable": enabled}
    api.start_seconds = None
    # A second change comes before the pods of the first one are ready.
    for url in ("http://other.example.com", "http://third.example.com"):
        monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", url)
        proxied.hook()
        assert former <= proxy_keys(api)
    api.forget()
    proxied.hook()
    assert api.changes == []

    api.start_seconds = 0
    proxied.hook()
    assert not former & proxy_keys(api)
    assert len(proxy_keys(api)) == (2 if enabled else 0)
    api.forget()
    assert isinstance(proxied.hook(), ops.ActiveStatus)
    assert api.changes == []


def test_given_a_bad_url_then_its_option_is_named_without_a_credential_and_the_pods_stay(
    proxied: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    before = json.dumps(api.objects)
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", f"user:{PASSWORD}@proxy.example.com:3128")

    option = "juju-https-proxy"
    command = f"juju model-config {option}=http://HOST:PORT"
    line = f"model option {option} is no proxy's URL; run: {command}"
    assert proxied.hook() == ops.BlockedStatus(line)
    assert json.dumps(api.objects) == before
    assert PASSWORD not in proxied.log()
    # No event follows the correction, so the unit looks again by itself.
    assert proxied.units[0].alarms

    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", URL)
    assert proxied.hook() == ops.ActiveStatus(ACTIVE)


# Authorities that other charms send: the pods trust them besides their image's own.

FIRST, SECOND, THIRD = (root(f"proxy {n}").certificate for n in (1, 2, 3))
_, KEY = root().issue(["a.example.com"])
DAMAGED = FIRST.replace("\nMII", "\nAAA", 1)


def certificates(*texts: Any) -> Bag:
    """What a provider of version 1 writes."""
    return {"certificates": json.dumps(texts), "version": "1"}


def receive(model: Model, *apps: Bag) -> ops.StatusBase:
    """Relate a unit that serves to providers, called one and two, that have written this."""
    model.authorities = [
        ops.testing.Relation(trust.ENDPOINT, id=21 + n, remote_app_name=name, remote_app_data=app)
        for n, (name, app) in enumerate(zip(("one", "two"), apps, strict=False))
    ]
    return model.hook(model.on.relation_changed(model.authorities[0]))


def trusted(api: FakeCluster) -> str:
    """What is mounted into the pods; empty where nothing is."""
    pod = api.objects[DEPLOYMENT]["spec"]["template"]["spec"]
    volumes = [volume for volume in pod["volumes"] if volume["name"] == "authorities"]
    (container,) = pod["containers"]
    folders = [v["value"].split(":") for v in container["env"] if v["name"] == "SSL_CERT_DIR"]
    mounts = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "authorities"]
    if not volumes:
        assert folders == mounts == []
        return ""
    # Go's own folders stay, and so does its file.
    assert folders == [["/etc/ssl/certs", "/etc/pki/tls/certs", *mounts]]
    assert volumes[0]["configMap"]["name"] == "aws-iam-authenticator"
    (item,) = volumes[0]["configMap"]["items"]
    return api.objects[CONFIG]["data"][item["key"]]


def test_given_providers_when_they_send_authorities_then_the_pods_trust_all_of_them_once(
    deployed: Model, api: FakeCluster
):
    before = api.objects[CONFIG]["data"]
    status = receive(deployed, certificates(FIRST, SECOND), certificates(SECOND + THIRD))

    assert trusted(api) == ca_bundle(FIRST, SECOND, THIRD)
    assert status == ops.ActiveStatus(ACTIVE)
    api.forget()
    assert deployed.hook() == ops.ActiveStatus(ACTIVE)
    assert api.changes == []

    deployed.hook(deployed.on.relation_broken(deployed.authorities[0]))
    assert trusted(api) == ca_bundle(SECOND, THIRD)
    deployed.authorities = []
    deployed.hook()
    assert trusted(api) == ""
    assert api.objects[CONFIG]["data"] == before


def test_given_a_leader_that_lost_leadership_when_it_says_its_version_then_its_hook_ends_waiting(
    deployed: Model, monkeypatch: pytest.MonkeyPatch
):
    lost = mock.Mock(side_effect=ops.RelationDataAccessError("aws-iam/0 is not leader"))
    monkeypatch.setattr(ops.RelationDataContent, "update", lost)

    assert receive(deployed, certificates(FIRST)) == ops.WaitingStatus(
        "waiting for the new leader"
    )


@pytest.mark.parametrize(
    ("app", "bad"),
    [
        (certificates(FIRST, DAMAGED), 1),
        (certificates(FIRST, KEY), 1),
        (certificates(7, FIRST, None, [FIRST]), 3),
        (certificates(FIRST, SECOND[:200], "", "x"), 3),
        ({"certificates": ""}, 0),
        *(({"certificates": text}, 1) for text in ("x", "7", "{}", "[" * 100_000)),
    ],
    ids=range(9),
)
def test_given_bad_certificates_when_sent_then_they_are_counted_and_the_good_ones_are_trusted(
    deployed: Model, api: FakeCluster, app: Bag, bad: int
):
    counted = f", {bad} certificate{'s' * (bad > 1)} from one cannot be used" if bad else ""

    status = receive(deployed, app, certificates(FIRST))

    assert status == ops.ActiveStatus(f"{ACTIVE}{counted}")
    assert trusted(api) == FIRST
    assert "PRIVATE KEY" not in json.dumps(api.objects) + deployed.log()


def test_given_more_than_a_configmap_holds_when_sent_then_the_first_ones_are_trusted(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trust, "MAX_BYTES", len(FIRST) + len(SECOND))

    status = receive(deployed, certificates(FIRST, SECOND, THIRD), certificates(SECOND, THIRD))

    remark = "1 certificate from one cannot be used, 1 certificate from two cannot be used"
    assert status == ops.ActiveStatus(f"{ACTIVE}, {remark}")
    assert trusted(api) == ca_bundle(FIRST, SECOND)


# The interface's own library as the provider.

META = {"name": "provider", "provides": {"send-ca-cert": {"interface": "certificate_transfer"}}}


class Provider(ops.CharmBase):
    """Sends two authorities."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.library = CertificateTransferProvides(self, "send-ca-cert")
        framework.observe(self.on["send-ca-cert"].relation_changed, self._send)

    def _send(self, _: ops.EventBase) -> None:
        self.library.add_certificates({FIRST, SECOND})


def test_given_the_library_as_the_provider_then_its_authorities_are_trusted(
    deployed: Model, api: FakeCluster
):
    receive(deployed, {})
    context = ops.testing.Context(Provider, meta=META)
    said = dict(deployed.authorities[0].local_app_data)
    relation = ops.testing.Relation("send-ca-cert", remote_app_data=said)
    state = ops.testing.State(leader=True, relations=[relation])
    after = context.run(context.on.relation_changed(relation, remote_unit=0), state)
    sent = after.get_relation(relation.id)
    assert isinstance(sent, ops.testing.Relation)

    receive(deployed, dict(sent.local_app_data))

    assert trusted(api) == ca_bundle(FIRST, SECOND)
