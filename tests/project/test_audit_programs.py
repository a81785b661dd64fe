"""The audit of Go programs looks at all of them, and is red where somebody can act."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripts import audit_programs

# What govulncheck prints of a program, in the order in which it does.
CHECKER = """\
#!/bin/sh
for program; do :; done
cat "$program"
"""


def finding(fixed: str) -> dict[str, object]:
    trace = [{"module": "golang.org/x/net", "version": "v0.55.0", "package": "p", "function": "f"}]
    return {"finding": {"osv": "GO-2026-5942", "fixed_version": fixed, "trace": trace}}


@pytest.fixture
def checker(tmp_path: Path) -> str:
    """Write a govulncheck that prints each program's own content."""
    program = tmp_path / "govulncheck"
    program.write_text(CHECKER)
    program.chmod(0o755)
    return str(program)


def audit(checker: str, **contents: dict[str, object]) -> int:
    programs = [Path(checker).with_name(name) for name in contents]
    osv = {"osv": {"id": "GO-2026-5942", "aliases": ["CVE-2026-1"]}}
    for program, content in zip(programs, contents.values(), strict=True):
        program.write_text(json.dumps(osv) + json.dumps(content))
    return audit_programs.main(checker, "file:///nowhere", *map(str, programs))


def test_given_what_a_newer_module_fixes_then_each_program_with_it_is_named_and_red(
    checker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(checker, etcd=finding("v0.56.0"), ctr={}, arn=finding("v0.56.0")) == 1
    fixed = "GO-2026-5942 CVE-2026-1: fixed in golang.org/x/net v0.56.0\n"
    assert capsys.readouterr().out == f"etcd: {fixed}arn: {fixed}"


def test_given_what_nothing_fixes_yet_then_it_is_named_and_nobody_has_to_act(
    checker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(checker, etcd=finding("")) == 0
    said = "etcd: GO-2026-5942 CVE-2026-1: in golang.org/x/net, not fixed yet\n"
    assert capsys.readouterr().out == said


def test_given_programs_without_any_then_it_is_green(checker: str) -> None:
    assert audit(checker, etcd={}) == 0


def test_given_a_program_that_cannot_be_looked_at_then_it_is_an_error(
    checker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(checker).write_text("#!/bin/sh\necho no such database >&2\nexit 3\n")

    assert audit(checker, etcd={}) == 2
    assert "no such database" in capsys.readouterr().err
