"""Traces of Perfetto (.perfetto-trace), which https://ui.perfetto.dev and its trace processor read.

A trace is a message of packets, see protos/perfetto/trace in Perfetto: descriptors of tracks, names once
with a number each, and the begin and the end of each call. A tenth to a fifth of the size of the same
trace in JSON.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..io.json_export import write_each
from ..io.json_values import json_text
from ..io.safe_file import written
from ..results import ProfilingResults, Region
from .flows import Flows
from .progress import progress
from .protobuf import double, fixed, integer, text, varint, varints, width_of
from .timelines import Timeline, counter_values, opens_and_closes, origin_ns, timelines

# Fields, by the messages that they are of.
_PACKET = 1  # Trace
_TIMESTAMP, _SEQUENCE, _TRACK_EVENT, _INTERNED, _FLAGS, _DESCRIPTOR = 8, 10, 11, 12, 13, 60  # TracePacket
_UUID, _NAME, _PROCESS, _THREAD, _PARENT, _COUNTER = 1, 2, 3, 4, 5, 8  # TrackDescriptor
_TYPE, _TRACK, _NAME_ID, _SOURCE_ID, _NOTE = 9, 11, 10, 34, 4  # TrackEvent
_FLOW, _FLOW_END, _DOUBLE = 47, 48, 44
_BEGIN, _END, _VALUE = 1, 2, 4  # TrackEvent.Type
_NAMES, _SOURCES = 2, 4  # InternedData

#: Sequence flags: what was interned before is gone; it is needed.
_CLEARED, _NEEDED = 1, 2


def export_perfetto(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
) -> list[Path]:
    """Write each run as a trace of Perfetto, with every call on the track of its thread or task;
    return the paths of the files.

    It says what `export_chrome_trace` writes as JSON, in less space. The arguments are those of
    `export_prof`, which raises the same.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_perfetto(run, path, ranks, include, exclude)

    return write_each(profiling_data, filepath, ".perfetto-trace", write, verbose)


def write_perfetto(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write it to one file; see `export_perfetto`. place: see `replacing`."""
    calls = sum(region.num_events for region in results)
    names = 0
    tracks = max(results.num_ranks, *results.recorded, 0) + 1  # numbers from here on are of lanes
    with written(path, place) as file, progress(path, calls) as advance:
        file.write(_packet(integer(_FLAGS, _CLEARED)))
        for timeline in timelines(results, ranks, include, exclude):
            file.write(_descriptors(timeline, tracks))
            file.write(_interned(timeline.regions, names + 1))
            for piece in _events(timeline, origin_ns(results, timeline), names + 1, tracks, advance):
                file.write(piece)
            tracks += len(timeline.lanes)
            names += len(timeline.regions)
            for name, times, values in counter_values(results, timeline):
                tracks += 1
                file.write(_counter(timeline.rank + 1, tracks, name, times, values))
    return [path]


def _packet(fields: bytes) -> bytes:
    """A packet of the one sequence of this trace."""
    return text(_PACKET, integer(_SEQUENCE, 1) + fields)


def _descriptors(timeline: Timeline, tracks: int) -> bytes:
    """What the process and its threads are called. Track `tracks + number` is of the lane of that number,
    `rank + 1` of the process."""
    process = timeline.rank + 1
    # Numbers of processes of several machines may be the same; those of tracks are not.
    found = _packet(text(_DESCRIPTOR, integer(_UUID, process) + text(
        _PROCESS, integer(1, process) + text(6, timeline.name))))
    for lane in timeline.lanes:
        number = tracks + lane.number
        found += _packet(text(_DESCRIPTOR, integer(_UUID, number) + integer(_PARENT, process) + text(
            _THREAD, integer(1, process) + integer(2, number) + text(5, lane.name))))
    return found


def _counter(process: int, track: int, name: str, times: np.ndarray, values: np.ndarray) -> bytes:
    """A track of a counter, and its values."""
    found = [_packet(text(_DESCRIPTOR, integer(_UUID, track) + integer(_PARENT, process)
                          + text(_NAME, name) + text(_COUNTER, b"")))]
    head = integer(_TYPE, _VALUE) + integer(_TRACK, track)
    found += [_packet(integer(_TIMESTAMP, time) + text(_TRACK_EVENT, head + double(_DOUBLE, value)))
              for time, value in zip(times.tolist(), values.tolist())]
    return b"".join(found)


def _interned(regions: Sequence[tuple[str, Region | None]], first: int) -> bytes:
    """The names and places of regions, numbered from `first` on."""
    rows = []
    for number, (name, region) in enumerate(regions, first):
        rows.append(text(_NAMES, integer(1, number) + text(2, name)))
        if region is not None and region.source_file is not None:
            rows.append(text(_SOURCES, integer(1, number) + text(2, region.source_file)
                             + text(3, name) + integer(4, region.source_lineno or 0)))
    return _packet(integer(_FLAGS, _NEEDED) + text(_INTERNED, b"".join(rows)))


def _events(
    timeline: Timeline, origin: int, first_name: int, tracks: int, advance: Callable[[int], object]
) -> Iterator[bytes]:
    """The begin and end of each call, in pieces."""
    has_place = np.array([
        region is not None and region.source_file is not None for _, region in timeline.regions
    ], bool)
    latest = int(timeline.end_ns.max()) - origin if len(timeline.end_ns) else 0
    widths = (width_of(latest), width_of(tracks + len(timeline.lanes)),
              width_of(first_name + len(timeline.regions)))
    extras = _Extras(timeline)
    for lane in timeline.lanes:
        for places in opens_and_closes(lane.depth):
            is_end = places < 0
            rows = lane.rows[np.where(is_end, ~places, places)]
            times = np.where(is_end, timeline.end_ns[rows], timeline.start_ns[rows]) - origin
            regions = timeline.region[rows]
            kinds = np.where(is_end, 2, has_place[regions])
            packets = _Packets(len(rows), widths)
            for kind in range(3):
                packets.add(np.flatnonzero(kinds == kind), kind, times, tracks + lane.number,
                            regions + first_name)
            yield packets.joined(rows, is_end, extras)
            advance(int(np.count_nonzero(~is_end)))


class _Packets:
    """Packets of three kinds, each of which has one length: begins of calls, those with a place, ends."""

    def __init__(self, length: int, widths: tuple[int, int, int]) -> None:
        self._widths = widths
        self._lengths = np.zeros(length, np.int64)
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []
        self._before_event = 0  # how many bytes of each packet

    def add(self, chosen: np.ndarray, kind: int, times: np.ndarray, track: int, names: np.ndarray
            ) -> None:
        """The packets of those rows; kind: 0 for a begin, 1 for one with a place, 2 for an end."""
        of_time, of_track, of_name = self._widths
        event: list[Any] = [integer(_TYPE, _END if kind == 2 else _BEGIN), varint(_TRACK << 3),
                            varints(np.array([track]), of_track)]
        if kind < 2:
            event += [varint(_NAME_ID << 3), varints(names[chosen], of_name)]
        if kind == 1:
            event += [varint(_SOURCE_ID << 3), varints(names[chosen], of_name)]
        before: list[Any] = [varint(_TIMESTAMP << 3), varints(times[chosen], of_time), integer(_SEQUENCE, 1),
                  integer(_FLAGS, _NEEDED)]
        length = bytes([sum(map(_width, event))])
        matrix = _side_by_side([*before, varint(_TRACK_EVENT << 3 | 2), length, *event], len(chosen))
        self._before_event = sum(map(_width, before))
        self._lengths[chosen] = matrix.shape[1]
        self._parts.append((chosen, matrix))

    def joined(self, rows: np.ndarray, is_end: np.ndarray, extras: _Extras) -> bytes:
        """All of them in their order, each behind what says how long it is."""
        ends = np.cumsum(self._lengths + 2)
        found = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
        begins = ends - self._lengths - 2
        for chosen, matrix in self._parts:
            head = np.array([_PACKET << 3 | 2, matrix.shape[1]], np.uint8)
            whole = np.concatenate([np.broadcast_to(head, (len(chosen), 2)), matrix], axis=1)
            found[begins[chosen][:, None] + np.arange(whole.shape[1])] = whole
        if not extras.any:
            return found.tobytes()
        return b"".join(self._with_extras(found.tobytes(), begins, ends, rows, is_end, extras))

    def _with_extras(
        self, packets: bytes, begins: np.ndarray, ends: np.ndarray, rows: np.ndarray,
        is_end: np.ndarray, extras: _Extras,
    ) -> Iterator[bytes]:
        for begin, end, row, ended in zip(
            begins.tolist(), ends.tolist(), rows.tolist(), is_end.tolist()
        ):
            more = b"" if ended else extras.of(row)
            if more:
                event = begin + 2 + self._before_event
                fields = packets[begin + 2 : event] + text(_TRACK_EVENT, packets[event + 2 : end] + more)
                yield text(_PACKET, fields)
            else:
                yield packets[begin:end]


def _width(column: bytes | np.ndarray) -> int:
    return len(column) if isinstance(column, bytes) else column.shape[1]


def _side_by_side(columns: Sequence[bytes | np.ndarray], length: int) -> np.ndarray:
    """uint8 [length, bytes]: rows of constants and of arrays with a row each, or one for all."""
    arrays = [
        np.frombuffer(column, np.uint8)[None, :] if isinstance(column, bytes) else column
        for column in columns
    ]
    return np.concatenate(
        [np.broadcast_to(array, (length, array.shape[1])) for array in arrays], axis=1)


class _Extras:
    """What single calls have besides: notes, how long their task waited, and flows."""

    def __init__(self, timeline: Timeline) -> None:
        self._notes, table = timeline.notes or (None, [])
        self._encoded = [b"".join(_note(name, value) for name, value in row.items()) for row in table]
        self._encoded.append(b"")  # the last, of -1, is for nothing
        self._waits = timeline.await_ns
        self._flows: dict[int, bytes] = {}
        flows = Flows(timeline)
        for number, (call, cause) in enumerate(zip(flows.calls.tolist(), flows.causes.tolist()), 1):
            identity = timeline.rank << 40 | number
            self._flows[cause] = self._flows.get(cause, b"") + fixed(_FLOW, identity)
            self._flows[call] = self._flows.get(call, b"") + fixed(_FLOW_END, identity)

    @property
    def any(self) -> bool:
        """Whether any call has some."""
        return self._notes is not None or self._waits is not None or bool(self._flows)

    def of(self, row: int) -> bytes:
        """The fields of a TrackEvent that a call has besides."""
        found = b"" if self._notes is None else self._encoded[self._notes[row]]
        if self._waits is not None and self._waits[row]:
            found += _note("await_duration", int(self._waits[row]) / 1e9)
        return found + self._flows.get(row, b"")


def _note(name: str, value: Any) -> bytes:
    """A DebugAnnotation: what the viewer shows as an argument."""
    if isinstance(value, bool):
        encoded = integer(2, value)
    elif isinstance(value, int) and -(2**63) <= value < 2**63:
        encoded = integer(4, value)
    elif isinstance(value, float):
        encoded = double(5, value)
    else:
        encoded = text(6, value if isinstance(value, str) else json_text(value))
    return text(_NOTE, text(10, name) + encoded)
