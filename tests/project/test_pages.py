"""What the pages show as the charm's own words is what the charm says."""

from __future__ import annotations

import textwrap
from pathlib import Path

from access import partitions
from access.refusals import Cause
from checks import Names, sts
from checks.sts import Answer, Reach

HOW_TO = Path(__file__).parents[2] / "docs/how-to"


def test_given_the_page_on_errors_then_its_step_on_sts_is_as_the_action_says_it():
    shown = (HOW_TO / "errors.md").read_text()
    host, region = partitions.sts(partitions.DEFAULT, "")
    names = Names("aws-iam/0", "kubernetes-control-plane/0")
    reached: Answer = Reach.REACHED, ""
    cause = f"dial tcp 192.0.2.10:443: connect: connection refused on {region} endpoint"
    refused: Answer = Cause.CONNECTION, cause

    ok, failed = (
        sts.verdict({"a": each, "b": each}, host, uses_proxy=False, names=names)
        for each in (reached, refused)
    )

    assert f"    5-sts: '{ok}'\n" in shown
    assert f"    5-sts: |-\n{textwrap.indent(f'{failed}', '      ')}\n" in shown
