"""The alert rules: whose metrics they ask for, and which facts stand in them."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import ops
from tests.fakes.collecting import config, expressions, relate, targets
from tests.fakes.juju.model import OWNER, UUID, Easyrsa, Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from certificates.keypair import KeyPair
from cos import databag, facts

ROOT = Path(__file__).parents[4]
SELECTOR = f'juju_model="k8s",juju_model_uuid="{UUID}",juju_application="aws-iam"'
RUNBOOKS = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/"
DAY = 24 * 3600
ROLE = "arn:aws:iam::111122223333:role/a"
COUNTED = facts.Facts(to_correct=1, replicas=2)


def test_given_a_collector_then_rules_and_groups_carry_the_labels_of_the_application(
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


def test_given_a_collector_then_rules_of_metrics_select_those_of_the_application(watched: Model):
    for expression in expressions(watched).values():
        metrics = expression.count("{")
        assert metrics == expression.count(SELECTOR)
        assert metrics or expression.startswith("vector(")
        assert "%%" not in expression


def test_given_a_rule_then_its_runbook_is_a_heading_of_the_docs(watched: Model, api: FakeCluster):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    (group,) = config(watched)["metrics_alert_rules"]["groups"]
    urls = [rule["annotations"]["runbook_url"] for rule in group["rules"]]
    page = (ROOT / "docs/how-to/alerts.md").read_text()

    assert urls == [
        f"{RUNBOOKS}docs/how-to/alerts.md#{rule['alert'].lower()}" for rule in group["rules"]
    ]
    assert sorted(re.findall(r"^## (Aws\w+)$", page, re.MULTILINE)) == sorted(
        rule["alert"] for rule in group["rules"]
    )


def test_given_a_rule_then_its_section_begins_with_its_severity_and_how_long_it_lasts_first(
    watched: Model, api: FakeCluster
):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    (group,) = config(watched)["metrics_alert_rules"]["groups"]
    page = (ROOT / "docs/how-to/alerts.md").read_text()
    begun = {
        name: (severity.lower(), minutes)
        for name, severity, minutes in re.findall(
            r"^## (Aws\w+)\n\n(Critical|Warning)(?:, after (\d+) minutes)?[.,]", page, re.MULTILINE
        )
    }

    assert begun == {
        rule["alert"]: (rule["labels"]["severity"], rule.get("for", "").removesuffix("m"))
        for rule in group["rules"]
    }


def test_given_a_certificate_then_its_rule_fires_from_a_twentieth_of_its_life_before_its_end(
    deployed: Model, easyrsa: Easyrsa
):
    easyrsa.days = (-1, 39)
    easyrsa.reissue()
    deployed.settle()
    relate(deployed)
    known = facts.load(deployed.peer["facts"])

    assert known
    assert known.ends - known.starts == 40 * DAY
    expected = f"vector({known.ends}) - time() < {2 * DAY}"
    assert expressions(deployed)["AwsIamCertificateEnds"] == expected


def test_given_a_long_certificate_then_its_rule_fires_a_week_before_its_end(watched: Model):
    known = facts.load(watched.peer["facts"])

    assert known
    until = datetime.datetime.fromtimestamp(known.ends, datetime.timezone.utc)
    assert (until - datetime.datetime.now(datetime.timezone.utc)).days in (364, 365)
    expected = f"vector({known.ends}) - time() < {7 * DAY}"
    assert expressions(watched)["AwsIamCertificateEnds"] == expected


def test_given_a_new_certificate_when_it_is_served_then_the_rule_has_its_end(
    watched: Model, easyrsa: Easyrsa
):
    before = expressions(watched)["AwsIamCertificateEnds"]
    easyrsa.days = (-1, 200)
    easyrsa.reissue()
    watched.settle()

    assert expressions(watched)["AwsIamCertificateEnds"] != before


def test_given_a_certificate_that_cannot_be_read_then_its_rule_alone_is_left_out():
    known = facts.learn("", KeyPair("-", "-", "-"), COUNTED)
    unreadable, readable = (
        {
            rule["alert"]
            for group in databag.rules(OWNER, "aws-iam", which)["groups"]
            for rule in group["rules"]
        }
        for which in (known, facts.Facts("-", 1, 2, replicas=2))
    )

    assert readable - unreadable == {"AwsIamCertificateEnds"}
    assert known.to_correct == 1


def test_given_mappings_that_never_work_then_every_unit_publishes_how_many(
    two: Model, api: FakeCluster
):
    relate(two)
    assert expressions(two, 1)["AwsIamMappingNeverWorks"] == "vector(0) > 0"
    api.add_mapping("a", "arn:aws:iam::111122223333:role/team/a")
    api.add_mapping("b", "nonsense")
    two.settle()

    assert expressions(two, 0)["AwsIamMappingNeverWorks"] == "vector(2) > 0"
    assert expressions(two, 1) == expressions(two, 0)


def test_given_replicas_then_the_rule_fires_while_fewer_are_scraped(watched: Model):
    watched.config["replicas"] = 3
    watched.settle()

    expression = expressions(watched)["AwsIamPodMissing"]
    assert expression.endswith(" < 3")


def test_given_access_that_ends_then_the_rule_fires_a_quarter_of_an_hour_after_the_first_end(
    watched: Model, api: FakeCluster
):
    assert "AwsIamAccessOutlivesItsEnd" not in expressions(watched)
    for name, end in (("a", "2099-01-01T00:00:00Z"), ("b", "2098-01-01T00:00:00Z")):
        api.add_mapping(name, f"arn:aws:iam::111122223333:role/{name}", expires=end)
    watched.settle()

    end = datetime.datetime(2098, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    expected = f"vector({end:.0f}) < time() - 900"
    assert expressions(watched)["AwsIamAccessOutlivesItsEnd"] == expected


def test_given_access_that_ended_while_the_unit_waits_then_its_rule_goes_and_the_jobs_stay(
    watched: Model, api: FakeCluster, easyrsa: Easyrsa
):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    assert "AwsIamAccessOutlivesItsEnd" in expressions(watched)
    before = targets(watched)
    api.delete(f"{MAPPINGS}/a")
    watched.config["replicas"] = 0
    assert isinstance(watched.hook(), ops.BlockedStatus)

    assert "AwsIamAccessOutlivesItsEnd" not in expressions(watched)
    assert targets(watched) == before
