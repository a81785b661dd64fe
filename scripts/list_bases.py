"""Copy an archive of charmcraft's, and list every base in the copy's manifest.

    /usr/bin/python3 scripts/list_bases.py FROM TO

charmcraft writes one base into an archive. Juju reads as many as the manifest lists: it deploys on
each of them, and relates the subordinate to every charm that shares one of them.
"""

from __future__ import annotations

import re
import sys
import zipfile

BASES = ("22.04", "24.04", "26.04")
_MANIFEST = "manifest.yaml"
_BASE = re.compile(
    r"^(?P<before>- name: ubuntu\n  channel: ')[\d.]+(?P<after>'\n  architectures:\n  - \w+\n)",
    re.MULTILINE,
)


def with_bases(manifest: str) -> str:
    """Return charmcraft's manifest with its one base repeated for each of BASES.

    Raises:
        ValueError: the manifest does not have one base.
    """

    def repeat(found: re.Match[str]) -> str:
        return "".join(found["before"] + base + found["after"] for base in BASES)

    listed, count = _BASE.subn(repeat, manifest)
    if count != 1:
        raise ValueError(f"expected one base in {_MANIFEST}, found {count}")
    return listed


def main(source: str, target: str) -> None:
    """Copy the archive, compressed as well as a zip file can be."""
    with (
        zipfile.ZipFile(source) as packed,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as copy,
    ):
        for member in packed.infolist():
            content = packed.read(member)
            if member.filename == _MANIFEST:
                content = with_bases(content.decode()).encode()
            copy.writestr(member, content, zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main(*sys.argv[1:])
