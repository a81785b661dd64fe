"""No text of the admin's kubeconfig gets into a status or a log, however the file is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given
from tests.fakes import damage

from cluster import api as cluster_api
from errors import Waiting

TOKEN = "tk9Zq7Xw2Lm4Vb8Ns5Rd1Hj6"
KEY = "S3VwMnJZ0aGlzLWlzLXRoZS1rZXktb2YtdGhlLWFkbWlu"
PASSWORD = "pw0Yc3Ug8Ia"
SECRETS = (TOKEN, KEY, PASSWORD)
CONFIG = {
    "apiVersion": "v1",
    "clusters": [{"cluster": {"server": f"https://a:{PASSWORD}@k8s:6443"}, "name": "c"}],
    "users": [{"name": "u", "user": {"client-key-data": KEY, "token": TOKEN}}],
    "contexts": [{"context": {"cluster": "c", "user": "u"}, "name": "x"}],
    "current-context": "x",
}
FORMS = {
    "plain": yaml.safe_dump(CONFIG),
    "flow": yaml.safe_dump(CONFIG, default_flow_style=True, width=999),
    "single quotes": yaml.safe_dump(CONFIG, default_style="'"),
    "double quotes": yaml.safe_dump(CONFIG, default_style='"'),
    "json": json.dumps(CONFIG),
}
PREFIX = "waiting for the control plane to write a usable "


def fragments(text: str) -> list[str]:
    """What of the secrets is in ``text``, four characters and more."""
    pieces = {s[i : i + 4] for s in SECRETS for i in range(len(s) - 3)}
    return sorted(piece for piece in pieces if piece in text)


def said_of(path: Path) -> str:
    """What a client of this kubeconfig waits for, or nothing."""
    try:
        cluster_api.connect(path)
    except Waiting as wait:
        return str(wait)
    return ""


@pytest.mark.parametrize("form", FORMS)
def test_given_a_kubeconfig_cut_at_any_character_when_it_is_read_then_nothing_of_it_is_said(
    tmp_path: Path, form: str
):
    path, text = tmp_path / "config", FORMS[form]
    said: set[str] = set()
    for end in range(len(text)):
        path.write_text(text[:end])
        said.add(said_of(path).removeprefix(PREFIX))

    assert len(said) > 1
    assert {line: found for line in said if (found := fragments(line))} == {}


MARKS = "*&!%@`\"'\t\0\x1b\u2028[{|>#,]}\n"


@pytest.mark.parametrize("mark", [*MARKS, "!!", "!<", '"\\', "? ", "- "])
@pytest.mark.parametrize("form", ["plain", "flow"])
def test_given_a_secret_that_is_yaml_when_it_is_read_then_nothing_of_it_is_said(
    tmp_path: Path, form: str, mark: str
):
    path = tmp_path / "config"
    for secret in SECRETS:
        for text in (f"{mark}{secret}", f"{secret[:9]}{mark}{secret[9:]}", f"{secret}{mark}"):
            path.write_text(FORMS[form].replace(secret, text))
            assert fragments(said_of(path)) == [], text


def test_given_a_file_that_is_no_yaml_when_it_is_read_then_its_error_is_named(tmp_path: Path):
    path = tmp_path / "config"
    path.write_text(f"users:\n- *{TOKEN}\n")

    assert said_of(path) == f"{PREFIX}{path} (ComposerError)"


def test_given_a_token_that_no_header_can_hold_when_it_is_read_then_nothing_of_it_is_said(
    tmp_path: Path,
):
    path = tmp_path / "config"
    path.write_text(FORMS["json"].replace(TOKEN, f"{TOKEN}\\u00fc"))

    assert said_of(path).endswith("/config (UnicodeEncodeError)")


@given(
    st.sampled_from(sorted(FORMS)).flatmap(lambda form: damage.text(FORMS[form]))
    | damage.value(CONFIG).map(json.dumps)
)
def test_given_any_damage_when_connected_then_it_is_a_client_or_waited_for_without_its_text(
    tmp_path_factory: pytest.TempPathFactory, text: str
):
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_text(text)
    said = ""
    try:
        cluster_api.connect(path)
    except Waiting as wait:
        said = str(wait)
    assert not fragments(said)
