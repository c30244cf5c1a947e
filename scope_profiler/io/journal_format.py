"""The journal byte by byte, as docs/journal.md and src/journal/journal_format.h have it."""

from __future__ import annotations

import numpy as np

MAGIC = b"SPJRNL\r\n"
ORDER = 0x0102030405060708
VERSION = 1
PAGE = 4096
BLOCK_MAGIC = 0x424A5053

#: Kinds of blocks.
FREE, CALLS, ITEMS, STATE = 1, 2, 3, 4
#: Kinds of items.
REGION, NODE, NOTE = 1, 2, 3
#: The region of a node that stands for other paths.
NO_REGION = -1

#: At the begin of the file; JSON follows.
HEAD = np.dtype([
    ("magic", "S8"), ("order", "u8"), ("version", "u4"), ("page", "u4"), ("ticks", "u8"), ("ns", "i8"),
    ("part", "u8"), ("facts", "u8"), ("facts_hash", "u8"), ("hash", "u8"),
])  # fmt: skip
BLOCK = np.dtype([
    ("magic", "u4"), ("kind", "u4"), ("length", "u8"), ("sequence", "u8"), ("thread", "u8"),
    ("ordinal", "u8"), ("owner", "u8"), ("context", "u8"), ("ticks", "u8"), ("ns", "i8"),
    ("hash", "u8"), ("used", "u8"), ("contents", "u8"),
])  # fmt: skip
ITEM = np.dtype([("size", "u4"), ("kind", "u4"), ("hash", "u8")])
NODE_ITEM = np.dtype([
    ("thread", "u4"), ("node", "u4"), ("parent", "u4"), ("region", "i4"), ("first", "u8"),
])  # fmt: skip
RECORD = np.dtype([("start", "u8"), ("rest", "u8")])

#: `rest` of a record is ticks << NODE_BITS | node.
NODE_BITS = 24
LONG_DURATION = (1 << 40) - 1
#: What records of node 0 are, by ticks; and `rest` of one with the ticks of the record before.
WAIT, THREAD, CONTEXT = 1, 2, 3
CONTINUED = (1 << 64) - 1

_FACTOR = 0x9E3779B97F4A7C15
_WORDS = 1 << 12
_MASK = (1 << 64) - 1


def _powers() -> np.ndarray:
    powers, power = np.empty(_WORDS, np.uint64), 1
    for place in reversed(range(_WORDS)):
        powers[place] = power
        power = power * _FACTOR & _MASK
    return powers


_POWERS = _powers()


def hash_of(data: bytes | memoryview) -> int:
    """The hash of some bytes: the polynomial of their words of 8 bytes, each mixed, and their number."""
    padded = bytes(data) + bytes(-len(data) % 8)
    words = np.frombuffer(padded, np.uint64)
    found = 0
    for begin in range(0, len(words), _WORDS):
        part = words[begin : begin + _WORDS]
        terms = (part ^ part >> np.uint64(32)) * _POWERS[_WORDS - len(part) :]
        found = (found * pow(_FACTOR, len(part), 1 << 64) + int(terms.sum(dtype=np.uint64))) & _MASK
    return (found * _FACTOR + len(data)) & _MASK
