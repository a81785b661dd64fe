"""Damaged inputs for the charm, and what must hold whatever they are: `make fuzz`.

`mutate.py` damages text, bytes, JSON, PEM and databags. `functions/` has the targets that are
functions, and `hooks.py` those that are whole hooks. `damaged_unit.py` has what every hook is held
to. `rights/` and `logins/` take random steps that change who has access, and what is known of
logins, and have models of what must come of them. `runner.py` runs the targets in turn, and makes
a finding small.

To add a function as a target, write two more functions in a module of `functions/`, and a line
in its `TARGETS`:

    def make_region(rng: Random) -> str:
        return mutate.text(rng, "eu-west-1")

    def check_region(text: str) -> None:
        if partitions.of_region(text) not in partitions.PARTITIONS:
            raise Violation("a region of no partition", text)

    Target("partitions.of_region", make_region, check_region),

An exception that leaves the check is a finding as well. Once the fault is mended, its input
becomes a row of an ordinary unit test.
"""
