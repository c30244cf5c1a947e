"""Percentiles of what the core has in sketches, without numpy (see `sketch` and src/record/node.h)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

_BUCKETS = 64


def percentile(sketches: Iterable[tuple[int, bytes]], fraction: float, unit: float) -> int:
    """The nanoseconds that this fraction of what all sketches hold does not exceed, within 0.8 %.

    sketches: the number of the first bucket, and the counts as uint64; one of them holds something.
    unit: nanoseconds for one of theirs. Interpolated between neighbours in rank, as numpy does it.
    """
    counts: Counter[int] = Counter()
    for first, buckets in sketches:
        for place, count in enumerate(memoryview(buckets).cast("Q"), first):
            if count:
                counts[place] += count
    position = fraction * (counts.total() - 1)
    rank = int(position)
    low, high = _at(counts, rank), _at(counts, min(rank + 1, counts.total() - 1))
    return round(int(low + (position - rank) * (high - low) + 0.5) * unit)


def _at(counts: Counter[int], rank: int) -> float:
    """The value of this rank, counted from 0."""
    for place in sorted(counts):
        rank -= counts[place]
        if rank < 0:
            break
    octave, bucket = divmod(place, _BUCKETS)
    return bucket if octave == 0 else (_BUCKETS + bucket + 0.5) * 2.0 ** (octave - 1) - 0.5
