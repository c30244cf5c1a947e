"""A call that took longer than the limit of its region: what a slow_callback is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class CallsInside(NamedTuple):
    """The calls of a region at one place inside another call.

    path: The names of the regions from that call down to this one, without the call's own.
    calls, total_ns: How many there were, and how long they took together.
    """

    path: tuple[str, ...]
    calls: int
    total_ns: int


class CallOverLimit(NamedTuple):
    """A call that took longer than the limit of its region.

    region: The name of the region.
    duration_ns, limit_ns: How long the call took, and how long it may.
    exclusive_ns: How long no other region was open in it.
    thread, task: The name of the thread in which it ended, and of the asyncio task, or None.
    metadata: What metadata() has in force as it ends.
    inside: What its thread did in it: each call below its caller, the longest first, as far as single
        calls are kept. None where that is not known: in aggregation mode, and where tasks of a thread have
        the region open at the same time and track_async is off.
    """

    region: str
    duration_ns: int
    limit_ns: int
    exclusive_ns: int
    thread: str
    task: str | None
    metadata: Mapping[str, Any]
    inside: tuple[CallsInside, ...] | None
