"""What the benchmarks and the tests of load count as lost."""

from __future__ import annotations

import datetime

from benchmarks import crowd
from benchmarks.crowd import Login
from tests.integration.helpers.load import upgrade

LOGINS = [
    Login(due=10.0, seconds=0.5, problem="", lost=False),
    Login(due=10.5, seconds=1.5, problem="", lost=False),
    Login(due=11.0, seconds=30.0, problem="refused", lost=True),
    Login(due=11.5, seconds=30.0, problem="refused", lost=False),
]
REFUSED = (
    "E1126 09:05:37.764004      66 webhook.go:154] Failed to make webhook authenticator request: "
    'Post "http://127.0.0.1:5000/?timeout=30s": dial tcp 127.0.0.1:5000: connection refused'
)
CUT = REFUSED.replace("37.764004", "39.500000").partition("dial tcp")[0] + "EOF"
OTHERS = """\
I1126 09:05:38.000000      66 trace.go:236] Trace[873333982]: "Create" http://127.0.0.1:5000/
E1126 09:05:38.100000      66 webhook.go:154] Failed to make webhook authenticator request: the \
server responded with the status code 500: Post "http://127.0.0.1:5000/?timeout=30s"
E1126 09:05:38.200000      66 controller.go:113] dial tcp 10.1.0.5:443: connect: connection refused
"""


def test_given_logins_then_their_rate_is_that_of_answers_and_lost_is_what_fails_twice() -> None:
    assert crowd.rate(LOGINS) == 2 / (12.0 - 10.0)
    assert crowd.rate(LOGINS[2:]) == 0
    assert (crowd.failed(LOGINS), crowd.lost(LOGINS)) == (2, 1)
    assert crowd.last_failure(LOGINS, since=10.0) == 1.5


def test_given_a_log_then_its_moments_are_when_the_api_server_missed_its_own_webhook() -> None:
    moments = upgrade.moments_without_webhook(f"{REFUSED}\n{OTHERS}{CUT}\n")

    times = [datetime.datetime.fromtimestamp(moment).astimezone() for moment in moments]
    assert [f"{time:%H:%M:%S.%f}" for time in times] == ["09:05:37.764004", "09:05:39.500000"]
