"""The calls in the blocks of a journal, as columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import journal_format as form
from .journal_blocks import Block, Journal, JournalFile


#: Records that a full block may have left: a call of two, with a note, does not fit there.
_UNUSED = 2


class RecordedCalls(NamedTuple):
    """The calls of one record, in the order of their ends. Arrays of one length: ticks as uint64, the
    others int64; nodes are those of the record; annotation and task are 0 for none. `counted`, of a
    length of its own: the values of counters, of `VALUE`."""

    start: np.ndarray
    ticks: np.ndarray
    node: np.ndarray
    thread: np.ndarray
    annotation: np.ndarray
    task: np.ndarray
    waited: np.ndarray
    counted: np.ndarray


#: A value of a counter.
VALUE = np.dtype([("counter", "i8"), ("thread", "i8"), ("ticks", "u8"), ("value", "f8")])


class _Records(NamedTuple):
    """The records of a block, the thread and the context that the first has, and why there are no
    more."""

    records: np.ndarray
    owner: int
    context: int
    ended: str | None


def read_calls(file: JournalFile, journal: Journal, thread: int) -> RecordedCalls:
    """The calls of a record: the begin of all that it made, as far as that is whole. What is missing is
    added to the problems of the journal."""
    parts = []
    blocks = _in_order(journal, thread)
    for block in blocks:
        taken = _take(file, block)
        calls, why = _calls(taken, journal, thread)
        parts.append(calls)
        why = why or taken.ended
        unused = block.room // form.RECORD.itemsize - len(taken.records)
        if why is None and block is not blocks[-1] and not block.is_settled and unused > _UNUSED:
            why = "a block is damaged, and what comes after it is left out"
        if why is not None:
            _tell(journal, thread, why)
            break
    columns = zip(*parts)
    empty = RecordedCalls(*(np.empty(0, kind) for kind in (np.uint64, np.uint64, *[np.int64] * 5, VALUE)))
    return RecordedCalls(*map(np.concatenate, columns)) if parts else empty


def places_in(numbers: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Where each node is among the numbers, which ascend from 0 on; -1 where it is not there."""
    if numbers[-1] == len(numbers) - 1:
        return np.where(nodes < len(numbers), nodes, -1)
    places = np.minimum(np.searchsorted(numbers, nodes), len(numbers) - 1)
    return np.where(numbers[places] == nodes, places, -1)


def _tell(journal: Journal, thread: int, why: str) -> None:
    journal.problems.append(f"thread {thread}: {why}")


def _in_order(journal: Journal, thread: int) -> list[Block]:
    """The blocks of a record that follow one another without a gap."""
    by_ordinal: dict[int, Block] = {}
    for block in sorted(journal.calls[thread], key=lambda one: int(one.head["sequence"])):
        by_ordinal[int(block.head["ordinal"])] = block
    first = min(by_ordinal)
    if first and not journal.facts.get("limited"):  # else a ring has given them up
        _tell(journal, thread, f"its first {first} blocks of calls are not in the file")
    found = []
    for ordinal in range(first, first + len(by_ordinal)):
        if ordinal not in by_ordinal:
            _tell(journal, thread, f"block {ordinal} is missing or damaged, and what comes after it is "
                                   "left out")
            break
        found.append(by_ordinal[ordinal])
    return found


def _take(file: JournalFile, block: Block) -> _Records:
    data = file.contents(block)
    owner, context = int(block.head["owner"]), int(block.head["context"])
    if data is None:
        why = "a block is damaged, and it and what comes after it are left out"
        return _Records(np.empty(0, form.RECORD), owner, context, why)
    size = form.RECORD.itemsize
    records = np.frombuffer(data[: len(data) // size * size], form.RECORD)
    if block.is_settled:
        return _Records(records, owner, context, None)
    empty = np.flatnonzero(records["rest"] == 0)
    end = int(empty[0]) if len(empty) else len(records)
    torn = end < len(records) and records["start"][end] != 0
    return _Records(records[:end], owner, context, "its last record was not whole" if torn else None)


def _calls(taken: _Records, journal: Journal, thread: int) -> tuple[RecordedCalls, str | None]:
    """The calls in records, and why there are no more."""
    rest = taken.records["rest"]
    starts = taken.records["start"]
    follows = rest == np.uint64(form.CONTINUED)
    node = (rest & np.uint64((1 << form.NODE_BITS) - 1)).astype(np.int64)
    ticks = rest >> np.uint64(form.NODE_BITS)
    end, why = len(rest), None
    is_note = node == 0
    known = np.array(sorted({0, *journal.nodes.get(thread, {})}), np.int64)
    is_counter = ~follows & is_note & (ticks & np.uint64((1 << form.KIND_BITS) - 1) == form.COUNTER)
    is_known = follows | (places_in(known, node) >= 0)
    is_known &= ~is_note | is_counter | (ticks >= form.WAIT) & (ticks <= form.CONTEXT)
    is_long = ~follows & (is_counter | ~is_note & (ticks == form.LONG_DURATION))
    is_whole = np.ones(len(rest), bool)
    if len(rest):
        is_whole[:-1] = is_long[:-1] == follows[1:]
        is_whole[-1] = not is_long[-1]
        is_whole[0] &= not follows[0]
    wrong = np.flatnonzero(~is_known | ~is_whole)
    if len(wrong):
        end = int(wrong[0])
        if not is_known[end]:
            why = "a record names what is not there, and it and what comes after it are left out"
        elif end < len(rest) - 1:
            why = "a record is damaged, and it and what comes after it are left out"
        else:
            why = "its last record was not whole"
    rows = np.flatnonzero(~is_note[:end] & ~follows[:end])
    lasted = ticks[rows].copy()
    of_long = is_long[rows]
    lasted[of_long] = starts[rows[of_long] + 1]
    place = np.arange(end)

    def in_force(kind: int, before: int) -> np.ndarray:
        """What the last note of the kind says, at each call."""
        noted = is_note[:end] & (ticks[:end] == kind)
        last = np.maximum.accumulate(np.where(noted, place, -1)) if end else place
        return np.where(last[rows] < 0, np.uint64(before), starts[last[rows]])

    context = in_force(form.CONTEXT, taken.context)
    waited = np.zeros(len(rows), np.int64)
    if end:
        waits = np.flatnonzero(is_note[:end] & (ticks[:end] == form.WAIT))
        of = np.searchsorted(rows, waits)
        waits, of = waits[of < len(rows)], of[of < len(rows)]
        waited[of] = starts[waits].astype(np.int64)
    return RecordedCalls(
        starts[rows], lasted, node[rows],
        in_force(form.THREAD, taken.owner).astype(np.int64),
        (context & np.uint64(0xFFFFFFFF)).astype(np.int64), (context >> np.uint64(32)).astype(np.int64),
        waited, _counted(taken.records[:end], is_counter[:end], taken.owner),
    ), why  # fmt: skip


def _counted(records: np.ndarray, is_counter: np.ndarray, owner: int) -> np.ndarray:
    """The values of counters in records."""
    rows = np.flatnonzero(is_counter)
    rows = rows[rows + 1 < len(records)]
    found = np.empty(len(rows), VALUE)
    ticks = records["rest"] >> np.uint64(form.NODE_BITS)
    found["counter"] = ticks[rows] >> np.uint64(form.KIND_BITS)
    found["ticks"] = records["start"][rows]
    found["value"] = records["start"][rows + 1].view(np.float64)
    threads = np.flatnonzero(ticks == form.THREAD)
    last = np.searchsorted(threads, rows) - 1
    found["thread"] = np.where(last < 0, owner, records["start"][threads[last]] if len(threads) else owner)
    return found
