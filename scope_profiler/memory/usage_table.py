"""The table of memory_profiler, and a stream for it that logs."""

from __future__ import annotations

from collections.abc import Iterator
import logging
import sys
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from .._base import source_lines
from .._model.counted_code import CountedCode
from .._model.counted_lines import CountedLine, added_up
from .usage import MIB

if TYPE_CHECKING:
    from .memory_profiler import MemoryProfiler

_ROW = "{:>6} {:>12} {:>12}  {:>10}   {}"


class LineMemory(NamedTuple):
    """A line, as memory_profiler shows it; MiB of what the process uses.

    increment: what the line added, over all times that it ran. usage: the most after it.
    occurrences: how often it ran.
    """

    increment: float
    usage: float
    occurrences: int


def show_results(prof: MemoryProfiler, stream: IO[str] | None = None, precision: int = 1) -> None:
    """Print the table of every function that has run. precision: decimals of MiB."""
    out = sys.stdout if stream is None else stream

    def mib(value: float) -> str:
        return f"{value:{precision + 4}.{precision}f} MiB"

    header = _ROW.format("Line #", "Mem usage", "Increment", "Occurrences", "Line Contents")
    for code, lines in tables(prof):
        out.write(f"Filename: {code.co_filename}\n\n{header}\n{'=' * len(header)}\n")
        texts = source_lines.block(code.co_filename, code.co_firstlineno, code.co_qualname) or []
        last = max(code.co_firstlineno + len(texts) - 1, *lines)
        for number in range(code.co_firstlineno, last + 1):
            place = number - code.co_firstlineno
            text = texts[place] if place < len(texts) else "\n"
            row = lines.get(number)
            cells = ("", "", "") if row is None else (
                mib(row.usage), mib(row.increment), row.occurrences)
            out.write(_ROW.format(number, *cells, text if text.endswith("\n") else text + "\n"))
        out.write("\n\n")


def tables(prof: MemoryProfiler) -> Iterator[tuple[CountedCode, dict[int, LineMemory]]]:
    """Each function that has run, with what is known of its lines, {line: LineMemory}. The first line
    has what the process used when the function began."""
    counted = prof.lines()
    for outer, inner in prof.functions_measured():
        rows = added_up(_grown_once([outer, *inner], counted))
        own = counted.get(outer, [])
        lines = {row.line: _of(row) for row in rows if row.resident_bytes is not None}
        if not lines:
            continue
        if own and own[0].line != outer.co_firstlineno:
            lines[outer.co_firstlineno] = _before(own[0])
        yield outer, lines


def _grown_once(
    codes: list[CountedCode], counted: dict[CountedCode, list[CountedLine]]
) -> Iterator[CountedLine]:
    """The lines of a function and those inside it. What a comprehension or lambda took is in the increment
    of the line that it stands in."""
    seen: set[int] = set()
    for code in codes:
        rows = counted.get(code, [])
        for row in rows:
            yield row._replace(increment_bytes=0) if row.line in seen else row
        seen.update(row.line for row in rows)


def _of(row: CountedLine) -> LineMemory:
    return LineMemory((row.increment_bytes or 0) / MIB, (row.resident_bytes or 0) / MIB, row.hits)


def _before(first: CountedLine) -> LineMemory:
    """Before the first line ran, in the mean of the calls."""
    used = ((first.resident_bytes or 0) - (first.increment_bytes or 0) / first.hits) / MIB
    return LineMemory(used, used, first.hits)


class LogFile:
    """A stream that logs what is written to it: `sys.stdout = LogFile("memory")`.

    name: of the logger. reportIncrementFlag: of the lines of a table, only those where memory grew.
    """

    def __init__(self, name: str | None = None, reportIncrementFlag: bool = False) -> None:
        self.logger = logging.getLogger(name)
        self.reportIncrementFlag = reportIncrementFlag

    def write(self, msg: str, level: int = logging.INFO) -> None:
        """Log a text."""
        if not self.reportIncrementFlag or self._is_reported(msg):
            self.logger.log(level, msg)

    @staticmethod
    def _is_reported(msg: str) -> bool:
        if "MiB" not in msg:
            return "Filename:" in msg or "Line Contents" in msg
        try:
            return float(msg.split("MiB")[1]) > 0
        except (IndexError, ValueError):
            return False

    def flush(self) -> None:
        """Flush what the logger writes to."""
        for handler in self.logger.handlers:
            handler.flush()

    def isatty(self) -> Any:
        """It is no terminal."""
        return False
