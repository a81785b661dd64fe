"""Random sequences of steps that change who has access, and a model of what must come of them.

`steps.py` makes the sequences, `world.py` takes the steps in a `DamagedUnit`, and `model.py` says
what must hold. The model shares no code with the charm.
"""

from __future__ import annotations

from tests.fuzz.rights import steps, world
from tests.fuzz.runner import Target

# A sequence is worth more than one damaged hook: it runs a dozen of them.
TARGETS = (Target("rights", steps.make, world.check, weight=60),)
