"""A login that fails while the control plane restarts its own webhook is counted apart."""

from __future__ import annotations

import datetime

from tests.integration.helpers.load import upgrade

REFUSED = (
    "E1126 09:05:37.764004      66 webhook.go:154] Failed to make webhook authenticator request: "
    'Post "http://127.0.0.1:5000/?timeout=30s": dial tcp 127.0.0.1:5000: connect: '
    "connection refused"
)
CUT = REFUSED.replace("37.764004", "39.500000").replace("dial tcp", "EOF").partition("EOF")[0]
OTHERS = """\
I1126 09:05:38.000000      66 trace.go:236] Trace[873333982]: "Create" http://127.0.0.1:5000/
E1126 09:05:38.100000      66 webhook.go:154] Failed to make webhook authenticator request: the \
server responded with the status code 500: Post "http://127.0.0.1:5000/?timeout=30s"
E1126 09:05:38.200000      66 controller.go:113] dial tcp 10.1.0.5:443: connect: connection refused
Trace[873333982]: [812.900884ms] [812.900884ms] END"""


def test_the_moments_are_those_at_which_the_api_server_did_not_reach_its_own_webhook() -> None:
    moments = upgrade.moments_without_webhook(f"{REFUSED}\n{OTHERS}\n{CUT}EOF\n")

    times = [datetime.datetime.fromtimestamp(moment).astimezone() for moment in moments]
    assert [f"{time:%m-%d %H:%M:%S.%f}" for time in times] == [
        "11-26 09:05:37.764004",
        "11-26 09:05:39.500000",
    ]
