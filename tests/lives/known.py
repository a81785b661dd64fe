"""What the charm breaks today: each with its shortest story, which must go on to break it."""

from __future__ import annotations

import dataclasses

from tests.lives.steps import Begin, Step, Story


@dataclasses.dataclass(frozen=True)
class Known:
    """A promise that does not hold yet."""

    signature: str
    story: Story


_ALICE, _BOB = ({"who": who, "role": "edit"} for who in ("alice", "bob"))
# An entry's name becomes another's, and it gets a name of its own.
_ROWS = ([{**_ALICE, "name": "one"}], [_ALICE, {**_BOB, "name": "one"}])
_PASSED_ON = [step for rows in _ROWS for step in (Step("declare", {"rows": rows}), Step("hook"))]
KNOWN = tuple(
    Known(f"P2: a declared person {how} as a name passes on", Story(Begin(), tuple(_PASSED_ON)))
    for how in ("is locked out", "loses a role")
)
