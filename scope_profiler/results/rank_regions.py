"""`RankRegions`: the regions of one rank, and what is only known of them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .._base.on_demand import OnDemand
from .._model.recorded import Recorded
from . import intervals, nesting
from .call_order import OrderedCalls, by_region, by_start, gathered
from .errors import EventDataUnavailableError, NestingError

if TYPE_CHECKING:
    from .region import Region


@dataclass(frozen=True)
class NestedCalls:
    """The calls of several regions of one rank, in the order in which they began.

    region_index, call_index, start_ns, end_ns, track: As `OrderedCalls`.
    parent, depth, is_proper: As `Nesting`.
    call_id: Integers [n]: the number that each was recorded with; None where that is its row.
    """

    region_index: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    track: np.ndarray | None
    parent: np.ndarray
    depth: np.ndarray
    is_proper: bool
    call_id: np.ndarray | None = None

    @cached_property
    def exclusive_ns(self) -> np.ndarray:
        """int64 [n]: the part of each call that no call inside it covers."""
        return nesting.exclusive_ns(self.start_ns, self.end_ns, self.parent, self.is_proper)


class RankRegions:
    """The regions of one rank, among which calls have their parents and children."""

    def __init__(
        self, regions: Iterable[Region], recorded: Callable[[], Recorded | None] = lambda: None
    ) -> None:
        """recorded: Gives the tree of the rank; None when unknown. Regions in `OnDemand` are detached."""
        self._regions: Sequence[Region] = (
            regions if isinstance(regions, OnDemand) else [region.detached() for region in regions])
        self._tree_of_rank = recorded

    def nested_calls(self, chosen: Iterable[int] | None = None) -> NestedCalls:
        """How the calls of the `chosen` regions, by their index (None: all), lie within each other.

        Parents are those that the recorder's tree says, or its numbers of calls,
        where all regions here have them: then a call of another region is passed over on the way to
        its own parent. Otherwise they follow from the intervals of the wanted calls alone.

        Raises NestingError when a call ends before it starts, or when numbers
        of calls are given twice or make one its own ancestor.
        """
        everything = list(range(len(self._regions)))
        chosen = everything if chosen is None else list(chosen)
        if self._whole is not None:
            return self._whole.among([self._taken(index) for index in chosen])
        if self.is_recorded:
            return self._by_tree(chosen, is_all=chosen == everything)
        if any(region.num_events for region in self._regions) and all(
            map(_is_numbered, self._regions)
        ):
            return _by_id(self._regions, chosen)
        return _by_interval([self._regions[index] for index in chosen])

    @cached_property
    def _recorded(self) -> Recorded | None:
        return self._tree_of_rank()

    @cached_property
    def _whole(self) -> RankRegions | None:
        """The regions from which the calls of all these were taken; None where that is not so."""
        # The first alone says so of most: the others need not be made for it.
        source = self._regions[0].taken_from if self._regions else None
        if source is None:
            return None
        sources = (region.taken_from for region in self._regions)
        return source[0] if all(one and one[0] is source[0] for one in sources) else None

    def _taken(self, index: int) -> tuple[int, np.ndarray | slice]:
        source = self._regions[index].taken_from
        assert source is not None
        return source[1:]

    def among(self, taken: Sequence[tuple[int, np.ndarray | slice]]) -> NestedCalls:
        """How some of the calls lie within each other, when the others are passed over.

        taken: Of each region its index here, and its calls: a slice, or a boolean for each.
        """
        calls = self.nested_calls()
        index = np.full(len(self._regions), -1, np.int32)
        kept = np.zeros(len(calls.start_ns), bool)
        number = np.empty(len(calls.start_ns), np.int32)
        first = np.cumsum([0, *(region.num_events for region in self._regions)])
        place = first[calls.region_index] + calls.call_index
        for at, (which, rows) in enumerate(taken):
            index[which] = at
            own = np.zeros(self._regions[which].num_events, bool)
            own[rows] = True
            kept[first[which] : first[which + 1]] = own
            number[first[which] : first[which + 1]] = np.cumsum(own) - 1
        kept, number = kept[place], number[place]
        ordered = OrderedCalls(
            calls.region_index, number, calls.start_ns, calls.end_ns, calls.track, None
        )
        return _kept(ordered, calls.parent, kept, index, calls.call_id)

    @cached_property
    def has_nodes(self) -> bool:
        """Whether the recorder's tree is known, in which calls may have their places."""
        return self._whole.has_nodes if self._whole is not None else self._recorded is not None

    @property
    def keeps_calls(self) -> bool:
        """Whether it is known of the rank that single calls were recorded, if not all are kept."""
        return self._recorded is not None and "dropped_events" in self._recorded.facts

    @cached_property
    def is_recorded(self) -> bool:
        """Whether the place of each call in the recorder's tree is known."""
        return self.has_nodes and all(
            region.has_column("node_ids") for region in self._regions if region.num_events
        )

    @cached_property
    def _tree(self) -> nesting.Tree:
        return nesting.Tree(() if self._recorded is None else self._recorded.nodes)

    def _by_tree(self, chosen: Sequence[int], is_all: bool) -> NestedCalls:
        calls = by_start(self._regions, self._tree.level)

        def search(starts: np.ndarray, ends: np.ndarray, nodes: np.ndarray) -> np.ndarray:
            return nesting.by_tree(starts, ends, nodes, self._tree)

        found = nesting.nest(
            calls.start_ns, calls.end_ns, calls.track, search, calls.node, self._tree
        )
        if is_all:
            return _nested(calls, found)
        return _only(calls, found.parent, chosen, len(self._regions))

    def exclusive_durations_ns(self, index: int) -> np.ndarray:
        """int64 [num_events]: those of the region with that index.

        Raises EventDataUnavailableError when intervals are missing, and
        NestingError when they are none.
        """
        if self._whole is not None:
            which, rows = self._taken(index)
            return self._whole.exclusive_durations_ns(which)[rows]
        if self._incomplete is not None:
            raise EventDataUnavailableError(
                "exclusive durations need the interval of every call of the rank; of one region, "
                f"{self._incomplete.num_events} of {self._incomplete.num_calls} calls have theirs"
            )
        return self._exclusive[index]

    def exclusive_total_ns(self, index: int) -> int | None:
        """The sum of these; None when they cannot be told."""
        try:
            return int(self.exclusive_durations_ns(index).sum())
        except (EventDataUnavailableError, NestingError):
            return None

    @cached_property
    def _incomplete(self) -> Region | None:
        """A region not every call of which has its interval."""
        regions = (region for region in self._regions if region.num_events != region.num_calls)
        return next(regions, None)

    @cached_property
    def _exclusive(self) -> list[np.ndarray]:
        calls = self.nested_calls()
        ends = np.cumsum([region.num_events for region in self._regions])
        first = np.array([0, *ends])
        values = np.empty(len(calls.start_ns), np.int64)
        values[first[calls.region_index] + calls.call_index] = calls.exclusive_ns
        values.flags.writeable = False
        return np.split(values, ends[:-1])


def _is_numbered(region: Region) -> bool:
    ids = region.call_ids
    return not region.num_events if ids is None else bool((ids >= 0).all())


def _by_interval(regions: Sequence[Region]) -> NestedCalls:
    calls = by_start(regions)
    return _nested(calls, nesting.nest(
        calls.start_ns, calls.end_ns, calls.track, intervals.parents_by_interval
    ))


def _by_id(everything: Sequence[Region], chosen: Sequence[int]) -> NestedCalls:
    """Those of all regions that are `chosen`, by their recorded numbers."""
    calls, ids = by_region(everything), gathered(everything, "call_ids")
    parents = intervals.parents_by_id(ids, gathered(everything, "parent_ids"))
    # A parent comes first also where it starts with its child.
    order = np.lexsort((nesting.depths(parents), calls.start_ns))
    calls, ids = calls.taken(order), ids[order]
    parents = _renumbered(parents[order], order, len(order))
    if (parents >= np.arange(len(parents))).any():
        raise NestingError("a call starts before its parent, by their numbers")
    return _only(calls, parents, chosen, len(everything), ids)


def _only(
    calls: OrderedCalls,
    parents: np.ndarray,
    chosen: Sequence[int],
    regions: int,
    ids: np.ndarray | None = None,
) -> NestedCalls:
    """The calls of the chosen regions, of `regions` in all."""
    index = np.full(regions, -1, np.int32)
    index[chosen] = np.arange(len(chosen))
    return _kept(calls, parents, index[calls.region_index] >= 0, index, ids)


def _kept(
    calls: OrderedCalls,
    parents: np.ndarray,
    kept: np.ndarray,
    index: np.ndarray,
    ids: np.ndarray | None = None,
) -> NestedCalls:
    """The calls that are kept, a boolean for each; `index` is the new number of each region."""
    parents = nesting.parents_among(parents, kept)[kept]
    calls = calls.taken(kept)._replace(region_index=index[calls.region_index[kept]])
    parents = _renumbered(parents, np.flatnonzero(kept), len(kept))
    found = nesting.Nesting(parents, nesting.depths(parents), False)
    return _nested(calls, found, None if ids is None else ids[kept])


def _renumbered(parents: np.ndarray, taken: np.ndarray, length: int) -> np.ndarray:
    """`parents`, rows of `length` columns, as rows of those columns once rows are `taken`."""
    rows = np.full(length, -1)
    rows[taken] = np.arange(len(taken))
    return np.where(parents >= 0, rows[parents], -1)


def _nested(
    calls: OrderedCalls, found: nesting.Nesting, ids: np.ndarray | None = None
) -> NestedCalls:
    return NestedCalls(*calls[:-1], *found, ids)
