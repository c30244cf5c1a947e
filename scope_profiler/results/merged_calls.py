"""`MergedCalls`: the calls of a timeline, those too short to be seen put together with neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .columns import blocks


class MergedCalls(NamedTuple):
    """Calls, and runs of short calls that follow one another in the same line; a column for each thing known.

    line: Integers [n], ascending: where it is drawn. In each line they are in order of time, and
        none overlaps the next.
    start_ns, end_ns: int64 [n].
    calls: int64 [n]: how many they are. busy_ns: int64 [n]: the time of them together.
    region: Integers [n]: that of the longest of them.
    width_ns: What lies closer together than that is put together; 0 where each call stands by itself.
    """

    line: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    calls: np.ndarray
    busy_ns: np.ndarray
    region: np.ndarray
    width_ns: int


def merged_calls(
    line: np.ndarray, rows: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray, region: np.ndarray,
    most: int,
) -> MergedCalls:
    """No more than about `most` of them, or, where even single long calls are more, those.

    line: Integers [n]: of each of the calls `rows`, int64 [n], in the columns start_ns, end_ns, region.
        Calls of a line are in order of time and do not overlap.
    """
    width = 0
    if len(rows) > most:
        width = max(int((end_ns.max() - start_ns.min()) // most), 1)
    parts = []
    for block in blocks(len(rows)):  # what is taken of memory is small, and so quick
        part = _single(line[block], rows[block], start_ns, end_ns, region)
        parts.append(_merged(part, width) if width else part)
    found = _sorted(parts)
    while len(found.line) > most:
        before = len(found.line)
        found = _merged(found, width)
        # What is longer than the width stays: where that is all there is, a wider one gains nothing.
        if len(found.line) > 0.95 * before and width > 16 * np.median(found.end_ns - found.start_ns):
            break
        if len(found.line) > most:
            width *= 4
    return found._replace(width_ns=width)


def _single(line: np.ndarray, rows: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray, region: np.ndarray
            ) -> MergedCalls:
    order = np.argsort(line, kind="stable")
    rows = rows[order]
    start, end = start_ns[rows], end_ns[rows]
    return MergedCalls(line[order], start, end, np.ones(len(rows), np.int64), end - start, region[rows], 0)


def _sorted(parts: list[MergedCalls]) -> MergedCalls:
    *columns, _ = zip(*parts)
    order = np.argsort(np.concatenate(columns[0]), kind="stable")
    line, start, end, calls, busy, region = (np.concatenate(column)[order] for column in columns)
    return MergedCalls(line, start, end, calls, busy, region, 0)


def _merged(calls: MergedCalls, width: int) -> MergedCalls:
    """With what is shorter than the width, and begins in the same stretch of that, put together."""
    is_long = calls.end_ns - calls.start_ns >= width
    stretch = calls.start_ns // width
    begins = np.ones(len(calls.line), bool)
    begins[1:] = calls.line[1:] != calls.line[:-1]
    begins[1:] |= stretch[1:] != stretch[:-1]
    begins[1:] |= is_long[1:] | is_long[:-1]
    first = np.flatnonzero(begins)
    # The longest of each: lengths and regions in one number.
    bits = int(calls.region.max()).bit_length()
    lengths = np.minimum(calls.busy_ns, (1 << (62 - bits)) - 1)
    longest = np.maximum.reduceat(lengths << bits | calls.region, first)
    last = np.append(first[1:], len(calls.line)) - 1
    return MergedCalls(
        calls.line[first], calls.start_ns[first], calls.end_ns[last], np.add.reduceat(calls.calls, first),
        np.add.reduceat(calls.busy_ns, first), longest & ((1 << bits) - 1), width,
    )
