"""Authorities that other charms send: the pods trust them besides their image's own."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import ops
import ops.testing
import pytest
from charmlibs.interfaces.certificate_transfer import CertificateTransferProvides
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Bag, Model
from tests.fakes.kubernetes.paths import CONFIG, DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster

from certificates import ca_bundle
from juju import trust

FIRST, SECOND, THIRD = (root(f"proxy {n}").certificate for n in (1, 2, 3))
_, KEY = root().issue(["a.example.com"])
ACTIVE = "2/2 pods, 0 mappings"
DAMAGED = FIRST.replace("\nMII", "\nAAA", 1)


def sender(name: str, number: int, app: Bag) -> ops.testing.Relation:
    """A relation with a provider that has written this."""
    return ops.testing.Relation(
        trust.ENDPOINT,
        id=number,
        remote_app_name=name,
        remote_app_data=app,
    )


def certificates(*texts: Any) -> Bag:
    """What a provider of version 1 writes."""
    return {"certificates": json.dumps(texts), "version": "1"}


def receive(deployed: Model, *senders: ops.testing.Relation) -> ops.StatusBase:
    """Relate a unit that serves to providers, and return its status."""
    deployed.authorities = list(senders)
    return deployed.hook(deployed.on.relation_changed(senders[0]))


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
    status = receive(
        deployed,
        sender("one", 21, certificates(FIRST, SECOND)),
        sender("two", 22, certificates(SECOND + THIRD)),
    )

    assert trusted(api) == ca_bundle(FIRST, SECOND, THIRD)
    assert status == ops.ActiveStatus(ACTIVE)
    api.forget()
    assert deployed.hook() == ops.ActiveStatus(ACTIVE)
    assert api.changes == []


def test_given_a_leader_that_lost_leadership_when_it_says_its_version_then_its_hook_ends_waiting(
    deployed: Model, monkeypatch: pytest.MonkeyPatch
):
    deployed.authorities = [sender("one", 21, certificates(FIRST))]
    lost = mock.Mock(side_effect=ops.RelationDataAccessError("aws-iam/0 is not leader"))
    monkeypatch.setattr(ops.RelationDataContent, "update", lost)

    assert deployed.hook() == ops.WaitingStatus("waiting for the new leader")


def test_given_a_relation_that_ends_when_its_last_hook_runs_then_its_authority_goes(
    deployed: Model, api: FakeCluster
):
    before = json.dumps(api.objects[CONFIG]["data"])
    relation = sender("one", 21, certificates(FIRST))
    receive(deployed, relation)
    assert trusted(api) == FIRST

    deployed.hook(deployed.on.relation_broken(relation))

    assert trusted(api) == ""
    assert json.dumps(api.objects[CONFIG]["data"]) == before


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

    status = receive(deployed, sender("one", 21, app), sender("two", 22, certificates(FIRST)))
    assert status == ops.ActiveStatus(f"{ACTIVE}{counted}")
    assert trusted(api) == FIRST
    assert "PRIVATE KEY" not in json.dumps(api.objects) + deployed.log()


def test_given_more_than_a_configmap_holds_when_sent_then_the_first_ones_are_trusted(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trust, "MAX_BYTES", len(FIRST) + len(SECOND))

    status = receive(
        deployed,
        sender("one", 21, certificates(FIRST, SECOND, THIRD)),
        sender("two", 22, certificates(SECOND, THIRD)),
    )

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
    deployed.authorities = [sender("library", 21, {})]
    deployed.hook()
    context = ops.testing.Context(Provider, meta=META)
    said = dict(deployed.authorities[0].local_app_data)
    relation = ops.testing.Relation("send-ca-cert", remote_app_data=said)
    state = ops.testing.State(leader=True, relations=[relation])
    after = context.run(context.on.relation_changed(relation, remote_unit=0), state)
    sent = after.get_relation(relation.id)
    assert isinstance(sent, ops.testing.Relation)

    deployed.authorities = [sender("library", 21, dict(sent.local_app_data))]
    deployed.hook()

    assert trusted(api) == ca_bundle(FIRST, SECOND)
