"""What a machine has beyond the testbed's own files, so that a real agent accepts it."""

from __future__ import annotations

from testbed.cluster import unitfiles

SERVICES = ("ssh", "syslog")

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

_MONGOD = "/snap/bin/juju-db.mongod"
_SNAP = f"""\
#!/bin/sh
# The snap juju-db is the mongod that came with the real Juju; no other is installed.
service=snap.juju-db.daemon
case $1 in
install)
    echo "ExecStart={_MONGOD} --config /var/snap/juju-db/common/juju-db.config" \
        >{unitfiles.FOLDER}/$service.service
    ;;
start) systemctl start $service ;;
restart) systemctl restart $service && echo Restarted. ;;
services) echo "juju-db.daemon enabled $(systemctl is-active $service)" ;;
esac
"""
_SYSLOG = """\
#!/usr/bin/python3 -IS
# Without a listener here, the API server of Juju 3.6 does not start.
import socket

log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind("/run/log")
while True:
    log.recv(65536)
"""


def machine_files(public_keys: str) -> dict[str, bytes]:
    """Return the files by absolute path: services of Ubuntu's that agents want, no packages.

    They are an SSH server that lets these keys in, and a system log.
    """
    texts = {
        _KEYS: public_keys,
        "/etc/ssh/sshd_config": _SSH_CONFIG,
        f"{unitfiles.FOLDER}/ssh.service": f'ExecStart=/bin/sh -c "{_START_SSH}"\n',
        f"{unitfiles.FOLDER}/syslog.service": "ExecStart=/usr/bin/syslogd\n",
        "/usr/bin/syslogd": _SYSLOG,
        "/usr/bin/apt-get": _DONE,
        "/usr/bin/snap": _DONE,
    }
    return {path: text.encode() for path, text in texts.items()}


def mongodb_files(mongod: bytes) -> dict[str, bytes]:
    """Return what the controller of Juju 3.6 needs beyond that: a snap of MongoDB."""
    return {_MONGOD: mongod, "/usr/bin/snap": _SNAP.encode()}


def client_config(identity: str) -> str:
    """Return the operator's ssh_config: machines are new each time, so keys are not remembered."""
    return (
        "Host *\n"
        f"  IdentityFile {identity}\n"
        "  StrictHostKeyChecking no\n"
        "  UserKnownHostsFile /dev/null\n"
        "  LogLevel ERROR\n"
    )
