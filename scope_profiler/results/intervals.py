"""Which call is inside which, and the tree that they make, as it follows from the calls themselves.

That is for files of other programs, and for results that were put together by hand: of what was
recorded here the tree is known (see `nesting`). A call is inside another of the same track, a
thread or a task, that began no later and ends no earlier; its parent is the one of these that began
last. A call of no length belongs to what runs on at its instant, not to what ends there. Calls that
overlap in part are not inside each other: for them that is no error. Where the recorder numbered
the calls and their parents, that decides instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._model.recorded import Node, Recorded
from .._model.statistics import RegionStatistics
from .columns import blocks
from .errors import NestingError
from .scalars import PERCENTILES, known_or
from .._model.sketch import Sketch

if TYPE_CHECKING:
    from .region import Region
    from .rank_regions import NestedCalls


def parents_by_interval(starts: np.ndarray, ends: np.ndarray, nodes: object = None) -> np.ndarray:
    """The row of the innermost interval around each; -1 for none.

    starts, ends: int64 [n], sorted by start, of those the latest end first.
    nodes: Not looked at: there are none.

    Returns np.ndarray: Integers [n]; a parent comes before its children.
    """
    parents = np.empty(len(starts), np.int32)
    if not len(starts):
        return parents
    # An end is half a tick early, so that it comes before a start at the same
    # time, except where that start is its own.
    closes = 2 * (ends - starts[0]) - (ends > starts)
    open_rows: list[int] = []
    open_closes: list[int] = []
    for rows in blocks(len(starts)):
        found = []
        for row, close in zip(range(rows.start, rows.stop), closes[rows].tolist()):
            # A later call inside one that ends before this one is inside this one, too.
            while open_closes and open_closes[-1] < close:
                open_rows.pop()
                open_closes.pop()
            found.append(open_rows[-1] if open_rows else -1)
            open_rows.append(row)
            open_closes.append(close)
        parents[rows] = found
    return parents


def parents_by_id(call_ids: np.ndarray, parent_ids: np.ndarray) -> np.ndarray:
    """The row of the call that each names as its parent; -1 where it is none of these.

    Raises NestingError when two calls have the same id.
    """
    order = np.argsort(call_ids, kind="stable")
    known = call_ids[order]
    twice = np.flatnonzero(known[1:] == known[:-1])
    if len(twice):
        raise NestingError(f"two calls have the number {known[twice[0]]}")
    places = np.minimum(np.searchsorted(known, parent_ids), max(len(known) - 1, 0))
    return np.where(known[places] == parent_ids, order[places], -1) if len(known) else places


# -- the tree ------------------------------------------------------------------


def tree_of_calls(
    names: Sequence[str], regions: Sequence[Region], calls: NestedCalls
) -> tuple[Recorded, list[np.ndarray]]:
    """The tree that calls make, as the recorder would have kept it, and of each region the places of
    its calls in it.

    `names` and `regions` are what `calls.region_index` refers to. A region called
    again below itself is at its place on the path.
    """
    places = _Places()
    nodes = []
    node_ids = [np.empty(region.num_events, np.int64) for region in regions]
    for place, rows, outermost in _calls_by_place(names, calls, places):
        number = calls.region_index[rows[0]]
        nodes.append(_node(places.paths[place], regions[number], calls, rows, outermost))
        node_ids[number][calls.call_index[rows]] = place
    wall = int(calls.end_ns.max() - calls.start_ns[0]) if len(calls.start_ns) else 0
    return Recorded(nodes, wall, {}), node_ids


class _Places:
    """The places of the tree, numbered in the order in which they are met."""

    def __init__(self) -> None:
        self.paths: list[tuple[int, str]] = []  # the place above and the region
        self._steps: dict[tuple[int, str], tuple[int, bool]] = {}

    def below(self, above: int, name: str) -> tuple[int, bool]:
        """Where a call of that region inside one at `above` belongs, and if it is an outermost."""
        step = self._steps.get((above, name))
        if step is None:
            step = self._steps[above, name] = self._step(above, name)
        return step

    def _step(self, above: int, name: str) -> tuple[int, bool]:
        place = above
        while place >= 0:
            further, region = self.paths[place]
            if region == name:
                return place, False
            place = further
        self.paths.append((above, name))
        return len(self.paths) - 1, True


def _calls_by_place(
    names: Sequence[str], calls: NestedCalls, places: _Places
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """The rows of each place, and which of them are outermost calls."""
    place_of: list[int] = []
    outermost = np.empty(len(calls.parent), bool)
    for rows in blocks(len(calls.parent)):
        steps = []
        for region, parent in zip(
            calls.region_index[rows].tolist(), calls.parent[rows].tolist()
        ):
            above = place_of[parent] if parent >= 0 else -1
            place, first = places.below(above, names[region])
            place_of.append(place)
            steps.append(first)
        outermost[rows] = steps
    by_place = np.array(place_of, np.int64)
    order = np.argsort(by_place, kind="stable")
    ends = np.flatnonzero(np.diff(by_place[order])) + 1
    for of_place in np.split(order, ends) if len(order) else ():
        yield place_of[of_place[0]], of_place, outermost[of_place]


def _node(
    path: tuple[int, str], region: Region, calls: NestedCalls, rows: np.ndarray, outermost: np.ndarray
) -> Node:
    """The statistics of the calls `rows`, which are of the region."""
    durations = calls.end_ns[rows] - calls.start_ns[rows]
    own, total = int(calls.exclusive_ns[rows].sum()), int(durations[outermost].sum())
    if len(rows) == region.num_calls:
        # The recorder may know better how tasks shared the time.
        own, total = known_or(region.exclusive_duration_ns, own), region.inclusive_duration_ns
    sketch = Sketch(*np.unique(durations, return_counts=True), 1.0)
    minimum, maximum = int(durations.min()), int(durations.max())
    every = int(durations.sum())
    percentiles: dict[str, Any] = {
        f"{name}_ns": sketch.percentile_ns(percentile, minimum, maximum)
        for name, percentile in PERCENTILES.items()
    }
    unknown: Any = None
    statistics = RegionStatistics(
        path[1], len(rows), 0, 0, total, own, round(every / len(rows)), minimum, maximum,
        round(float(durations.std())), **percentiles, corrected_total_ns=unknown,
        corrected_exclusive_ns=unknown, running_ns=unknown, waiting_ns=unknown, sum_ns=every,
        open_total_ns=0, open_exclusive_ns=0,
    )
    return Node(path[0], statistics, int(calls.start_ns[rows[0]]), sketch)
