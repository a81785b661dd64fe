"""Random sequences of logins, lost logs and looks, and what the record of logins must say then.

`steps.py` makes the sequences, `world.py` takes the steps in a `DamagedUnit`. It knows every
login, and shares no code with the charm.
"""

from __future__ import annotations

from tests.fuzz.logins import steps, world
from tests.fuzz.runner import Target

# A sequence is worth more than one damaged hook: it runs a dozen of them.
TARGETS = (Target("logins", steps.make, world.check, weight=20),)
