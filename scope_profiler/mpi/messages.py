"""Messages between ranks that nobody waits for in vain: each wait has a deadline.

They go from one rank to another on COMM_WORLD, by tags of their own, and are never collective: ranks
that do not come, and those that died, keep no other waiting.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

# The largest that any MPI has to offer are just above.
HEADER, REPLY, DATA, CLOCK, MEETING, FILE = range(32_700, 32_706)

#: Bytes of a file that travel together.
PIECE = 4 << 20

#: Seconds between two looks: from the shortest, doubled up to the longest.
_SHORTEST, _LONGEST = 1e-4, 0.02

#: What was sent and has not arrived: MPI may still read from it.
_under_way: list[tuple[Any, Any]] = []


def wait(done: Callable[[], bool], seconds: float, busy: bool = False) -> bool:
    """Whether done() has become true within that time. busy: look all the time, to see when."""
    end, pause = time.monotonic() + seconds, _SHORTEST
    while not done():
        if time.monotonic() >= end:
            return False
        time.sleep(0 if busy else pause)
        pause = min(2 * pause, _LONGEST)
    return True


def send(world: Any, rank: int, tag: int, data: Any, seconds: float = 0) -> bool:
    """Send bytes. False where they were not on their way within that time; they may be later."""
    _under_way[:] = [pair for pair in _under_way if not pair[0].Test()]
    request = world.Isend([data, _byte()], rank, tag)
    if wait(request.Test, seconds):
        return True
    _under_way.append((request, data))
    return False


def receive(world: Any, rank: int, tag: int, buffer: Any, seconds: float, busy: bool = False) -> bool:
    """Fill the buffer with a message of that length. False where none has come within that time. busy:
    as for `wait`."""
    request = world.Irecv([buffer, _byte()], rank, tag)
    if wait(request.Test, seconds, busy):
        return True
    request.Cancel()
    request.Wait()
    return False


def tell(world: Any, rank: int, tag: int, facts: dict[str, Any]) -> None:
    """Send a short message, as `heard` reads it."""
    send(world, rank, tag, json.dumps(facts).encode())


def heard(world: Any, tag: int, rank: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """The short messages that have arrived, from that rank or from any: (rank, facts)."""
    from mpi4py import MPI

    status = MPI.Status()
    source = MPI.ANY_SOURCE if rank is None else rank
    while world.Iprobe(source, tag, status):
        text = bytearray(status.Get_count(MPI.BYTE))
        world.Recv([text, MPI.BYTE], status.Get_source(), tag)
        yield status.Get_source(), json.loads(text)


def _byte() -> Any:
    from mpi4py import MPI

    return MPI.BYTE
