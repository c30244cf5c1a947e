"""`Sketch`: how long calls took, as the recorder keeps it: a histogram that percentiles come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

#: Buckets to the octave; `src/record/node.h` says the same.
_BUCKETS = 64


#: Durations that are put into buckets at once.
_BLOCK = 1 << 17


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """The calls by how long they took.

    values: float64 [n], ascending: the middle of each bucket with a call in it.
    counts: int64 [n]: how many calls there are.
    unit: Nanoseconds per unit of `values`.
    """

    values: np.ndarray
    counts: np.ndarray
    unit: float

    @classmethod
    def of_buckets(cls, first: int, counts: np.ndarray, unit: float) -> Sketch:
        """Of the recorder's buckets: the number of the first, and the calls in each from there."""
        used = np.flatnonzero(counts)
        return cls.of_used_buckets(used + first, counts[used].astype(np.int64), unit)

    @classmethod
    def of_used_buckets(cls, places: np.ndarray, counts: np.ndarray, unit: float) -> Sketch:
        """Of the numbers of the recorder's buckets that have calls, ascending, and of how many they have:
        both int64 [n]."""
        octave, bucket = np.divmod(places, _BUCKETS)
        width = np.exp2(np.maximum(octave - 1, 0))
        middles = np.where(octave == 0, bucket, (_BUCKETS + bucket + 0.5) * width - 0.5)
        return cls(middles, counts, unit)

    @classmethod
    def of_durations(cls, durations: np.ndarray) -> Sketch:
        """Of these durations, int64 [calls], at least 0; in the buckets that the recorder has."""
        places = np.concatenate([np.empty(0, np.int64), *(
            _buckets_of(durations[begin : begin + _BLOCK])
            for begin in range(0, len(durations), _BLOCK)
        )])
        first = int(places.min()) if len(places) else 0
        return cls.of_buckets(first, np.bincount(places - first), 1.0)

    @classmethod
    def merged(cls, sketches: Iterable[Sketch]) -> Sketch:
        """One of the calls of all."""
        sketches = [sketch for sketch in sketches if len(sketch.values)]
        if len(sketches) == 1:
            return sketches[0]
        units = {sketch.unit for sketch in sketches}
        unit = units.pop() if len(units) == 1 else 1.0
        parts = [sketch.values * (sketch.unit / unit) for sketch in sketches]
        values, place = np.unique(np.concatenate([np.empty(0), *parts]), return_inverse=True)
        counts = np.zeros(len(values), np.int64)
        np.add.at(counts, place, np.concatenate([np.empty(0, np.int64),
                                                 *(sketch.counts for sketch in sketches)]))
        return cls(values, counts, unit)

    def less(self, earlier: Sketch) -> Sketch:
        """The calls that were added since `earlier`, a sketch of the same calls.

        Raises ValueError when that has calls that this one does not have.
        """
        places = np.searchsorted(self.values, earlier.values)
        if (places == len(self.values)).any() or (self.values[places] != earlier.values).any():
            raise ValueError("the earlier sketch has calls that the later one does not have")
        counts = self.counts.copy()
        counts[places] -= earlier.counts
        if (counts < 0).any():
            raise ValueError("the earlier sketch has more calls than the later one")
        used = counts > 0
        return Sketch(self.values[used], counts[used], self.unit)

    def bounds_ns(self) -> tuple[int, int]:
        """What no call is below, and what none is above: the ends of the first and the last bucket,
        within 1.6 % of each other. There is at least one call."""
        low, high = float(self.values[0]), float(self.values[-1])
        return round((low - _reach(low)) * self.unit), round((high + _reach(high)) * self.unit)

    def percentile_ns(self, percentile: float, minimum: int, maximum: int) -> int:
        """The duration that `percentile` per cent of the calls do not exceed, which all lie between
        the two given, ns. Interpolated between neighbours in rank; `src/record/node.c` computes the same."""
        ends = np.cumsum(self.counts)
        calls = int(ends[-1]) if len(ends) else 0
        if not calls:
            return maximum
        position = percentile / 100 * (calls - 1)
        rank = int(position)
        low, high = (
            float(self.values[np.searchsorted(ends, min(at, calls - 1), side="right")])
            for at in (rank, rank + 1)
        )
        middle = low + (position - rank) * (high - low)
        return min(max(round(int(middle + 0.5) * self.unit), minimum), maximum)


class Sketches:
    """Many sketches, one after the other in two columns.

    sizes: Integers [n]: how many values each has; -1 for none that is known.
    units: float64 [n].
    values, counts: Of all.

    Raises ValueError when the columns are not as long as the sizes say.
    """

    def __init__(
        self, sizes: np.ndarray, units: np.ndarray, values: np.ndarray, counts: np.ndarray
    ) -> None:
        known = np.maximum(sizes, 0)
        if not (sum(known.tolist()) == len(values) == len(counts)):
            raise ValueError("the sketches are not as long as their nodes say")
        self.sizes, self.units = sizes, units
        self._values, self._counts = values, counts
        self._rows = sizes.tolist(), units.tolist(), np.cumsum(known).tolist()

    @classmethod
    def of_used_buckets(
        cls, sizes: np.ndarray, places: np.ndarray, counts: np.ndarray, unit: float
    ) -> Sketches:
        """As `Sketch.of_used_buckets`, of many at once: so many buckets of each, sketch after sketch."""
        every = Sketch.of_used_buckets(places.astype(np.int64), counts.astype(np.int64), unit)
        return cls(sizes.astype(np.int64), np.full(len(sizes), unit), every.values, every.counts)

    @classmethod
    def of(cls, sketches: Sequence[Sketch | None]) -> Sketches:
        """These."""
        known = [sketch for sketch in sketches if sketch is not None]
        return cls(
            np.array([-1 if sketch is None else len(sketch.values) for sketch in sketches], np.int64),
            np.array([0.0 if sketch is None else sketch.unit for sketch in sketches]),
            np.concatenate([np.empty(0), *(sketch.values for sketch in known)]),
            np.concatenate([np.empty(0, np.int64), *(sketch.counts for sketch in known)]),
        )

    def at(self, place: int) -> Sketch | None:
        """The one at a place."""
        sizes, units, ends = self._rows
        if sizes[place] < 0:
            return None
        part = slice(ends[place] - sizes[place], ends[place])
        return Sketch(self._values[part], self._counts[part], units[place])

    def columns(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The values and the counts of those at these places, one after the other."""
        if len(places) == len(self.sizes) and (np.diff(places) == 1).all():
            return self._values, self._counts
        chosen = Sketches.of([self.at(place) for place in places.tolist()])
        return chosen._values, chosen._counts


def _reach(middle: float) -> float:
    """How far a bucket reaches to either side of its middle."""
    octave = max(int(np.log2(middle + 0.5)) - int(np.log2(_BUCKETS)), 0) if middle >= _BUCKETS else 0
    return (2.0**octave - 1) / 2


def _buckets_of(durations: np.ndarray) -> np.ndarray:
    """int64 [n]: the number of the bucket of each, counted from the first of the first octave."""
    # The exponent is one too large for some that a float rounds up to a power of two.
    exponent = np.frexp(durations)[1].astype(np.int64)
    exponent -= (durations >> np.maximum(exponent - 1, 0)) == 0
    octave = np.maximum(exponent - 6, 0)
    bucket = np.where(octave == 0, durations, (durations >> np.maximum(octave - 1, 0)) - _BUCKETS)
    return octave * _BUCKETS + bucket
