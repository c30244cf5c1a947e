"""The call stack: which call of which region is inside which, as columns and as dicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .._base.arguments import finite, integer, several_of
from .mpi_region import MPIRegion
from .surroundings import Nest, Surroundings

_NO_LANES = np.full(0, -1, np.int64)


class CallArrays(NamedTuple):
    """The calls of one rank in the order in which they began, a column for each thing known.

    The columns are int64 [calls]; a call's number is its row.

    Attributes
    ----------
    names, source_files, source_lines
        Of the regions, in the order that `region_index` refers to.
    region_index, call_index
        The region that was called, and the number of the call in it.
    start_ns, end_ns, exclusive_ns
        Its times; the last is the part that no call inside it covers.
    depth, parent
        How many calls it is inside of, and the innermost of them, -1 for none.
    lane
        What it is nested in: the number of its task, else -2 less that of its
        thread, else -1. Empty where neither threads nor tasks are known.
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
    lane: np.ndarray = _NO_LANES

    def __len__(self) -> int:
        """The number of calls."""
        return len(self.start_ns)


def build_call_arrays(regions: Iterable[MPIRegion], rank: int) -> CallArrays:
    """How the calls of `regions` on a rank lie within each other; see `CallArrays`.

    A call is inside another of the same thread and task that began no later
    and ends no earlier; calls that overlap in part are side by side. Where the
    recorder numbered the calls and their parents, that decides instead.
    Regions that the rank does not know are passed over.

    Raises
    ------
    EventDataUnavailableError
        When of a region that was called no call has its interval.
    NestingError
        When a call ends before it starts, or when numbers of calls are given
        twice or make one its own ancestor.
    """
    regions = _on_rank(regions, rank)
    nest = _nest(regions, rank)
    return CallArrays(
        [region.name for region in regions],
        [region[rank].source_file for region in regions],
        [region[rank].source_lineno for region in regions],
        nest.region_index,
        nest.call_index,
        nest.start_ns,
        nest.end_ns,
        nest.depth,
        nest.parent,
        nest.exclusive_ns,
        _NO_LANES if nest.lane is None else nest.lane,
    )


def _on_rank(regions: Iterable[MPIRegion], rank: int) -> list[MPIRegion]:
    rank, regions = integer("rank", rank, minimum=0), several_of("regions", regions, MPIRegion)
    return [region for region in regions if rank in region]


def _nest(regions: Sequence[MPIRegion], rank: int) -> Nest:
    """The nest of those regions, in the company that they are all in, or else by themselves."""
    for region in regions:
        region[rank].require_intervals(region.name)
    chosen = [region[rank] for region in regions]
    around = {id(region.surroundings): region.surroundings for region in chosen}
    if len(around) == 1:
        return around.popitem()[1].nest([region.place for region in chosen])
    return Surroundings(chosen).nest()


def build_call_graph(regions: Iterable[MPIRegion], rank: int) -> list[dict[str, Any]]:
    """A dict for each call: call_id, parent_id, name, call_index, depth.

    Numbers are those recorded, or else rows of `build_call_arrays`; the parent
    of a root is None. Sorted by number. Raises as `build_call_arrays`.
    """
    regions = _on_rank(regions, rank)
    nest = _nest(regions, rank)
    if not len(nest.call_id):
        return []
    order = np.argsort(nest.call_id, kind="stable")
    parents = np.where(nest.parent >= 0, nest.call_id[nest.parent], -1)
    columns = (nest.call_id, parents, nest.region_index, nest.call_index, nest.depth)
    return [
        {
            "call_id": call_id,
            "parent_id": None if parent < 0 else parent,
            "name": regions[region].name,
            "call_index": index,
            "depth": depth,
        }
        for call_id, parent, region, index, depth in zip(
            *(column[order].tolist() for column in columns)
        )
    ]


def build_call_stack(
    regions: Iterable[MPIRegion], rank: int, origin: float = 0.0
) -> list[dict[str, Any]]:
    """A dict for each call, in the order in which they began, times in seconds.

    Its keys are ``call_id`` (its place in the list), ``name, call_index,
    start, end`` (`origin` subtracted), ``duration, inclusive_duration,
    exclusive_duration, depth, parent`` (a call_id or None), ``call_path``
    (the names from the root on, joined by " > "), ``source_file,
    source_lineno, lane`` (see `CallArrays`; -1 where unknown) and ``color``.

    Raises as `build_call_arrays`, which is for large runs.
    """
    regions, origin = _on_rank(regions, rank), finite("origin", origin)
    nest = _nest(regions, rank)
    places = [(region[rank].source_file, region[rank].source_lineno) for region in regions]
    columns = (
        nest.region_index,
        nest.call_index,
        nest.start_ns / 1e9 - origin,
        nest.end_ns / 1e9 - origin,
        (nest.end_ns - nest.start_ns) / 1e9,
        nest.exclusive_ns / 1e9,
        nest.depth,
        nest.parent,
        np.full(len(nest.start_ns), -1) if nest.lane is None else nest.lane,
    )
    calls: list[dict[str, Any]] = []
    paths: dict[tuple[str, str], str] = {}
    for region, index, start, end, duration, exclusive, depth, parent, lane in zip(
        *(column.tolist() for column in columns)
    ):
        name = regions[region].name
        path = name
        if parent >= 0:
            # Equal paths are one str: they are the largest part of it all.
            above = calls[parent]["call_path"]
            path = paths.get((above, name)) or f"{above} > {name}"
            paths[above, name] = path
        calls.append({
            "call_id": len(calls),
            "name": name,
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
            "lane": lane,
            "color": regions[region].color,
        })
    return calls


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
