"""vault from 1.16 on, of the testbed: signs what its role allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ops
import pytest
import yaml
from charmlibs.interfaces.tls_certificates import (
    CertificateRequestAttributes,
    PrivateKey,
)
from ops import testing

from vault_pki_charm import Vault

FOLDER = Path(__file__).parents[1]
KEY = PrivateKey.generate()
NAME = "web.prod.svc"
LONG = f"{NAME}.cluster.local"
ADDRESS = "10.152.183.7"


def run(track: str, *names: str, **config: Any) -> testing.State:
    """The state of a unit of a track that was asked for a certificate for these names."""
    attributes = CertificateRequestAttributes(
        common_name=names[0],
        sans_ip={name for name in names if name == ADDRESS},
        sans_dns={name for name in names if name != ADDRESS},
    )
    csr = str(attributes.generate_csr(KEY))
    requests = json.dumps([{"certificate_signing_request": csr, "ca": False}])
    relation = testing.Relation(
        "vault-pki", id=1007, remote_app_data={"certificate_signing_requests": requests}
    )
    context = testing.Context(
        Vault,
        meta=yaml.safe_load((FOLDER / "metadata.yaml").read_text()),
        config=yaml.safe_load((FOLDER / track / "config.yaml").read_text()),
    )
    state = testing.State(leader=True, relations=[relation], config=config)
    # The second hook has nothing more to say.
    return context.run(context.on.update_status(), context.run(context.on.config_changed(), state))


def published(state: testing.State, key: str = "certificates") -> list[dict[str, Any]]:
    relation = state.get_relation(1007)
    assert isinstance(relation, testing.Relation)
    return json.loads(relation.local_app_data.get(key, "[]"))


def error(state: testing.State) -> tuple[str, str]:
    (found,) = published(state, "request_errors")
    return found["error"]["name"], found["error"]["reason"].partition(", on post https://")[0]


@pytest.mark.parametrize("track", ["1.17", "1.18"])
def test_without_a_common_name_it_is_blocked_and_signs_nothing(track: str) -> None:
    state = run(track, NAME)

    assert isinstance(state.unit_status, ops.BlockedStatus)
    assert published(state) == []


@pytest.mark.parametrize("names", [(NAME, LONG), (LONG,), ("svc",)])
def test_1_17_leaves_a_request_for_other_names_unanswered(names: tuple[str, ...]) -> None:
    state = run("1.17", *names, common_name="svc")

    assert published(state) == []
    assert published(state, "request_errors") == []


def test_1_18_refuses_other_names_with_a_reason() -> None:
    below = {"pki_ca_common_name": "svc", "pki_allow_subdomains": True}

    bare = ("DOMAIN_NOT_ALLOWED", f"common name {NAME} not allowed by this role")
    longer = ("OTHER", f"subject alternate name {LONG} not allowed by this role")
    address = (
        "IP_NOT_ALLOWED",
        "IP Subject Alternative Names are not allowed in this role, but was provided some via CSR",
    )
    # Names are looked at before addresses, and the common name before the others.
    assert error(run("1.18", NAME, LONG, ADDRESS, pki_ca_common_name="svc")) == bare
    assert error(run("1.18", NAME, LONG, ADDRESS, **below)) == longer
    assert error(run("1.18", NAME, ADDRESS, **below)) == address
    assert len(published(run("1.18", NAME, **below))) == 1
