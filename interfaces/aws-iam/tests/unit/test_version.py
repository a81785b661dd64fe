"""The version of the package."""

from __future__ import annotations

import re
from pathlib import Path

from charmlibs.interfaces import aws_iam

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"


def test_given_the_package_then_its_version_is_the_newest_of_its_changelog():
    headings = re.findall(r"^## (.+)$", CHANGELOG.read_text(), re.MULTILINE)
    assert aws_iam.__version__ == headings[0]
