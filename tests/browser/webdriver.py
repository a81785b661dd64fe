"""A headless Chromium, by the few commands of WebDriver that the tests need."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

_STARTED = re.compile(r"started successfully on port (\d+)")
_SECONDS = 20.0
# A busy machine takes long to start a browser.
_START = 60.0


class Browser:
    """A window of the browser, as wide as it was opened."""

    def __init__(self, session: httpx2.Client, width: int):
        self.width = width
        self._session = session

    def open(self, url: str) -> None:
        """Load a page, and wait until it has loaded."""
        self._post("url", {"url": url})

    def run(self, script: str) -> Any:
        """Return what a script returns on the page."""
        return self._post("execute/sync", {"script": script, "args": []})

    def wait(self, script: str) -> Any:
        """Return what a script returns, once that is something."""
        deadline = time.monotonic() + _SECONDS
        while not (found := self.run(script)):
            assert time.monotonic() < deadline, f"nothing after {_SECONDS} s: {script}"
            time.sleep(0.02)
        return found

    def errors(self) -> list[str]:
        """Return the errors of the console since the last call."""
        entries = self._post("se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def _post(self, command: str, body: dict[str, Any]) -> Any:
        answer = self._session.post(command, json=body)
        value = answer.json()["value"]
        assert answer.is_success, value
        return value


@contextmanager
def window(width: int) -> Iterator[Browser]:
    """Start the browser, and yield a window of a width, in pixels."""
    command = ["chromedriver", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout
            lines = iter(driver.stdout.readline, "")
            port = next(found[1] for line in lines if (found := _STARTED.search(line)))
            sessions = f"http://127.0.0.1:{port}/session"
            answer = httpx2.post(sessions, json=_wanted(width), timeout=_START)
            assert answer.is_success, answer.text
            session = f"{sessions}/{answer.json()['value']['sessionId']}"
            with httpx2.Client(base_url=session, timeout=_START) as client:
                yield Browser(client, width)
                client.delete("")
        finally:
            driver.terminate()


def _wanted(width: int) -> dict[str, Any]:
    # A window is never as narrow as a telephone, so the page is told that it is on one.
    screen = {"width": width, "height": 800, "pixelRatio": 1, "mobile": width < 600}
    options = {
        # A container has no sandbox to give and little shared memory, and the pages are our own.
        "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"],
        "mobileEmulation": {"deviceMetrics": screen},
    }
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    return {"capabilities": {"alwaysMatch": wanted}}
