"""How long the hits of lines took, as the core counts it in sketches, without numpy (see `sketch` and
src/record/node.h): what percentiles come from, also of lines of several places together."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate
import math
from typing import TypeAlias

_BUCKETS = 64  # to the octave
_MOST = 64 * _BUCKETS  # there are no more

#: {(nanoseconds for one of the core's units, number of a bucket): hits in it}. Those of processes with
#: other clocks stand side by side, so putting them together rounds nothing.
Buckets: TypeAlias = dict[tuple[float, int], int]


def of_core(sketch: tuple[int, bytes], unit: float) -> Buckets:
    """sketch: the number of the first bucket, and the counts as uint64."""
    first, counts = sketch
    return {(unit, place): count for place, count in enumerate(memoryview(counts).cast("Q"), first) if count}


def together(all_buckets: Iterable[Buckets]) -> Buckets:
    """The hits of all."""
    counts: Counter[tuple[float, int]] = Counter()
    for buckets in all_buckets:
        counts.update(buckets)
    return dict(counts)


def less(later: Buckets, earlier: Buckets) -> Buckets | None:
    """The hits that were added since `earlier`, of the same clock, whose unit is known better by now. None
    where that had others."""
    before: Counter[int] = Counter()
    for (_, place), count in earlier.items():
        before[place] += count
    left = {(unit, place): count - before.pop(place, 0) for (unit, place), count in later.items()}
    if before or any(count < 0 for count in left.values()):
        return None
    return {key: count for key, count in left.items() if count}


def percentile(buckets: Buckets, fraction: float) -> int | None:
    """The nanoseconds that this fraction of the hits do not exceed, within 0.8 %; None without hits.

    Interpolated between neighbours in rank, as numpy does it.
    """
    if not buckets:
        return None
    by_value = sorted((_middle(place) * unit, count) for (unit, place), count in buckets.items())
    ends = [*accumulate(count for _, count in by_value)]
    position = fraction * (ends[-1] - 1)
    rank = int(position)
    low, high = (by_value[bisect_right(ends, min(at, ends[-1] - 1))][0] for at in (rank, rank + 1))
    return round(low + (position - rank) * (high - low))


def bounds(buckets: Buckets) -> tuple[int, int]:
    """What no hit is below, and what none is above, within 1.6 % of each other. There is at least one."""
    ends = [((_middle(place) + side * _reach(place)) * unit) for unit, place in buckets for side in (-1, 1)]
    return round(min(ends)), round(max(ends))


def _reach(place: int) -> float:
    """How far a bucket reaches to either side of its middle."""
    return (2.0 ** max(place // _BUCKETS - 1, 0) - 1) / 2


def _middle(place: int) -> float:
    octave, bucket = divmod(place, _BUCKETS)
    return float(bucket) if octave == 0 else (_BUCKETS + bucket + 0.5) * 2.0 ** (octave - 1) - 0.5


def rows(buckets: Buckets) -> list[tuple[float, int, int]]:
    """As files have them: (unit, bucket, hits)."""
    return [(unit, bucket, hits) for (unit, bucket), hits in sorted(buckets.items())]


def of_rows(rows: Iterable[tuple[float, int, int]]) -> Buckets:
    """Of what files have. Raises ValueError when rows() does not give such."""
    buckets: Buckets = {}
    for unit, bucket, hits in rows:
        if not (0 < unit < math.inf and bucket % 1 == 0 and hits % 1 == 0
                and 0 <= bucket < _MOST and hits > 0):
            raise ValueError(f"a sketch has no {hits!r} hits in bucket {bucket!r} of {unit!r} ns")
        buckets[float(unit), int(bucket)] = int(hits)
    return buckets
