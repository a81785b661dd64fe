"""What the charm breaks today: each with its shortest story, which must go on to break it."""

from __future__ import annotations

import dataclasses

from tests.lives.steps import Begin, Step, Story


@dataclasses.dataclass(frozen=True)
class Known:
    """A promise that does not hold yet."""

    signature: str
    story: Story


KNOWN: tuple[Known, ...] = (
    # An entry that gets another name and other groups at once is deleted before it is created.
    Known(
        "P2: a declared person is locked out",
        Story(
            Begin(),
            (
                Step("declare", {"rows": [{"who": "alice", "name": "one", "group": "ops"}]}),
                Step("hook"),
                Step("declare", {"rows": [{"who": "alice"}]}),
                Step("hook"),
            ),
        ),
    ),
    # Between the relation and its relation-created, a unit takes the endpoint for unrelated.
    Known(
        "P7: a command was just run",
        Story(
            Begin(),
            (
                Step("certificates", {"other": 1}),
                Step("certificates", {"other": 1}),
                Step("declare"),
                Step("hook"),
            ),
        ),
    ),
)
