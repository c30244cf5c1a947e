"""`ProfilingResults`: the regions of a run."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from .checks import compiled, integer, normal_lines, plain_value, rank_set
from .columns import INT64
from .mpi_region import MPIRegion
from .threads import TaskInfo, ThreadInfo, normal_rows
from .scalars import known_or, known_values, percentile_scalars

#: The percentiles that a summary also has by their short names.
_SHORT = ("p50", "p95", "p99")


class ProfilingResults:
    """The regions of a run, by name; iterating yields `MPIRegion`.

    Parameters
    ----------
    regions
        `MPIRegion` by name.
    metadata
        Facts about the run. Kept are str, int, float, bool and lists of str;
        an entry that is None is dropped, any other value kept as its JSON
        text, so that every file format can carry it.
    num_ranks
        How many ranks took part; None to take it from the metadata and regions.
    likwid, perf_events
        None: hardware counters are not among what this version keeps.
    line_profile
        By rank, a list of functions, each a dict of ``region, filename,
        function`` (str), ``first_lineno`` (int), ``line_numbers, hits``
        (int64 [lines]), ``times`` (float64 [lines]), ``unit`` (float,
        seconds per time) and possibly further str, int and float entries.
    file_path
        The file that the results are in; empty or None when in memory only.
    is_root
        False for what a rank holds whose results another rank gathered.
    exclusive_totals
        Exclusive time in ns, by region and rank, in place of what the regions
        themselves say.
    event_data_available
        False when the calls' intervals were left behind, so that none are found missing.
    threads, tasks
        By rank, the `ThreadInfo` and the `TaskInfo` that the regions'
        ``thread_ids`` and ``task_ids`` speak of.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what it got and what it takes.
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
    ) -> None:
        for name, region in regions.items():
            if not isinstance(region, MPIRegion) or region.name != name:
                raise TypeError(
                    f"regions must map names to the MPIRegion of that name; {name!r} has {region!r}"
                )
        self._regions = self._with_totals(regions, exclusive_totals or {})
        self._metadata = {
            str(key): plain_value(value)
            for key, value in (metadata or {}).items()
            if value is not None
        }
        self._line_profile = {
            integer("line_profile", rank, minimum=0): [normal_lines(entry) for entry in entries]
            for rank, entries in (line_profile or {}).items()
        }
        self._file_path = Path(file_path) if file_path else None
        self._num_ranks = None if num_ranks is None else integer("num_ranks", num_ranks, minimum=0)
        for name, counters in (("likwid", likwid), ("perf_events", perf_events)):
            if counters:
                raise ValueError(
                    f"{name} must be None, as this version keeps no hardware counters; "
                    f"got {counters!r}"
                )
        self._is_root = bool(is_root)
        self._event_data_available = bool(event_data_available)
        self._threads = normal_rows("threads", threads, ThreadInfo)
        self._tasks = normal_rows("tasks", tasks, TaskInfo)

    @staticmethod
    def _with_totals(
        regions: Mapping[str, MPIRegion], totals: Mapping[str, Mapping[int, int]]
    ) -> dict[str, MPIRegion]:
        return {
            name: region.with_exclusive_totals(totals[name]) if name in totals else region
            for name, region in regions.items()
        }

    @classmethod
    def from_h5(cls, path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
        """The results in `path`; see `scope_profiler.io.load`."""
        from ..io import load

        return load(path, verbose)

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
        except KeyError:
            raise KeyError(self._no_region(region_name)) from None

    def _no_region(self, region_name: object) -> str:
        message = f"no region named {region_name!r}"
        if self._file_path is not None:
            message += f" in {self._file_path}"
        close = difflib.get_close_matches(str(region_name), self._regions, n=5, cutoff=0.5)
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
        included = compiled("include", include)
        excluded = compiled("exclude", exclude)
        chosen = [
            region
            for name, region in self._regions.items()
            if (included is None or any(pattern.match(name) for pattern in included))
            and not any(pattern.match(name) for pattern in excluded or ())
        ]
        return sorted(chosen, key=lambda region: known_or(region.first_start_time_ns, INT64.max))

    def __getitem__(self, region_name: str) -> MPIRegion:
        return self.get_region(region_name)

    def __contains__(self, region_name: object) -> bool:
        return region_name in self._regions

    def __iter__(self) -> Iterator[MPIRegion]:
        return iter(self._regions.values())

    def __len__(self) -> int:
        return len(self._regions)

    # -- the run -------------------------------------------------------------

    @property
    def file_path(self) -> Path | None:
        """The file that the results are in; None when in memory only."""
        return self._file_path

    @property
    def metadata(self) -> dict[str, Any]:
        """Facts about the run (a copy)."""
        return dict(self._metadata)

    @property
    def label(self) -> str | None:
        """The name that the run was given, or None. May be set."""
        return self._metadata.get("label")

    @label.setter
    def label(self, label: str | None) -> None:
        if label is not None and not isinstance(label, str):
            raise TypeError(f"label must be a str or None; got {label!r}")
        if label is None:
            self._metadata.pop("label", None)
        else:
            self._metadata["label"] = label

    @property
    def display_label(self) -> str:
        """The label, or else the name of the file, or else nothing."""
        return self.label or (self._file_path.stem if self._file_path else "")

    @property
    def num_ranks(self) -> int:
        """How many ranks took part."""
        if self._num_ranks is not None:
            return self._num_ranks
        ranks = set(self._line_profile).union(*(region.ranks for region in self))
        return max(len(ranks), self._metadata_int("mpi_size") or 0)

    @property
    def num_nodes(self) -> int | None:
        """How many machines took part; None when unknown."""
        return self._metadata_int("num_nodes")

    @property
    def has_event_data(self) -> bool:
        """Whether every region has intervals to look at."""
        return self._event_data_available and all(region.has_event_data for region in self)

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
    def line_profile(self) -> dict[int, list[dict[str, Any]]]:
        """Lines by rank, as described for the constructor; empty when not in line mode."""
        return self._line_profile

    def _metadata_int(self, key: str) -> int | None:
        value = self._metadata.get(key)
        return value if isinstance(value, int) else None

    def _metadata_seconds(self, key: str) -> float | None:
        value = self._metadata_int(key)
        return None if value is None else value / 1e9

    # -- its times, in seconds -------------------------------------------------

    @property
    def minimum_start_time(self) -> float:
        """When the first call started; 0.0 when unknown."""
        return min(known_values(self, "first_start_time_ns"), default=0) / 1e9

    @property
    def maximum_end_time(self) -> float:
        """When the last call ended; 0.0 when unknown."""
        return max(known_values(self, "last_end_time_ns"), default=0) / 1e9

    @property
    def time_span(self) -> float:
        """From the first start to the last end."""
        return self.maximum_end_time - self.minimum_start_time

    @property
    def run_start_time(self) -> float | None:
        """When the run was set up; None when unknown."""
        return self._metadata_seconds("start_time_ns")

    @property
    def finalize_time(self) -> float | None:
        """When the run was finalized; None when unknown."""
        return self._metadata_seconds("finalize_time_ns")

    @property
    def total_time(self) -> float | None:
        """From setup to finalize; None when unknown."""
        start, end = self._metadata_int("start_time_ns"), self._metadata_int("finalize_time_ns")
        return None if start is None or end is None else (end - start) / 1e9

    @property
    def time_origin(self) -> float:
        """What relative times count from: the setup, or else the first start."""
        start = self.run_start_time
        return self.minimum_start_time if start is None else start

    @property
    def startup_time(self) -> float:
        """From the setup to the first call; 0.0 when unknown."""
        first, start = self.minimum_start_time, self.run_start_time
        return first - start if first and start is not None else 0.0

    # -- as Python objects ---------------------------------------------------

    def summary(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> list[dict[str, Any]]:
        """One dict of scalars per region, durations in seconds, sorted by first start."""
        rows = []
        for region in self.get_regions(include, exclude):
            row = region.get_summary()
            known = percentile_scalars(region)
            row["tags"] = region.tags
            row.update((f"{p}_duration", known.pop(f"{p}_duration")) for p in _SHORT)
            row["rank_imbalance"] = region.rank_imbalance
            row["rank_imbalance_pct"] = region.rank_imbalance_pct
            # The short names by which tables choose their columns.
            row.update((p, row[f"{p}_duration"]) for p in _SHORT)
            row["imbalance"] = row["rank_imbalance_pct"]
            row.update(known, errors=region.errors)
            rows.append(row)
        return rows

    def events(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> list[dict[str, Any]]:
        """The recorded calls as a dict each, times in seconds.

        `relative` times count from `origin`, which is `time_origin` when
        None. This makes Python objects for every call: for large runs use the
        columns of the regions.
        """
        zero = (self.time_origin if origin is None else origin) if relative else 0.0
        wanted = rank_set(ranks)
        return [
            event
            for region in self.get_regions(include, exclude)
            for event in region.events(wanted, zero)
        ]

    def to_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        per_rank: bool = False,
    ) -> Any:
        """`summary` as a pandas DataFrame, or one row per region and rank.

        Raises ImportError when pandas is not installed.
        """
        if not per_rank:
            return _pandas("to_dataframe").DataFrame(self.summary(include, exclude))
        return _pandas("to_dataframe").DataFrame(
            [
                {
                    "name": region.name,
                    "rank": rank,
                    **region[rank].get_summary(),
                    **percentile_scalars(region[rank]),
                    "errors": region[rank].errors,
                }
                for region in self.get_regions(include, exclude)
                for rank in region
            ]
        )

    def to_events_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> Any:
        """`events` as a pandas DataFrame.

        Raises ImportError when pandas is not installed.
        """
        events = self.events(include, exclude, ranks, relative, origin)
        return _pandas("to_events_dataframe").DataFrame(events)

    def __repr__(self) -> str:
        size = f"{len(self)} region(s), {self.num_ranks} rank(s)"
        return f"<ProfilingResults {self.display_label!r}: {size}>"


def _pandas(method: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise ImportError(f"{method}() needs pandas, which is not installed") from error
    return pandas
