"""The control plane's webhook file."""

from __future__ import annotations

import base64

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given
from tests.fakes import damage
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import OWNER
from tests.fakes.machine import Files

from machine import webhook

CA = root().certificate


def test_given_an_authority_when_the_webhook_is_written_then_it_trusts_that_alone():
    written = yaml.safe_load(webhook.render(OWNER, "10.152.183.20", CA))
    ((cluster,), (user,)) = written["clusters"], written["users"]

    assert cluster["cluster"] == {
        "server": "https://10.152.183.20:443/authenticate",
        "tls-server-name": "aws-iam-authenticator.kube-system.svc",
        "certificate-authority-data": base64.b64encode(CA.encode()).decode(),
    }
    assert user == {"name": "kube-apiserver"}
    assert written["current-context"] == written["contexts"][0]["name"]


@given(st.sampled_from(("10.152.183.20", "fd00::14")), damage.text(CA))
def test_given_any_text_for_a_ca_when_the_webhook_is_written_then_it_says_that(
    address: str, ca: str
):
    written = yaml.load(webhook.render(OWNER, address, ca), yaml.CSafeLoader)

    cluster = written["clusters"][0]["cluster"]
    assert base64.b64decode(cluster["certificate-authority-data"]).decode() == ca
    assert cluster["server"] == webhook.endpoint(address)


@pytest.mark.parametrize("text", ["", '# Owner: ""', "[]", "# Owner: aws-iam"])
def test_given_a_file_without_a_mark_when_read_then_it_is_nobodys(files: Files, text: str):
    files.webhook.write_text(text)

    assert not webhook.is_foreign(files.machine, OWNER)


def url(host: str, path: str = "authenticate", scheme: str = "https") -> str:
    return f"{scheme}://{host}:443/{path}"


@pytest.mark.parametrize(
    ("found", "is_ours"),
    [
        *((text, True) for text in (url("10.1.0.9"), "https://10.1.0.9/authenticate")),
        *((text, False) for text in (None, "", url("10.1.0.99"), url("10.1.0.9", "x"))),
        *((text, False) for text in (f" {url('10.1.0.9')}", url("10.1.0.9", scheme="http"))),
        *((text, False) for text in (url("10.1.0.9", "authenticate/x"), url("login.example.com"))),
    ],
)
def test_given_a_rendered_url_then_it_is_ours_only_as_people_log_in_by_it(
    found: str | None, is_ours: bool
):
    assert webhook.is_at("10.1.0.9", found) is is_ours
    assert not webhook.is_at("", found)
