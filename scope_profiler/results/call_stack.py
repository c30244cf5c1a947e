"""The call stack: which call of which region is inside which, as columns and as dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .._base.arguments import finite, integer, several_of
from .._model.recorded import Recorded
from .call_rows import CallRows
from . import intervals
from .mpi_region import MPIRegion
from .rank_regions import NestedCalls, RankRegions

_NO_TRACKS = np.full(0, -1, np.int64)


class CallArrays(NamedTuple):
    """The calls of one rank in the order in which they began, a column for each thing known.

    The columns are integers [calls], times int64; a call's number is its row.

    names, source_files, source_lines: Of the regions, in the order that `region_index` refers to.
    region_index, call_index: The region that was called, and the number of the call in it.
    start_ns, end_ns, exclusive_ns: Its times; the last is the part that no call inside it covers.
    depth, parent: How many calls it is inside of, and the innermost of them, -1 for none.
    lane: What it is nested in: the number of its task, else -2 less that of its thread, else -1.
        Empty where neither threads nor tasks are known.
    """

    names: list[str]
    source_files: list[str | None]
    source_lines: list[int | None]
    region_index: np.ndarray
    call_index: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    depth: np.ndarray
    parent: np.ndarray
    exclusive_ns: np.ndarray
    lane: np.ndarray = _NO_TRACKS

    def __len__(self) -> int:
        """The number of calls."""
        return len(self.start_ns)


def build_call_arrays(regions: Iterable[MPIRegion], rank: int) -> CallArrays:
    """How the calls of `regions` on a rank lie within each other; see `CallArrays`.

    What was recorded here is as its tree says. Of other calls, one is inside another of the same
    thread and task that began no later and ends no earlier; calls that overlap in part are side by
    side. Where their recorder numbered the calls and their parents, that decides instead. Regions
    that the rank does not know are passed over.

    Raises EventDataUnavailableError when of a region that was called no call has its interval.
    Raises NestingError when a call ends before it starts, or when numbers of calls are given twice
    or make one its own ancestor.
    """
    regions = _on_rank(regions, rank)
    return _arrays(regions, rank, nested_calls(regions, rank))


def _arrays(regions: Sequence[MPIRegion], rank: int, calls: NestedCalls) -> CallArrays:
    return CallArrays(
        [region.name for region in regions],
        [region[rank].source_file for region in regions],
        [region[rank].source_lineno for region in regions],
        calls.region_index,
        calls.call_index,
        calls.start_ns,
        calls.end_ns,
        calls.depth,
        calls.parent,
        calls.exclusive_ns,
        _NO_TRACKS if calls.track is None else calls.track,
    )


def _on_rank(regions: Iterable[MPIRegion], rank: int) -> list[MPIRegion]:
    rank, regions = integer("rank", rank, minimum=0), several_of("regions", regions, MPIRegion)
    return [region for region in regions if rank in region]


def nested_calls(regions: Sequence[MPIRegion], rank: int) -> NestedCalls:
    """How the calls of those regions, all of which the rank knows, lie within each other: among all
    regions of one run, if they are of one, or else by themselves. Raises as `build_call_arrays`."""
    return _nesting(regions, rank)()


def _nesting(regions: Sequence[MPIRegion], rank: int) -> Callable[[], NestedCalls]:
    """What returns `nested_calls`. It raises here where it does: what the tree tells is looked at when
    it is first asked for, as that cannot be wrong."""
    for region in regions:
        region[rank].require_intervals(region.name)
    chosen = [region[rank] for region in regions]
    of_rank = {id(region.rank_regions): region.rank_regions for region in chosen}
    if len(of_rank) != 1:
        found = cache(lambda: RankRegions(chosen).nested_calls())
    else:
        [all_of_rank] = of_rank.values()
        found = cache(lambda: all_of_rank.nested_calls([region.index_in_rank for region in chosen]))
        if all_of_rank.is_recorded:
            return found
    found()
    return found


def _rows(
    regions: Sequence[MPIRegion], rank: int, nesting: Callable[[], NestedCalls],
    dicts: Callable[[slice], list[dict[str, Any]]],
) -> CallRows:
    number = sum(region[rank].num_events for region in regions)
    return CallRows(number, lambda: _arrays(regions, rank, nesting()), dicts)


def tree_of_calls(
    regions: Iterable[MPIRegion], rank: int
) -> tuple[Recorded, dict[str, np.ndarray]]:
    """The tree that the calls of a rank make by themselves, and by name of region the place of each of
    its calls in it. Raises as `build_call_arrays`."""
    regions = _on_rank(regions, rank)
    names = [region.name for region in regions]
    of_rank = [region[rank] for region in regions]
    tree, node_ids = intervals.tree_of_calls(names, of_rank, nested_calls(regions, rank))
    return tree, dict(zip(names, node_ids))


def build_call_graph(regions: Iterable[MPIRegion], rank: int) -> CallRows:
    """A dict for each call: call_id, parent_id, name, call_index, depth.

    Numbers are those recorded, or else rows of `build_call_arrays`; the parent
    of a root is None. Sorted by number. Raises as `build_call_arrays`.
    """
    regions = _on_rank(regions, rank)
    nesting = _nesting(regions, rank)
    names = [region.name for region in regions]

    @cache
    def in_order() -> np.ndarray | None:
        ids = nesting().call_id
        return None if ids is None else np.argsort(ids, kind="stable")

    def dicts(rows: slice) -> list[dict[str, Any]]:
        calls, order = nesting(), in_order()
        ids = calls.call_id
        chosen = rows if order is None else order[rows]
        numbers, parents = np.arange(rows.start, rows.stop), calls.parent[chosen]
        if ids is not None:
            numbers, parents = ids[chosen], np.where(parents >= 0, ids[parents], -1)
        columns = (
            numbers, parents, calls.region_index[chosen], calls.call_index[chosen],
            calls.depth[chosen],
        )
        return [
            {
                "call_id": call_id,
                "parent_id": None if parent < 0 else parent,
                "name": names[region],
                "call_index": index,
                "depth": depth,
            }
            for call_id, parent, region, index, depth in zip(
                *(column.tolist() for column in columns)
            )
        ]

    return _rows(regions, rank, nesting, dicts)


def build_call_stack(
    regions: Iterable[MPIRegion], rank: int, origin: float = 0.0
) -> CallRows:
    """A dict for each call, in the order in which they began, times in seconds.

    Its keys are ``call_id`` (its place in the list), ``name, call_index, start, end`` (`origin`
    subtracted), ``duration, inclusive_duration, exclusive_duration, depth, parent`` (a call_id or
    None), ``call_path`` (the names from the root on, joined by " > "), ``source_file,
    source_lineno, lane`` (see `CallArrays`; -1 where unknown) and ``color``.

    What is kept are columns, of which those of a recorded tree are made when first looked at; each dict
    is made when it is asked for. Raises as `build_call_arrays`.
    """
    regions, origin = _on_rank(regions, rank), finite("origin", origin)
    nesting = _nesting(regions, rank)
    names = [region.name for region in regions]
    places = [(region[rank].source_file, region[rank].source_lineno) for region in regions]
    paths: dict[tuple[Any, ...], str] = {}

    def path_of(call: int) -> str:
        calls, path = nesting(), []
        while call >= 0:
            path.append(int(calls.region_index[call]))
            call = int(calls.parent[call])
        # Equal paths share one str, as paths take most of the memory.
        key = tuple(path)
        known = paths.get(key)
        if known is None:
            known = paths[key] = " > ".join(names[region] for region in reversed(path))
        return known

    def dicts(rows: slice) -> list[dict[str, Any]]:
        calls = nesting()
        starts, ends = calls.start_ns[rows], calls.end_ns[rows]
        columns = (
            range(rows.start, rows.stop),
            calls.region_index[rows].tolist(),
            calls.call_index[rows].tolist(),
            (starts / 1e9 - origin).tolist(),
            (ends / 1e9 - origin).tolist(),
            ((ends - starts) / 1e9).tolist(),
            (calls.exclusive_ns[rows] / 1e9).tolist(),
            calls.depth[rows].tolist(),
            calls.parent[rows].tolist(),
            [-1] * len(starts) if calls.track is None else calls.track[rows].tolist(),
        )
        made: list[dict[str, Any]] = []
        for call, region, index, start, end, duration, exclusive, depth, parent, track in zip(
            *columns
        ):
            if parent < rows.start:
                path = path_of(call)
            else:
                above = made[parent - rows.start]["call_path"]
                key = above, region
                path = paths.get(key) or f"{above} > {names[region]}"
                paths[key] = path
            made.append({
                "call_id": call,
                "name": names[region],
                "call_index": index,
                "start": start,
                "end": end,
                "duration": duration,
                "inclusive_duration": duration,
                "exclusive_duration": exclusive,
                "depth": depth,
                "parent": None if parent < 0 else parent,
                "call_path": path,
                "source_file": places[region][0],
                "source_lineno": places[region][1],
                "lane": track,
                "color": regions[region].color,
            })
        return made

    return _rows(regions, rank, nesting, dicts)


def call_stack_roots(calls: Sequence[Mapping[str, Any]]) -> list[int]:
    """Which of the calls of a `build_call_stack` are inside no other."""
    return [index for index, parent in enumerate(_parents(calls)) if parent is None]


def call_stack_children(calls: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Of each call of a `build_call_stack`, which are directly inside it."""
    parents = _parents(calls)
    children: list[list[int]] = [[] for _ in parents]
    for index, parent in enumerate(parents):
        if parent is not None:
            children[parent].append(index)
    return children


def _parents(calls: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """The parent of each call: another call of the list, or None."""
    calls, parents = several_of("calls", calls, Mapping), []
    for index, call in enumerate(calls):
        parent = call.get("parent", -1)
        if parent is not None and parent not in range(len(calls)):
            raise ValueError(
                f"calls must be those of a build_call_stack(); the parent of number {index} is "
                f"{parent!r}"
            )
        parents.append(parent)
    return parents
