"""The call tree: the calls of a run by the regions that they are inside of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from .call_stack import CallArrays, build_call_arrays
from .columns import blocks
from .errors import EventDataUnavailableError
from .mpi_region import MPIRegion
from .region import Region
from .scalars import known_or


@dataclass(frozen=True, eq=False)
class TreeNode:
    """A region where it was called: the calls of it at one place of the tree.

    Attributes
    ----------
    region
        These calls, as a region. Their total time is that of the outermost
        calls of a recursion, and inclusive of all that is below.
    parent
        The node above; None for a root.
    children
        The nodes below, in the order in which they were first called.
    """

    region: MPIRegion
    parent: TreeNode | None
    children: list[TreeNode] = field(default_factory=list, repr=False)


def call_tree(regions: Iterable[MPIRegion], ranks: Iterable[int]) -> list[TreeNode]:
    """The roots of the tree that the calls of `regions` on `ranks` make.

    A region called again below itself is at its place on the path, as in the
    tree that the recorder keeps.

    Raises EventDataUnavailableError and NestingError as `build_call_arrays`.
    """
    regions = list(regions)
    places = _Places()
    found: list[dict[int, Region]] = []
    for rank in sorted(set(ranks)):
        of_rank = [region for region in regions if rank in region]
        for place, calls in _calls_by_place(of_rank, rank, places):
            found.extend({} for _ in range(place + 1 - len(found)))
            found[place][rank] = calls
    roots: list[TreeNode] = []
    nodes: list[TreeNode] = []
    for (above, name), of_place in zip(places.paths, found):
        parent = nodes[above] if above >= 0 else None
        nodes.append(TreeNode(MPIRegion(name, of_place), parent))
        (roots if parent is None else parent.children).append(nodes[-1])
    return roots


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
    regions: Sequence[MPIRegion], rank: int, places: _Places
) -> Iterable[tuple[int, Region]]:
    """The calls of a rank, as a region for each place that it called."""
    arrays = build_call_arrays(regions, rank)
    place_of: list[int] = []
    outermost = np.empty(len(arrays), bool)
    for rows in blocks(len(arrays)):
        steps = []
        for region, parent in zip(
            arrays.region_index[rows].tolist(), arrays.parent[rows].tolist()
        ):
            above = place_of[parent] if parent >= 0 else -1
            place, first = places.below(above, arrays.names[region])
            place_of.append(place)
            steps.append(first)
        outermost[rows] = steps
    by_place = np.array(place_of, np.int64)
    order = np.argsort(by_place, kind="stable")
    durations = arrays.end_ns - arrays.start_ns
    exclusive = _exclusive(regions, rank, arrays)
    ends = np.flatnonzero(np.diff(by_place[order])) + 1
    for rows in np.split(order, ends) if len(order) else ():
        region = regions[arrays.region_index[rows[0]]][rank]
        own, total = int(exclusive[rows].sum()), int(durations[rows][outermost[rows]].sum())
        if len(rows) == region.num_calls:
            # The recorder may know better how tasks shared the time.
            own, total = known_or(region.exclusive_duration_ns, own), region.inclusive_duration_ns
        yield place_of[rows[0]], Region(
            start_times_ns=arrays.start_ns[rows],
            durations_ns=durations[rows],
            exclusive_total_ns=own,
            inclusive_total_ns=total,
        )


def _exclusive(regions: Sequence[MPIRegion], rank: int, arrays: CallArrays) -> np.ndarray:
    """int64 [calls]: what no call inside covers, also none of a region that was not chosen."""
    try:
        parts = [region[rank].exclusive_durations_ns for region in regions]
    except EventDataUnavailableError:
        return arrays.exclusive_ns
    first = np.cumsum([0, *map(len, parts)])
    return np.concatenate([np.empty(0, np.int64), *parts])[
        first[arrays.region_index] + arrays.call_index
    ]
