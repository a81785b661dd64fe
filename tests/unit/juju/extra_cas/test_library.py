"""The interface's own library as the provider: the pods trust what it sends."""

from __future__ import annotations

import ops
import ops.testing
import pytest
from charmlibs.interfaces.certificate_transfer import CertificateTransferProvides
from tests.fakes.juju.model import Bag, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.unit.juju.extra_cas.test_extra_cas import FIRST, SECOND, sender, trusted

from certificates import pem

META = {"name": "provider", "provides": {"send-ca-cert": {"interface": "certificate_transfer"}}}


class Provider(ops.CharmBase):
    """Sends two authorities."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self.library = CertificateTransferProvides(self, "send-ca-cert")
        framework.observe(self.on["send-ca-cert"].relation_changed, self._send)

    def _send(self, _: ops.EventBase) -> None:
        self.library.add_certificates({FIRST, SECOND})


def sent_to(requirer: Bag) -> tuple[Bag, Bag]:
    """What the library writes for a requirer that has written this: as application, as unit."""
    context = ops.testing.Context(Provider, meta=META)
    relation = ops.testing.Relation("send-ca-cert", remote_app_data=requirer)
    state = ops.testing.State(leader=True, relations=[relation])
    after = context.run(context.on.relation_changed(relation, remote_unit=0), state)
    found = after.get_relation(relation.id)
    assert isinstance(found, ops.testing.Relation)
    return dict(found.local_app_data), dict(found.local_unit_data)


def test_given_the_library_when_the_charm_has_said_its_version_then_its_authorities_are_trusted(
    deployed: Model, api: FakeCluster
):
    deployed.authorities = [sender("library", 21, {})]
    deployed.hook()
    app, _ = sent_to(dict(deployed.authorities[0].local_app_data))

    deployed.authorities = [sender("library", 21, app)]
    deployed.hook()

    assert app["version"] == "1"
    assert trusted(api) == pem.ca_bundle(FIRST, SECOND)


@pytest.mark.parametrize("with_application", [True, False])
def test_given_the_library_when_it_speaks_version_0_then_its_authorities_are_trusted(
    deployed: Model, api: FakeCluster, with_application: bool
):
    app, unit = sent_to({})

    deployed.authorities = [sender("library", 21, app if with_application else {}, unit)]
    deployed.hook()

    assert "chain" in unit
    assert trusted(api) == pem.ca_bundle(FIRST, SECOND)
