"""What scripts say and return where somebody has to act, so that no check is green by mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from scripts import audit_programs, list_bases

ROOT = Path(__file__).parents[2]
FINDING = "GO-2026-5942 CVE-2026-1: "
MANIFEST = """\
charmcraft-version: 4.5.0
bases:
- name: ubuntu
  channel: '26.04'
  architectures:
  - arm64
analysis:
  attributes: []
"""


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("fixed", "code", "said"),
    [
        ("v0.56.0", 1, f"etcd: {FINDING}fixed in golang.org/x/net v0.56.0\n"),
        ("", 0, f"etcd: {FINDING}in golang.org/x/net, not fixed yet\n"),
        (None, 0, ""),
    ],
)
def test_given_a_vulnerability_then_the_audit_of_programs_is_red_if_a_newer_module_fixes_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    fixed: str | None,
    code: int,
    said: str,
):
    checker = program(tmp_path / "govulncheck", '#!/bin/sh\nfor each; do :; done; cat "$each"\n')
    trace = [{"module": "golang.org/x/net", "version": "v0.55.0", "package": "p", "function": "f"}]
    osv = {"osv": {"id": "GO-2026-5942", "aliases": ["CVE-2026-1"]}}
    found = {"finding": {"osv": "GO-2026-5942", "fixed_version": fixed, "trace": trace}}
    (tmp_path / "ctr").write_text(json.dumps(osv))
    (tmp_path / "etcd").write_text(json.dumps(osv) + json.dumps({} if fixed is None else found))
    programs = (str(tmp_path / "etcd"), str(tmp_path / "ctr"))

    assert audit_programs.main(str(checker), "file:///nowhere", *programs) == code
    assert capsys.readouterr().out == said
    program(checker, "#!/bin/sh\necho no such database >&2\nexit 3\n")
    assert audit_programs.main(str(checker), "file:///nowhere", *programs) == 2


def test_given_an_archive_for_one_base_then_the_copy_is_the_same_but_lists_all_bases(
    tmp_path: Path,
):
    dispatch = zipfile.ZipInfo("dispatch")
    dispatch.external_attr = 0o100755 << 16
    with zipfile.ZipFile(tmp_path / "from.charm", "w") as archive:
        archive.writestr("manifest.yaml", MANIFEST)
        archive.writestr(dispatch, "#!/bin/sh\n")

    list_bases.main(str(tmp_path / "from.charm"), str(tmp_path / "to.charm"))

    with zipfile.ZipFile(tmp_path / "to.charm") as archive:
        manifest = yaml.safe_load(archive.read("manifest.yaml"))
        assert archive.read("dispatch") == b"#!/bin/sh\n"
        assert archive.getinfo("dispatch").external_attr >> 16 == 0o100755
    listed = [
        {"name": "ubuntu", "channel": base, "architectures": ["arm64"]}
        for base in ("22.04", "24.04", "26.04")
    ]
    assert manifest == {**yaml.safe_load(MANIFEST), "bases": listed}
    with pytest.raises(ValueError, match=r"expected one base in manifest\.yaml, found 0"):
        list_bases.with_bases(MANIFEST.replace("'26.04'", "26.04"))


@pytest.mark.parametrize("interrupt", [None, signal.SIGINT, signal.SIGTERM])
def test_given_checks_that_fail_or_are_interrupted_then_the_builds_behind_them_end(
    tmp_path: Path, interrupt: signal.Signals | None
):
    """A build has a child, as a compiler has. Ctrl-C is for the whole group of the terminal."""
    script = (
        "import pathlib, signal, sys; from scripts import ahead\n"
        "signal.signal(signal.SIGTERM, ahead._stop)\n"
        # A shell that runs tests in the background has them ignore Ctrl-C.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "with ahead.in_background(['sh -c \"echo \\$\\$ >child; exec sleep 60\"'], "
        "pathlib.Path('log')):\n"
        "    sys.exit(ahead.run(sys.argv[1:]))\n"
    )
    checks = "until [ -s child ]; do sleep 0.01; done; " + (
        "exit 7" if interrupt is None else "touch begun; exec sleep 60"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, "sh", "-c", checks],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'testbed/src'}"},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if interrupt:
        while not (tmp_path / "begun").exists():
            assert process.poll() is None
        if interrupt == signal.SIGINT:
            os.killpg(process.pid, interrupt)
        else:
            process.send_signal(interrupt)

    code = process.wait(20)

    assert code == {None: 7, signal.SIGTERM: 143}.get(interrupt, code) != 0
    status = Path("/proc", (tmp_path / "child").read_text().strip(), "stat")
    assert not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"
