# SPDX-License-Identifier: Apache-2.0

"""The authenticator's counters, as its pods show them to Prometheus. Pure.

Source: aws-iam-authenticator v0.7.18 (``pkg/metrics``), and Prometheus' text format.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

_NAMESPACE = "aws_iam_authenticator_"
_COUNTERS = _RESPONSES, _FAILURES, _THROTTLED = (
    "sts_responses_total",
    "sts_connection_failures_total",
    "sts_throttling_total",
)
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
    for line in text.split("\n"):
        # Strangers choose the labels: every STS that a token names has its own.
        series, _, number = line.partition(" ")
        name, _, labels = series.removeprefix(_NAMESPACE).partition("{")
        if name not in _COUNTERS or not series.startswith(_NAMESPACE):
            continue
        try:
            value = int(float(number.partition(" ")[0]))
        except (ValueError, OverflowError):
            continue
        totals[name] += value
        if name == _RESPONSES and _label(labels, "ResponseCode") == "200":
            regions[_label(labels, "StsRegion")] += value
    return Counters(
        totals[_RESPONSES],
        totals[_FAILURES],
        totals[_THROTTLED],
        regions,
    )


def _label(labels: str, name: str) -> str:
    """Return the value of a label; empty without one."""
    return labels.partition(f'{name}="')[2].partition('"')[0]
