"""Which published vulnerabilities an image has, and what the charm says of them."""

from __future__ import annotations

import pytest
import yaml
from tests.fakes.juju.model import Model

import vulnerabilities
from vulnerabilities import KNOWN, OLDEST

NAMES = {each.name: each for each in KNOWN}
BYPASS, CRASH = NAMES["CVE-2022-2385"], NAMES["CVE-2026-97032"]


@pytest.fixture(autouse=True)
def _published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vulnerabilities, "KNOWN", KNOWN)


@pytest.mark.parametrize(
    ("version", "go", "found"),
    [
        ("v0.5.8", "", [BYPASS, CRASH]),
        ("v0.5.9", "", [CRASH]),
        ("v0.7.18-cvefix-eks-1-36-9", "", [CRASH]),
        ("0.7.20", "", [CRASH]),
        ("v0.7.21", "", []),
        ("v0.8.0-alpha.1", "", []),
        ("v1.0.0", "", []),
        # Go has the fault, so its version decides.
        ("v0.7.18", "go1.25.14", [CRASH]),
        ("v0.7.18", "go1.26.8", [CRASH]),
        ("v0.7.18", "go1.26.9", []),
        ("v0.7.18", "go1.26.9 X:nocoverageredesign", []),
        ("v0.7.21", "go1.27.1", [CRASH]),
        ("v0.7.21", "go1.27rc1", []),
        ("v0.7.18", "go1.27.2", []),
        ("v0.7.18", "go1.28.0", []),
        ("v0.5.8", "go1.27.2", [BYPASS]),
        ("v0.7.18", "devel +a1b2c3", [CRASH]),
        ("nightly", "", []),
        ("nightly", "go1.26.8", [CRASH]),
        ("0123456789ab", "", []),
        ("", "", []),
    ],
)
def test_given_a_version_and_its_go_then_what_it_has_is_found(
    version: str, go: str, found: list[vulnerabilities.Vulnerability]
) -> None:
    assert vulnerabilities.of(version, go) == found


def test_each_row_says_where_it_is_published_and_is_fixed_from_the_oldest_version_on() -> None:
    for each in KNOWN:
        assert each.source.startswith("https://")
        assert each.fixed >= OLDEST


def test_given_a_version_with_a_vulnerability_then_the_status_says_what_fixes_it_and_logins_go_on(
    deployed: Model,
) -> None:
    deployed.config = {"image": "registry.example.com/aws-iam-authenticator:v0.7.20"}
    assert deployed.hook(deployed.on.config_changed()).message == (
        "authenticator v0.7.20, 2/2 pods, 0 mappings, v0.7.21 fixes CVE-2026-97032"
    )

    deployed.config = {"image": "registry.example.com/aws-iam-authenticator:v0.7.21"}
    assert (
        deployed.hook(deployed.on.config_changed()).message
        == "authenticator v0.7.21, 2/2 pods, 0 mappings"
    )


def test_the_default_image_is_one_that_the_charm_deploys() -> None:
    with open("config.yaml") as file:
        image = yaml.safe_load(file)["options"]["image"]["default"]
    tag = image.rpartition(":")[2]
    version = vulnerabilities.parse(tag)
    assert version is not None
    assert version >= OLDEST
