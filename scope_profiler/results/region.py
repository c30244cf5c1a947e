"""`Region`: the calls that one rank made of one region."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from .._base.arguments import (
    check_percentile,
    finite,
    integer,
    integer_or_none,
    several_of,
    text_or_none,
)
from .call_rows import CallRows
from .event_columns import event_columns
from .region_calls import Calls
from .checks import normal_statistics, normal_tags, normal_work
from .columns import pieces
from .errors import EventDataUnavailableError
from .nesting import covered_ns
from .scalars import PERCENTILES, Scalars, seconds
from .._model.sketch import Sketch
from .rank_regions import RankRegions
from .stored_column import StoredColumn

_PERCENTILE_NAMES = {percentile: name for name, percentile in PERCENTILES.items()}


class Region(Calls, Scalars):
    """The calls that one rank made of one region.

    start_times_ns, durations_ns: int64 [n], one row per recorded call, sorted by start. None or
        empty when only aggregates are known. The arrays are not copied.
    exclusive_total_ns: Time in this region and in none that it contains; None when unknown.
    inclusive_total_ns: Wall time in this region, counting only the outermost call of a recursion;
        None to derive it from the calls.
    corrected_exclusive_ns, corrected_total_ns: Exclusive and inclusive time less what measuring
        itself took; None when unknown.
    errors: Calls that an exception left; None when unknown.
    statistics: Aggregates over *every* call, also those of which no interval was kept: any of
        `INTEGER_STATISTICS` and `FLOAT_STATISTICS`, at least ``count`` and ``total``. An entry that
        is None or NaN is unknown. The recorder's own, they count for more than what follows from
        the calls, each of which is rounded to a nanosecond.
    sketch: What percentiles come from, as a `Sketch`, or a function that gives it when it is first looked
        at; None to take them from `statistics`, or else from the calls.
    work: What was added to its calls, as numbers by quantity; None where nothing was.
    throttled_calls: How many further calls were counted and not timed; None when unknown.
    tags, source_file, source_lineno, source_text: What is known of the region itself.
    event_metadata: One mapping per recorded call, best as an `EventMetadata`, or None.
    thread_ids, task_ids, await_ns, call_ids, parent_ids, node_ids: Integers [n] beside the calls,
        or None when not recorded: where each ran, -1 for unknown or no task; how long its task
        waited inside; the call that it belongs to. A parent of -1 is a root; parents are given as
        call ids, which are unique per rank. A node is the place in the tree of the rank
        (`Recorded.nodes`) where the call was made.
    of_calls: Any of `INTEGER_STATISTICS` that follow from these calls, so that they need not be looked
        at for it.

    Raises TypeError or ValueError naming the argument, what it got and what it takes.
    """

    def __init__(
        self,
        *,
        start_times_ns: Any = None,
        durations_ns: Any = None,
        exclusive_total_ns: int | None = None,
        inclusive_total_ns: int | None = None,
        corrected_exclusive_ns: int | None = None,
        corrected_total_ns: int | None = None,
        errors: int | None = 0,
        statistics: Mapping[str, float | None] | None = None,
        sketch: Sketch | Callable[[], Sketch | None] | None = None,
        work: Mapping[str, float] | None = None,
        throttled_calls: int | None = 0,
        tags: Iterable[str] = (),
        source_file: str | None = None,
        source_lineno: int | None = None,
        source_text: str | None = None,
        event_metadata: Sequence[Mapping[str, Any]] | None = None,
        thread_ids: Any = None,
        task_ids: Any = None,
        await_ns: Any = None,
        call_ids: Any = None,
        parent_ids: Any = None,
        node_ids: Any = None,
        of_calls: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(
            start_times_ns,
            durations_ns,
            event_metadata,
            {
                "thread_ids": thread_ids,
                "task_ids": task_ids,
                "await_ns": await_ns,
                "call_ids": call_ids,
                "parent_ids": parent_ids,
                "node_ids": node_ids,
            },
        )
        length = self.num_events
        self._statistics = normal_statistics(statistics, length)
        self._num_calls = length if self._statistics is None else int(self._statistics["count"])
        self._sketch = sketch
        self._work = normal_work(work)
        self._throttled_calls = integer_or_none("throttled_calls", throttled_calls)
        self._exclusive = integer_or_none("exclusive_total_ns", exclusive_total_ns)
        self._inclusive = integer_or_none("inclusive_total_ns", inclusive_total_ns)
        self._corrected_exclusive = integer_or_none("corrected_exclusive_ns", corrected_exclusive_ns)
        self._corrected_total = integer_or_none("corrected_total_ns", corrected_total_ns)
        self._errors = None if errors is None else integer("errors", errors, minimum=0)
        self._of_calls: Mapping[str, int] = of_calls or {}
        self._tags = normal_tags(tags)
        self._source_file = text_or_none("source_file", source_file) or None
        self._source_lineno = integer_or_none("source_lineno", source_lineno)
        self._source_text = text_or_none("source_text", source_text) or None

    def at_times(self, moved: Callable[[np.ndarray], np.ndarray]) -> Region:
        """The same calls where `moved` puts their starts and ends: int64 arrays of ns, ascending to
        ascending. Aggregates of durations stay as they are."""
        region = self._copy()
        region._in_rank = None
        for name in [name for name in vars(region) if not name.startswith("_")]:
            del vars(region)[name]  # what was derived from these times

        def starts(rows: slice) -> np.ndarray:
            return moved(self._starts)[rows]

        def durations(rows: slice) -> np.ndarray:
            begun = self._starts
            return (moved(begun + self._durations) - moved(begun))[rows]

        # Made when they are asked for: of calls in a file those of a few regions are in memory.
        region._stored_starts = StoredColumn(starts, slice(None), self.num_events, is_kept=False)
        region._stored_durations = StoredColumn(durations, slice(None), self.num_events, is_kept=False)

        def there(known: Mapping[str, Any]) -> dict[str, int]:
            return {name: int(moved(np.array([known[name]], np.int64))[0])
                    for name in ("first_start", "last_end") if known.get(name) is not None}

        region._of_calls = there(self._of_calls)
        if self._statistics is not None:
            region._statistics = {**self._statistics, **there(self._statistics)}
        return region

    # -- what was recorded ---------------------------------------------------

    @property
    def statistics(self) -> Mapping[str, float] | None:
        """The aggregates over all calls; None where these alone were given."""
        return None if self._statistics is None else MappingProxyType(self._statistics)

    @property
    def stored_summary(self) -> dict[str, Any] | None:
        """The aggregates of a region of which not every call has its interval; else None.

        `statistics` with the exclusive time, ns, by the names of 0.7.5.
        """
        if self._statistics is None or self._complete:
            return None
        return {**self._statistics, "exclusive": self.exclusive_duration_ns}

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the region."""
        return self._tags

    @property
    def source_file(self) -> str | None:
        """The file that the region was first entered in, or None."""
        return self._source_file

    @property
    def source_lineno(self) -> int | None:
        """The line that the region was first entered on, or None."""
        return self._source_lineno

    @property
    def source_text(self) -> str | None:
        """The source of the region, or None when not captured."""
        return self._source_text

    @property
    def errors(self) -> int | None:
        """How many calls an exception left; None when unknown."""
        return self._errors

    # -- how much was recorded -----------------------------------------------

    @property
    def num_calls(self) -> int:
        """How many calls there were."""
        return self._num_calls

    @property
    def has_event_data(self) -> bool:
        """Whether there are intervals to look at (also true of a region that was never called)."""
        return self.num_events > 0 or self.num_calls == 0

    @property
    def has_timing(self) -> bool:
        """Whether the region was called at all."""
        return self.num_calls > 0

    @property
    def has_source(self) -> bool:
        """Whether the place of the region is known."""
        return self._source_file is not None

    def _known(self, name: str, of_events: Callable[[], Any], otherwise: Any = None) -> Any:
        """A statistic of the recorder's, or else what follows from the calls, if there are any."""
        known = None if self._statistics is None else self._statistics.get(name)
        if known is not None:
            return known
        if not self.num_events:
            return otherwise
        return self._of_calls[name] if name in self._of_calls else of_events()

    # -- in nanoseconds ------------------------------------------------------

    @cached_property
    def total_duration_ns(self) -> int:
        """The sum of the durations of all calls, recursive ones included."""
        return self._known("total", lambda: int(self._durations.sum()), 0)

    @cached_property
    def inclusive_duration_ns(self) -> int:
        """Wall time in the region: a recursion counts by its outermost call.

        Where the recorder did not say, the union of the intervals per thread;
        without all intervals, the total.
        """
        if self._inclusive is not None:
            return self._inclusive
        if not self._complete:
            return self.total_duration_ns
        return sum(covered_ns(self._starts, self._durations, self.thread_ids).values())

    @property
    def exclusive_duration_ns(self) -> int | None:
        """Time in this region and in none that it contains; None when unknown.

        Where the recorder did not say, the sum of `exclusive_durations_ns`.
        """
        if self._exclusive is not None:
            return self._exclusive
        return self.rank_regions.exclusive_total_ns(self.index_in_rank)

    @property
    def given_exclusive_ns(self) -> int | None:
        """The exclusive time that does not follow from the calls here: the recorder's, or that of
        calls which were taken from among others; else None."""
        if self._exclusive is None and self._taken_from is not None:
            return self.exclusive_duration_ns
        return self._exclusive

    @property
    def given_inclusive_ns(self) -> int | None:
        """The inclusive time that does not follow from the calls here; else None."""
        return self._inclusive

    @property
    def corrected_exclusive_ns(self) -> int | None:
        """The exclusive time less what measuring took; None when unknown."""
        return self._corrected_exclusive

    @property
    def corrected_total_ns(self) -> int | None:
        """The inclusive time less what measuring took; None when unknown."""
        return self._corrected_total

    @cached_property
    def min_duration_ns(self) -> int:
        """The shortest call; 0 when there was none."""
        return self._known("minimum", lambda: int(self._durations.min()), 0)

    @cached_property
    def max_duration_ns(self) -> int:
        """The longest call; 0 when there was none."""
        return self._known("maximum", lambda: int(self._durations.max()), 0)

    @property
    def first_duration_ns(self) -> int:
        """The call that started first; 0 when unknown."""
        return self._known("first", lambda: int(self._durations[0]), 0)

    @property
    def last_duration_ns(self) -> int:
        """The call that started last; 0 when unknown."""
        return self._known("last", lambda: int(self._durations[-1]), 0)

    @property
    def first_start_time_ns(self) -> int | None:
        """When the first call started; None when unknown."""
        return self._known("first_start", lambda: int(self._starts[0]))

    @cached_property
    def last_end_time_ns(self) -> int | None:
        """When the last call to end did; None when unknown."""
        return self._known("last_end", self._last_end_of_events)

    def _last_end_of_events(self) -> int:
        return max(
            int((starts + durations).max()) for starts, durations in pieces(self._starts, self._durations)
        )

    @cached_property
    def std_duration_ns(self) -> float:
        """Standard deviation of the durations (over n, not n - 1); 0.0 when unknown."""
        known = self._statistics or {}
        if not self._complete or "std" in known:
            return known.get("std", 0.0)
        if not self.num_events:
            return 0.0
        # Two passes: the mean is known, so nothing cancels.
        mean = self.total_duration_ns / self.num_events
        squares = 0.0
        for durations, in pieces(self._durations):
            deviation = durations - mean
            squares += float(np.square(deviation, out=deviation).sum())
        return (squares / self.num_events) ** 0.5

    # -- in seconds ----------------------------------------------------------

    first_duration: float = seconds("first_duration_ns")
    last_duration: float = seconds("last_duration_ns")
    std_duration: float = seconds("std_duration_ns")

    def percentile_duration(self, percentile: float) -> float | None:
        """The duration that `percentile` per cent of the calls do not exceed, in seconds.

        Interpolated linearly between calls; of what was recorded here within 0.8 % (see
        `Sketch`). 0.0 when there was no call, None when neither a sketch, nor this
        percentile, nor all intervals are known.

        Raises TypeError or ValueError when `percentile` is no number in 0..100.
        """
        check_percentile("percentile", percentile)
        if not self.num_calls:
            return 0.0
        known = (self._statistics or {}).get(_PERCENTILE_NAMES.get(percentile, ""))
        if known is None and self.sketch is not None:
            known = self.sketch.percentile_ns(
                percentile, self.min_duration_ns, self.max_duration_ns
            )
        if known is not None:
            return known / 1e9
        return self._percentile_of_events(percentile) if self._complete else None

    @property
    def sketch(self) -> Sketch | None:
        """The calls by how long they took, as they were recorded; None when unknown."""
        if callable(self._sketch):  # it is made when it is first looked at
            self._sketch = self._sketch()
        return self._sketch

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_sketch": self.sketch}

    @property
    def work(self) -> dict[str, float] | None:
        """What was added to its calls by `add()`, by quantity; None where nothing was."""
        return None if self._work is None else dict(self._work)

    @property
    def throttled_calls(self) -> int | None:
        """How many further calls were counted and not timed: `setup(throttle_calls=)`. None when unknown."""
        return self._throttled_calls

    @property
    def dropped_events(self) -> int | None:
        """How many calls have no interval, because the region keeps few of them or the bounds of the run
        left no room; None where single calls were not recorded at all."""
        dropped = self.num_calls - self.num_events
        is_known = self.num_events or not dropped or self.rank_regions.keeps_calls
        return dropped if is_known else None

    def require_intervals(self, name: str = "") -> None:
        """Raise EventDataUnavailableError when the region was called and no interval was kept."""
        if not self.has_event_data:
            which = f"region {name!r}" if name else "a region"
            raise EventDataUnavailableError(
                f"single calls of {which} are asked for; "
                f"of its {self.num_calls} calls only aggregates were kept"
            )

    # -- others made of it -----------------------------------------------------

    def attached(self, regions: RankRegions, index: int, total_ns: int | None) -> Region:
        """The same region, its columns shared, as one of several of a rank.

        `total_ns` is its exclusive time among them; None to keep what is known.
        """
        region = (self if regions.has_nodes else self.without_nodes())._copy()
        region._in_rank = regions, index
        if total_ns is not None:
            region._exclusive = integer("exclusive_totals", total_ns)
        return region

    def without_exclusive(self) -> Region:
        """The same region, its exclusive time to be told anew."""
        region = self._copy()
        region._exclusive = region._corrected_exclusive = None
        return region

    def for_thread(self, thread_index: int) -> Region:
        """The calls of one thread alone, as a region; of none where it made none.

        Raises ValueError when the thread of each call is not known.
        """
        thread = integer("thread_index", thread_index, 0)
        return self.taken(self.made_by([thread]))

    def made_by(self, threads: Iterable[int]) -> np.ndarray:
        """Bool [num_events]: whether one of these threads made the call.

        Raises ValueError when the thread of each call is not known.
        """
        if self.thread_ids is None:
            if not self.num_events:
                return np.empty(0, bool)
            raise ValueError(
                "for_thread() needs the thread of each call, which was not recorded: "
                "that takes setup(track_threads=True)"
            )
        return np.isin(self.thread_ids, list(threads))

    def taken(self, rows: np.ndarray | slice) -> Region:
        """Those calls alone, as a region: a slice of them, or a boolean for each.

        Their columns are taken from the whole ones when they are asked for. All statistics are of
        these calls. How long each was outside of the calls inside it stays as it was, also where
        those inside are left out. What is not known of single calls is None.
        """
        length = _length_of(rows, self.num_events)
        errors = self._errors if length == self.num_calls or not self._errors else None
        region = Region(**self._chosen(rows), errors=errors,
                        throttled_calls=None if self._throttled_calls else 0)
        region._taken_from = self.rank_regions, self.index_in_rank, rows
        return region

    def _chosen(self, rows: np.ndarray | slice) -> dict[str, Any]:
        """What to construct the region from with those calls alone; without what is known of all
        together."""
        return {
            **self._taken_columns(rows, _length_of(rows, self.num_events)),
            "tags": self._tags,
            "source_file": self._source_file,
            "source_lineno": self._source_lineno,
            "source_text": self._source_text,
        }

    # -- as Python objects ---------------------------------------------------

    def get_summary(self) -> dict[str, Any]:
        """The scalars of the region by name, durations in seconds."""
        return self._summary()

    def events(self, origin: float = 0.0) -> CallRows:
        """The recorded calls as a dict each, `origin` seconds subtracted from their times.

        The dicts are made when they are asked for; all of them at once are `list()` of it.

        Raises EventDataUnavailableError when the region was called and no call has its interval.
        """
        origin = finite("origin", origin)
        self.require_intervals()
        return CallRows(
            self.num_events, lambda: event_columns([("", 0, self)], origin),
            lambda rows: self._dicts(origin, rows),
        )

    def __len__(self) -> int:
        return self.num_calls

    def __repr__(self) -> str:
        return f"<Region: {self._description()}>"


def exclusive_totals(regions: Sequence[Region]) -> list[int | None]:
    """Exclusive time in ns of each of these, all regions of one rank; None where unknown."""
    regions = several_of("regions", regions, Region)
    of_rank = RankRegions(regions)
    return [of_rank.exclusive_total_ns(index) for index in range(len(regions))]


def _length_of(rows: np.ndarray | slice, length: int) -> int:
    """How many rows of so many these are: a slice, or a boolean for each."""
    if isinstance(rows, slice):
        return len(range(length)[rows])
    return int(np.count_nonzero(rows))
