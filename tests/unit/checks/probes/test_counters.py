"""What the counters of a pod say."""

from __future__ import annotations

from collections import Counter

from checks.probes import counters
from checks.probes.counters import Counters

COUNTER = "aws_iam_authenticator_"


def test_given_what_a_pod_counted_then_the_good_answers_are_known_by_region() -> None:
    sts_total = f"{COUNTER}sts_responses_total"
    text = f"""\
# TYPE {sts_total} counter
{sts_total}{{ResponseCode="200",StsRegion="global"}} 2
{sts_total}{{ResponseCode="200",StsRegion="eu-west-1"}} 5
{sts_total}{{ResponseCode="403",StsRegion="global"}} 9
{COUNTER}sts_connection_failures_total{{StsRegion="global"}} 1e+01
{COUNTER}sts_throttling_total{{StsRegion="global"}} 3
go_goroutines 12
{COUNTER}dynamic_file_only NaN
"""
    found = counters.parse(text)
    assert found == Counters(16, 10, 3, Counter({"eu-west-1": 5, "global": 2}))
    assert found.since(counters.parse("")) == found
