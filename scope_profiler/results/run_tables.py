"""`RunTables`: the regions of a run, their calls and threads, as Python objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from .._base.arguments import boolean, finite, integer, rank_set
from .call_rows import CallRows
from .call_stack import build_call_graph, build_call_stack
from .columns import INT64
from .data_frames import arrow_table, events_frame, events_table, needed, pandas, polars
from .errors import EventDataUnavailableError
from .openmetrics import openmetrics
from .run_facts import RunFacts
from .mpi_region import MPIRegion, events_of
from .step_series import StepSeries, step_series
from .tracks import track_label, thread_summary
from .scalars import percentile_scalars
from .threads import TaskInfo, ThreadInfo

#: The percentiles that a summary also has by their short names.
_SHORT = ("p50", "p95", "p99")


class RunTables(RunFacts):
    """What `ProfilingResults` has as lists of dicts, and as data frames of these."""

    _event_data_available: bool
    _threads: dict[int, list[ThreadInfo]]
    _tasks: dict[int, list[TaskInfo]]

    if TYPE_CHECKING:  # what ProfilingResults adds

        def get_regions(
            self,
            include: str | Iterable[str] | None = None,
            exclude: str | Iterable[str] | None = None,
        ) -> list[MPIRegion]: ...

    def openmetrics(self) -> str:
        """The regions as text in the format of OpenMetrics, for Prometheus and others: of each region on
        each rank a histogram of how long its calls took, its errors and its own time, in seconds.

        The buckets are the same in every text. They come from the recorder's sketch, within 0.8 %; where
        neither that nor every call is known, a region has its count and sum alone.
        """
        return openmetrics(self.get_regions())

    # -- regions and calls -------------------------------------------------------

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
    ) -> CallRows:
        """The recorded calls as a dict each, times in seconds.

        Their keys are ``name, rank, call_index, start, end, duration``; those that were recorded of
        ``call_id, parent_id, thread, task, await_duration``; and ``metadata`` where something was
        noted. Times count from `origin`; without one, from `time_origin` if `relative`.

        The dicts are made when they are asked for; all of them at once are `list()` of it, which takes
        some 400 bytes a call, and what they are made of are its `columns`, 44 bytes a call.

        Raises EventDataUnavailableError when of a region only aggregates were kept.
        """
        self._require_event_data("events")
        return events_of(
            self.get_regions(include, exclude), rank_set(ranks), self._zero(relative, origin)
        )

    def _zero(self, relative: bool, origin: float | None) -> float:
        relative = boolean("relative", relative)
        if origin is not None:
            return finite("origin", origin)
        return self.time_origin if relative else 0.0

    def _require_event_data(self, method: str) -> None:
        if not self._event_data_available:
            raise EventDataUnavailableError(
                f"{method}() needs the intervals of the calls; these results were made without"
            )

    def to_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        per_rank: bool = False,
    ) -> Any:
        """`summary` as a pandas DataFrame, or one row per region and rank.

        Raises ImportError when pandas is not installed.
        """
        rows = self._summary_rows(include, exclude, per_rank)
        return pandas("to_dataframe").DataFrame(rows)

    def to_arrow(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        per_rank: bool = False,
    ) -> Any:
        """As `to_dataframe`, a pyarrow.Table. Raises ImportError when pyarrow is not installed."""
        return arrow_table("to_arrow", self._summary_rows(include, exclude, per_rank))

    def to_polars(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        per_rank: bool = False,
    ) -> Any:
        """As `to_dataframe`, a polars.DataFrame.

        Raises ImportError when polars or pyarrow is not installed.
        """
        rows = self._summary_rows(include, exclude, per_rank)
        return polars("to_polars", arrow_table("to_polars", rows))

    def _summary_rows(
        self,
        include: str | Iterable[str] | None,
        exclude: str | Iterable[str] | None,
        per_rank: bool,
    ) -> list[dict[str, Any]]:
        if not boolean("per_rank", per_rank):
            return self.summary(include, exclude)
        return [
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

    def to_events_dataframe(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> Any:
        """`events` as a pandas DataFrame, made of their columns; names are a categorical.

        Raises ImportError when pandas is not installed.
        """
        events = self.events(include, exclude, ranks, relative, origin)
        return events_frame("to_events_dataframe", events.columns)

    def to_events_arrow(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> Any:
        """`events` as a pyarrow.Table, made of their columns; names and metadata, which are JSON, are
        dictionaries.

        Raises ImportError when pyarrow is not installed.
        """
        needed("to_events_arrow", "pyarrow")
        events = self.events(include, exclude, ranks, relative, origin)
        return events_table("to_events_arrow", events.columns)

    def to_events_polars(
        self,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        ranks: int | Iterable[int] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> Any:
        """`to_events_arrow` as a polars.DataFrame, whose columns are the same memory.

        Raises ImportError when polars or pyarrow is not installed.
        """
        needed("to_events_polars", "polars")
        return polars(
            "to_events_polars", self.to_events_arrow(include, exclude, ranks, relative, origin)
        )

    # -- the call stack --------------------------------------------------------

    def call_stack(
        self,
        rank: int = 0,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        relative: bool = True,
        origin: float | None = None,
    ) -> CallRows:
        """The calls of a rank as a dict each, with their depth and parent; see `build_call_stack`.

        The dicts are made when they are asked for; all of them at once are `list()` of it, and
        what they are made of are its `columns`.

        `relative` and `origin` are as in `events`. A call whose parent is in a
        region that was not chosen is inside of that one's parent.

        Raises EventDataUnavailableError and NestingError as `build_call_arrays`.
        """
        self._require_event_data("call_stack")
        chosen = self.get_regions(include, exclude)
        return build_call_stack(chosen, rank, self._zero(relative, origin))

    def call_graph(
        self,
        rank: int = 0,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
    ) -> CallRows:
        """As `call_stack`, of each call only call_id, parent_id, name, call_index and depth.

        The numbers are those that the calls were recorded with, if they were.
        """
        self._require_event_data("call_graph")
        return build_call_graph(self.get_regions(include, exclude), rank)

    # -- threads and tasks -------------------------------------------------------

    def step_series(
        self, region_name: str, key: str = "step", ranks: int | Iterable[int] | None = None
    ) -> dict[int, StepSeries]:
        """How long a region took in each step, and its drift, by rank: the calls with a number that
        `metadata(step=...)` noted for them; see `StepSeries`. A rank without such calls is left out.

        key: Under which the number is. ranks: Those to look at; None for all. Without warm-up: of
        `skip_first(3, "step")`.

        Raises KeyError when there is no such region.
        Raises EventDataUnavailableError when of its calls only aggregates were kept.
        """
        return step_series(cast(Any, self), region_name, key, rank_set(ranks))

    def thread_summary(self, rank: int = 0) -> list[dict[str, Any]]:
        """A dict for each thread of a rank.

        Its keys are ``index, name, alive, wall_time, cpu_time`` (see `ThreadInfo`), ``num_calls``,
        and ``region_time``, the seconds during which the thread was inside of regions; the last two
        are None where not every call of the rank has its interval. Empty when no threads are known.
        """
        rank = integer("rank", rank, minimum=0)
        regions = [region[rank] for region in self if rank in region]
        return thread_summary(self._threads.get(rank, []), regions)

    def lane_label(self, lane: int, rank: int = 0) -> str:
        """The name of a track, by its `lane` in `call_stack`: that of its thread or task."""
        rank, lane = integer("rank", rank, minimum=0), integer("lane", lane, INT64.min)
        return track_label(lane, self._threads.get(rank, []), self._tasks.get(rank, []))
