"""A cluster whose Services have IPv6 addresses; with both families, the first address counts."""

from __future__ import annotations

import ops
import pytest
import yaml
from tests.fakes.certificates.authority import root
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import Easyrsa, Model, Provider
from tests.fakes.kubernetes.paths import SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from text import is_ip

ADDRESS = "fd00:10:96::1:20"
URL = f"https://[{ADDRESS}]:443/authenticate"


@pytest.fixture(autouse=True)
def addresses(api: FakeCluster) -> None:
    """Give IPv6 addresses to Services."""
    api.free_addresses = [ADDRESS, "fd00:10:96::1:21"]


def server(files: Files) -> str:
    """The server in the webhook file."""
    return yaml.safe_load(files.webhook.read_text())["clusters"][0]["cluster"]["server"]


@pytest.mark.parametrize("provider", [Easyrsa(root()), SelfSigned()], ids=["old", "new"])
def test_given_an_ipv6_service_when_hooks_ran_then_the_control_plane_gets_its_url(
    api: FakeCluster, files: Files, provider: Provider
):
    model = Model(provider, [files])
    model.settle()

    assert model.hook() == ops.ActiveStatus("2/2 pods, 0 mappings")
    assert server(files) == URL


def test_given_an_ipv6_service_then_the_newer_control_plane_is_to_be_told_its_url_in_brackets(
    easyrsa: Easyrsa, files: Files
):
    model = Model(easyrsa, [files], endpoints=("control-plane",))
    model.settle()
    assert model.hook() == ops.BlockedStatus(
        f"webhook not set; run: juju config kubernetes-control-plane authn-webhook-endpoint={URL}"
    )

    files.auth_webhook.write_text(f"CUSTOM_AUTHN_ENDPOINT = '{URL}'\n")

    assert model.hook().name == "active"


def test_given_a_service_with_both_families_when_hooks_run_then_it_keeps_both(
    model: Model, api: FakeCluster, files: Files
):
    families = {
        "ipFamilyPolicy": "PreferDualStack",
        "ipFamilies": ["IPv6", "IPv4"],
        "clusterIPs": [ADDRESS, "10.152.183.20"],
    }
    api.put(SERVICE, {"spec": {"clusterIP": ADDRESS, **families}})

    model.settle()

    kept = api.objects[SERVICE]["spec"]
    assert {key: kept[key] for key in families} == families
    assert server(files) == URL


def test_given_an_address_with_a_zone_when_it_is_looked_at_then_it_is_no_address():
    assert is_ip("fe80::1")
    assert not is_ip("fe80::1%eth0")
