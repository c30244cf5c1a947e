"""Results from a journal: of a run that was killed, or that goes on. Neither the program nor the recorder
is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .._model.counter_values import CounterValues, by_counter
from .._model.recorded import (
    OTHER_PATHS, Node, Recorded, merged, sketches_by_region, std_of, work_by_region,
)
from .._model.statistics import RegionStatistics
from ..results import EventMetadata, MPIRegion, ProfilingResults, Region, Sketch
from ..results.nesting import Tree, by_tree, exclusive_ns, nest
from ..results.scalars import PERCENTILES
from .journal_blocks import Journal, JournalFile, NodeItem
from .journal_calls import VALUE, RecordedCalls, places_in, read_calls
from .journal_open import OpenCalls
from .journal_state import State, joined, told
from .unreadable import UnsupportedProfileError

_BUCKETS = 64
#: There are no more counters.
_COUNTERS = 32
_BYTES_OF_CALL = 400  # what a call takes while results are made of it
_LONGEST = 1 << 60  # ns, 36 years
_NEVER = (1 << 64) - 1  # of a node: when its first call began
_UNKNOWN: Any = None


class _Calls(NamedTuple):
    """All calls of a journal, sorted by start, in ticks since the journal's first instant; the node is the
    place in the tree of all threads."""

    start: np.ndarray
    ticks: np.ndarray
    node: np.ndarray
    thread: np.ndarray
    annotation: np.ndarray
    task: np.ndarray
    waited: np.ndarray


class Recovered(NamedTuple):
    """The results of a journal, and sentences about what is missing of it."""

    results: ProfilingResults
    missing: list[str]


def read_journal(
    path: str | os.PathLike[str], max_bytes: int | None = None
) -> ProfilingResults:
    """As `recover`, the results alone. What is missing is in their metadata, as "missing"."""
    return recover(Path(path), max_bytes).results


def recover(path: Path, max_bytes: int | None = None) -> Recovered:
    """Everything that a journal has.

    Raises CorruptProfileError when it is none or its head is damaged, UnsupportedProfileError when
    another version or machine wrote it.
    """
    with JournalFile(path, max_bytes) as file:
        try:
            journal = file.journal()
            tree = _Merged(journal)
            calls = tree.calls(file)
            return _Building(journal, tree, calls).recovered()
        except UnsupportedProfileError:
            raise
        except (ValueError, OverflowError, TypeError) as error:
            raise file.corrupt(str(error)) from None


class _Merged:
    """The nodes of all threads as one tree: (place above, region) of each place."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.paths: list[tuple[int, int]] = []
        self.first: list[int] = []
        self.past: list[int] = []
        self._places: dict[tuple[int, int], int] = {}
        self._of_thread: dict[int, dict[int, int]] = {}
        self.counted = np.empty(0, VALUE)
        for thread in sorted(journal.nodes):
            placed = self._of_thread[thread] = {0: -1}
            for number, node in sorted(journal.nodes[thread].items()):
                self._place(number, node, placed)
            journal.nodes[thread] = {
                number: node for number, node in journal.nodes[thread].items() if number in placed
            }

    def _place(self, number: int, node: NodeItem, placed: dict[int, int]) -> None:
        known = node.region in self._journal.regions or node.region < 0
        if not known or node.parent not in placed or node.parent >= number:
            return  # its definition is damaged; calls there cannot be told
        path = placed[node.parent], node.region
        place = self._places.setdefault(path, len(self.paths))
        if place == len(self.paths):
            self.paths.append(path)
            self.first.append(node.first)
            self.past.append(0)
        self.first[place] = min(self.first[place], node.first)
        self.past[place] |= node.past
        placed[number] = place

    def calls(self, file: JournalFile) -> _Calls:
        """Those of all threads."""
        parts = []
        for thread in sorted(self._journal.calls):
            found = read_calls(file, self._journal, thread)
            file.allowance.take(len(found.start) * _BYTES_OF_CALL, "the calls of the journal")
            self.counted = np.concatenate([self.counted, found.counted])
            placed = self._of_thread.get(thread, {0: -1})
            numbers = np.array(sorted(placed), np.int64)
            places = np.array([placed[number] for number in numbers.tolist()], np.int64)
            parts.append(self._shared(found._replace(node=places_in(numbers, found.node)), places))
        columns = [np.concatenate(column) for column in zip(*parts)]
        if not parts:
            columns = [np.empty(0, np.int64)] * len(_Calls._fields)
        # Of calls that are alike those are outside that ended later, but where nothing tells whether they
        # came one after the other.
        levels = Tree(_unsure(self.paths)).level
        number, is_empty = np.arange(len(columns[0])), columns[1] == 0
        level = levels[columns[2]] if len(levels) else columns[2]
        order = np.lexsort((np.where(is_empty, number, -number), np.where(is_empty, level, 0),
                            -columns[1], columns[0]))
        return _Calls(*(column[order] for column in columns))

    def _shared(self, found: RecordedCalls, places: np.ndarray) -> _Calls:
        begin = np.uint64(self._journal.first[0])
        return _Calls((found.start - begin).astype(np.int64), found.ticks.astype(np.int64),
                      places[found.node], found.thread, found.annotation, found.task, found.waited)


class _Building:
    """Makes results."""

    def __init__(self, journal: Journal, tree: _Merged, calls: _Calls) -> None:
        self._journal, self._paths, self._calls = journal, tree.paths, calls
        self._first, self._counted = tree.first, tree.counted
        self._scale = journal.scale
        self._waits = bool(journal.facts.get("waits"))
        times = (np.abs(calls.start).max(initial=0), np.abs(calls.ticks).max(initial=0))
        if not 1e-4 < self._scale < 1e4 or max(map(float, times)) * self._scale > _LONGEST:
            raise ValueError("the times of the journal are of no clock")
        self._open = OpenCalls(tree.paths, tree.past)
        self._state = self._read_state()
        self._is_whole = journal.part == 1 or (self._state is not None and self._state.whole)
        #: Whether the calls are all there, and tell the statistics.
        self._tells = not (journal.facts.get("aggregated") or journal.facts.get("limited")
                           or (self._state is not None and self._state.limited))

    def _read_state(self) -> State | None:
        if self._journal.state is None:
            return None
        try:
            return State.read(self._journal.state)
        except ValueError as error:
            self._journal.problems.append(str(error))
            return None

    def recovered(self) -> Recovered:
        """The results and what is missing."""
        state, calls = self._state, self._calls
        nodes, places = self._nodes(), np.arange(len(self._paths))
        metadata = self._metadata()
        if not self._tells:  # around a call that was kept there are those that were not
            self._open.places.clear()
        elif self._is_whole:
            starts, ends = (self._instants(ticks) for ticks in (calls.start, calls.start + calls.ticks))
            nodes = self._open.added_to(nodes, calls.node, starts, ends, metadata["finalize_time_ns"], state)
        if state is not None and not self._tells:
            nodes, places = joined(state.nodes, nodes)
            self._open.places.update(place for place, node in enumerate(nodes) if node.statistics.open_calls)
        elif state is not None and state.whole:
            nodes = told(nodes, state.nodes)
        missing = self._missing()
        if missing:
            metadata["missing"] = "; ".join(missing)
        metadata.update(self._as_of(metadata))
        wall = metadata["finalize_time_ns"] - metadata["start_time_ns"]
        recorded = Recorded(nodes, wall, {} if state is None else state.facts,
                            counters=self._counters())
        of_regions = self._regions(recorded, places)
        regions = {name: MPIRegion(name, {0: region}) for name, region in of_regions}
        tables: dict[str, Any] = {} if state is None else {
            "line_profile": {0: state.lines} if state.lines else None,
            "threads": None if state.threads is None else {0: state.threads},
            "tasks": None if state.tasks is None else {0: state.tasks},
        }
        results = ProfilingResults(regions, metadata=metadata, file_path=self._journal.path,
                                   recorded={0: recorded}, **tables)
        return Recovered(results, missing)

    def _counters(self) -> dict[str, CounterValues]:
        """By name, as far as these are known."""
        rows = self._counted[self._counted["counter"] < _COUNTERS]
        names = [] if self._state is None else self._state.counters
        names = [*names, *(f"counter {number}" for number in range(len(names) + 1, _COUNTERS + 1))]
        ticks = rows["ticks"].astype(np.float64) - float(self._journal.first[0])
        return by_counter(names, rows["counter"], rows["thread"], self._instants(ticks), rows["value"])

    def _as_of(self, metadata: dict[str, Any]) -> dict[str, str]:
        """What is known up to a moment alone, and which that is."""
        state = self._state
        if state is None:
            return {}
        known = {
            "statistics and the tree": not self._tells,
            "errors": not self._tells or state.whole,
            "memory": any(node.statistics.peak_bytes is not None for node in state.nodes),
            "work": any(node.statistics.work for node in state.nodes),
            "lines": bool(state.lines), "threads": bool(state.threads), "tasks": bool(state.tasks),
        }
        names = [name for name, is_known in known.items() if is_known]
        begun, end = metadata["start_time_ns"], metadata["finalize_time_ns"]
        if not names:
            return {}
        at, left = (state.taken_ns - begun) / 1e9, max(end - state.taken_ns, 0) / 1e9
        return {"recovered_as_of": f"{', '.join(names)}: as of {at:.3f} s, "
                                   f"{left:.3f} s before the journal ends"}

    def _ns(self, ticks: Any) -> Any:
        return np.rint(np.asarray(ticks) * self._scale).astype(np.int64)

    def _instants(self, ticks: Any) -> Any:
        return self._journal.first[1] + self._ns(ticks)

    def _name(self, region: int) -> str:
        return OTHER_PATHS if region < 0 else self._journal.regions[region].name

    # -- the tree --------------------------------------------------------------

    def _nodes(self) -> list[Node]:
        calls = self._calls
        own, nested = self._nesting()
        nodes = []
        order = np.argsort(calls.node, kind="stable")
        places = np.arange(len(self._paths))
        begins = np.searchsorted(calls.node[order], places)
        ends = np.searchsorted(calls.node[order], places, "right")
        for place, (above, region) in enumerate(self._paths):
            rows = order[begins[place] : ends[place]]
            nodes.append(self._node(place, above, self._name(region), rows, own, nested))
        return nodes

    def _nesting(self) -> tuple[np.ndarray, np.ndarray]:
        """Of each call the ticks in none inside it, and whether it is inside one of the same region."""
        calls = self._calls
        ends = calls.start + calls.ticks
        tree = Tree(_unsure(self._paths))
        tracks = calls.thread * (int(calls.task.max(initial=0)) + 1) + calls.task

        def search(begins: np.ndarray, stops: np.ndarray, nodes: Any) -> np.ndarray:
            return by_tree(begins, stops, nodes, tree)

        within = nest(calls.start, ends, tracks, search, calls.node, tree)
        inside = within.parent >= 0
        above = tree.above[calls.node] if len(calls.node) else calls.node
        self._open.find(calls.node, np.flatnonzero(~inside & (above >= 0)))
        nested = self._nested(within.parent, above, tree)
        return exclusive_ns(calls.start, ends, within.parent, within.is_proper), nested

    def _nested(self, parents: np.ndarray, above: np.ndarray, tree: Tree) -> np.ndarray:
        """bool [n]: whether each call is inside one of its region."""
        node, nested = self._calls.node, np.zeros(len(parents), bool)
        region = np.array([region for _, region in self._paths], np.int64)[node] if len(node) else node
        around = np.where(parents >= 0, node[np.maximum(parents, 0)], above) if len(parents) else above
        folded = {*np.unique(node[around != above]).tolist()}
        for place, (upper, _) in enumerate(self._paths):
            if upper in folded:  # a recursion goes through it
                folded.add(place)
        rows = np.flatnonzero(np.isin(node, [*folded]) & (parents >= 0))
        reached = parents[rows]
        while len(rows):
            same = region[reached] == region[rows]
            nested[rows[same]] = True
            reached = parents[reached]
            goes_on = ~same & (reached >= 0)
            rows, reached = rows[goes_on], reached[goes_on]
        return nested

    def _node(self, place: int, above: int, name: str, rows: np.ndarray, own: np.ndarray,
              nested: np.ndarray) -> Node:
        first = self._begin(place, rows)
        if not len(rows):
            statistics = RegionStatistics.nothing_of(name)
            if name != OTHER_PATHS and self._is_whole:  # its first call is not over
                self._open.has_begun(place)
            return Node(above, statistics, first, None, None)
        ticks = self._calls.ticks[rows]
        outermost = ~nested[rows]
        minimum, maximum = int(self._ns(ticks.min())), int(self._ns(ticks.max()))
        sketch = _sketch(ticks, self._scale)
        every, total = int(self._ns(ticks.sum())), int(self._ns(ticks[outermost].sum()))
        waited = int(self._ns(self._calls.waited[rows][outermost].sum())) if self._waits else None
        deviation = float(ticks.std()) * self._scale
        percentiles: dict[str, Any] = {
            f"{known}_ns": sketch.percentile_ns(percentile, minimum, maximum)
            for known, percentile in PERCENTILES.items()
        }
        statistics = RegionStatistics(
            name, len(rows), _UNKNOWN, 0, total, int(self._ns(own[rows].sum())), round(every / len(rows)),
            minimum, maximum, round(deviation), **percentiles, corrected_total_ns=_UNKNOWN,
            corrected_exclusive_ns=_UNKNOWN, running_ns=None if waited is None else total - waited,
            waiting_ns=waited, sum_ns=every, open_total_ns=0, open_exclusive_ns=0,
        )
        return Node(above, statistics, first, sketch, deviation)

    def _begin(self, place: int, rows: np.ndarray) -> int | None:
        """When the first call at a place began, ns; None where there was none."""
        first = self._first[place]
        if first == _NEVER:
            return int(self._instants(self._calls.start[rows].min())) if len(rows) else None
        return int(self._instants(float(first - self._journal.first[0])))

    # -- regions ---------------------------------------------------------------

    def _regions(self, recorded: Recorded, places: np.ndarray) -> Iterator[tuple[str, Region]]:
        """places: of the nodes of the calls in the tree."""
        calls = self._calls
        of_path = np.array([region for _, region in self._paths], np.int64)
        region_of = of_path[calls.node] if len(calls.node) else calls.node
        sketches, works = sketches_by_region(recorded.nodes), work_by_region(recorded.nodes)
        entries, tasked = self._entries(), self._waits
        table, numbered = [*entries.values()], np.array([0, *entries], np.int64)
        threaded = len(np.unique(calls.thread)) > 1 or bool(self._journal.facts.get("track_threads"))
        by_name: dict[str, list[Node]] = {}
        for node in recorded.nodes:
            by_name.setdefault(node.name, []).append(node)
        numbers = {region.name: number for number, region in sorted(self._journal.regions.items())}
        known = {region.name: region for region in self._state.regions} if self._state else {}
        known.update((region.name, region) for region in self._journal.regions.values())
        for name, region in known.items():
            rows = np.flatnonzero(region_of == numbers.get(name, -2))
            nodes = by_name.get(name, [])
            every = self._aggregates(rows, sketches) if self._tells else _aggregates(nodes)
            if not every["count"]:
                continue
            statistics = _summed(nodes)
            annotations = np.maximum(places_in(numbered, calls.annotation[rows]) - 1, -1)
            yield region.name, Region(
                start_times_ns=self._instants(calls.start[rows]),
                durations_ns=self._ns(calls.ticks[rows]),
                node_ids=places[calls.node[rows]],
                thread_ids=calls.thread[rows] if threaded else None,
                task_ids=calls.task[rows] - 1 if tasked else None,
                await_ns=self._ns(calls.waited[rows]) if tasked else None,
                event_metadata=EventMetadata(annotations, table) if table else None,
                tags=region.tags,
                source_file=region.file or None,
                source_lineno=region.line or None,
                exclusive_total_ns=statistics["exclusive"],
                inclusive_total_ns=statistics["inclusive"],
                statistics=every,
                errors=statistics["errors"], throttled_calls=statistics["throttled"],
                sketch=sketches.get(region.name),
                work=works.get(region.name),
            )

    def _aggregates(self, rows: np.ndarray, sketches: dict[str, Sketch]) -> dict[str, Any]:
        if not len(rows):
            return {"count": 0}
        sketch = sketches[self._name(self._paths[self._calls.node[rows[0]]][1])]
        ticks = self._calls.ticks[rows]
        minimum, maximum = int(self._ns(ticks.min())), int(self._ns(ticks.max()))
        total = int(self._ns(ticks.sum()))
        return {
            "count": len(rows), "total": total, "minimum": minimum, "maximum": maximum,
            "mean": total / len(rows), "std": float(ticks.std()) * self._scale,
            **{name: sketch.percentile_ns(percentile, minimum, maximum)
               for name, percentile in PERCENTILES.items()},
        }  # fmt: skip

    def _entries(self) -> dict[int, dict[str, Any]]:
        """By number, which ascend."""
        known: dict[int, dict[str, Any]] = {}
        for note in self._journal.notes:
            number = note.get("annotation")
            values = note.get("values")
            if not isinstance(number, int) or not 0 < number < 1 << 32:
                continue
            entry = dict(values) if isinstance(values, dict) else {}
            if "exception" in note:
                raised = note["exception"]
                entry["status"] = "ok" if raised is None else "error"
                if raised is not None:
                    entry["exception"] = raised
            known[number] = entry
        return dict(sorted(known.items()))

    # -- what there is to say --------------------------------------------------

    def _missing(self) -> list[str]:
        missing = list(self._journal.problems)
        lost = int((~np.isin(self._calls.annotation, [0, *self._entries()])).sum())
        if lost:
            missing.append(f"the metadata of {lost} call(s) are missing")
        if not self._tells and self._state is None:
            missing.append("the statistics of all calls were not written yet, and are of those that are here")
        if self._open.places:
            when = "when the journal ends" if self._tells else "at the last checkpoint"
            missing.append(f"at least {len(self._open.places)} call(s) were open {when}")
        return missing

    def _metadata(self) -> dict[str, Any]:
        given = self._journal.facts.get("metadata")
        metadata: dict[str, Any] = dict(given) if isinstance(given, Mapping) else {}
        begun = metadata.get("start_time_ns")
        calls = self._calls
        end = self._journal.last[1]
        if len(calls.start):
            end = max(end, int(self._instants((calls.start + calls.ticks).max())))
        if not isinstance(begun, int) or begun > end:
            metadata["start_time_ns"] = self._journal.first[1]
        metadata["finalize_time_ns"] = end
        metadata["recovered_from"] = str(self._journal.path)
        return metadata


def _unsure(paths: list[tuple[int, int]]) -> list[Node]:
    """Nodes whose calls may be inside one another."""
    nothing = replace(RegionStatistics.nothing_of(""), sum_ns=1)
    other = RegionStatistics.nothing_of(OTHER_PATHS)
    return [Node(above, other if region < 0 else nothing) for above, region in paths]


def _summed(nodes: list[Node]) -> dict[str, Any]:
    errors: list[Any] = [node.statistics.errors for node in nodes]
    return {
        "exclusive": sum(node.statistics.exclusive_ns for node in nodes),
        "inclusive": sum(node.statistics.total_ns for node in nodes),
        "errors": None if None in errors else sum(errors),
        "throttled": sum(node.statistics.throttled_calls for node in nodes),
    }


def _aggregates(nodes: list[Node]) -> dict[str, Any]:
    """As `_Building._aggregates`, of all calls of nodes of one region."""
    if not nodes:
        return {"count": 0}
    node = merged(nodes)
    statistics = node.statistics
    return {
        "count": statistics.num_calls, "total": statistics.sum_ns, "minimum": statistics.minimum_ns,
        "maximum": statistics.maximum_ns, "std": std_of(node),
        "mean": statistics.sum_ns / statistics.num_calls if statistics.num_calls else 0.0,
        **{name: getattr(statistics, f"{name}_ns") for name in PERCENTILES},
    }  # fmt: skip


def _sketch(ticks: np.ndarray, scale: float) -> Sketch:
    """As src/record/node.c puts them into buckets."""
    bit = np.frexp(np.maximum(ticks, 1).astype(np.float64))[1] - 1
    octave = np.maximum(bit - 5, 0)
    bucket = (ticks >> np.maximum(octave - 1, 0)) & (_BUCKETS - 1)
    number = octave.astype(np.int64) * _BUCKETS + bucket
    first = int(number.min())
    return Sketch.of_buckets(first, np.bincount(number - first), scale)
