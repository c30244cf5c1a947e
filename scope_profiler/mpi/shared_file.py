"""One file into which all ranks write at once, by parallel HDF5.

Rank 0 has written the file but for the calls. It asks the others, which wait for it, to write theirs. To open
and to close such a file is collective, so nobody begins before all have said that they see the file and know
what they are to write. From then on ranks wait for each other as in any collective call; before, as always,
only so long.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from . import messages

#: Writes the calls of this rank, together with all others of the communicator.
Write = Callable[[Any], None]

#: Gives that, for the file of this name. Raises OSError or ValueError where this rank cannot.
Plan = Callable[[str], Write]


class NotShared(Exception):
    """The ranks have not written the file together. It says why."""


def write_together(
    world: Any, ranks: Collection[int], path: str, facts: Callable[[int], dict[str, Any]], plan: Plan,
    seconds: float,
) -> None:
    """Write the file together with these ranks, all others, which wait in `gather.offer`. Called on rank 0.

    facts: What each is told besides. seconds: How long this waits for the next to be ready.

    Raises NotShared when one could not.
    """
    path, all_ready = os.path.abspath(path), False
    try:
        for rank in ranks:
            messages.tell(world, rank, messages.REPLY,
                          {**facts(rank), "word": "write", "path": path, "inode": os.stat(path).st_ino})
        write = plan(path)
        _expect(world, ranks, "ready", path, seconds)
        all_ready = True
    except (OSError, ValueError) as error:
        raise NotShared(str(error)) from error
    finally:  # nobody is left without a word, which they wait for without an end
        for rank in ranks:
            messages.tell(world, rank, messages.FILE, {"path": path, "word": "now" if all_ready else "not"})
    _write(world, write)
    _expect(world, ranks, "written", path, seconds)


def take_part(world: Any, path: str, inode: int, plan: Plan) -> None:
    """Write this rank's part of the file, when rank 0 asks for it."""

    def tell(word: str, why: str = "") -> None:
        messages.tell(world, 0, messages.FILE, {"path": path, "word": word, "why": why})

    try:
        if os.stat(path).st_ino != inode:
            raise OSError(f"{path} is another file here")
        write = plan(path)
    except Exception as error:
        tell("not", f"{type(error).__name__}: {error}")
        return
    tell("ready")
    words: list[str] = []

    def told() -> bool:
        words.extend(known["word"] for _, known in messages.heard(world, messages.FILE, 0)
                     if known["path"] == path)
        return bool(words)

    messages.wait(told, math.inf)
    if words[0] == "now":
        try:
            _write(world, write)
        except Exception as error:
            tell("not", f"{type(error).__name__}: {error}")
        else:
            tell("written")


def _expect(world: Any, ranks: Collection[int], word: str, path: str, seconds: float) -> None:
    """Wait for this word of all ranks. Raises NotShared when one says another, or none in time."""
    waiting = set(ranks)
    said: dict[int, dict[str, Any]] = {}

    def heard() -> bool:
        said.update((rank, known) for rank, known in messages.heard(world, messages.FILE)
                    if known["path"] == path)
        return bool(said)

    while waiting:
        if not messages.wait(heard, seconds):
            raise NotShared(f"rank {min(waiting)} did not answer within {seconds:g} s")
        rank, known = said.popitem()
        waiting.discard(rank)
        if known["word"] != word:
            raise NotShared(f"rank {rank}: {known['why']}")


def _write(world: Any, write: Write) -> None:
    with _apart(world) as communicator:
        write(communicator)


@contextmanager
def _apart(world: Any) -> Iterator[Any]:
    """The same ranks, in a communicator of ours: other threads of the program may be in collective calls."""
    group = world.Get_group()
    communicator = world.Create_group(group, messages.FILE)
    group.Free()
    try:
        yield communicator
    finally:
        communicator.Free()
