"""The file that says which Ubuntu a machine has. Pure."""

from __future__ import annotations

_NAMES = {
    "20.04": "Focal Fossa",
    "22.04": "Jammy Jellyfish",
    "24.04": "Noble Numbat",
    "26.04": "Resolute Raccoon",
}


def os_release(base: str) -> str:
    """Return /etc/os-release of a base such as `ubuntu@24.04`."""
    version = base.partition("@")[2]
    name = _NAMES.get(version, "")
    lines = {
        "PRETTY_NAME": f"Ubuntu {version} LTS",
        "NAME": "Ubuntu",
        "VERSION_ID": version,
        "VERSION": f"{version} LTS ({name})",
        "VERSION_CODENAME": name.partition(" ")[0].lower(),
        "ID": "ubuntu",
        "ID_LIKE": "debian",
    }
    return "".join(f'{key}="{value}"\n' for key, value in lines.items())
