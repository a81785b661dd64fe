"""What one machine or Juju refuses holds up nothing else: the cluster gets what is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import ops
import ops.testing
import pytest
from charmlibs.interfaces.tls_certificates import ProviderCapabilities
from tests.fakes import at_rest
from tests.fakes.certificates.self_signed import SelfSigned
from tests.fakes.juju.model import HOOK_TOOLS, Model
from tests.fakes.kubernetes.paths import DEPLOYMENT, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

ARN, OTHER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("dev", "other"))
DECLARED = f"- {{arn: '{ARN}', username: dev, groups: [view]}}\n"
IMAGE = "registry.example.com/aws-iam-authenticator:v0.7.17"


def mappings(api: FakeCluster) -> list[str]:
    return [path for path in api.objects if path.startswith(f"{MAPPINGS}/")]


def image(api: FakeCluster) -> str:
    return api.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]["image"]


@pytest.mark.parametrize("name", ["webhook", "leftover"])
def test_given_a_file_of_the_leaders_machine_in_the_way_when_a_hook_runs_then_the_rest_goes_on(
    two: Model, api: FakeCluster, machines: list[Files], name: str
):
    path = machines[0].webhook if name == "webhook" else machines[0].leftovers[0]
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)
    two.config = {"image": IMAGE, "mappings": DECLARED}

    status = two.hook()

    assert status.message.endswith("Is a directory; repair the machine")
    assert image(api) == IMAGE
    assert len(mappings(api)) == 1


def test_given_a_secret_backend_that_is_down_when_an_answer_is_read_then_the_rest_goes_on(
    api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
):
    provider = SelfSigned()
    model = Model(provider, [files])
    at_rest.settle(model, api)
    # A change of the provider's data has the unit read its answer again.
    provider.capabilities = ProviderCapabilities(supports_ip_sans=True)
    model.answer()
    model.config = {"image": IMAGE}

    @contextlib.contextmanager
    def sealed(tool: str) -> Iterator[None]:
        if tool == "secret-get":
            raise ops.ModelError("ERROR cannot access secret backend: vault is sealed")
        yield

    monkeypatch.setattr(HOOK_TOOLS, "around", sealed)

    assert "vault is sealed" in model.hook().message
    assert image(api) == IMAGE
