# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The import of what only a leader needs, while its hook waits for Juju.

A leader asks Juju a dozen questions before it asks Kubernetes the first. Each answer takes
milliseconds, in which the process would do nothing.
"""

from __future__ import annotations

import importlib
import sys
import threading

# httpx2 imports httpcore2 only when a client is made.
MODULES = ("lightkube", "httpcore2", "jinja2", "leader.steps")
# Python's default is ten times as long.
_SWITCH_SECONDS = 0.0005


def begin() -> None:
    """Begin the imports in a thread.

    If the hook imports one of these modules meanwhile, Python lets it wait for the thread. At the
    end of the process, Python waits for the thread too: to cut off an import could crash it.
    Begin only where the webhook file is there: until then, a hook may need none of them.
    """
    threading.Thread(target=_import, name="preload").start()


def _import() -> None:
    usual = sys.getswitchinterval()
    # The hook's own thread asks Juju its next question as soon as it has the last answer.
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        for name in MODULES:
            importlib.import_module(name)
    finally:
        sys.setswitchinterval(usual)
