"""What the charm breaks today: each with its shortest story, which must go on to break it."""

from __future__ import annotations

import dataclasses

from tests.lives.steps import Story


@dataclasses.dataclass(frozen=True)
class Known:
    """A promise that does not hold yet."""

    signature: str
    story: Story


KNOWN: tuple[Known, ...] = ()
