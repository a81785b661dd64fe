# SPDX-License-Identifier: Apache-2.0

"""Step 6: a login goes the whole way, from the API server to the pods. Pure."""

from __future__ import annotations

import dataclasses

from checks.outcome import Names, Outcome, failed, ok


@dataclasses.dataclass(frozen=True)
class Review:
    """What came of a token that no API server knows, and the authenticator refuses.

    Attributes:
        arrived: Whether the log of a pod has its refusal, in time.
        answered: Whether the API server answered in time.
        authenticated: Whether the API server let the token in.
        error: What the API server says of the refusal, without the token.
        unread: Why a pod's log could not be read; empty if all were.
    """

    arrived: bool = False
    answered: bool = False
    authenticated: bool = False
    error: str = ""
    unread: str = ""


def verdict(review: Review, names: Names) -> Outcome:
    """Return whether the API server asks the authenticator, and refuses what that refuses."""
    if review.authenticated:
        return failed(
            "the API server lets a made-up token in, so something else authenticates it",
            "see which webhook does: "
            f"juju config {names.control_plane} authn-webhook-endpoint, and api-extra-args",
        )
    if review.arrived:
        return ok("the API server asks the pods, and a pod refused a made-up login")
    if review.unread:
        return failed(
            f"no pod shows the login, but not all logs could be read: {review.unread}",
            "see why a node does not answer: kubectl get nodes",
        )
    said = f": {review.error}" if review.error else ""
    how = "the API server answers" if review.answered else "the API server does not answer in time"
    return failed(
        f"the made-up login did not arrive at any pod; {how}{said}",
        names.reconcile_control_plane,
    )
