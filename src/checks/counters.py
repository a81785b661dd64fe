# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The authenticator's counters, as its pods show them to Prometheus. Pure.

Source: aws-iam-authenticator v0.7.18 (``pkg/metrics``), and Prometheus' text format.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter

_NAMESPACE = "aws_iam_authenticator_"
_SAMPLE = re.compile(
    rf"^{_NAMESPACE}(?P<name>\w+)(\{{(?P<labels>[^}}]*)\}})? (?P<value>\S+)", re.MULTILINE
)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
GLOBAL = "global"


@dataclasses.dataclass(frozen=True)
class Counters:
    """What a pod counted since it started.

    Attributes:
        responses: The answers that it got from STS.
        failures: The requests to STS without an answer.
        throttled: The answers that said that there are too many requests.
        regions: The good answers by region; `GLOBAL` is the global STS.
    """

    responses: int = 0
    failures: int = 0
    throttled: int = 0
    regions: Counter[str] = dataclasses.field(default_factory=Counter[str])

    def since(self, before: Counters) -> Counters:
        """Return what was counted since ``before``."""
        return Counters(
            self.responses - before.responses,
            self.failures - before.failures,
            self.throttled - before.throttled,
            self.regions - before.regions,
        )


def parse(text: str) -> Counters:
    """Return the counters in what ``/metrics`` answers. A counter begins with its first event."""
    totals: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    for found in _SAMPLE.finditer(text):
        labels = dict(_LABEL.findall(found["labels"] or ""))
        try:
            value = int(float(found["value"]))
        except (ValueError, OverflowError):
            continue
        totals[found["name"]] += value
        if found["name"] == "sts_responses_total" and labels.get("ResponseCode") == "200":
            regions[labels.get("StsRegion", "")] += value
    return Counters(
        totals["sts_responses_total"],
        totals["sts_connection_failures_total"],
        totals["sts_throttling_total"],
        regions,
    )
