"""Watch the default image: its registry's newest tags, and the vulnerabilities of its program.

    scripts/with-tools python -m scripts.watch_image [IMAGE]

It prints a report in Markdown. It exits with 1 if the registry has a newer tag, or if the program
has a published vulnerability; with 2 if it could not look. `.github/workflows/watch.yaml` makes an
issue of the report.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console

from testbed.programs import build
from testbed.programs.modules import Module

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Module(ROOT / ".github/watch")
PROGRAM = "aws-iam-authenticator"
DATABASE = "https://vuln.go.dev"
SECONDS = 300
# EKS Distro's tags: the authenticator's version, Kubernetes' minor version, and a number.
_TAG = re.compile(r"v(\d+)\.(\d+)\.(\d+)(?:-[a-z]+)?(?:-eks-(\d+-\d+)-(\d+))?")


class NotWatched(Exception):
    """Something could not be looked at."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """A published vulnerability of a program: its name, and what fixes it."""

    name: str
    module: str
    fixed: str


@dataclasses.dataclass(frozen=True)
class Seen:
    """What was seen of an image.

    Attributes:
        image: Its name and tag.
        digest: Its digest at its registry.
        newer: The tags that are newer.
        go: What built the program in it.
        findings: What the program has.
    """

    image: str
    digest: str
    newer: Sequence[str]
    go: str
    findings: Sequence[Finding]

    @property
    def is_fine(self) -> bool:
        """Return whether nobody has to act."""
        return not self.newer and not self.findings


def newer(tags: Sequence[str], own: str) -> list[str]:
    """Return the tags that are newer than this one: of a newer version of the authenticator, or a
    later number of the same Kubernetes. The newest comes first."""
    parsed = {tag: found for tag in tags if (found := _parse(tag))}
    if not (mine := _parse(own)):
        return []
    version, line, number = mine
    later = {
        tag: found
        for tag, found in parsed.items()
        if found[0] > version or (found[:2] == (version, line) and found[2] > number)
    }
    return sorted(later, key=lambda tag: (later[tag][0], later[tag][2]), reverse=True)


def _parse(tag: str) -> tuple[tuple[int, int, int], str, int] | None:
    found = _TAG.fullmatch(tag)
    if not found:
        return None
    major, minor, patch, line, number = found.groups()
    return (int(major), int(minor), int(patch)), line or "", int(number or 0)


def watch(image: str, database: str) -> Seen:
    """Look at an image and at its registry. Raises NotWatched."""
    programs = build.programs(Console(stderr=True), [TOOLS])
    repository, _, tag = image.partition("@")[0].rpartition(":")
    tags = _run([programs / "crane", "ls", repository]).decode().split()
    digest = _run([programs / "crane", "digest", image]).decode().strip()
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / PROGRAM
        program.write_bytes(_program(programs / "crane", image))
        go, findings = vulnerabilities(programs / "govulncheck", database, program)
    return Seen(image, digest, newer(tags, tag), go, findings)


def _program(crane: Path, image: str) -> bytes:
    """Return the program in an image for amd64, which is built as those for others are."""
    exported = [crane, "export", "--platform=linux/amd64", image, "-"]
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "image.tar"
        whole.write_bytes(_run(exported))
        names = _run(["tar", "-tf", whole]).decode().split()
        found = [name for name in names if Path(name).name == PROGRAM]
        if len(found) != 1:
            raise NotWatched(f"{image} has {len(found)} files {PROGRAM}")
        return _run(["tar", "-xOf", whole, found[0]])


def vulnerabilities(checker: Path, database: str, program: Path) -> tuple[str, list[Finding]]:
    """Return what built a program, and what it has, by govulncheck. Raises NotWatched."""
    command = [checker, "-mode=binary", "-format=json", f"-db={database}", program]
    output = _run(command).decode()
    go, names, fixes = "", dict[str, str](), dict[str, Finding]()
    for message in _messages(output):
        go = message.get("SBOM", {}).get("go_version", go)
        if osv := message.get("osv"):
            aliases = [alias for alias in osv.get("aliases", ()) if alias.startswith("CVE-")]
            names[osv["id"]] = " ".join([osv["id"], *aliases])
        if finding := message.get("finding"):
            which, module = finding["osv"], finding["trace"][0]["module"]
            fixes[which] = Finding(which, module, finding.get("fixed_version", ""))
    return go, [
        dataclasses.replace(each, name=names.get(which, which)) for which, each in fixes.items()
    ]


def _messages(output: str) -> Iterator[dict[str, Any]]:
    decoder, output = json.JSONDecoder(), output.strip()
    while output:
        message, end = decoder.raw_decode(output)
        yield message
        output = output[end:].lstrip()


def _run(command: Sequence[str | Path]) -> bytes:
    """Return what a command prints. Raises NotWatched with its last word if it fails."""
    done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise NotWatched(f"{Path(command[0]).name}: {said[-1] if said else done.returncode}")
    return done.stdout


def report(seen: Seen) -> str:
    """Return what people read."""
    lines = [
        f"`{seen.image}` has the digest `{seen.digest}`.",
        f"{seen.go or 'An unknown Go'} built it.",
    ]
    if seen.newer:
        lines += ["", "Newer tags, the newest first:", "", *(f"- `{tag}`" for tag in seen.newer)]
    if seen.findings:
        lines += ["", "Published vulnerabilities:", ""]
        lines += [f"- {shown(each)}" for each in seen.findings]
    if seen.is_fine:
        lines += ["", "It is the newest, and no vulnerability of it is published."]
    else:
        lines += [
            "",
            "Set the newest image in `config.yaml`, and renew docs/how-to/image.md.",
        ]
    return "\n".join(lines)


def shown(finding: Finding) -> str:
    """Return a vulnerability as people read it, with what fixes it."""
    if not finding.fixed:
        return f"{finding.name}: in {finding.module}, not fixed yet"
    return f"{finding.name}: fixed in {finding.module} {finding.fixed}"


def default_image() -> str:
    """Return the default of the option `image`."""
    return yaml.safe_load((ROOT / "config.yaml").read_text())["options"]["image"]["default"]


def main(arguments: Sequence[str]) -> int:
    """Watch an image; return the exit code."""
    parser = argparse.ArgumentParser(description="Watch the default image.")
    parser.add_argument("image", nargs="?", default=default_image(), metavar="IMAGE")
    parser.add_argument("--database", default=DATABASE, help="another database than Go's own")
    options = parser.parse_args(arguments)
    try:
        seen = watch(options.image, options.database)
    except NotWatched as error:
        print(f"scripts/watch_image: {error}", file=sys.stderr)
        return 2
    print(report(seen))
    return 0 if seen.is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
