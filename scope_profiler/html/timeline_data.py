"""The timeline of the page: the calls of each thread and task in lines, one below the other by depth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._base.shown import shown
from ..exports.timelines import Timeline, origin_ns, timelines
from ..results import ProfilingResults
from ..results.merged_calls import MergedCalls, merged_calls
from .packed import packed
from .run_choice import Choice

#: Of all ranks together: what a file and a browser bear.
_MOST = 1_000_000
#: Lanes, and lines of a lane.
_MOST_LANES, _MOST_DEPTH = 500, 100


def timeline_data(
    results: ProfilingResults, choice: Choice, regions: Mapping[str, int], look_at: Callable[[Timeline], None]
) -> dict[str, Any]:
    """For timeline.js: lanes, and of all lines the calls as packed columns; {} where there is no call.

    regions: The number of each region. look_at: Called with the calls of each rank.
    """
    calls = sum(region.num_events for region in results) or 1
    lanes: list[dict[str, Any]] = []
    parts: list[MergedCalls] = []
    left_out = cut = line = 0
    begin = end = None
    is_layout = False
    for timeline in timelines(results, choice.ranks, choice.include, choice.exclude):
        if not len(timeline.start_ns):
            continue
        look_at(timeline)
        in_order = sorted(timeline.lanes, key=lambda lane: int(timeline.start_ns[lane.rows[0]]))
        kept = in_order[:max(_MOST_LANES - len(lanes), 0)]
        left_out += len(timeline.lanes) - len(kept)
        if not kept:
            continue
        lines, rows, too_deep = _lines(timeline, kept, line)
        cut += too_deep
        most = max(round(_MOST * len(rows) / calls), 1000)
        origin = origin_ns(results, timeline)
        numbers = np.array([regions[name] for name, _ in timeline.regions], np.int32)
        part = merged_calls(lines, rows, timeline.start_ns, timeline.end_ns, timeline.region, most)
        part = part._replace(start_ns=part.start_ns - origin, end_ns=part.end_ns - origin,
                             region=numbers[part.region])
        if timeline.is_layout:
            calls_of = timeline.call_index[rows][np.argsort(lines, kind="stable")]
            part = part._replace(calls=np.maximum(calls_of, 1))
        parts.append(part)
        is_layout |= timeline.is_layout
        for lane in kept:
            depth = min(int(lane.depth.max(initial=0)) + 1, _MOST_DEPTH)
            lanes.append({"process": shown(timeline.name), "name": shown(lane.name), "lines": depth})
            line += depth
        first, last = int(part.start_ns.min()), int(part.end_ns.max())
        begin, end = min(first, first if begin is None else begin), max(last, end or 0)
    if not parts:
        return {}
    return {
        "lanes": lanes, "lines": line, "begin": begin, "end": end, "isLayout": is_layout,
        "width": max(part.width_ns for part in parts), "leftOut": left_out, "tooDeep": cut,
        **_columns(parts, line, begin or 0),
    }


def _lines(timeline: Timeline, lanes: Any, line: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Of the calls of the lanes that are drawn: the line of each, and its row; and how many are too deep."""
    found, rows, too_deep = [], [], 0
    for lane in lanes:
        depth = lane.depth
        deepest = int(depth.max(initial=0))
        drawn = slice(None) if deepest < _MOST_DEPTH else depth < _MOST_DEPTH
        found.append(depth[drawn] + np.int32(line))
        rows.append(lane.rows[drawn])
        too_deep += len(depth) - len(rows[-1])
        line += min(deepest + 1, _MOST_DEPTH)
    if len(rows) == 1:
        return found[0], rows[0], too_deep
    # In the order of time in each line, as the rows of a lane are.
    return np.concatenate(found), np.concatenate(rows), too_deep


def _columns(parts: list[MergedCalls], lines: int, begin: int) -> dict[str, Any]:
    """The columns, packed: times as gaps to what is before in the line, and as lengths."""
    line, start, end, calls, busy, region = (
        np.concatenate([part[column] for part in parts]) for column in range(6))
    gap = start - begin
    same = line[1:] == line[:-1]
    gap[1:][same] = start[1:][same] - end[:-1][same]
    return {
        "counts": packed(np.bincount(line, minlength=lines)),
        # Clocks of several processors may step back.
        "gap": packed(np.maximum(gap, 0)), "length": packed(np.maximum(end - start, 0)),
        "calls": packed(calls - 1), "idle": packed(np.maximum(end - start - busy, 0)),
        "region": packed(region),
    }
