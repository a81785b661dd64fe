"""What a machine has beyond the testbed's own files, so that a real agent accepts it."""

from __future__ import annotations

SSH_SERVICE = "ssh"

_DONE = "#!/bin/sh\n# Nothing is installed on this machine: it has what the host has.\nexit 0\n"
_KEYS = "/etc/ssh/testbed_keys"
_START_SSH = (
    "rm -f /etc/ssh/ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key"
    " && mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e"
)
_SSH_CONFIG = f"""\
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile {_KEYS} .ssh/authorized_keys
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
UseDNS no
MaxStartups 100
Subsystem sftp internal-sftp
SetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin
"""


def machine_files(public_keys: str) -> dict[str, bytes]:
    """Return the files by absolute path: an SSH server that lets these keys in, no packages."""
    texts = {
        _KEYS: public_keys,
        "/etc/ssh/sshd_config": _SSH_CONFIG,
        f"/etc/systemd/system/{SSH_SERVICE}.service": f'ExecStart=/bin/sh -c "{_START_SSH}"\n',
        "/usr/bin/apt-get": _DONE,
        "/usr/bin/snap": _DONE,
    }
    return {path: text.encode() for path, text in texts.items()}


def client_config(identity: str) -> str:
    """Return the operator's ssh_config: machines are new each time, so keys are not remembered."""
    return (
        "Host *\n"
        f"  IdentityFile {identity}\n"
        "  StrictHostKeyChecking no\n"
        "  UserKnownHostsFile /dev/null\n"
        "  LogLevel ERROR\n"
    )
