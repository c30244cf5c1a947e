"""`RunSelections`: some of the calls of a run, as results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from .._base.arguments import finite, integer, one_or_several, rank_set
from .._model.recorded import Recorded
from .metadata_groups import later_than, metadata_keys
from .mpi_region import MPIRegion
from .region import Region
from .run_facts import SELECTION
from .run_tables import RunTables
from .selected_trees import SelectedTree, SelectedTrees

if TYPE_CHECKING:
    from pathlib import Path

class RunSelections(RunTables):
    """What `ProfilingResults` has to choose among its calls.

    Each gives results of the calls that are chosen: tables, statistics and exports say what these
    came to, and percentiles are theirs. Columns are taken from the whole ones when they are asked
    for. Exclusive times stay as they were, also where calls inside are left out. What is not known
    of single calls is None: errors, where the region had any, and what measuring took; so is the
    line profile empty. Selections can be made of selections.
    """

    _recorded: Mapping[int, Recorded]
    _line_profile: dict[int, list[dict[str, Any]]]

    if TYPE_CHECKING:  # what ProfilingResults adds
        _file_path: Path | None
        _num_ranks: int | None

        @property
        def is_root(self) -> bool: ...
        def __iter__(self) -> Iterator[MPIRegion]: ...

    def between(
        self, begin: float | None = None, end: float | None = None, *, relative: bool = True
    ) -> Self:
        """The calls that began at `begin` or later, and before `end`.

        So of several windows side by side each call is in one.

        begin, end: Seconds; None for the first and the last call.
        relative: Whether they count from `time_origin`, as in `events`; else they are on the axis of
            ``time.perf_counter()``.

        Raises EventDataUnavailableError when of a region only aggregates were kept.
        Raises TypeError or ValueError when one is no finite number.
        """
        zero = round(self._zero(relative, None) * 1e9)
        low, high = (
            None if value is None else zero + round(finite(name, value) * 1e9)
            for name, value in (("begin", begin), ("end", end))
        )

        def rows(rank: int, region: Region) -> slice:
            starts = region.start_times_ns
            first = 0 if low is None else int(np.searchsorted(starts, low))
            stop = len(starts) if high is None else int(np.searchsorted(starts, high))
            return slice(first, max(first, stop))

        def wall(rank: int, recorded: Recorded) -> int:
            begun = self._metadata_int("start_time_ns")
            if begun is None:
                return recorded.wall_ns
            ended = begun + recorded.wall_ns
            first = begun if low is None else max(low, begun)
            return max(0, (ended if high is None else min(high, ended)) - first)

        what = " ".join(
            f"{word} {value:g} s" for word, value in (("from", begin), ("to", end))
            if value is not None
        )
        return self._selected("between", what or "all calls", rows, wall)

    def where(self, **metadata: Any) -> Self:
        """The calls for which all these values were noted by `metadata(...)`, each equal to its own.

        Raises EventDataUnavailableError when of a region only aggregates were kept.
        """

        def rows(rank: int, region: Region) -> np.ndarray:
            return region.event_metadata.matching(metadata)

        what = ", ".join(f"{name}={value!r}" for name, value in metadata.items())
        return self._selected("where", f"where {what}" if what else "all calls", rows)

    def skip_first(self, count: int, key: str | None = None) -> Self:
        """Without warm-up: all but the first `count` calls of each region on each rank.

        key: Leave out the calls of the first `count` values that `metadata(...)` has under it, in whichever
            region: `skip_first(3, "step")`. Calls for which nothing was noted under it stay.

        Raises KeyError when nothing was noted under it for any call.
        Raises EventDataUnavailableError when of a region only aggregates were kept.
        Raises TypeError or ValueError when `count` is no int of at least 0.
        """
        count = integer("count", count, 0)
        if key is None:
            return self._selected(
                "skip_first", f"without the first {count} of each region",
                lambda rank, region: slice(min(count, region.num_events), None))
        self._require_event_data("skip_first")
        if not any(key in metadata_keys(region) for region in self):
            raise KeyError(f"no call has metadata {key!r}")
        ranks: dict[int, list[Region]] = {}
        for each in self:
            for rank in each:
                ranks.setdefault(rank, []).append(each[rank])
        kept = {
            id(region): rows for regions in ranks.values()
            for region, rows in zip(regions, later_than(regions, key, count))
        }
        return self._selected("skip_first", f"without the first {count} of {key}",
                              lambda rank, region: kept[id(region)])

    def for_thread(self, thread_index: int | Iterable[int]) -> Self:
        """The calls that one or several threads made, by their `ThreadInfo.index`; of every rank.

        Raises EventDataUnavailableError when of a region only aggregates were kept, ValueError when
        the thread of each call is not known.
        """
        wanted = [integer("thread_index", one, 0) for one in one_or_several(thread_index)]
        numbers = ", ".join(map(str, wanted))
        selected = self._selected(
            "for_thread", f"thread {numbers}", lambda rank, region: region.made_by(wanted)
        )
        selected._threads = {
            rank: kept for rank, threads in self._threads.items()
            if (kept := [thread for thread in threads if thread.index in wanted])
        }
        return selected

    def for_rank(self, rank: int | Iterable[int]) -> Self:
        """What one or several ranks did: their regions, also those without single calls, and lines."""
        ranks = rank_set(rank) or set()

        def kept(by_rank: Mapping[int, Any]) -> dict[int, Any]:
            return {rank: value for rank, value in by_rank.items() if rank in ranks}

        regions = {
            region.name: MPIRegion(region.name, kept(region.regions))
            for region in self if not ranks.isdisjoint(region.ranks)
        }
        return self._with(
            regions, "rank " + ", ".join(map(str, sorted(ranks))), kept(self._recorded),
            line_profile=kept(self._line_profile), threads=kept(self._threads),
            tasks=kept(self._tasks),
        )

    def _selected(
        self,
        method: str,
        what: str,
        rows: Callable[[int, Region], np.ndarray | slice],
        wall: Callable[[int, Recorded], int] = lambda rank, recorded: recorded.wall_ns,
    ) -> Self:
        """The calls of each region that `rows` gives."""
        self._require_event_data(method)
        missing = sum(region.num_calls - region.num_events for region in self)
        if missing:
            what += f" ({missing} calls without start and end are left out)"
        trees: dict[int, SelectedTree] = {}
        chosen: dict[str, dict[int, Region]] = {}
        for region in self:
            of_region: dict[int, Region] = {}
            for rank in region:
                region[rank].require_intervals(region.name)
                calls = region[rank].taken(rows(rank, region[rank]))
                if not calls.num_events:
                    continue
                if region[rank].has_column("node_ids"):
                    if rank not in trees:
                        whole = self._recorded[rank]
                        trees[rank] = SelectedTree(whole, wall(rank, whole))
                    calls = trees[rank].add(calls)
                of_region[rank] = calls
            if of_region:
                chosen[region.name] = of_region
        regions = {name: MPIRegion(name, by_rank) for name, by_rank in chosen.items()}
        known = {rank: tree for rank, tree in trees.items() if all(
            by_rank[rank].has_column("node_ids") for by_rank in chosen.values() if rank in by_rank
        )}
        return self._with(
            regions, what, SelectedTrees(known), threads=self._threads, tasks=self._tasks
        )

    def _with(
        self, regions: dict[str, MPIRegion], what: str, recorded: Mapping[int, Recorded], **more: Any
    ) -> Self:
        metadata = {**self._metadata, SELECTION: [*self._metadata.get(SELECTION, ()), what]}
        kind: Any = type(self)
        return kind(
            regions, metadata, self._num_ranks, file_path=self._file_path,
            is_root=self.is_root, recorded=recorded, **more,
        )
