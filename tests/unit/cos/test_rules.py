"""The alert rules: whose metrics they ask for, and where people read on."""

from __future__ import annotations

import re
from pathlib import Path

from tests.fakes.collecting import config, expressions
from tests.fakes.juju.model import UUID, Model

ROOT = Path(__file__).parents[3]
SELECTOR = f'juju_model="k8s",juju_model_uuid="{UUID}",juju_application="aws-iam"'
RUNBOOKS = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/"


def test_given_a_collector_then_rules_carry_and_select_the_labels_of_the_application(
    watched: Model,
):
    (group,) = config(watched)["metrics_alert_rules"]["groups"]

    assert group["name"] == f"k8s_{UUID[:8]}_aws_iam_aws_iam_rules"
    for rule in group["rules"]:
        severity = rule["labels"].pop("severity")
        assert severity in ("critical", "warning")
        assert rule["labels"] == {
            "juju_model": "k8s",
            "juju_model_uuid": UUID,
            "juju_application": "aws-iam",
            "juju_charm": "aws-iam",
        }
    for expression in expressions(watched).values():
        assert expression.count("{") == expression.count(SELECTOR) > 0
        assert "%%" not in expression


def test_given_a_rule_then_its_runbook_is_a_section_that_begins_with_its_severity(watched: Model):
    (group,) = config(watched)["metrics_alert_rules"]["groups"]
    page = (ROOT / "docs/how-to/alerts.md").read_text()
    begun = {
        name: (f"{RUNBOOKS}docs/how-to/alerts.md#{name.lower()}", severity.lower(), minutes)
        for name, severity, minutes in re.findall(
            r"^## (Aws\w+)\n\n(Critical|Warning)(?:, after (\d+) minutes)?[.,]", page, re.MULTILINE
        )
    }

    assert begun == {
        rule["alert"]: (
            rule["annotations"]["runbook_url"],
            rule["labels"]["severity"],
            rule.get("for", "").removesuffix("m"),
        )
        for rule in group["rules"]
    }
    assert len(begun) == len(re.findall(r"^## Aws", page, re.MULTILINE))
