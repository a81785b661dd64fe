"""The model's proxies: the pods use them for AWS, and for nothing else."""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import ops
import pytest
from tests.fakes.juju.model import OWNER, Model
from tests.fakes.kubernetes.paths import DEPLOYMENT, SECRET
from tests.fakes.kubernetes.server import FakeCluster

from certificates import KeyPair
from cluster import manifests
from errors import Blocked
from juju import proxies
from text import status_line

PASSWORD = "s3cr3t-of-the-proxy"
URL = f"http://user:{PASSWORD}@proxy.example.com:3128"
ACTIVE = "2/2 pods, 0 mappings"
OPTIONS = {
    "JUJU_CHARM_HTTP_PROXY": "http://proxy.example.com:3127",
    "JUJU_CHARM_HTTPS_PROXY": URL,
    "JUJU_CHARM_NO_PROXY": "127.0.0.1,localhost,::1, 10.0.0.0/8,registry.example.com",
}
SERVED = KeyPair("certificate\n", "key\n", "ca\n")
GIVEN = manifests.Spec(image="image:v1", replicas=2, cluster_id="prod", pair=SERVED)
# What the pods' environment holds without a proxy.
ALWAYS = ["AWS_EC2_METADATA_DISABLED", "GOMEMLIMIT"]
OWN = "127.0.0.1,169.254.169.254,::1,localhost,.svc,.cluster.local"


def refusal(option: str) -> str:
    return (
        f"model option {option} is no proxy's URL; run: juju model-config "
        f"{option}=http://HOST:PORT"
    )


@pytest.fixture
def proxied(deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A unit that serves, in a model with proxies, which the pods use."""
    for name, value in OPTIONS.items():
        monkeypatch.setenv(name, value)
    deployed.config = {"web-proxy-enable": True}
    deployed.settle()
    api.forget()
    return deployed


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
    proxied: Model, api: FakeCluster
):
    wanted = {
        "HTTP_PROXY": "http://proxy.example.com:3127",
        "HTTPS_PROXY": URL,
        "NO_PROXY": f"$(KUBERNETES_SERVICE_HOST),{OWN},10.0.0.0/8,registry.example.com",
    }

    found = environment(api)

    assert [found.pop(name) for name in ALWAYS] == ["true", "460MiB"]
    assert found == wanted | {name.lower(): value for name, value in wanted.items()}
    assert proxied.hook() == ops.ActiveStatus(ACTIVE)
    assert api.changes == []
    # The Secret alone holds credentials.
    others = {path: stored for path, stored in api.objects.items() if path != SECRET}
    assert PASSWORD not in json.dumps(others) + proxied.log() + proxied.bags()
    assert PASSWORD not in repr(proxies.of_model(OPTIONS))


@pytest.mark.parametrize(
    ("others", "added"), [({}, ""), ({"JUJU_CHARM_NO_PROXY": "$(A) *,$$"}, ",$$(A),*,$$$$")]
)
def test_given_juju_no_proxy_or_none_when_read_then_the_charms_own_names_bypass_proxies_too(
    others: dict[str, str], added: str
):
    found = proxies.of_model({"JUJU_CHARM_HTTPS_PROXY": URL, **others})

    # The kubelet expands nothing of what the model has.
    assert found.no_proxy == f"$(KUBERNETES_SERVICE_HOST),{OWN}{added}"


@pytest.mark.parametrize(
    ("url", "enabled", "remark"),
    [
        (URL, False, ""),
        (
            " ",
            True,
            ", web-proxy-enable has no effect on logins: the model has no juju-https-proxy",
        ),
    ],
)
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
    assert (
        "http://other.example.com" in environment(api)["NO_PROXY" if "NO" in name else name[11:]]
    )


@pytest.mark.parametrize("enabled", [True, False])
def test_given_a_rollout_that_is_stuck_when_hooks_run_then_former_pods_can_restart_until_it_ends(
    proxied: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch, enabled: bool
):
    def proxy_keys() -> set[str]:
        return {key for key in api.objects[SECRET]["data"] if "PROXY" in key}

    former = proxy_keys()
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", "http://other.example.com")
    proxied.config = {"web-proxy-enable": enabled}
    api.start_seconds = None
    proxied.hook()
    assert former < proxy_keys() if enabled else former == proxy_keys()
    # A second change, before the pods of the first one are ready.
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", "http://third.example.com")
    proxied.hook()
    assert former <= proxy_keys()
    api.forget()
    proxied.hook()
    assert api.changes == []

    api.start_seconds = 0
    proxied.hook()
    assert not former & proxy_keys()
    assert len(proxy_keys()) == (2 if enabled else 0)
    api.forget()
    assert isinstance(proxied.hook(), ops.ActiveStatus)
    assert api.changes == []


def test_given_a_bad_url_then_its_option_is_named_without_a_credential_and_the_pods_stay(
    proxied: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    before = json.dumps(api.objects)
    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", f"user:{PASSWORD}@proxy.example.com:3128")

    assert proxied.hook() == ops.BlockedStatus(refusal("juju-https-proxy"))
    assert json.dumps(api.objects) == before
    assert PASSWORD not in proxied.log()
    # No event follows the correction, so the unit looks again by itself.
    assert proxied.units[0].alarms

    monkeypatch.setenv("JUJU_CHARM_HTTPS_PROXY", URL)
    assert proxied.hook() == ops.ActiveStatus(ACTIVE)


GOOD = (
    *("http://proxy", "https://proxy.example.com/", "http://[fd00::1]:3128"),
    *("http://user:p%40ss!$&'()*+,;=:@word@proxy:3128", "http://proxy:65535"),
)
BAD = (
    *("proxy:3128", "socks5://proxy:1080", "http://:3128", "http://proxy:65536"),
    *("http://proxy/path", "http://user:a#b@proxy", "http://user:50%@proxy"),
    *("http://user:ä@proxy", "http://proxy\nhttp://other"),
)


@pytest.mark.parametrize("url", [*GOOD, *BAD])
def test_given_a_url_that_go_takes_for_a_proxy_or_cannot_then_it_is_taken_or_its_option_is_named(
    url: str,
):
    if url in GOOD:
        assert proxies.of_model({"JUJU_CHARM_HTTP_PROXY": url}).urls == {"HTTP_PROXY": url}
        return
    with pytest.raises(Blocked) as caught:
        proxies.of_model({"JUJU_CHARM_HTTP_PROXY": url})
    assert status_line(caught.value) == refusal("juju-http-proxy")


def test_given_the_hash_that_people_can_read_when_they_try_passwords_then_they_find_none():
    """The hash depends on the private key too."""

    def names(pair: KeyPair) -> set[str]:
        found = proxies.of_model(OPTIONS)
        rendered = manifests.authenticator(
            OWNER, dataclasses.replace(GIVEN, pair=pair, proxies=found)
        )
        (secret,) = [m for m in rendered if m["kind"] == "Secret"]
        return {name for name in secret["data"] if "PROXY" in name}

    assert len(names(SERVED)) == 2
    assert not names(SERVED) & names(dataclasses.replace(SERVED, key="other\n"))
