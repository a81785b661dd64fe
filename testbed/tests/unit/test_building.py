"""Programs are built once, by the Go compiler on PATH, which a script stands in for here."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path

import pytest
from rich.console import Console

from testbed.fetching import NotFetched
from testbed.programs import build
from testbed.programs.compiler import BuildFailed
from testbed.programs.locks import exclusive
from testbed.programs.modules import Module

GO = """\
#!/bin/sh
echo "$*" >>"$CALLS"
case $1 in
env) echo go1.26.8 ;;
list)
    [ ! -e "$CALLS.gone" ] || { echo "404 Not Found" >&2; exit 1; }
    [ ! -e "$CALLS.offline" ] || { echo "no such host" >&2; exit 1; }
    printf 'fmt\\ttrue\\t%s\\tgo.mod\\n' "$PWD"
    printf 'go.etcd.io/etcd/server/v3\\tfalse\\t%s\\tgo.mod\\n' "$PWD"
    ;;
build)
    echo fmt >&2
    echo go.etcd.io/etcd/server/v3 >&2
    [ ! -e "$CALLS.broken" ] || { echo "server.go:1: syntax error" >&2; exit 1; }
    while [ "$1" != -o ]; do shift; done
    echo built >"$2/server"
    ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command lines of the compiler, one on each line, of which none has come yet."""
    monkeypatch.setenv("AWS_IAM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "go").write_text(GO)
    (tmp_path / "bin" / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    (tmp_path / "calls").touch()
    return tmp_path / "calls"


@pytest.fixture
def etcd(tmp_path: Path) -> Module:
    (tmp_path / "etcd").mkdir()
    go_mod = "module etcd\n\ngo 1.26.0\n\ntool go.etcd.io/etcd/server/v3\n"
    (tmp_path / "etcd" / "go.mod").write_text(go_mod)
    return Module(tmp_path / "etcd")


def test_a_program_is_built_once_and_has_its_own_name(calls: Path, etcd: Module) -> None:
    programs = build.programs(Console(file=io.StringIO()), [etcd])
    assert (programs / "etcd").read_text() == "built\n"

    before = calls.read_text()
    assert build.programs(Console(file=io.StringIO()), [etcd]) == programs
    assert calls.read_text() == before


def test_the_build_says_what_it_does_and_how_long_it_took(calls: Path, etcd: Module) -> None:
    written = io.StringIO()
    build.programs(Console(file=written, soft_wrap=True), [etcd])
    first, downloaded, built = written.getvalue().splitlines()
    assert first == "Building the cluster's programs, once: etcd"
    assert downloaded.startswith("  2 packages downloaded after 0 s; compiling takes about ")
    assert built == "  etcd is built after 0 s"


def test_debug_information_is_neither_compiled_nor_linked(calls: Path, etcd: Module) -> None:
    build.programs(Console(file=io.StringIO()), [etcd])
    [command] = [line for line in calls.read_text().splitlines() if line.startswith("build ")]
    assert "-gcflags=all=-dwarf=false" in command
    assert "-ldflags -s -w " in command


def test_the_older_kubernetes_is_built_without_cloud_providers(
    calls: Path, etcd: Module, tmp_path: Path
) -> None:
    older = tmp_path / "kubernetes-1.28"
    (tmp_path / "etcd").rename(older)
    with (older / "go.mod").open("a") as go_mod:
        go_mod.write("require k8s.io/kubernetes v1.28.15\n")
    build.programs(Console(file=io.StringIO()), [Module(older)])
    listed, built = [line for line in calls.read_text().splitlines() if "env" not in line]
    assert "-tags=providerless" in listed
    assert "-tags=providerless" in built


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("gone", "downloading the modules of etcd failed:\n404 Not Found$"),
        ("offline", "^no network, and the first run needs it to fetch the Go modules of etcd$"),
        ("broken", "building etcd failed:\nfmt\n.*\nserver.go:1: syntax error"),
    ],
)
def test_a_failed_build_says_why_and_is_tried_again(
    calls: Path, etcd: Module, trouble: str, words: str
) -> None:
    calls.with_name(f"calls.{trouble}").touch()
    with pytest.raises((BuildFailed, NotFetched), match=words):
        build.programs(Console(file=io.StringIO()), [etcd])

    calls.with_name(f"calls.{trouble}").unlink()
    programs = build.programs(Console(file=io.StringIO()), [etcd])
    assert (programs / "etcd").read_text() == "built\n"


def test_a_test_gets_what_is_built_and_builds_nothing(calls: Path, etcd: Module) -> None:
    with pytest.raises(build.NotBuilt, match=rf"python -m testbed programs {etcd.folder}$"):
        build.built([etcd])
    assert calls.read_text() == ""

    programs = build.programs(Console(file=io.StringIO()), [etcd])
    assert build.built([etcd]) == programs


def test_a_build_waits_for_that_of_another_process_and_says_so(calls: Path, etcd: Module) -> None:
    written = io.StringIO()
    second = threading.Thread(
        target=build.programs, args=(Console(file=written, soft_wrap=True), [etcd])
    )
    with exclusive(etcd.cache, "etcd", print):
        second.start()
        while not written.getvalue():
            time.sleep(0.01)
        etcd.cache.mkdir()

    second.join()
    assert written.getvalue() == "Waiting for another process, which builds etcd\n"
    assert calls.read_text() == ""


def test_in_a_lab_nothing_is_built(
    calls: Path, etcd: Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESTBED_STATE", "/run/aws-iam/testbed")

    with pytest.raises(NotFetched) as refusal:
        build.programs(Console(file=io.StringIO()), [etcd])

    assert str(refusal.value) == (
        "a lab has no network, and the programs of etcd are missing; "
        f"outside it, run: python -m testbed programs {etcd.folder}"
    )
    assert calls.read_text() == ""
