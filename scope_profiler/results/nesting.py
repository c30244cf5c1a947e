"""Nesting: which call is inside which, of the calls of one rank in the order in which they began.

What the recorder knows, the place of each call in its tree, decides. Where calls lie properly within
each other, as those of a thread do, a call's parent is the last that began before it one level higher
up: that takes a few passes over the columns. Calls that overlap, as those of tasks do, are looked at
one by one.

Without a tree, as in files of other programs, the intervals alone decide; see `intervals`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._model.recorded import OTHER_PATHS, Node
from .columns import INT64, blocks
from .errors import NestingError


class Tree:
    """The nodes of a rank as columns, and which calls may be inside which by them.

    above: int64 [nodes]: the place of the parent, -1 for none.
    level: int64 [nodes]: how many nodes are above.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.above = np.array([node.parent for node in nodes], np.int64)
        level: list[int] = []
        merged: list[bool] = []  # below "(other paths)", where only the region is known
        for node in nodes:
            above = node.parent
            level.append(level[above] + 1 if above >= 0 else 0)
            merged.append(node.name == OTHER_PATHS or above >= 0 and merged[above])
        self.level = np.array(level, np.int64)
        self._merged = merged
        self.is_exact = not any(merged)
        # The sum counts calls inside calls of the same node, the total does not.
        self._recursive = [node.statistics.sum_ns != node.statistics.total_ns for node in nodes]
        self._fits: dict[tuple[int, int], bool] = {}

    def recursive(self, node: int) -> bool:
        """Whether calls of the node may be inside others of it."""
        return self._recursive[node]

    def merged(self, node: int) -> bool:
        """Whether it stands for several paths."""
        return self._merged[node]

    def fits(self, node: int, around: int) -> bool:
        """Whether a call of `node` can be directly inside one of the node `around`."""
        known = self._fits.get((node, around))
        if known is None:
            known = self._fits[node, around] = (
                self.above[node] == around
                or self._merged[node]
                or self._recursive[node] and self._is_below(around, node)
            )
        return known

    def _is_below(self, node: int, above: int) -> bool:
        while node > above:  # parents come first
            node = self.above[node]
        return node == above

    def all_fit(self, nodes: np.ndarray, around: np.ndarray) -> bool:
        """Whether each call of `nodes` can be directly inside the one of `around` beside it."""
        pairs = np.unique(nodes.astype(np.int64) * len(self.above) + around)
        return all(self.fits(*divmod(pair, len(self.above))) for pair in pairs.tolist())


class Nesting(NamedTuple):
    """Which call is inside which.

    parent: Integers [n]: the row of the call around each, -1 for none. It comes before it.
    depth: Integers [n]: how many calls each is inside of.
    is_proper: Whether each lies within its parent, and none of one parent overlap.
    """

    parent: np.ndarray
    depth: np.ndarray
    is_proper: bool


#: The parents of the calls (starts, ends, nodes) of one track, which overlap.
Search = Callable[[np.ndarray, np.ndarray, Any], np.ndarray]


def nest(
    starts: np.ndarray,
    ends: np.ndarray,
    tracks: np.ndarray | None,
    search: Search,
    nodes: Any = None,
    tree: Tree | None = None,
) -> Nesting:
    """How calls lie within each other.

    starts, ends: int64 [n], sorted by start, of those the latest end first.
    tracks: int64 [n], the thread or task of each; None where all are in one.
    search: What finds the parents where calls overlap.
    nodes, tree: Integers [n], the place of each in the tree, and that; or neither.
    """
    if tracks is None:
        found = _proper(starts, ends, nodes, tree)
        if found is not None:
            return Nesting(*found, True)
        parents = search(starts, ends, nodes)
        return Nesting(parents, depths(parents), False)
    parents, depth = np.full(len(starts), -1, np.int32), np.zeros(len(starts), np.int32)
    is_proper = True
    order = np.argsort(tracks, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(tracks[order])) + 1):
        of_track = nest(starts[rows], ends[rows], None, search,
                       None if nodes is None else nodes[rows], tree)
        parents[rows] = np.where(of_track.parent >= 0, rows[of_track.parent], -1) if len(rows) else -1
        depth[rows] = of_track.depth
        is_proper &= of_track.is_proper
    return Nesting(parents, depth, is_proper)


def _proper(
    starts: np.ndarray, ends: np.ndarray, nodes: Any, tree: Tree | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """Parents and depths, where calls lie properly within each other; None where some overlap."""
    if not len(starts):
        return np.empty(0, np.int32), np.empty(0, np.int32)
    if tree is not None and tree.is_exact:
        found = _by_level(starts, ends, nodes, tree, lambda rows: tree.level[nodes[rows]], apart=True)
        if found is not None:
            return found
    # Also calls of the same node can be inside each other: count those that are open.
    # The last moment of each: that of a call without any length is its start, and comes after the calls
    # that begin there.
    closes = ends - (ends > starts)
    closes.sort()

    def number_of_open(rows: slice) -> np.ndarray:
        over = np.searchsorted(closes, starts[rows])
        return np.arange(rows.start, rows.stop) - over

    return _by_level(starts, ends, nodes, tree, number_of_open)


def _by_level(
    starts: np.ndarray,
    ends: np.ndarray,
    nodes: Any,
    tree: Tree | None,
    level_of: Callable[[slice], np.ndarray],
    apart: bool = False,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Parents and depths, where the parent of each is the last before it one level higher up; a call
    that has ended by then is none. None where a call ends after its parent, or its node cannot be
    there; apart: or where two of a level overlap."""
    parents, depth = np.empty(len(starts), np.int32), np.empty(len(starts), np.int32)
    # Of each level the last call before those that are looked at; at 0 what is around them all.
    last = [(-1, INT64.min, -1, -1)]
    for block in blocks(len(starts), _ROWS):
        begins, stops = starts[block], ends[block]
        above, above_stops, above_depth, above_nodes = (np.array([value]) for value in last[0])
        for number, (rows, place) in enumerate(_rows_by_level(level_of(block)), 1):
            if number == len(last):
                last.append((-1, INT64.min, -1, -1))
            last_row, last_stop, last_depth, last_node = last[number]
            own, own_stops = begins[rows], np.concatenate(([last_stop], stops[rows]))
            if apart and (own < own_stops[:-1]).any():
                return None
            reach = above_stops[place]
            is_inside = reach >= own
            if (is_inside & (reach < own_stops[1:])).any():
                return None
            if tree is not None:
                own_nodes = nodes[block][rows]
                around = above_nodes[place]
                odd = np.flatnonzero((tree.above[own_nodes] != around) & is_inside)
                if len(odd) and not tree.all_fit(own_nodes[odd], around[odd]):
                    return None
                above_nodes = np.concatenate(([last_node], own_nodes), dtype=nodes.dtype, casting="unsafe")
                last_node = int(above_nodes[-1])
            own_parents, own_depth = above[place], above_depth[place] + 1
            if not is_inside.all():
                own_parents[~is_inside], own_depth[~is_inside] = -1, 0
            parents[block][rows], depth[block][rows] = own_parents, own_depth
            above = np.concatenate(([last_row], rows + block.start), dtype=np.int32, casting="unsafe")
            above_stops = own_stops
            above_depth = np.concatenate(([last_depth], own_depth), dtype=np.int32, casting="unsafe")
            last[number] = int(above[-1]), int(above_stops[-1]), int(above_depth[-1]), last_node
    return parents, depth


#: The rows that are worked on at a time here: there may be thousands of levels in them.
_ROWS = 1 << 18


def _rows_by_level(level: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of each level in their order, from 0 on; and how many of the level above, of which
    0 has one, are before each."""
    last = int(level.max())
    level = level.astype(np.min_scalar_type(last + 1))
    if last < _FEW_LEVELS:
        before = np.zeros(len(level), np.int32)
        for number in range(last + 1):
            is_here = level == number
            rows = np.flatnonzero(is_here)
            yield rows, before[rows].astype(np.intp)
            before = np.cumsum(is_here, dtype=np.int32)
        return
    above = np.empty(0, np.int64)
    for rows in np.split(np.argsort(level, kind="stable"), np.cumsum(np.bincount(level))[:-1]):
        yield rows, np.searchsorted(above, rows)
        above = rows


#: With more, it is faster to sort by level.
_FEW_LEVELS = 16


def by_tree(
    starts: np.ndarray, ends: np.ndarray, nodes: np.ndarray, tree: Tree
) -> np.ndarray:
    """The parents of calls that overlap: the one at the node above that is open when a call begins,
    and, of several, the newest that ends no earlier."""
    opened = _OpenCalls(ends.tolist())
    parents = np.empty(len(starts), np.int32)
    for rows in blocks(len(starts)):
        found = []
        for row, start, node in zip(
            range(rows.start, rows.stop), starts[rows].tolist(), nodes[rows].tolist()
        ):
            above = int(tree.above[node])
            parent = -1
            if tree.merged(node) or tree.recursive(node) and opened.newest(node, row, start) >= 0:
                parent = opened.newest(None, row, start, lambda around: tree.fits(node, around))
            elif above >= 0:
                parent = opened.newest(above, row, start)
            found.append(parent)
            opened.add(row, node)
        parents[rows] = found
    return parents


class _OpenCalls:
    """The calls that have begun and not ended, by their nodes and all together (None)."""

    def __init__(self, ends: list[int]) -> None:
        self._ends = ends
        self._nodes: list[int] = []  # of each row
        self._rows: dict[int | None, list[int]] = {None: []}

    def add(self, row: int, node: int) -> None:
        self._nodes.append(node)
        self._rows[None].append(row)
        self._rows.setdefault(node, []).append(row)

    def newest(
        self, node: int | None, row: int, now: int, fits: Callable[[int], bool] | None = None
    ) -> int:
        """The newest of the node that ends no earlier than `row`, or else the newest; -1 for none."""
        rows = self._rows.get(node, [])
        otherwise = -1
        closed = 0
        for candidate in reversed(rows):
            end = self._ends[candidate]
            if end < now:
                closed += 1
            elif fits is None or fits(self._nodes[candidate]):
                if end >= self._ends[row]:
                    otherwise = candidate
                    break
                if otherwise < 0:
                    otherwise = candidate
        if closed > 16:
            rows[:] = [candidate for candidate in rows if self._ends[candidate] >= now]
        return otherwise


def parents_among(parents: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The nearest ancestor of each row that is kept; -1 for none. kept: bool [n].

    Raises NestingError when the parents form a circle.
    """
    nearest = parents.copy()
    rows = np.flatnonzero((nearest >= 0) & ~kept[nearest])
    for _ in _doublings():
        if not len(rows):
            return nearest
        # Pointer doubling: what a row points to has moved up as many steps itself.
        nearest[rows] = nearest[nearest[rows]]
        rows = rows[(nearest[rows] >= 0) & ~kept[nearest[rows]]]
    raise NestingError("calls are their own ancestors, by their numbers")


def depths(parents: np.ndarray) -> np.ndarray:
    """Integers [n]: how many ancestors each row has.

    Raises NestingError when the parents form a circle.
    """
    result = (parents >= 0).astype(np.int32)
    above = parents.copy()
    rows = np.flatnonzero(above >= 0)
    for _ in _doublings():
        if not len(rows):
            return result
        higher = above[rows]
        result[rows] += result[higher]
        above[rows] = above[higher]
        rows = rows[above[rows] >= 0]
    raise NestingError("calls are their own ancestors, by their numbers")


def _doublings() -> range:
    """As many as lead past the end of every chain that has one."""
    return range(65)


def exclusive_ns(
    starts: np.ndarray, ends: np.ndarray, parents: np.ndarray, is_proper: bool = False
) -> np.ndarray:
    """int64 [n]: the part of each interval, sorted by start, that none of its children covers.

    is_proper: see `Nesting`.
    """
    exclusive = ends - starts
    if is_proper:
        for rows in blocks(len(parents)):
            inside = parents[rows] >= 0
            taken = (ends[rows] - starts[rows])[inside]
            np.subtract.at(exclusive, parents[rows][inside], taken)
        return exclusive
    children = np.flatnonzero(parents >= 0)
    children = children[np.argsort(parents[children], kind="stable")]
    owners = parents[children]
    begins = np.maximum(starts[children], starts[owners])
    stops = np.minimum(ends[children], ends[owners])
    overlap = np.flatnonzero((owners[1:] == owners[:-1]) & (begins[1:] < stops[:-1]))
    if len(overlap):
        _begin_after_those_before(begins, stops, owners, np.isin(owners, owners[overlap]))
    np.subtract.at(exclusive, owners, np.maximum(stops - begins, 0))
    return exclusive


def _begin_after_those_before(
    begins: np.ndarray, stops: np.ndarray, owners: np.ndarray, concerned: np.ndarray
) -> None:
    """Move the begins, so that what children of one owner share counts once."""
    rows = np.flatnonzero(concerned)
    moved = []
    owner_now, reach = None, 0
    columns = (column[rows].tolist() for column in (owners, begins, stops))
    for owner, begin, stop in zip(*columns):
        if owner != owner_now:
            owner_now, reach = owner, begin
        moved.append(max(begin, reach))
        reach = max(reach, stop)
    begins[rows] = moved


def covered_ns(
    starts: np.ndarray, durations: np.ndarray, threads: np.ndarray | None
) -> dict[int, int]:
    """Length of the union of intervals sorted by start, by thread (None: all are of 0)."""
    covered: dict[int, int] = {}
    reached: dict[int, int] = {}
    for rows in blocks(len(starts)):
        for thread in (0,) if threads is None else np.unique(threads[rows]).tolist():
            chosen = slice(None) if threads is None else threads[rows] == thread
            begin = starts[rows][chosen]
            end = begin + durations[rows][chosen]
            # The latest end up to each call, and up to the one before it.
            reach = np.maximum.accumulate(end)
            np.maximum(reach, reached.get(thread, INT64.min), out=reach)
            before = np.concatenate(([reached.get(thread, INT64.min)], reach[:-1]))
            new = int(np.maximum(end - np.maximum(begin, before), 0).sum())
            covered[thread] = covered.get(thread, 0) + new
            reached[thread] = int(reach[-1])
    return covered
