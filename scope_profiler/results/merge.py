"""Several results as one, as of a program whose parts recorded on their own: `merge_results`, and
`merge_processes` where each part was a process."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .._base.arguments import text_or_none
from .mpi_region import MPIRegion
from .profiling_results import ProfilingResults
from .._model.recorded import Node, Recorded
from .region import Region
from .threads import TaskInfo, ThreadInfo


#: More, and the ranks of metadata are taken for something else.
_MOST_RANKS = 1 << 24


def merge_results(
    *result_sets: ProfilingResults,
    label: str | None = None,
    file_path: str | os.PathLike[str] | None = None,
    ranks: bool = False,
) -> ProfilingResults:
    """One result with the regions, lines, threads and tasks of all.

    Regions are in the order of the sets, then of their first starts.
    Ranks are those of the same number. Each set numbers the threads, tasks and
    calls of a rank on its own: those of later sets are numbered on, but for a thread that two sets
    know by the same name and numbers of the system. Where sets share a rank, exclusive times are
    told anew, as calls of one may be inside those of another. Of the metadata, the first set that
    has an entry counts.

    result_sets: At least one. Those that are not root are passed over; where none is, the first is
        handed back.
    label, file_path: Of the result; None for those of the first set.
    ranks: Each set is a process, and gets ranks of its own, as `load_processes` does it with files:
        that which its launcher gave to it, or else one after the other. Regions may have the same
        names.

    Raises TypeError when one is no `ProfilingResults`, or `label` no str.
    Raises ValueError when there are none, or when two have a region of the same name: what one has
    inside the other would count twice.
    """
    for results in result_sets:
        if not isinstance(results, ProfilingResults):
            raise TypeError(f"merge_results takes ProfilingResults; got {results!r}")
    if not result_sets:
        raise ValueError("merge_results takes at least one result; got none")
    text_or_none("label", label)
    roots = [results for results in result_sets if results.is_root]
    if not roots:
        return result_sets[0]
    if ranks:
        merged = merge_processes(roots)
        if label is None and file_path is None:
            return merged
        named = merged.metadata if label is None else {**merged.metadata, "label": label}
        return _merged([merged], named, merged.num_ranks, file_path or merged.file_path)
    _check_names(roots)
    metadata: dict[str, Any] = {} if label is None else {"label": label}
    for results in roots:
        metadata = {**results.metadata, **metadata}
    num_ranks = max(results.num_ranks for results in roots)
    return _merged(roots, metadata, num_ranks, roots[0].file_path if file_path is None else file_path)


def merge_processes(result_sets: Sequence[ProfilingResults]) -> ProfilingResults:
    """One result with the regions of all, at least one, of which each is a process and gets
    ranks of its own: the one that its metadata name, where all have different ones; or else the
    first rank 0, and so on.

    The metadata are those of the first, with the lists ``process_ids``, ``process_names``,
    ``parent_process_ids`` and ``parent_regions`` (str, by rank, empty where unknown; the last with those
    that were open in the parent where the process was started, the outermost first, " > " between them).
    Where the ranks are those of a communicator, `setup(comm=)`, ``world_ranks`` has those in the job.
    Of a job whose size is known they have ``mpi_size``, and where ranks are not among them,
    ``missing_ranks``, a list of str.
    """
    # Of a trace of one rank, that may be any.
    sizes = [
        max(results.num_ranks, 1 + max(_ranks_of(results), default=0)) for results in result_sets
    ]
    firsts = [sum(sizes[:index]) for index in range(len(sizes))]
    known = [results.metadata.get("rank") for results in result_sets]
    launched = None
    if all(isinstance(rank, int) and 0 <= rank < _MOST_RANKS for rank in known) and (
        len({*known}) == len(known) and max(sizes) == 1
    ):
        result_sets = sorted(result_sets, key=lambda results: results.metadata["rank"])
        firsts = [results.metadata["rank"] for results in result_sets]
        launched = result_sets[0].metadata.get("launched_ranks")
    num_ranks = max(first + size for first, size in zip(firsts, sizes))
    if isinstance(launched, int) and num_ranks < launched < _MOST_RANKS:
        num_ranks = launched  # the last did not come
    facts = {name: [""] * num_ranks for name in _OF_PROCESSES}
    for results, first, size in zip(result_sets, firsts, sizes):
        for name, values in facts.items():
            values[first : first + size] = _of_process(results.metadata, name, size)
    if not any(facts["world_ranks"]):
        del facts["world_ranks"]
    moved = [_moved(results, first) for results, first in zip(result_sets, firsts)]
    metadata = {**moved[0].metadata, **facts}
    for of_one in ("rank", "local_rank", "world_rank"):
        metadata.pop(of_one, None)
    if num_ranks == launched:
        metadata["mpi_size"], there = launched, {*firsts}
        missing = [str(rank) for rank in range(launched) if rank not in there]
        metadata.update({"missing_ranks": missing} if missing else {})
    return _merged(moved, metadata, num_ranks, moved[0].file_path)


#: Entries of the metadata of results of several processes, and of one.
_OF_PROCESSES = {
    "process_ids": "process_id", "process_names": "process_name",
    "parent_process_ids": "parent_process_id", "parent_regions": "parent_regions",
    "world_ranks": "world_rank",
}  # fmt: skip


def _of_process(metadata: dict[str, Any], name: str, size: int) -> list[str]:
    """An entry by rank, of so many."""
    if "process_ids" in metadata:  # results of several, put together before
        known = metadata.get(name)
        return known if isinstance(known, list) and len(known) == size else [""] * size
    value = metadata.get(_OF_PROCESSES[name], "")
    return [" > ".join(value) if isinstance(value, list) else str(value)] * size


def moved_to_rank(results: ProfilingResults, rank: int) -> ProfilingResults:
    """The results of a process as those of that rank, which another rank has gathered."""
    return _moved(results, rank, is_root=False)


def at_times(
    results: ProfilingResults, moved: Callable[[np.ndarray], np.ndarray]
) -> ProfilingResults:
    """The same results on another clock. moved: Puts times in ns there, int64 arrays, ascending to
    ascending. Statistics of durations stay as they were measured."""

    def one(ns: int) -> int:
        return int(moved(np.array([ns], np.int64))[0])

    def of_node(node: Node) -> Node:
        return node if node.first_ns is None else replace(node, first_ns=one(node.first_ns))

    begun = results.metadata.get("start_time_ns")

    def rows(by_rank: dict[int, list[Any]], *names: str) -> dict[int, list[Any]]:
        def later(row: Any, name: str) -> int | None:
            ns = getattr(row, name)
            return ns if ns is None or begun is None else one(begun + ns) - one(begun)

        return {rank: [replace(row, **{name: later(row, name) for name in names}) for row in of_rank]
                for rank, of_rank in by_rank.items()}

    times = {name: one(ns) for name in ("start_time_ns", "finalize_time_ns")
             if isinstance(ns := results.metadata.get(name), int)}
    return ProfilingResults(
        {region.name: MPIRegion(region.name, {rank: region[rank].at_times(moved) for rank in region})
         for region in results},
        {**results.metadata, **times},
        results.num_ranks,
        line_profile=results.line_profile,
        file_path=results.file_path,
        threads=rows(results.threads, "start_ns", "end_ns"),
        tasks=rows(results.tasks, "created_ns", "done_ns"),
        is_root=results.is_root,
        recorded={rank: replace(known, nodes=[of_node(node) for node in known.nodes], counters={
                      name: replace(values, times_ns=moved(values.times_ns))
                      for name, values in known.counters.items()})
                  for rank, known in results.recorded.items()},
    )


def _moved(results: ProfilingResults, first: int, is_root: bool = True) -> ProfilingResults:
    """The same on the ranks from `first` on."""

    def rows(by_rank: dict[int, list[Any]]) -> dict[int, list[Any]]:
        return {
            first + rank: [replace(row, rank=first + rank) for row in of_rank]
            for rank, of_rank in by_rank.items()
        }

    return ProfilingResults(
        {
            region.name: MPIRegion(region.name, {first + rank: region[rank] for rank in region})
            for region in results
        },
        results.metadata,
        line_profile={first + rank: lines for rank, lines in results.line_profile.items()},
        file_path=results.file_path,
        threads=rows(results.threads),
        tasks=rows(results.tasks),
        recorded={first + rank: known for rank, known in results.recorded.items()},
        is_root=is_root,
    )


def _merged(
    roots: Sequence[ProfilingResults],
    metadata: dict[str, Any],
    num_ranks: int,
    file_path: str | os.PathLike[str] | None,
) -> ProfilingResults:
    """The results of all, no two of which have the same region on the same rank."""
    ranks = {rank: _MergedRank(rank) for rank in sorted(set().union(*map(_ranks_of, roots)))}
    for results in roots:
        shift = _difference(results.metadata, metadata)
        for rank in _ranks_of(results):
            ranks[rank].add(results, shift)
    regions = {rank: one.regions() for rank, one in ranks.items()}
    names = dict.fromkeys(region.name for results in roots for region in results.get_regions())
    return ProfilingResults(
        {
            name: MPIRegion(
                name, {rank: known[name] for rank, known in regions.items() if name in known}
            )
            for name in names
        },
        metadata,
        num_ranks,
        line_profile={rank: one.lines for rank, one in ranks.items() if one.lines},
        file_path=file_path,
        threads={rank: one.threads for rank, one in ranks.items() if one.threads},
        tasks={rank: one.tasks for rank, one in ranks.items() if one.tasks},
        recorded=_recorded(roots),
    )


def _recorded(roots: Sequence[ProfilingResults]) -> dict[int, Recorded]:
    """The trees, but of ranks that several sets have: calls of one may be inside those of another."""
    sets = Counter(rank for results in roots for rank in _ranks_of(results))
    return {
        rank: known
        for results in roots
        for rank, known in results.recorded.items()
        if sets[rank] <= 1
    }


def _check_names(roots: Sequence[ProfilingResults]) -> None:
    seen: set[str] = set()
    for results in roots:
        for name in results.region_names:
            if name in seen:
                raise ValueError(
                    f"merge_results takes a region from one result only; got {name!r} in two: "
                    "give them different names"
                )
            seen.add(name)


def _ranks_of(results: ProfilingResults) -> set[int]:
    of_regions = {rank for region in results for rank in region}
    return {*of_regions, *results.threads, *results.tasks, *results.line_profile}


def _difference(metadata: dict[str, Any], origin: dict[str, Any]) -> int:
    """How much later than `origin` that run was set up, ns; 0 when unknown."""
    start, zero = metadata.get("start_time_ns"), origin.get("start_time_ns")
    return start - zero if isinstance(start, int) and isinstance(zero, int) else 0


class _MergedRank:
    """One rank of the result, to which each set adds its own."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.threads: list[ThreadInfo] = []
        self.tasks: list[TaskInfo] = []
        self.lines: list[dict[str, Any]] = []
        self._regions: list[dict[str, Region]] = []
        # What is added to the numbers of the next set.
        self._offsets = dict.fromkeys(("thread_ids", "task_ids", "call_ids"), 0)

    def add(self, results: ProfilingResults, shift: int) -> None:
        """Take over what `results` has of the rank; `shift` is added to the times of threads."""
        offsets = dict(self._offsets)
        known = {_identity(row): row.index for row in self.threads if row.native_id is not None}
        threads = results.threads.get(self.rank, [])
        tasks = results.tasks.get(self.rank, [])
        same = {row.index: known[_identity(row)] for row in threads if _identity(row) in known}

        def number(thread: int | None) -> int | None:
            return None if thread is None else same.get(thread, thread + offsets["thread_ids"])

        for thread in threads:
            if thread.index not in same:
                thread = replace(thread, index=thread.index + offsets["thread_ids"])
                self.threads.append(_later(thread, shift, "start_ns", "end_ns"))
        for task in tasks:
            index = task.index + offsets["task_ids"]
            task = replace(task, index=index, thread_index=number(task.thread_index))
            self.tasks.append(_later(task, shift, "created_ns", "done_ns"))
        regions = {region.name: region[self.rank] for region in results if self.rank in region}
        self._regions.append({
            name: region.renumbered({**offsets, "parent_ids": offsets["call_ids"]}, same)
            for name, region in regions.items()
        })
        self.lines.extend(results.line_profile.get(self.rank, ()))
        for name, used in (
            ("thread_ids", [row.index for row in threads]),
            ("task_ids", [row.index for row in tasks]),
            ("call_ids", []),
        ):
            columns = (getattr(region, name) for region in regions.values())
            used.extend(int(column.max()) for column in columns if column is not None)
            self._offsets[name] += max(used, default=-1) + 1

    def regions(self) -> dict[str, Region]:
        """By name, with exclusive times only where they still hold, or cannot be told anew."""
        merged = {name: region for of_set in self._regions for name, region in of_set.items()}
        complete = all(region.num_events == region.num_calls for region in merged.values())
        if not complete or sum(map(bool, self._regions)) < 2:
            return merged
        return {name: region.without_exclusive() for name, region in merged.items()}


def _identity(thread: ThreadInfo) -> tuple[Any, ...]:
    return thread.name, thread.ident, thread.native_id


def _later(row: Any, shift: int, *names: str) -> Any:
    """The row with those of its times that are known moved by `shift` ns."""
    times = {name: getattr(row, name) for name in names}
    return replace(row, **{name: ns + shift for name, ns in times.items() if ns is not None})
