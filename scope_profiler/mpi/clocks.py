"""The clocks of the machines of a job, on the axis of rank 0's.

``perf_counter_ns()`` counts from when a machine was started, and each runs at a speed of its own. Rank 0 asks
a rank on another machine for its time, several times in a row; the answer that came soonest tells most. Half
of the time that it took is the error. Two such readings tell how far the clocks drift apart.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from . import messages

#: How often a time is asked for.
ROUNDS = 25

#: Seconds that ranks wait for each other when a run begins, and for a time that is asked for.
PATIENCE = 5.0

_BYTES = 8


def now_ns() -> int:
    """The time that calls are recorded on."""
    return time.perf_counter_ns()


class Reading(NamedTuple):
    """What was found at one moment.

    there_ns: The time on the clock of the rank.
    offset_ns: What it takes to be that of rank 0.
    error_ns: By how much that may be wrong.
    """

    there_ns: int
    offset_ns: int
    error_ns: int

    @classmethod
    def of_answer(cls, asked_ns: int, there_ns: int, answered_ns: int) -> Reading:
        """Of a time that was asked for at one time of rank 0 and arrived there at another."""
        middle = (asked_ns + answered_ns) // 2
        return cls(there_ns, middle - there_ns, (answered_ns - asked_ns + 1) // 2)


class Alignment(NamedTuple):
    """The clock of a rank, by two readings, which are the same where there was one.

    first, last: The readings.
    """

    first: Reading
    last: Reading

    @classmethod
    def of_numbers(cls, readings: Iterable[Iterable[int]]) -> Alignment:
        """As it comes in a message."""
        return cls(*(Reading(*reading) for reading in readings))

    @property
    def drift(self) -> float | None:
        """How many seconds a second the clock of rank 0 runs away from it; None where that is unknown."""
        seconds = self.last.there_ns - self.first.there_ns
        return (self.last.offset_ns - self.first.offset_ns) / seconds if seconds > 0 else None

    @property
    def error_ns(self) -> int:
        """By how much times between the readings may be wrong. Before the first and after the last
        the error of the drift is added to it, and where there is one reading the drift is unknown."""
        return max(self.first.error_ns, self.last.error_ns)

    def to_root(self, times_ns: np.ndarray) -> np.ndarray:
        """Times of the rank as times of rank 0, int64."""
        since = times_ns - self.first.there_ns
        drifted = np.rint(since * (self.drift or 0.0)).astype(np.int64)
        return np.asarray(times_ns + self.first.offset_ns + drifted, np.int64)


#: What rank 0 has found, of each rank at first and last: {(handle of the communicator, rank): Alignment}.
_known: dict[tuple[int, int], Alignment] = {}


def measure(world: Any, rank: int, seconds: float) -> Alignment:
    """The clock of a rank that is in `answer` now. Called on rank 0.

    Raises TimeoutError when it does not answer within that time.
    """
    best: Reading | None = None
    for _ in range(ROUNDS):
        asked = now_ns()
        messages.send(world, rank, messages.CLOCK, b"?" * _BYTES)
        answer = bytearray(_BYTES)
        if not messages.receive(world, rank, messages.CLOCK, answer, seconds, busy=True):
            raise TimeoutError(f"its clock did not answer within {seconds:g} s")
        reading = Reading.of_answer(asked, int.from_bytes(answer, "little"), now_ns())
        if best is None or reading.error_ns < best.error_ns:
            best = reading
    assert best is not None
    key = world.py2f(), rank
    _known[key] = Alignment(_known[key].first if key in _known else best, best)
    return _known[key]


def meet(world: Any, seconds: float) -> None:
    """Read the clocks of the ranks on other machines for the first time, as far as they all come here within
    so many seconds of each other."""
    import socket

    host = socket.gethostname()
    if world.Get_rank():
        messages.tell(world, 0, messages.MEETING, {"host": host})
        words: list[str] = []

        def called() -> bool:
            words.extend(facts["word"] for _, facts in messages.heard(world, messages.MEETING, 0))
            return bool(words)

        if messages.wait(called, seconds) and words[0] == "clock":
            answer(world, seconds)
        return
    waiting, there = set(range(1, world.Get_size())), dict[int, str]()

    def arrived() -> bool:
        there.update((rank, facts["host"]) for rank, facts in messages.heard(world, messages.MEETING))
        return bool(there)

    while waiting and messages.wait(arrived, seconds):
        rank, name = there.popitem()
        waiting.discard(rank)
        messages.tell(world, rank, messages.MEETING, {"word": "same" if name == host else "clock"})
        if name != host:
            with suppress(TimeoutError):
                measure(world, rank, seconds)


def answer(world: Any, seconds: float) -> None:
    """Tell rank 0 the time of this rank whenever it asks, in `measure`."""
    for _ in range(ROUNDS):
        if not messages.receive(world, 0, messages.CLOCK, bytearray(_BYTES), seconds, busy=True):
            return
        messages.send(world, 0, messages.CLOCK, now_ns().to_bytes(_BYTES, "little"))
