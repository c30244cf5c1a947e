"""The values that counters of the program had over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class CounterValues:
    """The values of one counter in one process, in the order of time. Arrays of one length.

    times_ns: int64: from when on the counter had each, on the axis of ``perf_counter_ns()``.
    values: float64, which may be NaN or infinite.
    thread_ids: int64: the numbers of the threads that set them.
    """

    times_ns: Any
    values: Any
    thread_ids: Any

    def __len__(self) -> int:
        return len(self.times_ns)

    def after(self, ns: int) -> CounterValues:
        """Those from later than an instant."""
        rows = self.times_ns > ns
        return CounterValues(self.times_ns[rows], self.values[rows], self.thread_ids[rows])


def between(
    later: Mapping[str, CounterValues], earlier: Mapping[str, CounterValues]
) -> dict[str, CounterValues]:
    """What came to them: the values after the last that was there before."""
    came = {
        name: values.after(int(earlier[name].times_ns[-1])) if name in earlier else values
        for name, values in later.items()
    }
    return {name: values for name, values in came.items() if len(values)}


def by_counter(names: Sequence[str], numbers: Any, threads: Any, times: Any, values: Any
               ) -> dict[str, CounterValues]:
    """Of columns with a row for each value, of any order; numbers: the place of its counter in `names`.

    Raises ValueError for a number that has no name.
    """
    import numpy as np

    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names):
        raise ValueError(f"a value is of counter {int(numbers.max())}, of {len(names)}")
    order = np.lexsort((times, numbers))
    ends = np.searchsorted(numbers[order], np.arange(len(names) + 1))
    found = {}
    for name, begin, end in zip(names, ends.tolist(), ends[1:].tolist()):
        rows = order[begin:end]
        if len(rows):
            found[name] = CounterValues(times[rows], values[rows], threads[rows])
    return found
