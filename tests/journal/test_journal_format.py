"""docs/journal.md, src/journal/journal_format.h and io/journal_format.py say the same."""

import random
import re

import numpy as np
import pytest

from conftest import ROOT
from scope_profiler.io import journal_format as form

PAGE = (ROOT / "docs" / "journal.md").read_text()
HEADER = (ROOT / "src" / "journal" / "journal_format.h").read_text()
LOG = (ROOT / "src" / "record" / "threadlog.h").read_text()

#: Heading of the table in the page: the layout, and the struct in C.
TABLES = {
    "Head": (form.HEAD, "sp_journal_head"),
    "Header of a block": (form.BLOCK, "sp_journal_block"),
    "Header of an item": (form.ITEM, "sp_journal_item"),
    "Node": (form.NODE_ITEM, "sp_journal_node"),
    "Record": (form.RECORD, "sp_record"),
}
SIZES = {"char": 1, "uint64_t": 8, "int64_t": 8, "uint32_t": 4, "int32_t": 4}


def rows_under(heading):
    """The (offset, bytes, name) of the table under a heading of the page."""
    part = PAGE.split(f"### {heading}\n", 1)[1].split("\n### ")[0].split("\n## ")[0]
    return [(int(at), int(size), name)
            for at, size, name in re.findall(r"^\| (\d+) \| (\d+) \| `(\w+)` \|", part, re.M)]


def fields_in_c(struct):
    """The same of a struct."""
    text = HEADER if f"}} {struct};" in HEADER else LOG
    body = text[: text.index(f"}} {struct};")].rpartition("typedef struct {")[2]
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    rows, at = [], 0
    for kind, names in re.findall(r"(\w+) ([^;]+);", body):
        for name in names.split(","):
            name, _, count = name.strip().rstrip("]").partition("[")
            size = SIZES[kind] * int(count or 1)
            rows.append((at, size, name))
            at += size
    return rows


@pytest.mark.parametrize("heading", TABLES)
def test_the_tables_of_the_page_are_those_of_the_code(heading):
    dtype, struct = TABLES[heading]
    known = [(at, kind.itemsize, name) for name, (kind, at) in
             ((name, dtype.fields[name][:2]) for name in dtype.names)]
    assert rows_under(heading) == known == fields_in_c(struct)


def numbers_in_c(text):
    return {name: int(value, 0)
            for name, value in re.findall(r"SP_(\w+)\s*=\s*(\d+)\b", text)}


def test_the_constants_are_the_same():
    known = numbers_in_c(HEADER + LOG)
    page = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", PAGE, re.M))
    names = {"JOURNAL_FREE": form.FREE, "JOURNAL_CALLS": form.CALLS, "JOURNAL_ITEMS": form.ITEMS,
             "JOURNAL_STATE": form.STATE, "JOURNAL_REGION": form.REGION, "JOURNAL_NODE": form.NODE,
             "JOURNAL_NOTE": form.NOTE, "JOURNAL_VERSION": form.VERSION, "JOURNAL_PAGE": form.PAGE,
             "RECORD_WAIT": form.WAIT, "RECORD_THREAD": form.THREAD, "RECORD_CONTEXT": form.CONTEXT,
             "RECORD_COUNTER": form.COUNTER,
             "NODE_BITS": form.NODE_BITS}
    assert {name: known[name] for name in names} == names
    assert {name: int(page[name]) for name in names} == names
    for value in (form.ORDER, form.BLOCK_MAGIC, form._FACTOR):
        assert f"{value:#x}" in HEADER.lower().replace("0x0102", "0x102")
        assert f"{value:#x}" in PAGE.replace("0x0102", "0x102")
    assert form.MAGIC.decode().encode("unicode_escape").decode() in HEADER


def plainly_hashed(data):
    """The hash by its definition."""
    rows = -(-len(data) // 64)
    found = 0
    for column in range(8):
        words = [int.from_bytes(data[at : at + 8], "little") for at in range(8 * column, len(data), 64)]
        total = sum((2 * (rows - row) + 1) * (word ^ word >> 32) for row, word in enumerate(words))
        found = found * form._FACTOR + total
    return (found * form._FACTOR + len(data)) % 2**64


@pytest.mark.parametrize("size", [0, 1, 7, 8, 63, 64, 65, 200, 4096, 8 * 4096 + 5, 70_000])
def test_the_hash_is_the_defined_one(size):
    data = random.Random(size).randbytes(size)
    assert form.hash_of(data) == plainly_hashed(data)


def test_one_wrong_bit_always_shows():
    data = bytearray(np.arange(64, dtype=np.uint64).tobytes())
    right = form.hash_of(data)
    for bit in range(8 * len(data)):
        data[bit // 8] ^= 1 << bit % 8
        assert form.hash_of(data) != right
        data[bit // 8] ^= 1 << bit % 8


def test_two_wrong_bits_show():
    data = bytearray(np.arange(64, dtype=np.uint64).tobytes())
    right, chance = form.hash_of(data), random.Random(0)
    tops = [8 * at + 63 for at in range(0, len(data), 8)]
    for bits in (tops, range(8 * len(data))):
        for _ in range(2000):
            chosen = chance.sample(bits, 2)
            for bit in chosen:
                data[bit // 8] ^= 1 << bit % 8
            assert form.hash_of(data) != right
            for bit in chosen:
                data[bit // 8] ^= 1 << bit % 8
