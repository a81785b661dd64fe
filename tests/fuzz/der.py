"""DER as a tree, so that a damaged certificate still has right lengths. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

_OCTET_STRING = 0x04
_CONSTRUCTED = 0x20
# Object identifiers that change what a certificate is: curves, extensions, algorithms.
_IDENTIFIERS = tuple(
    bytes.fromhex(text)
    for text in (
        "2a8648ce3d030107",
        "2a8648ce3d03017f",
        "2b81040022",
        "2b8104000a",
        "2b656e",
        "2b6570",
        "2a8648ce3d040302",
        "2a864886f70d010101",
        "2a864886f70d010104",
        "551d0e",
        "551d0f",
        "551d11",
        "551d13",
        "551d1e",
        "551d1f",
        "551d20",
        "551d21",
        "551d24",
        "551d36",
        "551d23",
        "551d25",
        "2b06010505070101",
        "550403",
    )
)

# Extensions as identifier and value: clientAuth alone, unknown ones, a name constraint, an
# authority's constraints, alternative names of kinds that are seldom seen, mail and URI names with
# constraints of theirs, and policies: one, any, one that is required, mappings, and no "any".
_EXTENSIONS = (
    ("551d25", "300a06082b06010505070302"),
    ("2a0304", "0500"),
    ("551d1e", "3007a0053003820178"),
    ("551d13", "30030101ff"),
    ("551d11", "300588032a0304"),
    ("551d11", "3002a300"),
    ("551d0f", "03020106"),
    ("551d11", "300f81056140622e638606783a2f2f612f"),
    ("551d1e", "3012a009300781056140622e63a1053003860163"),
    ("551d20", "3005300306012a"),
    ("551d20", "300830060604551d2000"),
    ("551d24", "3003800100"),
    ("551d21", "3008300606012a06012b"),
    ("551d36", "020100"),
)


@dataclass
class Node:
    """A value with its tag: bytes, or the nodes in it."""

    tag: int
    data: bytes = b""
    nodes: list[Node] = field(default_factory=list)


def parse(data: bytes) -> list[Node]:
    """Return the nodes of ``data``; raise ValueError or IndexError where it is not DER."""
    nodes, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut")
        nodes.append(_node(tag, data[at : at + length]))
        at += length
    return nodes


def _node(tag: int, data: bytes) -> Node:
    if tag & _CONSTRUCTED:
        return Node(tag, nodes=parse(data))
    if tag == _OCTET_STRING and data:
        # Extensions hold DER in a string of bytes.
        try:
            return Node(tag, nodes=parse(data))
        except (ValueError, IndexError):
            pass
    return Node(tag, data)


def dump(nodes: list[Node]) -> bytes:
    """Return the bytes of ``nodes``."""
    return b"".join(_dumped(node) for node in nodes)


def _dumped(node: Node) -> bytes:
    data = dump(node.nodes) if node.nodes else node.data
    length = len(data)
    if length < 0x80:
        return bytes([node.tag, length]) + data
    size = (length.bit_length() + 7) // 8
    return bytes([node.tag, 0x80 | size]) + length.to_bytes(size, "big") + data


_KINDS = (
    *("drop", "double", "swap", "tag", "empty"),
    *("identifier", "identifier", "bytes", "bytes", "extension", "extension", "extension"),
)


def damaged(rng: Random, data: bytes) -> bytes:
    """Return ``data`` with one node that is missing, doubled, moved, or another."""
    nodes = parse(data)
    parents = [node for node in _walk(nodes) if node.nodes]
    parent = rng.choice(parents)
    at = rng.randrange(len(parent.nodes))
    node = parent.nodes[at]
    kind = rng.choice(_KINDS)
    if kind == "extension":
        _add_extension(rng, nodes)
    elif kind == "drop":
        del parent.nodes[at]
    elif kind == "double":
        parent.nodes.insert(at, node)
    elif kind == "swap":
        rng.shuffle(parent.nodes)
    elif kind == "tag":
        node.tag = rng.randrange(256)
    elif kind == "empty":
        node.data, node.nodes = b"", []
    else:
        _damage_leaf(rng, nodes, identifier=kind == "identifier")
    return dump(nodes)


def _add_extension(rng: Random, nodes: list[Node]) -> None:
    lists = [n for n in _walk(nodes) if any(_is_extension(inner) for inner in n.nodes)]
    if not lists:
        return
    identifier, value = map(bytes.fromhex, rng.choice(_EXTENSIONS))
    critical = [Node(0x01, b"\xff")] if rng.random() < 0.3 else []
    parts = [Node(0x06, identifier), *critical, Node(_OCTET_STRING, value)]
    rng.choice(lists).nodes.append(Node(0x30, nodes=parts))


def _is_extension(node: Node) -> bool:
    return bool(node.nodes) and node.nodes[0].data.startswith(b"\x55\x1d")


def _damage_leaf(rng: Random, nodes: list[Node], *, identifier: bool) -> None:
    leaves = [n for n in _walk(nodes) if n.data and (n.tag == 0x06 or not identifier)]
    if not leaves:
        return
    leaf = rng.choice(leaves)
    if identifier:
        leaf.data = rng.choice(_IDENTIFIERS)
        return
    at = rng.randrange(len(leaf.data))
    leaf.data = leaf.data[:at] + bytes([rng.randrange(256)]) + leaf.data[at + 1 :]


def _walk(nodes: list[Node]) -> list[Node]:
    found = []
    for node in nodes:
        found += [node, *_walk(node.nodes)]
    return found
