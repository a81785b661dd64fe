"""`.ci/run` is `make test LONG=1` on a machine whose caches are empty."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CACHES = ("XDG_CACHE_HOME", "AWS_IAM_CACHE", "GOMODCACHE", "GOCACHE")
MAKE = """\
#!/bin/sh
echo "make $*"
for folder in "$XDG_CACHE_HOME" "$AWS_IAM_CACHE" "$GOMODCACHE" "$GOCACHE"; do
    echo "$folder $(ls -A "$folder" 2>/dev/null)"
done
mkdir -p "$GOMODCACHE/k8s.io" && chmod 500 "$GOMODCACHE/k8s.io"
echo "1 passed"
exit $CODE
"""


@pytest.mark.parametrize("code", [0, 2])
def test_given_caches_of_the_user_then_the_run_has_new_ones_and_removes_them(
    tmp_path: Path, code: int
):
    make = tmp_path / "make"
    make.write_text(MAKE)
    make.chmod(0o755)
    used = {name: str(tmp_path / name) for name in (*CACHES, "PIP_CACHE_DIR", "UV_CACHE_DIR")}
    path = os.pathsep.join([str(tmp_path), os.environ["PATH"]])
    environment = {**os.environ, **used, "PATH": path, "CODE": str(code)}

    ran = subprocess.run(
        [ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False
    )

    first, *folders, last = ran.stdout.splitlines()
    assert (ran.returncode, ran.stderr) == (code, "")
    assert (first, last) == ("make test LONG=1", "1 passed")
    assert len(folders) == len(CACHES)
    for folder in folders:
        name, _, content = folder.partition(" ")
        assert content == ""
        assert not name.startswith(str(tmp_path))
        assert not Path(name).exists()
