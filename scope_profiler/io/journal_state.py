"""The state of a run in its journal, as _run/checkpoint.py writes it: what is known up to one moment, of a
run whose calls do not tell it, or not all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
import math
from typing import Any

import numpy as np

from .._model import buckets
from .._model.counted_code import CountedCode
from .._model.counted_lines import EXTRAS, CountedLine, CountedLines
from .._model.recorded import OTHER_PATHS, Node
from .._model.statistics import LONGEST_NS, MEMORY, RegionStatistics
from ..results import Sketch, TaskInfo, ThreadInfo
from ..results.line_entries import entry_of
from .journal_blocks import RegionItem

_BUCKETS = 64 * 64  # there are no more
_MOST = 1 << 63
_UNKNOWN: Any = None


@dataclass
class State:
    """What was known of a run at a moment.

    taken_ns: That moment. whole: What it counts begins where the journal does. limited: Start and end
    were not kept of every call. nodes: The tree. regions: Those that were entered. lines: Entries of a
    line profile. threads, tasks: None where they were not tracked. facts: As of a Recorded. counters: The
    names of those that had a value, by number.
    """

    taken_ns: int
    whole: bool
    limited: bool
    nodes: list[Node]
    regions: list[RegionItem]
    lines: list[dict[str, Any]]
    threads: list[ThreadInfo] | None
    tasks: list[TaskInfo] | None
    facts: dict[str, int]
    counters: list[str]

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> State:
        """Raises ValueError when it is not what a run writes."""
        try:
            return cls._read(state)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise ValueError(f"the state of the run is not what it should be: {error}") from None

    @classmethod
    def _read(cls, state: Mapping[str, Any]) -> State:
        scale = float(state["scale"])
        nodes = [
            _node(*row, sketch=_sketch(sketch, scale))
            for row, sketch in zip(state["tree"], state["sketches"], strict=True)
        ]
        if not all(-1 <= node.parent < place for place, node in enumerate(nodes)):
            raise ValueError("a node is above itself")
        threads, tasks = state["threads"], state["tasks"]
        return cls(
            _int(state["taken_ns"]), bool(state["whole"]), bool(state["limited"]), nodes,
            [RegionItem(_text(name), _int(line), _text(file), tuple(map(_text, tags)))
             for name, file, line, tags in state["regions"]],
            [entry_of(_table(*table)) for table in state["lines"] if table[2]],
            None if threads is None else [ThreadInfo(*row) for row in threads],
            None if tasks is None else [TaskInfo(*row) for row in tasks],
            {_text(name): _int(value) for name, value in state["facts"].items()},
            [_text(name) for name in state.get("counters", ())],
        )


def paths_of(nodes: Sequence[Node]) -> list[tuple[str, ...]]:
    """The names from the root to each node."""
    paths: list[tuple[str, ...]] = []
    for node in nodes:
        above = paths[node.parent] if node.parent >= 0 else ()
        paths.append((*above, node.name))
    return paths


def told(nodes: Sequence[Node], state: Sequence[Node]) -> list[Node]:
    """The nodes, whose calls are all known, with what the state tells besides, and after them those whose
    first calls are open. What the state does not have was not there yet."""
    known = dict(zip(paths_of(state), state))
    measured = any(node.statistics.peak_bytes is not None for node in state)
    nothing: dict[str, Any] = {"errors": 0, "work": None, "throttled_calls": 0,
                               **dict.fromkeys(MEMORY, 0 if measured else None)}
    found = []
    for node, path in zip(nodes, paths_of(nodes)):
        if (same := known.get(path)) is not None:
            values = {name: getattr(same.statistics, name) for name in nothing}
        found.append(replace(node, statistics=replace(
            node.statistics, **(nothing if same is None else values)
        )))
    return joined(found, state, only_open=True)[0]


def joined(
    nodes: Sequence[Node], others: Sequence[Node], only_open: bool = False
) -> tuple[list[Node], np.ndarray]:
    """The nodes, and after them the others whose paths they do not have; and the place of each of the
    others, -1 where it is left out. only_open: of the others those without calls."""
    found = list(nodes)
    places = {path: place for place, path in enumerate(paths_of(nodes))}
    of_others = np.full(len(others), -1, np.int64)
    for number, (node, path) in enumerate(zip(others, paths_of(others))):
        if path not in places:
            above = -1 if node.parent < 0 else int(of_others[node.parent])
            if (only_open and node.statistics.num_calls) or (node.parent >= 0 and above < 0):
                continue
            places[path] = len(found)
            found.append(replace(node, parent=above))
        of_others[number] = places[path]
    return found, of_others


def _int(value: Any) -> int:
    if type(value) is not int or not -_MOST <= value < _MOST:
        raise TypeError(f"{value!r} is no number of a run")
    return value


def _optional(value: Any) -> int | None:
    return None if value is None else _int(value)


def _amount(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no amount of work")
    return float(value)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{value!r} is no text")
    return value


def _sketch(sketch: Any, scale: float) -> Sketch:
    pairs = np.array([[_int(place), _int(count)] for place, count in sketch], np.int64).reshape(-1, 2)
    places, counts = pairs[:, 0], pairs[:, 1]
    if len(pairs) and not (
        0 <= places[0] and places[-1] < _BUCKETS and (np.diff(places) > 0).all() and (counts > 0).all()
    ):
        raise ValueError("a sketch has other buckets")
    return Sketch.of_used_buckets(places, counts, scale)


def _node(
    parent: Any, name: Any, calls: Any, errors: Any, open_calls: Any, total: Any, every: Any, own: Any,
    minimum: Any, maximum: Any, deviation: Any, percentiles: Any, waited: Any, open_total: Any,
    open_own: Any, memory: Any, work: Any, first: Any, throttled: Any = 0, *, sketch: Sketch,
) -> Node:
    if name is None:
        return Node(_int(parent), RegionStatistics.nothing_of(OTHER_PATHS), None, None, None)
    calls, total, every, waited = _int(calls), _int(total), _int(every), _optional(waited)
    deviation, first = _amount(deviation), _int(first)
    if abs(deviation) > LONGEST_NS:
        raise ValueError(f"a standard deviation is {deviation} ns")
    p50, p90, p95, p99, p999 = map(_int, percentiles)
    of_memory: dict[str, Any] = {}
    if memory is not None:
        of_memory = dict(zip(MEMORY, map(_int, memory), strict=True))
    statistics = RegionStatistics(
        _text(name), calls, _int(errors), _int(open_calls), total, _int(own),
        round(every / calls) if calls else 0, _int(minimum), _int(maximum), round(deviation),
        p50, p90, p95, p99, p999, corrected_total_ns=_UNKNOWN, corrected_exclusive_ns=_UNKNOWN,
        running_ns=None if waited is None else total - waited, waiting_ns=waited, sum_ns=every,
        open_total_ns=_int(open_total), open_exclusive_ns=_int(open_own), **of_memory,
        work=None if work is None else {_text(name): _amount(value) for name, value in work.items()},
        throttled_calls=_int(throttled),
    )  # fmt: skip
    return Node(_int(parent), statistics, None if first < 0 else first, sketch, deviation)


def _table(region: Any, code: Any, rows: Any, again: Any, source: Any) -> CountedLines:
    file, line, function = code
    if source is not None:
        _text(source)
    return CountedLines(_text(region), CountedCode(_text(file), _int(line), _text(function)),
                        [_line(row) for row in rows], [_line(row) for row in again], source)


def _line(row: Any) -> CountedLine:
    line, hits, time, *rest, sketch = row
    extras: dict[str, Any] = dict(zip(EXTRAS, map(_optional, rest), strict=True))
    if sketch is not None:
        extras["sketch"] = buckets.of_rows(sketch)
    return CountedLine(_int(line), _int(hits), _int(time), **extras)
