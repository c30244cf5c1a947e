"""The trees of calls that were selected: which nodes they are at, and the statistics of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .._model.recorded import Node, Recorded
from .._model.sketch import Sketch
from .._model.statistics import RegionStatistics
from .columns import percentiles
from .errors import EventDataUnavailableError, NestingError
from .scalars import PERCENTILES
from .stored_column import StoredColumn

if TYPE_CHECKING:
    from .region import Region


class SelectedTrees(Mapping):
    """`Recorded` by rank, each made of the calls when it is first asked for."""

    def __init__(self, trees: Mapping[int, SelectedTree]) -> None:
        self._trees = dict(trees)

    def __getitem__(self, rank: int) -> Recorded:
        return self._trees[rank].recorded

    def __contains__(self, rank: object) -> bool:
        return rank in self._trees

    def __iter__(self) -> Iterator[int]:
        return iter(self._trees)

    def __len__(self) -> int:
        return len(self._trees)


class SelectedTree:
    """The tree of some calls of one rank: of the nodes that these are at; what is below a node
    without a call is then below what that one is below.

    whole: The tree of all calls.
    wall_ns: Of the selection.
    """

    def __init__(self, whole: Recorded, wall_ns: int) -> None:
        self._whole = whole
        self._wall = wall_ns
        self._regions: list[Region] = []
        self._made: tuple[Recorded, np.ndarray] | None = None

    def add(self, region: Region) -> Region:
        """The region, all calls of which were selected, with its calls at their nodes of this tree."""
        self._regions.append(region)

        def nodes(rows: slice) -> np.ndarray:
            ids = region.node_ids
            return self._places[ids[rows]] if ids is not None else np.empty(0, np.int64)

        return region.at_nodes(StoredColumn(nodes, slice(None), region.num_events, self))

    @property
    def recorded(self) -> Recorded:
        return self._make()[0]

    @property
    def _places(self) -> np.ndarray:
        return self._make()[1]

    def _make(self) -> tuple[Recorded, np.ndarray]:
        """The tree, and of each node of the whole its place in it."""
        if self._made is None:
            nodes = self._whole.nodes
            known: dict[int, Node] = {}
            for region in self._regions:
                known.update(_nodes_of(region, nodes))
            places = np.full(len(nodes), -1, np.int64)
            above: list[int] = []  # of each node, the place of the next that is kept
            kept: list[Node] = []
            for number, node in enumerate(nodes):
                parent = above[node.parent] if node.parent >= 0 else -1
                if number in known:
                    places[number] = len(kept)
                    kept.append(replace(known[number], parent=parent))
                    parent = len(kept) - 1
                above.append(parent)
            self._made = Recorded(kept, self._wall, {}), places
        return self._made


def _nodes_of(region: Region, nodes: Sequence[Node]) -> Iterator[tuple[int, Node]]:
    """The nodes that the calls of a region are at, by their number."""
    ids = region.node_ids
    if ids is None or not len(ids):
        return
    starts, durations, waits = region.start_times_ns, region.durations_ns, region.await_ns
    try:
        own: np.ndarray | None = region.exclusive_durations_ns
    except (EventDataUnavailableError, NestingError):
        own = None
    outermost = None
    if any(each.statistics.sum_ns != each.statistics.total_ns for each in
           (nodes[number] for number in np.flatnonzero(np.bincount(ids)).tolist())):
        outermost = _outermost(region)
    order = np.argsort(ids, kind="stable")
    bounds = np.flatnonzero(np.diff(ids[order])) + 1
    for rows in np.split(order, bounds):
        number = int(ids[rows[0]])
        # Of one node alone the columns as they are, not copies of them.
        chosen: Any = slice(None) if len(rows) == len(ids) else rows
        taken = durations[chosen]
        total = taken if outermost is None else taken[outermost[chosen]]
        yield number, _node(
            nodes[number], taken, int(total.sum()), None if own is None else int(own[chosen].sum()),
            int(starts[chosen][0]), region.errors,
            None if waits is None else int(waits[chosen].sum()),
        )


def _node(
    node: Node, durations: np.ndarray, total: int, own: int | None, first: int,
    errors: int | None, waiting: int | None,
) -> Node:
    count, every = len(durations), int(durations.sum())
    std = float(np.std(durations))
    known = percentiles(durations, [*PERCENTILES.values()])
    statistics: dict[str, Any] = {
        "num_calls": count,
        "errors": errors,
        "total_ns": total,
        "exclusive_ns": own,
        "sum_ns": every,
        "average_ns": round(every / count),
        "minimum_ns": int(durations.min()),
        "maximum_ns": int(durations.max()),
        "std_ns": round(std),
        "corrected_total_ns": None,
        "corrected_exclusive_ns": None,
        "running_ns": None if waiting is None else total - waiting,
        "waiting_ns": waiting,
        **{f"{name}_ns": round(known[percentile]) for name, percentile in PERCENTILES.items()},
    }
    nothing = RegionStatistics.nothing_of(node.name)
    return Node(-1, replace(nothing, **statistics), first, Sketch.of_durations(durations), std)


def _outermost(region: Region) -> np.ndarray:
    """Bool [num_events]: whether no other of these calls, of the same thread or task, is around it."""
    starts, ends = region.start_times_ns, region.end_times_ns
    tracks = [np.zeros(len(starts), np.int64) if column is None else column
              for column in (region.thread_ids, region.task_ids)]
    order = np.lexsort((-ends, starts, *tracks))
    found = np.ones(len(starts), bool)
    changes = np.zeros(len(starts), bool)
    for track in tracks:
        changes[1:] |= np.diff(track[order]) != 0
    for rows in np.split(order, np.flatnonzero(changes)):
        latest = np.maximum.accumulate(ends[rows])
        found[rows[1:]] = ends[rows[1:]] > latest[:-1]
    return found
