"""The journal byte by byte, as docs/journal.md and src/journal/journal_format.h have it."""

from __future__ import annotations

import numpy as np

MAGIC = b"SPJRNL\r\n"
ORDER = 0x0102030405060708
VERSION = 2
PAGE = 4096
BLOCK_MAGIC = 0x424A5053

#: Kinds of blocks.
FREE, CALLS, ITEMS, STATE = 1, 2, 3, 4
#: Kinds of items.
REGION, NODE, NOTE = 1, 2, 3
#: The past of a node, bits: why calls below it do not tell that one of its own was open.
PASSED, OUTLIVED = 1, 2
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
    ("past", "u8"),
])  # fmt: skip
RECORD = np.dtype([("start", "u8"), ("rest", "u8")])

#: `rest` of a record is ticks << NODE_BITS | node.
NODE_BITS = 24
LONG_DURATION = (1 << 40) - 1
#: What records of node 0 are, by ticks; and `rest` of one with the ticks of the record before.
WAIT, THREAD, CONTEXT, COUNTER = 1, 2, 3, 4
#: The ticks of that of a counter have its number above these bits; its value is in the record behind it.
KIND_BITS = 8
CONTINUED = (1 << 64) - 1

_FACTOR = 0x9E3779B97F4A7C15
_COLUMNS = 8
_ROWS = 1 << 12
_MASK = (1 << 64) - 1


def hash_of(data: bytes | memoryview) -> int:
    """The hash of some bytes, as journal_format.h describes it."""
    padded = bytes(data) + bytes(-len(data) % (8 * _COLUMNS))
    rows = np.frombuffer(padded, np.uint64).reshape(-1, _COLUMNS)
    sums = np.zeros(_COLUMNS, np.uint64)
    for begin in range(0, len(rows), _ROWS):
        part = rows[begin : begin + _ROWS]
        left = len(rows) - begin
        times = np.arange(2 * left + 1, 2 * (left - len(part)) + 1, -2).astype(np.uint64)
        sums += ((part ^ part >> np.uint64(32)) * times[:, None]).sum(axis=0, dtype=np.uint64)
    found = 0
    for number in (*sums.tolist(), len(data)):
        found = (found * _FACTOR + number) & _MASK
    return found
