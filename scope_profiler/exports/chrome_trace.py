"""Traces as JSON (.trace.json), which chrome://tracing, https://ui.perfetto.dev and others show.

The format is described in "Trace Event Format" by the authors of Chrome: a process for each rank, a
thread for each lane, a complete event ("X") for each call, times in microseconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..io.json_export import write_each
from ..io.json_values import json_text
from ..io.safe_file import written
from ..results import BLOCK, ProfilingResults, Region, blocks
from .flows import Flows
from .progress import progress
from .timelines import Timeline, counter_values, origin_ns, timelines


def export_chrome_trace(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
) -> list[Path]:
    """Write each run as a trace in JSON, with every call on the track of its thread or task; return
    the paths of the files.

    What was noted for a call, how long its task waited and where its region stands are its arguments.
    Where no calls were kept, each path is drawn once, as long as all of its calls together. The
    arguments are those of `export_prof`, which raises the same.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_chrome_trace(run, path, ranks, include, exclude)

    return write_each(profiling_data, filepath, ".trace.json", write, verbose)


def write_chrome_trace(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write it to one file; see `export_chrome_trace`. place: see `replacing`."""
    calls = sum(region.num_events for region in results)
    with written(path, place) as file, progress(path, calls) as advance:
        facts = {**results.metadata, "exporter": f"scope-profiler@{__version__}"}
        file.write(b'{"displayTimeUnit": "ns", "otherData": {' + _members(facts)[1:].encode())
        file.write(b'},\n"traceEvents": [')
        separator = b"\n"
        for timeline in timelines(results, ranks, include, exclude):
            pieces = _events(timeline, origin_ns(results, timeline), advance)
            for events in chain(pieces, _counters(results, timeline)):
                if events:
                    file.write(separator + ",\n".join(events).encode())
                    separator = b",\n"
        file.write(b"\n]}\n")
    return [path]


def _events(
    timeline: Timeline, origin: int, advance: Callable[[int], object]
) -> Iterator[list[str]]:
    """The events of a rank in pieces, each a text."""
    yield list(_names(timeline))
    heads, tails = zip(*(_constant(timeline.rank, name, region)
                         for name, region in timeline.regions)) if timeline.regions else ((), ())
    notes, table = timeline.notes or (None, [])
    arguments = [_members(row) for row in table] + [""]  # the last, of -1, is for nothing
    waits = timeline.await_ns
    counted = "calls" if timeline.is_layout else "call_index"
    flows = Flows(timeline)
    for lane in timeline.lanes:
        for part in blocks(len(lane.rows), BLOCK // 4):
            rows = lane.rows[part]
            starts = timeline.start_ns[rows]
            yield [
                f'{heads[region]}{lane.number},"ts":{start // 1000}.{start % 1000:03d},'
                f'"dur":{length // 1000}.{length % 1000:03d},'
                f'"args":{{"{counted}":{index}{tails[region]}{arguments[note]}{_waited(wait)}}}}}'
                for region, start, length, index, note, wait in zip(
                    timeline.region[rows].tolist(),
                    (starts - origin).tolist(),
                    (timeline.end_ns[rows] - starts).tolist(),
                    timeline.call_index[rows].tolist(),
                    [-1] * len(rows) if notes is None else notes[rows].tolist(),
                    [0] * len(rows) if waits is None else waits[rows].tolist(),
                )
            ]
            advance(len(rows))
    yield from _arrows(timeline, flows, origin)


def _names(timeline: Timeline) -> Iterator[str]:
    """What the process and its threads are called, and in which order they are shown."""
    rank = timeline.rank

    def event(what: str, number: int, **arguments: Any) -> str:
        return json.dumps({"name": what, "ph": "M", "pid": rank, "tid": number, "args": arguments})

    yield event("process_name", 0, name=timeline.name)
    yield event("process_sort_index", 0, sort_index=rank)
    for lane in timeline.lanes:
        yield event("thread_name", lane.number, name=lane.name)
        yield event("thread_sort_index", lane.number, sort_index=lane.number)


def _constant(rank: int, name: str, region: Region | None) -> tuple[str, str]:
    """What is the same for all calls of a region: the begin of the event, and of its arguments."""
    begin = f'{{"name":{json.dumps(name)},"cat":"scope-profiler","ph":"X","pid":{rank},"tid":'
    if region is None or region.source_file is None:
        return begin, ""
    place = {"source_file": region.source_file, "source_line": region.source_lineno}
    return begin, _members(place)


def _members(values: dict[str, Any]) -> str:
    """Members of an object behind others. NaN and infinities, which JSON does not have, are texts."""
    plain = {
        key: str(value) if isinstance(value, float) and not np.isfinite(value) else value
        for key, value in values.items()
    }
    try:
        text = json_text(plain, allow_nan=False)
    except ValueError:  # it is somewhere in it
        text = json.dumps({key: str(value) for key, value in values.items()})
    return f",{text[1:-1]}" if plain else ""


def _waited(nanoseconds: int) -> str:
    return f',"await_duration":{nanoseconds / 1e9!r}' if nanoseconds else ""


def _counters(results: ProfilingResults, timeline: Timeline) -> Iterator[list[str]]:
    """Counter events, which are drawn as one track for each counter."""
    for name, times, values in counter_values(results, timeline):
        begin = f'{{"name":{json.dumps(name)},"cat":"counter","ph":"C","pid":{timeline.rank},"tid":0,"ts":'
        for part in blocks(len(times), BLOCK // 4):
            yield [f'{begin}{time // 1000}.{time % 1000:03d},"args":{{"value":{value!r}}}}}'
                   for time, value in zip(times[part].tolist(), values[part].tolist())]


def _arrows(timeline: Timeline, flows: Flows, origin: int) -> Iterator[list[str]]:
    """Flow events, from the call that caused one on another track to that."""
    for part in blocks(len(flows.calls), BLOCK // 4):
        events = []
        for number, call, cause in zip(
            range(part.start, part.stop), flows.calls[part].tolist(), flows.causes[part].tolist()
        ):
            start = int(timeline.start_ns[call]) - origin
            at = f"{start // 1000}.{start % 1000:03d}"
            for phase, row in (("s", cause), ("f", call)):
                end = ',"bp":"e"' if phase == "f" else ""
                events.append(
                    f'{{"name":"call","cat":"flow","ph":"{phase}"{end},"id":"{timeline.rank}.{number}",'
                    f'"pid":{timeline.rank},"tid":{flows.lane[row]},"ts":{at}}}'
                )
        yield events
