"""`Calls`: the recorded calls of one region on one rank, a column for each thing known of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from .checks import normal_event_metadata
from .columns import ascend, column, read_only
from .event_columns import EVENT_KEYS
from .event_metadata import NOTHING, EventMetadata
from .rank_regions import RankRegions
from .stored_column import StoredColumn, taken, values_of

if TYPE_CHECKING:
    from .region import Region


class Calls:
    """Columns of [num_events] values, sorted by start; read-only.

    Parameters are those of `Region`, of which this is the part that is per call.
    """

    def __init__(
        self,
        start_times_ns: Any,
        durations_ns: Any,
        event_metadata: Sequence[Mapping[str, Any]] | None,
        optional: Mapping[str, Any],
    ) -> None:
        if (start_times_ns is None) != (durations_ns is None):
            raise ValueError("start_times_ns and durations_ns must be given together")
        self._stored_starts = _kept("start_times_ns", start_times_ns, None, np.int64)
        length = len(self._stored_starts)
        self._stored_durations = _kept("durations_ns", durations_ns, length, np.int64)
        if isinstance(self._stored_starts, np.ndarray) and not ascend(self._stored_starts):
            raise ValueError("start_times_ns must be sorted; got a start before the one it follows")
        if (optional["call_ids"] is None) != (optional["parent_ids"] is None):
            raise ValueError("call_ids and parent_ids must be given together")
        self._columns = {
            name: _kept(name, values, length)
            for name, values in optional.items()
            if values is not None and length
        }
        self._event_metadata = normal_event_metadata(event_metadata, length)
        # The regions of its rank, and its index among them; None where it is by itself.
        self._in_rank: tuple[RankRegions, int] | None = None
        # The regions among which they were all calls, its index there, and which these are; None
        # where they are all.
        self._taken_from: tuple[RankRegions, int, np.ndarray | slice] | None = None

    @property
    def num_events(self) -> int:
        """How many calls have an interval: `num_calls`, or fewer where some were dropped."""
        return len(self._stored_starts)

    def _column(self, name: str) -> np.ndarray | None:
        known = self._columns.get(name)
        return None if known is None else values_of(known)

    @property
    def columns_known(self) -> Collection[str]:
        """Those of `OPTIONAL_COLUMNS` that there are."""
        return self._columns.keys()

    def has_column(self, name: str) -> bool:
        """Whether there is that one of `OPTIONAL_COLUMNS`. It is not read."""
        return name in self._columns

    # -- intervals -------------------------------------------------------------

    @property
    def start_times_ns(self) -> np.ndarray:
        """int64 [num_events], read-only, ascending."""
        return values_of(self._stored_starts)

    @property
    def durations_ns(self) -> np.ndarray:
        """int64 [num_events], read-only."""
        return values_of(self._stored_durations)

    _starts, _durations = start_times_ns, durations_ns

    @property
    def inclusive_durations_ns(self) -> np.ndarray:
        """The durations, by the name that goes with `exclusive_durations_ns`."""
        return self._durations

    @cached_property
    def end_times_ns(self) -> np.ndarray:
        """int64 [num_events], read-only."""
        return read_only(self._starts + self._durations)

    @cached_property
    def start_times(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return read_only(self._starts / 1e9)

    @cached_property
    def end_times(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return read_only(self.end_times_ns / 1e9)

    @cached_property
    def durations(self) -> np.ndarray:
        """float64 [num_events], seconds, read-only."""
        return read_only(self._durations / 1e9)

    @property
    def inclusive_durations(self) -> np.ndarray:
        """The durations, by the name that goes with `exclusive_durations`."""
        return self.durations

    # -- threads and tasks -------------------------------------------------------

    @property
    def thread_ids(self) -> np.ndarray | None:
        """Integers [num_events], `ThreadInfo.index`; None when not recorded."""
        return self._column("thread_ids")

    @property
    def task_ids(self) -> np.ndarray | None:
        """Integers [num_events], `TaskInfo.index`, -1 in none; None when not recorded."""
        return self._column("task_ids")

    @property
    def await_ns(self) -> np.ndarray | None:
        """Integers [num_events], how long the call's task waited inside; None when unknown."""
        return self._column("await_ns")

    @property
    def await_times_ns(self) -> np.ndarray | None:
        """`await_ns`, by the name of 0.7.5."""
        return self.await_ns

    @property
    def await_times(self) -> np.ndarray | None:
        """float64 [num_events], `await_ns` in seconds; None when unknown."""
        return None if self.await_ns is None else self.await_ns / 1e9

    @property
    def total_await_duration(self) -> float | None:
        """The sum of `await_ns` in seconds; None when unknown."""
        return None if self.await_ns is None else int(self.await_ns.sum()) / 1e9

    @property
    def has_thread_data(self) -> bool:
        """Whether the thread of each call is known."""
        return self.has_column("thread_ids")

    @property
    def threads(self) -> list[int]:
        """The threads that called the region, ascending; empty when unknown."""
        return [] if self.thread_ids is None else np.unique(self.thread_ids).tolist()

    def _copy(self) -> Self:
        """Another object with all that this one has; `copy.copy` takes several times as long."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        return other

    # -- the other regions of the rank ---------------------------------------------

    def detached(self) -> Self:
        """The same calls, the columns shared, without the other regions of the rank."""
        if self._in_rank is None:
            return self
        calls = self._copy()
        calls._in_rank = None
        return calls

    @property
    def rank_regions(self) -> RankRegions:
        """The regions of its rank, or it alone."""
        if self._in_rank is not None:
            return self._in_rank[0]
        return RankRegions([cast("Region", self)])

    @property
    def taken_from(self) -> tuple[RankRegions, int, np.ndarray | slice] | None:
        """The regions of the rank that these calls were taken from, the index of this one among them,
        and which of its calls these are; None where they are all that were given."""
        return self._taken_from

    @property
    def index_in_rank(self) -> int:
        """Its index among these."""
        return 0 if self._in_rank is None else self._in_rank[1]

    @property
    def exclusive_durations_ns(self) -> np.ndarray:
        """int64 [num_events], read-only: the time in each call and in none that it contains.

        Of a region that is in no `ProfilingResults`, what it contains is its own recursion.

        Raises EventDataUnavailableError when not every call of the rank has its interval.
        Raises NestingError when a call ends before it starts, or is its own ancestor.
        """
        return self.rank_regions.exclusive_durations_ns(self.index_in_rank)

    @property
    def exclusive_durations(self) -> np.ndarray:
        """float64 [num_events], `exclusive_durations_ns` in seconds."""
        return self.exclusive_durations_ns / 1e9

    # -- the call graph, and what was noted ----------------------------------------

    @property
    def call_ids(self) -> np.ndarray | None:
        """Integers [num_events], unique per rank, or None when not recorded."""
        return self._column("call_ids")

    @property
    def parent_ids(self) -> np.ndarray | None:
        """Integers [num_events], -1 for a root, or None when not recorded."""
        return self._column("parent_ids")

    @property
    def node_ids(self) -> np.ndarray | None:
        """Integers [num_events], the node of the rank's tree where each call was made
        (`Recorded.nodes`), or None when not recorded."""
        return self._column("node_ids")

    def has_places_in(self, tree: object) -> bool:
        """Whether it is known that `node_ids` are places in that tree, and the right ones."""
        column = self._columns.get("node_ids")
        return isinstance(column, StoredColumn) and column.of is tree

    def at_nodes(self, nodes: StoredColumn) -> Self:
        """The same calls, at other places of another tree."""
        calls = self._copy()
        calls._columns = {**self._columns, "node_ids": nodes}
        return calls

    def without_nodes(self) -> Self:
        """The same calls, in no tree."""
        if not self.has_column("node_ids"):
            return self
        calls = self._copy()
        calls._columns = {**self._columns}
        del calls._columns["node_ids"]
        return calls

    @property
    def event_metadata(self) -> EventMetadata:
        """One mapping per recorded call, all empty where none was given."""
        if self._event_metadata is None:
            return EventMetadata.none(self.num_events)
        return self._event_metadata

    @property
    def has_event_metadata(self) -> bool:
        """Whether anything was noted for any call."""
        known = self._event_metadata
        return known is not None and bool((known.ids != NOTHING).any())

    def renumbered(self, offsets: Mapping[str, int], threads: Mapping[int, int]) -> Self:
        """The same calls with other numbers in its columns: -1 stays as it is.

        `offsets` by column; `threads` are new numbers for some threads.
        """
        calls = self._copy()
        calls._columns = dict(self._columns)
        for name in offsets.keys() & self._columns.keys():
            if not offsets[name] and not (threads and name == "thread_ids"):
                continue
            old = values_of(self._columns[name])
            new = np.where(old >= 0, old + offsets[name], old)
            for thread in threads if name == "thread_ids" else ():
                new[old == thread] = threads[thread]
            calls._columns[name] = read_only(new)
        return calls

    def _taken_columns(self, rows: np.ndarray | slice, length: int) -> dict[str, Any]:
        """What to construct so many of these calls from: a slice, or a boolean for each."""
        known = self._event_metadata
        return {
            "start_times_ns": taken(self._stored_starts, rows, length),
            "durations_ns": taken(self._stored_durations, rows, length),
            "event_metadata": None if known is None else known.stored(rows, length),
            **{name: taken(column, rows, length) for name, column in self._columns.items()},
        }

    def _dicts(self, origin: float, chosen: slice) -> list[dict[str, Any]]:
        """Those calls as a dict each, `origin` seconds subtracted from their times."""
        starts, durations = self._starts[chosen], self._durations[chosen]
        columns = {
            "start": (starts / 1e9 - origin).tolist(),
            "end": ((starts + durations) / 1e9 - origin).tolist(),
            "duration": (durations / 1e9).tolist(),
        }
        for name, key in EVENT_KEYS.items():
            if name in self._columns:
                values = values_of(self._columns[name])[chosen]
                columns[key] = (values / 1e9 if name == "await_ns" else values).tolist()
        names = ("call_index", *columns)
        numbers = range(self.num_events)[chosen]
        rows = [dict(zip(names, row)) for row in zip(numbers, *columns.values())]
        if self._event_metadata is not None:
            for row, entry in zip(rows, self._event_metadata[chosen]):
                if entry:
                    row["metadata"] = entry
        return rows


def columns_of(regions: Iterable[Calls], name: str) -> list[Any]:
    """The values of each, of one column: its starts, its durations or one of `OPTIONAL_COLUMNS`; None where
    it has none."""
    stored: list[Any]
    if name == "start_times_ns":
        stored = [calls._stored_starts for calls in regions]
    elif name == "durations_ns":
        stored = [calls._stored_durations for calls in regions]
    else:
        stored = [calls._columns.get(name) for calls in regions]
    return [column.values if isinstance(column, StoredColumn) else column for column in stored]


def _kept(
    name: str, values: Any, length: int | None, dtype: type | None = None
) -> np.ndarray | StoredColumn:
    """A column as it is kept: checked, or left where it is stored, by whom it was checked."""
    if not isinstance(values, StoredColumn):
        return column(name, values, length, dtype)
    if length is not None and len(values) != length:
        raise ValueError(f"{name} must have one value per call, {length}; got {len(values)}")
    return values
