"""ASN.1's distinguished encoding, read as strictly as Go's ``cryptobyte`` reads it. Pure."""

from __future__ import annotations

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
SEQUENCE, SET = 0x30, 0x31
CONTEXT, CONSTRUCTED = 0x80, 0x20

# What a tag of more than one byte begins with. X.509 has none.
_LONG_TAG = 0x1F
_LONG_LENGTH = 0x80
_MOST_LENGTH_BYTES = 4


class Malformed(ValueError):
    """The bytes are not what they should be; the text says what is wrong."""


class Reader:
    """Elements one after the other. Every method raises `Malformed` where one does not fit."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    @property
    def rest(self) -> bytes:
        """Return what was not read yet."""
        return self._data[self._at :]

    def next_is(self, tag: int) -> bool:
        """Return whether the next element has this tag."""
        return bool(self) and self._data[self._at] == tag

    def element(self) -> tuple[int, bytes]:
        """Read any element: return its tag and its content."""
        tag = self._data[self._at : self._at + 1]
        if not tag or tag[0] & _LONG_TAG == _LONG_TAG:
            raise Malformed("malformed: it ends too early")
        start, length = self._length(self._at + 1)
        if start + length > len(self._data):
            raise Malformed("malformed: it ends too early")
        self._at = start + length
        return tag[0], self._data[start : self._at]

    def raw(self, tag: int) -> bytes:
        """Read an element of this tag: return all of its bytes."""
        start = self._at
        self.read(tag)
        return self._data[start : self._at]

    def read(self, tag: int) -> bytes:
        """Read an element of this tag: return its content."""
        if not self.next_is(tag):
            raise Malformed("malformed: another field is expected")
        return self.element()[1]

    def inside(self, tag: int) -> Reader:
        """Read an element of this tag: return a reader of its content."""
        return Reader(self.read(tag))

    def optional(self, tag: int) -> bytes | None:
        """Read an element of this tag if it is the next: return its content, else None."""
        return self.read(tag) if self.next_is(tag) else None

    def _length(self, at: int) -> tuple[int, int]:
        """Return where the content starts, and its length."""
        first = self._data[at] if at < len(self._data) else _LONG_LENGTH
        if first < _LONG_LENGTH:
            return at + 1, first
        count = first & ~_LONG_LENGTH
        digits = self._data[at + 1 : at + 1 + count]
        length = int.from_bytes(digits, "big")
        if not 0 < count <= _MOST_LENGTH_BYTES or len(digits) < count:
            raise Malformed("malformed length")
        if length < _LONG_LENGTH or digits[0] == 0:
            raise Malformed("malformed length")
        return at + 1 + count, length


def integer(content: bytes) -> int:
    """Return the value of an INTEGER."""
    padded = len(content) > 1 and (
        (content[0] == 0 and content[1] < 0x80) or (content[0] == 0xFF and content[1] >= 0x80)
    )
    if not content or padded:
        raise Malformed("malformed number")
    return int.from_bytes(content, "big", signed=True)


def boolean(content: bytes) -> bool:
    """Return the value of a BOOLEAN."""
    if content not in (b"\x00", b"\xff"):
        raise Malformed("malformed truth value")
    return content == b"\xff"


def bits(content: bytes) -> tuple[bytes, int]:
    """Return the bytes of a BIT STRING, and how many bits of the last do not count."""
    if not content:
        raise Malformed("malformed bits")
    unused, data = content[0], content[1:]
    if unused > 7 or (unused and (not data or data[-1] & ((1 << unused) - 1))):
        raise Malformed("malformed bits")
    return data, unused


def oid(content: bytes) -> str:
    """Return the numbers of an OBJECT IDENTIFIER, with dots. Go holds none above 2³¹-1."""
    numbers = _numbers(content)
    if any(number >= 1 << 31 for number in numbers):
        raise Malformed("an object identifier with a number above 2147483647")
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


def _numbers(content: bytes) -> list[int]:
    """Return the numbers of an OBJECT IDENTIFIER. The first two are one, as encoded."""
    if not content or content[-1] & 0x80:
        raise Malformed("malformed object identifier")
    numbers, number, begins = list[int](), 0, True
    for byte in content:
        if begins and byte == 0x80:
            raise Malformed("malformed object identifier")
        number = number << 7 | byte & 0x7F
        begins = byte < 0x80
        if begins:
            numbers.append(number)
            number = 0
    return numbers


def check_oid(content: bytes) -> bytes:
    """Return the bytes of an OBJECT IDENTIFIER, whose numbers may be of any size."""
    _numbers(content)
    return content
