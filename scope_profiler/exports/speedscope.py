"""Files (.speedscope.json) of https://www.speedscope.app."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .._model.recorded import Node
from .._version import __version__
from ..io.json_export import write_each
from ..io.safe_file import written
from ..results import ProfilingResults
from ..results.functions import place_in, sums_of, trees_of
from .drawn_trees import sampled_trees_of
from .progress import progress
from .timelines import Lane, Timeline, opens_and_closes, origin_ns, process_name, timelines

_SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def export_speedscope(
    profiling_data: ProfilingResults | Iterable[ProfilingResults],
    filepath: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    verbose: bool = True,
) -> list[Path]:
    """Write each run for speedscope: a profile for each thread or task of each rank, with every call
    where calls were kept, or else one for each rank, with how long each path took. Return the paths.

    The arguments are those of `export_prof`, which raises the same.
    """

    def write(run: ProfilingResults, path: Path) -> list[Path]:
        return write_speedscope(run, path, ranks, include, exclude)

    return write_each(profiling_data, filepath, ".speedscope.json", write, verbose)


def write_speedscope(
    results: ProfilingResults,
    path: Path,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write it to one file; see `export_speedscope`. place: see `replacing`."""
    frames = _Frames(results)
    calls = sum(region.num_events for region in results)
    with written(path, place) as file, progress(path, calls) as advance:
        head = {"$schema": _SCHEMA, "name": results.display_label,
                "exporter": f"scope-profiler@{__version__}", "activeProfileIndex": 0}
        file.write(json.dumps(head)[:-1].encode() + b', "profiles": [')
        separator = b"\n"
        for timeline in timelines(results, ranks, include, exclude):
            if timeline.is_layout:
                file.write(separator + _sampled(results, timeline.rank, frames, include, exclude))
                separator = b",\n"
                continue
            for lane in timeline.lanes:
                file.write(separator)
                for piece in _evented(timeline, lane, frames, origin_ns(results, timeline), advance):
                    file.write(piece)
                separator = b",\n"
        for rank, nodes in sampled_trees_of(results, ranks, include, exclude):
            name = f"{process_name(results, rank)}, samples"
            file.write(separator + _stacks(name, nodes, frames))
            separator = b",\n"
        if separator == b"\n":  # no call: the format wants at least one profile
            file.write(json.dumps(_sampled_profile(results.display_label, [], [])).encode())
        file.write(b'],\n"shared": {"frames": [\n')
        file.write(",\n".join(json.dumps(frame) for frame in frames.rows).encode())
        file.write(b"]}}\n")
    return [path]


class _Frames:
    """The frames that profiles refer to by number."""

    def __init__(self, results: ProfilingResults) -> None:
        self.rows: list[dict[str, Any]] = []
        self._numbers: dict[str, int] = {}
        self._place = place_in(results)

    def of(self, name: str) -> int:
        """The number of the frame of a region."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self.rows)
            file, line = self._place(name)
            frame: dict[str, Any] = {"name": name}
            if file is not None:
                frame["file"] = file
                if line:
                    frame["line"] = line
            self.rows.append(frame)
        return number


def _evented(
    timeline: Timeline, lane: Lane, frames: _Frames, origin: int, advance: Callable[[int], object]
) -> Iterator[bytes]:
    """A profile with the begin and end of every call, in pieces."""
    starts, ends = timeline.start_ns, timeline.end_ns
    last = int(ends[lane.rows].max()) - origin if len(lane.rows) else 0
    first = int(starts[lane.rows[0]]) - origin if len(lane.rows) else 0
    head = {"type": "evented", "name": f"{timeline.name}, {lane.name}", "unit": "nanoseconds",
            "startValue": first, "endValue": last}
    yield json.dumps(head)[:-1].encode() + b', "events": ['
    numbers = np.array([frames.of(name) for name, _ in timeline.regions], np.int64)
    separator = b""
    for places in opens_and_closes(lane.depth):
        if not len(places):
            continue
        is_end = places < 0
        rows = lane.rows[np.where(is_end, ~places, places)]
        at = np.where(is_end, ends[rows], starts[rows]) - origin
        columns = (is_end, numbers[timeline.region[rows]], at)
        text = ",".join([
            f'{{"type":"{"C" if end else "O"}","frame":{frame},"at":{time}}}'
            for end, frame, time in zip(*(column.tolist() for column in columns))
        ])
        yield separator + text.encode()
        advance(int(np.count_nonzero(~is_end)))
        separator = b","
    yield b"]}"


def _sampled(
    results: ProfilingResults, rank: int, frames: _Frames,
    include: str | Iterable[str] | None, exclude: str | Iterable[str] | None,
) -> bytes:
    """A profile with the own time of every path."""
    nodes = [node for tree in trees_of(results, rank, include, exclude) for node in tree.nodes]
    return _stacks(process_name(results, rank), nodes, frames)


def _stacks(name: str, nodes: Sequence[Node], frames: _Frames) -> bytes:
    stacks: list[list[int]] = []
    samples, weights = [], []
    for node in nodes:
        above = stacks[node.parent] if node.parent >= 0 else []
        stacks.append([*above, frames.of(node.name)])
        own = sums_of(node).own_ns
        if own > 0:
            samples.append(stacks[-1])
            weights.append(own)
    return json.dumps(_sampled_profile(name, samples, weights)).encode()


def _sampled_profile(name: str, samples: list[list[int]], weights: list[int]) -> dict[str, Any]:
    return {"type": "sampled", "name": name, "unit": "nanoseconds", "startValue": 0,
            "endValue": sum(weights), "samples": samples, "weights": weights}
