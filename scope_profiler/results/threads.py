"""Threads and tasks of a run: the rows of its thread and task tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from .._base.arguments import boolean, integer, integer_or_none, text
from .checks import rows_of
from .scalars import seconds


class _Row:
    """A row of a table: each field is what it is annotated as, an int None where unknown."""

    def __post_init__(self) -> None:
        for field in fields(self):  # type: ignore[arg-type]  # all of them are dataclasses
            value = _KINDS[field.type](field.name, getattr(self, field.name))
            object.__setattr__(self, field.name, value)


_KINDS: dict[Any, Callable[[str, Any], Any]] = {
    "int": partial(integer, minimum=0),
    "int | None": integer_or_none,
    "str": text,
    "bool": boolean,
}


@dataclass(frozen=True)
class ThreadInfo(_Row):
    """A thread that recorded calls.

    index: Its number in the `thread_ids` of the rank's regions.
    rank: The rank that it belongs to.
    name, ident, native_id, daemon: As `threading.Thread` has them.
    start_ns, end_ns: When it began and ended, ns since the run was set up. No end: it was alive
        when the results were taken.
    cpu_ns: Processor time that it took, ns.

    None where unknown. `start_time`, `end_time` and `cpu_time` are these in seconds, as floats.
    """

    index: int
    rank: int
    name: str
    ident: int | None
    native_id: int | None
    daemon: bool
    start_ns: int | None
    end_ns: int | None
    cpu_ns: int | None

    start_time = seconds("start_ns", "None when unknown")
    end_time = seconds("end_ns", "None while it is alive")
    cpu_time = seconds("cpu_ns", "None when unknown")

    @property
    def alive(self) -> bool:
        """Whether the thread was there when the results were taken."""
        return self.end_ns is None

    @property
    def wall_time(self) -> float | None:
        """From its start to its end, seconds; None while it is alive or when unknown."""
        return _between(self.start_ns, self.end_ns)


@dataclass(frozen=True)
class TaskInfo(_Row):
    """An asyncio task, or a greenlet, that recorded calls.

    index: Its number in the `task_ids` of the rank's regions.
    rank: The rank that it belongs to.
    kind: ``"task"`` or ``"greenlet"``.
    name, coro_name: Its own name, and the qualified name of the coroutine that it runs.
    thread_index: The `ThreadInfo.index` of the thread that it runs in.
    created_ns, done_ns: When it was made and was done, ns since the run was set up. No end: it was
        not done when the results were taken.
    steps: How often it was resumed.
    running_ns, suspended_ns: How long it held its thread, and how long it waited, ns.

    None where unknown. `created_time`, `done_time`, `running_time` and
    `awaiting_time` are these in seconds, as floats.
    """

    index: int
    rank: int
    kind: str
    name: str
    coro_name: str
    thread_index: int | None
    created_ns: int | None
    done_ns: int | None
    steps: int | None
    running_ns: int | None
    suspended_ns: int | None

    created_time = seconds("created_ns", "None when unknown")
    done_time = seconds("done_ns", "None until it is done")
    running_time = seconds("running_ns", "None when unknown")
    awaiting_time = seconds("suspended_ns", "None when unknown")

    @property
    def done(self) -> bool:
        """Whether the task was done when the results were taken."""
        return self.done_ns is not None

    @property
    def wall_time(self) -> float | None:
        """From its making to its end, seconds; None until it is done or when unknown."""
        return _between(self.created_ns, self.done_ns)


def _between(start_ns: int | None, end_ns: int | None) -> float | None:
    return None if start_ns is None or end_ns is None else (end_ns - start_ns) / 1e9


def normal_rows(name: str, tables: Mapping[int, Iterable[Any]] | None, kind: type) -> dict:
    """The rows of a table by rank, which must be of that kind."""
    normal = rows_of(name, tables)
    for rank, rows in normal.items():
        for row in rows:
            if not isinstance(row, kind):
                raise TypeError(f"{name} must be lists of {kind.__name__}; rank {rank} has {row!r}")
    return normal
