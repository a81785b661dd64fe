"""What a hook logs: the charm's own lines of any level, and of libraries no more than warnings."""

from __future__ import annotations

import logging

import pytest
from tests.fakes.juju.model import Model

import reconcile
from hook import Hook


def test_given_a_hook_with_nothing_to_do_then_only_the_charms_own_debug_lines_reach_juju(
    deployed: Model, monkeypatch: pytest.MonkeyPatch
):
    run = reconcile.run
    lines = deployed.units[0].context.juju_log
    before = len(lines)

    def run_and_say(hook: Hook) -> str:
        for name in ("reconcile", "httpx2", "lightkube.core", "ops.model", None):
            logging.getLogger(name).debug(f"of {name}")
        return run(hook)

    monkeypatch.setattr(reconcile, "run", run_and_say)
    deployed.hook()

    assert [(line.level, line.message) for line in lines[before:]] == [("DEBUG", "of reconcile")]
