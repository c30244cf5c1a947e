"""The results of all ranks at rank 0.

Each rank has written a file of its own, tells rank 0 of it, and goes on when rank 0 has taken it. Rank 0
reads the file where it sees it, as it does on the same machine and on a shared file system; else it is
sent. Where all are to write the one file together (`shared_file`), they wait until that is done.
Nobody waits for ever: a rank that does not come in time, died or never calls finalize() is missing,
and those that rank 0 does not hear keep their files, which `scope-profiler merge` puts together.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base.shown import shown
from ..io import load
from ..results import at_times
from . import clocks, messages, shared_file

if TYPE_CHECKING:
    from ..results import ProfilingResults


class Key(NamedTuple):
    """Which finalize() it is, alike on all ranks.

    what: The path that the run was given.
    number: The first with it is 1.
    """

    what: str
    number: int


class Answer(NamedTuple):
    """What has become of an offer.

    is_taken: Whether rank 0 has the results.
    is_sent: Whether it has a copy of the file; else it reads and removes that.
    where: The file that the results of all ranks go to, as rank 0 has it; None for none.
    """

    is_taken: bool
    is_sent: bool
    where: str | None


@dataclass
class Gathered:
    """What rank 0 has of the other ranks.

    results: By rank.
    files: The same as files, which may go when the results are in another.
    missing: By rank, why it has not come.
    hosts: By rank, the names of the machines.
    aligned: The clocks of the ranks on other machines than rank 0, whose results have its times.
    bytes_sent: How long the files were that had to be sent.
    where: The file that the results go to; None for none.
    held: The ranks that wait to write it, too; empty where they need not.
    is_shared: Whether all have written it together.
    """

    results: dict[int, ProfilingResults] = field(default_factory=dict)
    files: dict[int, _Announced] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)
    hosts: dict[int, str] = field(default_factory=dict)
    aligned: dict[int, clocks.Alignment] = field(default_factory=dict)
    bytes_sent: int = 0
    where: str | None = None
    held: dict[int, Key] = field(default_factory=dict)
    is_shared: bool = False

    def write_together(self, world: Any, path: str, plan: shared_file.Plan, seconds: float) -> None:
        """Have all ranks write into the file; raises as `shared_file.write_together`."""
        shared_file.write_together(world, self.held, path, self._facts, plan, seconds)
        self.is_shared = True

    def _facts(self, rank: int) -> dict[str, Any]:
        clock = self.aligned.get(rank)
        return {"key": self.held[rank], "where": self.where, "clock": clock}

    def release(self, world: Any) -> None:
        """Those that wait need not any more: rank 0 has their results."""
        while self.held:
            rank, key = self.held.popitem()
            _answer(world, rank, key, "taken", self.where)

    def remove_files(self) -> None:
        """Remove the files that were taken, but for those that are others now."""
        for announced in self.files.values():
            path = announced.visible()
            if path is not None:
                path.unlink(missing_ok=True)


class _Announced(NamedTuple):
    """What a rank tells of its file. can_write: Whether it can write one together with others."""

    key: Key
    path: str
    host: str
    size: int
    mtime_ns: int
    inode: int
    can_write: bool

    @classmethod
    def of(cls, key: Key, path: str | os.PathLike[str], can_write: bool = False) -> _Announced:
        status = os.stat(path)
        return cls(key, os.path.abspath(path), socket.gethostname(), status.st_size,
                   status.st_mtime_ns, status.st_ino, can_write)

    def visible(self) -> Path | None:
        """The file, where it is seen from here; None where not."""
        try:
            status = os.stat(self.path)
        except OSError:
            return None
        here = status.st_size, status.st_mtime_ns, status.st_ino
        return Path(self.path) if here == (self.size, self.mtime_ns, self.inode) else None


#: What rank 0 was told and has not asked for yet, the last of each rank: {(rank, what): _Announced}.
_announced: dict[tuple[int, str], _Announced] = {}


#: A rank that is to write with the others waits so many times longer: rank 0 puts the rest together before.
_HELD = 10


def offer(
    world: Any, key: Key, path: str | os.PathLike[str], seconds: float,
    plan: Callable[[str, clocks.Alignment | None], shared_file.Write] | None = None,
) -> Answer:
    """Offer the file of this rank, which is not 0, to rank 0.

    seconds: How long this waits for a word of rank 0.
    plan: How this rank writes its part of the file of all, on which clock; None where it cannot.
    """
    announced = _Announced.of(key, path, plan is not None)
    messages.tell(world, 0, messages.HEADER, announced._asdict())
    answer: list[dict[str, Any]] = []
    sent = False
    patience = seconds

    def answered() -> bool:
        for _, facts in messages.heard(world, messages.REPLY, 0):
            if tuple(facts["key"]) == key:
                answer.append(facts)
        return bool(answer)

    while messages.wait(answered, patience):
        facts = answer.pop(0)
        if facts["word"] == "clock":
            clocks.answer(world, seconds)
        elif facts["word"] == "send":
            _send_file(world, path, seconds)
            sent = True
        elif facts["word"] == "hold":
            patience = _HELD * seconds
        elif facts["word"] == "write" and plan is not None:
            clock = facts["clock"] and clocks.Alignment.of_numbers(facts["clock"])
            shared_file.take_part(world, facts["path"], facts["inode"], lambda path: plan(path, clock))
        elif facts["word"] != "wait":
            return Answer(facts["word"] == "taken", sent, facts["where"])
    return Answer(False, sent, None)


def gather(
    world: Any,
    key: Key,
    seconds: float,
    where: str | None,
    place: Callable[[int], str],
    together: bool = False,
) -> Gathered:
    """What the other ranks offer to rank 0, which this is.

    seconds: How long this waits for the next rank.
    where: The file that the results go to; None for none.
    place: Gives the path for the file of a rank that has to be sent.
    together: Have them wait, to write the file with rank 0, where all of them come and can.
    """
    gathered = Gathered(where=where)
    waiting = set(range(1, world.Get_size()))

    def arrived() -> bool:
        for rank, facts in messages.heard(world, messages.HEADER):
            announced = _Announced(**{**facts, "key": Key(*facts["key"])})
            _announced[rank, announced.key.what] = announced
        return any((rank, key.what) in _announced for rank in waiting)

    told = time.monotonic()
    while waiting and messages.wait(arrived, seconds):
        rank = min(rank for rank in waiting if (rank, key.what) in _announced)
        announced = _announced[rank, key.what]
        if announced.key.number > key.number:
            gathered.missing[rank] = "it has gone on to a later finalize()"
            waiting.discard(rank)
            continue
        del _announced[rank, key.what]
        if announced.key == key:
            waiting.discard(rank)
            together = together and announced.can_write
            _take(world, rank, announced, seconds, place, gathered, together)
            if not together:
                gathered.release(world)
        else:
            _answer(world, rank, announced.key, "late", where)
        if time.monotonic() - told > seconds / 4:  # those whose turn is to come wait no more than that
            told = time.monotonic()
            for other, announced in _announced.items():
                if other[0] in waiting:
                    _answer(world, other[0], announced.key, "wait", where)
    for rank in waiting:
        gathered.missing[rank] = f"it did not come to finalize() within {seconds:g} s"
    if gathered.missing:
        gathered.release(world)
    return gathered


def _take(
    world: Any,
    rank: int,
    announced: _Announced,
    seconds: float,
    place: Callable[[int], str],
    gathered: Gathered,
    together: bool,
) -> None:
    try:
        if announced.visible() is None:
            path = place(rank)
            _answer(world, rank, announced.key, "send", gathered.where)
            _receive_file(world, rank, path, announced.size, seconds)
            gathered.bytes_sent += announced.size
            announced = _Announced.of(announced.key, path)._replace(host=announced.host)
        results = load(announced.path)
        if announced.host != socket.gethostname():
            _answer(world, rank, announced.key, "clock", gathered.where)
            aligned = clocks.measure(world, rank, min(seconds, clocks.PATIENCE))
            gathered.aligned[rank] = aligned
            results = at_times(results, aligned.to_root)
        gathered.results[rank] = results
    except (OSError, ValueError) as error:
        gathered.missing[rank] = shown(error)
        _answer(world, rank, announced.key, "refused", gathered.where)
        return
    gathered.files[rank], gathered.hosts[rank] = announced, announced.host
    if together:
        gathered.held[rank] = announced.key
    _answer(world, rank, announced.key, "hold" if together else "taken", gathered.where)


def _answer(world: Any, rank: int, key: Key, word: str, where: str | None) -> None:
    messages.tell(world, rank, messages.REPLY, {"key": key, "word": word, "where": where})


def _send_file(world: Any, path: str | os.PathLike[str], seconds: float) -> None:
    """Send the file in pieces, until one of them is not taken."""
    with open(path, "rb") as file:
        while piece := file.read(messages.PIECE):
            if not messages.send(world, 0, messages.DATA, piece, seconds):
                return


def _receive_file(world: Any, rank: int, path: str, size: int, seconds: float) -> None:
    """Write the file of a rank that comes in pieces. Raises TimeoutError, and leaves none, where it stops."""
    begun = time.monotonic()
    try:
        with open(path, "wb") as file:
            left = size
            while left:
                piece = bytearray(min(left, messages.PIECE))
                if not messages.receive(world, rank, messages.DATA, piece, seconds):
                    raise TimeoutError(
                        f"{size - left} of the {size} bytes of its file came in "
                        f"{time.monotonic() - begun:.0f} s"
                    )
                file.write(piece)
                left -= len(piece)
    except OSError:
        Path(path).unlink(missing_ok=True)
        raise
