"""`ProfilingResults`: the regions of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .._base import above
from .._base.arguments import boolean, integer, mapping, mapping_or_none, name_filter
from .._model.recorded import Recorded
from .checks import plain_value, rows_of
from .exporting import Exporting
from .function_tables import FunctionTables
from .line_entries import normal_entry
from .columns import INT64, pieces
from .mpi_region import MPIRegion
from .counter_selections import Counters
from .no_counters import NoCounters
from .region import Region
from .rank_regions import RankRegions
from .threads import TaskInfo, ThreadInfo, normal_rows
from .scalars import known_or
from .selected_trees import SelectedTrees
from .selections import RunSelections
from .stored_regions import StoredRegions
from .window import window


class ProfilingResults(RunSelections, FunctionTables, Exporting, Counters, NoCounters):
    """The regions of a run, by name; iterating yields `MPIRegion`.

    regions: `MPIRegion` by name.
    metadata: Facts about the run. Kept are str, int, float, bool and lists of str; an entry that is
        None is dropped, any other value kept as its JSON text, so that every file format can carry
        it.
    num_ranks: How many ranks took part; None to take it from the metadata and regions.
    likwid, perf_events: None: hardware counters are not among what this version keeps.
    line_profile: By rank, a list of functions, each a dict of ``region, filename, function`` (str),
        ``first_lineno`` (int), ``line_numbers, hits`` (int64 [lines]), ``times`` (float64 [lines]),
        ``unit`` (float, seconds per time), where it was measured ``waiting_ns`` and further columns
        (float64 [lines], see `CountedLine`), ``sketches`` of lines with details (float64 [n, 4]: line, ns
        for a unit of the buckets, bucket, hits), and possibly further str, int and float entries.
    file_path: The file that the results are in; empty or None when in memory only.
    is_root: False for what a rank holds whose results another rank gathered.
    exclusive_totals: Exclusive time in ns, by region and rank, in place of what the regions
        themselves say.
    event_data_available: False when the calls' intervals were left behind, so that none are found
        missing.
    threads, tasks: By rank, the `ThreadInfo` and the `TaskInfo` that the regions' ``thread_ids``
        and ``task_ids`` speak of.
    recorded: By rank, what the recorder itself knows; see `Recorded`. None when it is unknown.

    Raises TypeError or ValueError naming the argument, what it got and what it takes.
    """

    def __init__(
        self,
        regions: Mapping[str, MPIRegion],
        metadata: Mapping[str, Any] | None = None,
        num_ranks: int | None = None,
        likwid: None = None,
        perf_events: None = None,
        line_profile: Mapping[int, Iterable[Mapping[str, Any]]] | None = None,
        file_path: str | os.PathLike[str] | None = "",
        is_root: bool = True,
        exclusive_totals: Mapping[str, Mapping[int, int]] | None = None,
        event_data_available: bool = True,
        threads: Mapping[int, Iterable[ThreadInfo]] | None = None,
        tasks: Mapping[int, Iterable[TaskInfo]] | None = None,
        recorded: Mapping[int, Recorded] | None = None,
    ) -> None:
        stored = isinstance(regions, StoredRegions)
        for name, region in () if stored else mapping("regions", regions).items():
            if not isinstance(region, MPIRegion) or region.name != name:
                raise TypeError(
                    f"regions must map names to the MPIRegion of that name; {name!r} has {region!r}"
                )
        totals = mapping_or_none("exclusive_totals", exclusive_totals)
        for name, by_rank in totals.items():
            mapping(f"exclusive_totals[{name!r}]", by_rank)
        self._metadata = {
            str(key): plain_value(value)
            for key, value in mapping_or_none("metadata", metadata).items()
            if value is not None
        }
        self._line_profile = {
            rank: [normal_entry(entry) for entry in entries]
            for rank, entries in rows_of("line_profile", line_profile).items()
        }
        if file_path is not None and not isinstance(file_path, (str, os.PathLike)):
            raise TypeError(f"file_path must be a path or None; got {file_path!r}")
        self._file_path = Path(file_path) if file_path else None
        self._num_ranks = None if num_ranks is None else integer("num_ranks", num_ranks, minimum=0)
        for name, counters in (("likwid", likwid), ("perf_events", perf_events)):
            if not (counters is None or isinstance(counters, Mapping) and not counters):
                raise ValueError(
                    f"{name} must be None, as this version keeps no hardware counters; "
                    f"got {counters!r}"
                )
        self._is_root = boolean("is_root", is_root)
        self._event_data_available = boolean("event_data_available", event_data_available)
        self._threads = normal_rows("threads", threads, ThreadInfo)
        self._tasks = normal_rows("tasks", tasks, TaskInfo)
        self._recorded = mapping_or_none("recorded", recorded)
        if not isinstance(recorded, SelectedTrees):
            self._recorded = dict(self._recorded)
            for rank, of_rank in self._recorded.items():
                if not isinstance(of_rank, Recorded):
                    raise TypeError(
                        f"recorded must map ranks to Recorded; rank {rank!r} has {of_rank!r}"
                    )
        self._regions = regions if stored else _attached(regions, totals, self._recorded)

    @classmethod
    def from_h5(cls, file_path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
        """The results in a file; see `scope_profiler.io.load`."""
        return above.get("load")(file_path, verbose)

    def to_parquet(self, path: str | os.PathLike[str], **settings: Any) -> Path:
        """Write the results as Parquet, a folder with a file for each rank; return its path.

        settings: Those of `scope_profiler.io.write_parquet`, which raises what this raises.
        """
        return above.get("write_parquet")(self, path, **settings)

    # -- the regions ---------------------------------------------------------

    @property
    def region_names(self) -> list[str]:
        """The names of the regions, in the order in which they were made."""
        return list(self._regions)

    def get_region(self, region_name: str) -> MPIRegion:
        """The region of that name.

        Raises KeyError, naming close names, when there is none.
        """
        try:
            return self._regions[region_name]
        except (KeyError, TypeError):  # TypeError: it cannot be a key
            raise KeyError(self._no_region(region_name)) from None

    def _no_region(self, region_name: object) -> str:
        message = f"no region named {region_name!r}"
        if self._file_path is not None:
            message += f" in {self._file_path}"
        from difflib import get_close_matches

        close = get_close_matches(str(region_name), self._regions, n=5, cutoff=0.5)
        if close:
            return f"{message}; did you mean {', '.join(map(repr, close))}?"
        if not self._regions:
            return f"{message}; there are no regions"
        names = [repr(name) for name in self._regions]
        more = f" and {len(names) - 20} more" if len(names) > 20 else ""
        return f"{message}; there are {', '.join(names[:20])}{more}"

    def get_regions(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> list[MPIRegion]:
        """The regions whose name matches, sorted by their first start.

        `include` and `exclude` are regular expressions, one or several, that
        match at the beginning of a name. Regions of unknown start come last.

        Raises ValueError when one is not a regular expression.
        """
        wanted = name_filter(include, exclude)
        chosen = [region for name, region in zip(self._regions, self._regions.values()) if wanted(name)]
        last = INT64.max
        return sorted(chosen, key=lambda region: known_or(region.first_start_time_ns, last))

    def __getitem__(self, region_name: str) -> MPIRegion:
        return self.get_region(region_name)

    def __contains__(self, region_name: object) -> bool:
        return region_name in self._regions

    def __iter__(self) -> Iterator[MPIRegion]:
        return iter(self._regions.values())

    def __len__(self) -> int:
        return len(self._regions)

    def __sub__(self, earlier: ProfilingResults) -> ProfilingResults:
        """What came to the run between two results of it: `later - earlier`, both of `snapshot()`,
        `finalize()` or a file.

        It has the calls that ended in that time, each with its whole time, and of regions, nodes of the
        tree, lines and memory what came to them. Percentiles are within 0.8 %, minimum and maximum
        bounds within 1.6 %; where a number of the time between is not known, as the 99th percentile of
        a line, it is None. Intervals are those that the later results have, and none where the
        earlier are without.

        Raises ValueError when these are not two results of one run, the later one first, or when one
        has no tree.
        """
        if not isinstance(earlier, ProfilingResults):
            return NotImplemented
        return ProfilingResults(**window(self, earlier))

    # -- the run ---------------------------------------------------------------

    @property
    def num_ranks(self) -> int:
        """How many ranks took part."""
        if self._num_ranks is not None:
            return self._num_ranks
        ranks = set(self._line_profile)
        for region in self:
            ranks.update(region._regions)
        return max(len(ranks), self._metadata_int("mpi_size") or 0)

    @property
    def has_event_data(self) -> bool:
        """Whether every region has intervals to look at."""
        return self._event_data_available and all(region.has_event_data for region in self)

    @property
    def dropped(self) -> dict[str, int]:
        """How many calls have no interval, by region, of those that are counted without
        (`MPIRegion.dropped_events`): the bounds of the run left no room for them, or the region keeps
        few. Statistics are of all calls. Empty where that is unknown, as of a summary."""
        if not self._event_data_available:
            return {}
        return {region.name: dropped for region in self if (dropped := region.dropped_events)}

    @property
    def throttled_calls(self) -> dict[str, int]:
        """How many calls were counted and not timed, by region, of those that `setup(throttle_calls=)` has
        throttled: they are not among `num_calls`, and their time is in the own time of what called them."""
        return {region.name: calls for region in self if (calls := region.throttled_calls)}

    @property
    def is_root(self) -> bool:
        """Whether this is the run, and not what is left on a rank that another one gathered."""
        return self._is_root

    @property
    def threads(self) -> dict[int, list[ThreadInfo]]:
        """The threads that recorded calls, by rank; empty where that is unknown."""
        return self._threads

    @property
    def tasks(self) -> dict[int, list[TaskInfo]]:
        """The tasks that recorded calls, by rank; empty where that is unknown."""
        return self._tasks

    @property
    def recorded(self) -> Mapping[int, Recorded]:
        """The tree of calls as it was recorded, by rank; empty where that is unknown."""
        return self._recorded

    @property
    def line_profile(self) -> dict[int, list[dict[str, Any]]]:
        """Lines by rank, as described for the constructor; empty when not in line mode."""
        return self._line_profile

    # -- printed -----------------------------------------------------------------

    def print_summary(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        sort: str = "total",
        title: str | None = None,
        stream: TextIO | None = None,
        suppress_notes: bool = False,
        columns: str | Iterable[str] | None = None,
        percentage_mode: str = "coverage",
        whole: bool = False,
        lines: bool = True,
    ) -> None:
        """Print the regions as a tree, or as a list where it is not known which are inside which.

        It is the table that finalize() prints. On a terminal it is as wide as that.

        Nothing is printed where not `is_root`.

        include, exclude: Regular expressions that choose regions, as in `get_regions`.
        ranks: One or several ranks; None for all.
        sort: By what those below the same parent are sorted: "start" (the first comes first),
            "name", or, the largest first, "calls, errors, total, own, running, waiting, net, avg,
            min, max, first, last, std, p50, p90, p95, p99, p999, imbalance".
        title: What heads the table; None for `default_title`.
        stream: Where it goes; None for sys.stdout.
        suppress_notes: Whether to leave out the lines below it that say what it does not show.
        columns: One or several of "region" (or "name"), "ranks", "percent" (of the run; with
            several ranks of the time of all together), "parent_percent", "gpu_total", "gpu_avg"
            (which are always unknown) and what there is to sort by but the start. None for those
            that finalize() prints, as many as there is room for.
        percentage_mode: What "percent" is of: "coverage", all time in the region, or "exclusive",
            that outside of the regions below it.
        whole: Of more than 60 rows show also those that took least.
        lines: Whether to print the tables of lines too, where these regions have any.

        Raises ValueError when one is not among the choices, naming these.
        """
        if self._is_root:
            above.get("print_results")(
                self,
                include,
                exclude,
                ranks,
                sort=sort,
                title=title,
                stream=stream,
                suppress_notes=suppress_notes,
                columns=columns,
                percentage_mode=percentage_mode,
                whole=whole,
                lines=lines,
            )

    def __repr__(self) -> str:
        size = f"{len(self)} region(s), {self.num_ranks} rank(s)"
        return f"<ProfilingResults {self.display_label!r}: {size}>"


def _attached(
    regions: Mapping[str, MPIRegion],
    totals: Mapping[str, Mapping[int, int]],
    recorded: Mapping[int, Recorded],
) -> dict[str, MPIRegion]:
    """The regions as copies that know the others of their rank; other results may hold the same."""
    ranks: dict[int, list[Region]] = {}
    indices = []
    for region in regions.values():
        indices.append({rank: len(ranks.setdefault(rank, [])) for rank in region})
        for rank in region:
            ranks[rank].append(region[rank])
            if rank in recorded and not isinstance(recorded, SelectedTrees):
                _check_nodes(region.name, region[rank], recorded[rank])
    together = {
        rank: RankRegions(of_rank, partial(recorded.get, rank)) for rank, of_rank in ranks.items()
    }
    return {
        name: region.attached(
            {rank: (together[rank], index) for rank, index in of_region.items()},
            totals.get(name, {}),
        )
        for (name, region), of_region in zip(regions.items(), indices)
    }


def _check_nodes(name: str, region: Region, recorded: Recorded) -> None:
    """Raises ValueError where the calls of a region are at nodes of the tree that are not its."""
    if region.has_places_in(recorded) or region.node_ids is None:
        return
    nodes = sorted(set().union(*(np.unique(piece).tolist() for piece, in pieces(region.node_ids))))
    if nodes and (nodes[0] < 0 or nodes[-1] >= len(recorded.nodes)):
        raise ValueError(
            f"node_ids of region {name!r} must be places in the tree of its rank, which has "
            f"{len(recorded.nodes)}; got {nodes[0]} to {nodes[-1]}"
        )
    for node in nodes:
        if recorded.nodes[node].name != name:
            raise ValueError(
                f"node_ids of region {name!r} has {node}, a place of {recorded.nodes[node].name!r}"
            )
