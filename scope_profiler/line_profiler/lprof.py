"""Files (.lprof) of line_profiler: one pickle of an object of its class LineStats.

A pickle is a program for a machine with a stack. Here nothing runs it: of its instructions, those
that make dicts, lists, tuples, texts and numbers are followed, and of names only that of LineStats
is accepted. So a file from elsewhere can do nothing but be refused.
"""

from __future__ import annotations

from math import isfinite
from os import PathLike
import pickle
import pickletools
from typing import Any

from ..io import CorruptProfileError, replacing
from .whole_calls import WholeCalls

#: Where the class was, in the versions of line_profiler.
_LINE_STATS = {
    "line_profiler.line_profiler LineStats",
    "line_profiler._line_profiler LineStats",
    "line_profiler LineStats",
    "_line_profiler LineStats",
}


#: What is ours among its attributes.
_SOURCES = "scope_profiler_sources"
_CALLS = "scope_profiler_calls"


def write(
    path: str | PathLike[str], timings: dict[Any, Any], unit: float,
    sources: dict[Any, list[str]] | None = None, calls: WholeCalls | None = None,
) -> None:
    """Write a file that line_profiler reads, without its being installed.

    sources: {key of timings: the function's lines}, calls: as LineStats has them; line_profiler passes over
    both. The file is replaced whole or stays as it was. Raises OSError when it cannot be written.
    """
    with replacing(path) as file:
        file.write(dumped(timings, unit, sources, calls))


def dumped(
    timings: dict[Any, Any], unit: float, sources: dict[Any, list[str]] | None = None,
    calls: WholeCalls | None = None,
) -> bytes:
    """What is in the file. The class is named by its name in line_profiler."""
    content = {"timings": timings, "unit": unit, **({_SOURCES: sources} if sources else {}),
               **({_CALLS: calls} if calls else {})}
    state = pickle.dumps(content, 2)
    # PROTO 2, then: GLOBAL, EMPTY_TUPLE, NEWOBJ, the state, BUILD, STOP.
    return b"\x80\x02cline_profiler.line_profiler\nLineStats\n)\x81" + state[2:-1] + b"b."


def loaded(path: str | PathLike[str], data: bytes) -> dict[str, Any]:
    """The arguments for LineStats of the content of a file. Raises CorruptProfileError when it is
    damaged, or something else."""
    try:
        return _checked(_Reader().read(data))
    except _Unreadable as error:
        raise CorruptProfileError(path, error) from None


class _Unreadable(Exception):
    """What is wrong with a file."""


class _Stats(dict[str, Any]):
    """The state of a LineStats."""


class _Reader:
    """Follows the instructions of a pickle as far as plain data goes."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def read(self, data: bytes) -> Any:
        try:
            for instruction, argument, _ in pickletools.genops(data):
                self.follow(instruction.name, argument)
        except (IndexError, KeyError) as error:
            raise _Unreadable("it is damaged: its instructions do not fit together") from error
        except (ValueError, OverflowError, Warning) as error:  # of genops: no pickle, or truncated
            raise _Unreadable(f"it is no .lprof file, or damaged: {error}") from error
        if len(self.stack) != 1:
            raise _Unreadable("it is damaged: it holds more than one object")
        return self.stack[0]

    def follow(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _IGNORED:
            return
        if name in _VALUES:
            stack.append(argument)
        elif name in _MADE:
            stack.append(_MADE[name]())
        elif name in _TUPLES:
            stack.append(tuple(self.taken(_TUPLES[name])))
        elif name == "MARK":
            self.marks.append(len(stack))
        elif name == "TUPLE":
            stack.append(tuple(self.since_mark()))
        elif name == "LIST":
            stack.append(self.since_mark())
        elif name == "DICT":
            stack.append(self.filled({}, self.since_mark()))
        elif name in ("APPEND", "APPENDS"):
            items = self.since_mark() if name == "APPENDS" else self.taken(1)
            self.top(list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self.since_mark() if name == "SETITEMS" else self.taken(2)
            self.filled(self.top(dict), items)
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self.memo[argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name == "GLOBAL":
            stack.append(self.named(argument))
        elif name == "STACK_GLOBAL":
            module, attribute = self.taken(2)
            stack.append(self.named(f"{module} {attribute}"))
        elif name == "NEWOBJ":
            made, arguments = self.taken(2)
            if made is not _Stats or arguments != ():
                raise _Unreadable("it makes an object that is no LineStats")
            stack.append(_Stats())
        elif name == "BUILD":
            [state] = self.taken(1)
            if type(state) is not dict:
                raise _Unreadable("what its LineStats holds is no dict")
            self.top(_Stats).update(state)
        else:
            raise _Unreadable(f"it holds more than plain data ({name}), and is not executed")

    def taken(self, count: int) -> list[Any]:
        """So many from the top of the stack, where nothing below the last mark is taken."""
        start = len(self.stack) - count
        if start < (self.marks[-1] if self.marks else 0):
            raise IndexError
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def since_mark(self) -> list[Any]:
        return self.taken(len(self.stack) - self.marks.pop())

    def top(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise IndexError
        return self.stack[-1]

    def filled(self, content: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
        if len(items) % 2:
            raise IndexError
        for key, value in zip(items[::2], items[1::2]):
            # Checked here: to hash what is nested deeply would overflow the C stack.
            if not (type(key) is str or _is_key(key)):
                raise _Unreadable(f"a {type(key).__name__} in it is no key of LineStats")
            content[key] = value
        return content

    def named(self, name: str) -> type:
        if name not in _LINE_STATS:
            raise _Unreadable(f"it holds {name.replace(' ', '.')!a}, and only line_profiler's LineStats "
                              "is accepted")
        return _Stats


_IGNORED = {"PROTO", "FRAME", "STOP"}
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING",  # of Python 2
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
}
_MADE = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _is_key(key: Any) -> bool:
    return type(key) is tuple and [*map(type, key)] == [str, int, str]


def _is_row(row: Any) -> bool:
    return (type(row) is tuple and len(row) == 3 and type(row[0]) is type(row[1]) is int
            and all(map(is_number, row)))


def is_number(value: Any) -> bool:
    """Whether a value of a file is one to count with."""
    if type(value) is int:
        return abs(value) < 2**63
    return type(value) is float and isfinite(value)


def _is_call(name: Any, call: Any) -> bool:
    return (type(name) is str and type(call) is tuple and len(call) == 2 and type(call[0]) is int
            and all(map(is_number, call)))


def _checked(stats: Any) -> dict[str, Any]:
    if type(stats) is not _Stats:
        raise _Unreadable(f"it holds no LineStats, but a {type(stats).__name__}")
    timings: Any = stats.get("timings")
    unit: Any = stats.get("unit")
    if not is_number(unit) or unit <= 0:
        raise _Unreadable("its unit is no positive number")
    if type(timings) is not dict or not all(map(_is_key, timings)):
        raise _Unreadable("its timings are not those of functions")
    for rows in timings.values():
        if type(rows) is not list or not all(map(_is_row, rows)):
            raise _Unreadable("its timings are not (line, hits, time)")
    sources = stats.get(_SOURCES, {})
    if not (type(sources) is dict and all(map(_is_key, sources)) and all(
            type(lines) is list and all(type(line) is str for line in lines)
            for lines in sources.values())):
        raise _Unreadable("its source is not that of functions")
    calls = stats.get(_CALLS, {})
    if type(calls) is not dict or not all(_is_call(*item) for item in calls.items()):
        raise _Unreadable("its calls are not those of functions")
    return {"timings": timings, "unit": float(unit), "sources": sources, "calls": calls}

