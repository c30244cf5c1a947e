"""Tracks: a thread or a task, in which calls lie within each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from .nesting import covered_ns
from .region import Region
from .threads import TaskInfo, ThreadInfo


def track_label(track: int, threads: Sequence[ThreadInfo], tasks: Sequence[TaskInfo]) -> str:
    """The name of a track as `CallArrays` numbers them, from the tables of its rank."""
    if track == -1:
        return "unknown lane"
    if track < 0:
        index = -2 - track
        names = (thread.name for thread in threads if thread.index == index)
        return next(names, f"thread {index}")
    for task in tasks:
        if task.index == track:
            function = task.coro_name.rpartition(".")[2]
            of_thread = -1 if task.thread_index is None else -2 - task.thread_index
            return f"{task.name} ({function}) on {track_label(of_thread, threads, ())}"
    return f"task {track}"


def thread_summary(
    threads: Sequence[ThreadInfo], regions: Sequence[Region]
) -> list[dict[str, Any]]:
    """A dict for each thread of a rank; see `ProfilingResults.thread_summary`."""
    known = [region for region in regions if region.thread_ids is not None]
    complete = all(region.num_events == region.num_calls for region in regions)
    counts: Counter[int] = Counter()
    for region in known:
        ids, calls = np.unique(np.asarray(region.thread_ids), return_counts=True)
        counts.update(dict(zip(ids.tolist(), calls.tolist())))
    covered = {}
    if known:
        starts, durations, ids = (
            np.concatenate([getattr(region, name) for region in known])
            for name in ("start_times_ns", "durations_ns", "thread_ids")
        )
        order = np.argsort(starts, kind="stable")
        covered = covered_ns(starts[order], durations[order], ids[order])
    return [
        {
            "index": thread.index,
            "name": thread.name,
            "alive": thread.alive,
            "wall_time": thread.wall_time,
            "cpu_time": thread.cpu_time,
            "num_calls": counts[thread.index] if complete else None,
            "region_time": covered.get(thread.index, 0) / 1e9 if complete else None,
        }
        for thread in threads
    ]
