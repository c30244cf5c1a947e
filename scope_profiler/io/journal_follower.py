"""A journal that is read while its program goes on: what has come since it was looked at last."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
import os
from pathlib import Path
import time
from typing import NamedTuple

import numpy as np

from .._model.recorded import OTHER_PATHS, work_by_region
from .._model.work import rates
from . import journal_format as form
from .journal_blocks import Block, Journal, JournalFile, padded_size, take_items
from .journal_state import State

_CHUNK = 1 << 16
_NEVER = (1 << 64) - 1
#: How many rates of each region are kept.
RATES = 30
#: How many parts a window has.
_SLOTS = 60


class LiveRegion(NamedTuple):
    """A region so far. Times are seconds; `own` is that of calls that are over, less what was called
    from there; `total` has calls inside each other each. rates: calls a second, in each of the last
    intervals. work_rates: of what was added to it, for each second in it, as of the last checkpoint."""

    name: str
    calls: int
    own: float
    total: float
    longest: float
    rates: list[float]
    open_for: float | None
    work_rates: Mapping[str, float]


class OpenPath(NamedTuple):
    """Calls that are open, each inside the one before it. seconds: how long the innermost has been,
    at least; exactly where is_exact."""

    thread: int
    names: tuple[str, ...]
    seconds: float
    is_exact: bool


class Live(NamedTuple):
    """A run at one moment. elapsed: seconds since its journal began, or those that are looked at."""

    elapsed: float
    threads: int
    calls: int
    regions: list[LiveRegion]
    open: list[OpenPath]


@dataclass
class _Calls:
    """How many calls, and for how many ticks."""

    number: int = 0
    ticks: float = 0.0
    longest: int = 0

    def add(self, number: int, ticks: float, longest: int) -> None:
        self.number += number
        self.ticks += ticks
        self.longest = max(self.longest, longest)


@dataclass
class _Place:
    """What is known of a node of a thread's tree. Times are ticks.

    calls: Those that are looked at. ever: How many there have been. slots: Those that are looked at, by the
        time of their end.
    """

    calls: _Calls = field(default_factory=_Calls)
    ever: int = 0
    last_end: int = 0
    open_since: int | None = None
    slots: dict[int, _Calls] = field(default_factory=dict)

    def forget(self, before: int) -> None:
        """Look no longer at calls of earlier slots."""
        for slot in [slot for slot in self.slots if slot < before]:
            del self.slots[slot]
        self.calls = _Calls()
        for calls in self.slots.values():
            self.calls.add(calls.number, calls.ticks, calls.longest)


@dataclass
class _Tail:
    """A block that is still written to, and how much of it has been read."""

    block: Block
    read: int = 0
    pending: bytes = b""


@dataclass
class _Thread:
    places: dict[int, _Place] = field(default_factory=dict)


class JournalFollower:
    """Follows a journal: each `update()` reads what is new.

    window: Look only at calls that have ended in so many last seconds, to a sixtieth of them; None for all.

    Raises CorruptProfileError, UnsupportedProfileError or OSError when it cannot be read.
    """

    def __init__(self, path: Path, window: float | None = None) -> None:
        self._file = JournalFile(path)
        self.journal: Journal = self._file.begin()
        self.is_closed = False
        self._window = window
        self._slot = 0 if window is None else max(int(window * 1e9 / self.journal.scale / _SLOTS), 1)
        self._next = padded_size(form.HEAD.itemsize + self._file.facts_size)
        self._free: dict[int, int] = {}
        self._tails: list[_Tail] = []
        self._threads: dict[int, _Thread] = {}
        self._rates: dict[str, deque[float]] = {}
        self._before: tuple[float, dict[str, int]] | None = None
        self._states: dict[int, Block] = {}
        self._work: tuple[int, dict[str, dict[str, float]]] = 0, {}

    def close(self) -> None:
        """Close the file; what has been read stays."""
        self.is_closed = True
        self._file.__exit__()

    @property
    def is_removed(self) -> bool:
        """Whether the program has removed it, as its results are in their file."""
        return not self._file.links()

    def update(self, now_ns: int | None = None) -> Live:
        """The run as it is now. now_ns: on the axis of perf_counter_ns(), which programs share."""
        if not self.is_closed:
            self._file.grown()
            self._find_blocks()
            self._read_work()
            for tail in self._tails:
                self._read(tail)
            self._tails = [tail for tail in self._tails if not self._is_done(tail)]
        return self._live(time.perf_counter_ns() if now_ns is None else now_ns)

    # -- reading ---------------------------------------------------------------

    def _find_blocks(self) -> None:
        self._states.clear()
        for place, end in list(self._free.items()):  # whether they are used by now
            del self._free[place]
            for _ in self._blocks(place, end):
                pass
        for end in self._blocks(self._next, self._file.size):
            self._next = end

    def _blocks(self, place: int, stop: int) -> Iterator[int]:
        """Take the blocks from a place on; gives the end of each."""
        while place + form.BLOCK.itemsize <= stop:
            block = self._file.block(place)
            if block is None:
                return
            end = place + int(block.head["length"])
            kind = int(block.head["kind"])
            self.journal.last = max(
                self.journal.last, (int(block.head["ticks"]), int(block.head["ns"])))
            if kind in (form.CALLS, form.ITEMS):
                self._tails.append(_Tail(block))
            else:
                self._free[place] = end
                if kind == form.STATE:
                    self._states[place] = block
            place = end
            yield end

    def _read_work(self) -> None:
        """Of the last checkpoint, if that has not been read."""
        last = max((int(block.head["sequence"]) for block in self._states.values()), default=0)
        if last == self._work[0]:
            return
        state = self._file.state_of(self._states.values())
        try:
            nodes = State.read(state).nodes if state else []
        except ValueError:
            return
        spent: dict[str, int] = {}
        for node in nodes:
            known = node.statistics
            spent[node.name] = spent.get(node.name, 0) + known.total_ns + known.open_total_ns
        self._work = last, {name: rates(work, spent[name]) or {}
                            for name, work in work_by_region(nodes).items()}

    def _is_done(self, tail: _Tail) -> bool:
        settled = self._file.block(tail.block.place - form.BLOCK.itemsize)
        if settled is None or settled.head["sequence"] != tail.block.head["sequence"]:
            return True  # it is of something else by now
        if not settled.is_settled:
            return False
        self._read(tail)
        return True

    def _read(self, tail: _Tail) -> None:
        is_calls = int(tail.block.head["kind"]) == form.CALLS
        while tail.read < tail.block.room:
            size = min(_CHUNK, tail.block.room - tail.read)
            data = self._file.read(tail.block.place + tail.read, size)
            used = self._take_calls(tail, data) if is_calls else take_items(data, self.journal)
            tail.read += used
            if not used:
                return

    def _take_calls(self, tail: _Tail, data: bytes) -> int:
        """Count the calls in some records; gives how many bytes these were."""
        records = np.frombuffer(data[: len(data) // form.RECORD.itemsize * form.RECORD.itemsize], form.RECORD)
        empty = np.flatnonzero(records["rest"] == 0)
        records = records[: int(empty[0]) if len(empty) else len(records)]
        rest, starts = records["rest"], records["start"]
        ticks, node = rest >> np.uint64(form.NODE_BITS), rest & np.uint64((1 << form.NODE_BITS) - 1)
        follows = rest == np.uint64(form.CONTINUED)
        is_long = ~follows & (node != 0) & (ticks == form.LONG_DURATION)
        if len(records) and is_long[-1]:  # its second record is to come
            return self._take_calls(tail, data[: (len(records) - 1) * form.RECORD.itemsize])
        rows = np.flatnonzero((node != 0) & ~follows)
        lasted = ticks[rows].copy()
        lasted[is_long[rows]] = starts[rows[is_long[rows]] + 1]
        if len(rows):
            self._count(int(tail.block.head["thread"]), node[rows].astype(np.int64), starts[rows], lasted)
        return len(records) * form.RECORD.itemsize

    def _count(self, thread: int, node: np.ndarray, starts: np.ndarray, ticks: np.ndarray) -> None:
        places = self._threads.setdefault(thread, _Thread()).places
        order = np.argsort(node, kind="stable")
        node, starts, ticks = node[order], starts[order], ticks[order]
        groups = np.split(np.arange(len(node)), np.flatnonzero(np.diff(node)) + 1)
        for rows in groups:
            place = places.setdefault(int(node[rows[0]]), _Place())
            ends = starts[rows] + ticks[rows]
            place.ever += len(rows)
            slots = ends // np.uint64(self._slot) if self._slot else np.zeros(len(rows), np.uint64)
            for slot in np.unique(slots).tolist():
                some = ticks[rows[slots == slot]]
                calls = place.slots.setdefault(slot, _Calls()) if self._slot else place.calls
                calls.add(len(some), float(some.sum()), int(some.max()))
            place.last_end = max(place.last_end, int(ends.max()))
            if place.open_since is not None and place.open_since < place.last_end:
                place.open_since = None
        for rows in groups:  # the call around one that began after the last end is open
            inside, begin = int(node[rows[0]]), starts[rows]
            for above in self._above(thread, inside):
                past = self._past(thread, above)
                if past & form.OUTLIVED:
                    break
                if past:
                    continue
                around = places.setdefault(above, _Place())
                begin = begin[begin > around.last_end]
                if not len(begin):
                    break
                first = int(begin.min())
                if around.open_since is None or first < around.open_since:
                    around.open_since = first

    def _above(self, thread: int, number: int) -> Iterator[int]:
        """The nodes that a node is below, the nearest first."""
        nodes = self.journal.nodes.get(thread, {})
        while number in nodes and 0 < nodes[number].parent < number:
            number = nodes[number].parent
            yield number

    def _past(self, thread: int, number: int) -> int:
        node = self.journal.nodes.get(thread, {}).get(number)
        return 0 if node is None else node.past

    # -- what it comes to ------------------------------------------------------

    def _live(self, now_ns: int) -> Live:
        scale = self.journal.scale / 1e9
        ticks, ns = self.journal.last
        now = ticks + (now_ns - ns) / self.journal.scale
        begun = self.journal.facts.get("metadata", {}).get("start_time_ns", self.journal.first[1])
        elapsed = max((now_ns - begun) / 1e9, 0.0)
        self._forget(now)
        ever: dict[str, int] = {}
        calls: dict[str, int] = {}
        own: dict[str, float] = {}
        total: dict[str, float] = {}
        longest: dict[str, float] = {}
        open_for: dict[str, float] = {}
        paths: list[OpenPath] = []
        for thread, nodes in self.journal.nodes.items():
            places = self._threads.setdefault(thread, _Thread()).places
            inside: dict[int, float] = {}
            for number, node in nodes.items():
                inside[node.parent] = inside.get(node.parent, 0.0) + places.get(number, _Place()).calls.ticks
            is_around: set[int] = set()
            for number in sorted(nodes, reverse=True):  # children after parents
                node, place = nodes[number], places.setdefault(number, _Place())
                name = self._name(node.region)
                ever[name] = ever.get(name, 0) + place.ever
                calls[name] = calls.get(name, 0) + place.calls.number
                spent = place.calls.ticks
                own[name] = own.get(name, 0.0) + max(spent - inside.get(number, 0.0), 0.0) * scale
                total[name] = total.get(name, 0.0) + spent * scale
                longest[name] = max(longest.get(name, 0.0), place.calls.longest * scale)
                since, is_exact = None if node.past else place.open_since, False
                if not place.ever and node.first != _NEVER and not node.past & form.PASSED:
                    since, is_exact = node.first, True
                if since is None:
                    continue
                seconds = max((now - since) * scale, 0.0)
                open_for[name] = max(open_for.get(name, 0.0), seconds)
                above = list(self._above(thread, number))
                if number not in is_around:
                    names = [self._name(nodes[one].region) for one in (*reversed(above), number)]
                    paths.append(OpenPath(thread, tuple(names), seconds, is_exact))
                is_around.update(above)
        rates = self._rates_of(ever, elapsed)
        regions = [
            LiveRegion(name, calls[name], own[name], total[name], longest[name], rates[name],
                       open_for.get(name), self._work[1].get(name, {}))
            for name in calls
        ]
        regions.sort(key=lambda region: (-region.own, region.name))
        return Live(min(elapsed, self._window or elapsed), len(self.journal.nodes), sum(calls.values()),
                    regions, sorted(paths, key=lambda path: (path.thread, -path.seconds)))

    def _forget(self, now: float) -> None:
        """Look no longer at calls that have ended before the window."""
        if self._slot:
            for thread in self._threads.values():
                for place in thread.places.values():
                    place.forget(int(now) // self._slot - _SLOTS)

    def _rates_of(self, calls: dict[str, int], elapsed: float) -> dict[str, list[float]]:
        before, earlier = self._before or (0.0, {})
        length = elapsed - before
        self._before = elapsed, dict(calls)
        for name, number in calls.items():
            of_region = self._rates.setdefault(name, deque(maxlen=RATES))
            of_region.append((number - earlier.get(name, 0)) / length if length > 0 else 0.0)
        return {name: list(self._rates[name]) for name in calls}

    def _name(self, region: int) -> str:
        if region < 0:
            return OTHER_PATHS
        known = self.journal.regions.get(region)
        return "?" if known is None else known.name


def journal_of_process(process: int) -> Path | None:
    """The journal that a process writes, by its mapped files; None where there is none.

    Raises ProcessLookupError when there is no such process, PermissionError when it is somebody else's.
    """
    os.kill(process, 0)
    found = None
    try:
        with open(f"/proc/{process}/maps", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                path = line.split(maxsplit=5)[5:]
                if path and path[0].rstrip("\n").endswith(".journal"):
                    found = Path(path[0].rstrip("\n"))
    except FileNotFoundError:  # no Linux
        pass
    return found
