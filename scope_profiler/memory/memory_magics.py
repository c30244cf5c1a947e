"""Magics of IPython and Jupyter for memory: %mprun, %%mprun, %memit and %%memit.

    %load_ext scope_profiler
    %mprun -f load load("data.npy")
    %memit load("data.npy")
"""

from __future__ import annotations

from functools import partial
import gc
import io
from types import CodeType
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..line_profiler.html import MEMORY, html
from ..line_profiler.magic_runs import Run, add_functions, builtin, tell
from ..line_profiler.magic_words import MagicWords
from .memory_profiler import MemoryProfiler
from .usage import memory_usage

__all__ = ["MemitResult", "MemoryMagics", "load_ipython_extension"]


def load_ipython_extension(ip: Any) -> None:
    """What %load_ext calls."""
    ip.register_magics(MemoryMagics)


class MemitResult:
    """What %memit measured, in MiB.

    mem_usage: the most that the process used in each repetition. baseline: what it used before.
    repeat, timeout, interval, include_children: as they were asked for.
    """

    def __init__(self, mem_usage: list[float], baseline: float, repeat: int, timeout: float | None,
                 interval: float, include_children: bool) -> None:
        self.mem_usage = mem_usage
        self.baseline = baseline
        self.repeat = repeat
        self.timeout = timeout
        self.interval = interval
        self.include_children = include_children

    def __str__(self) -> str:
        most = max(self.mem_usage)
        return f"peak memory: {most:.2f} MiB, increment: {most - self.baseline:.2f} MiB"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(f"<MemitResult : {self} >")


@magics_class
class MemoryMagics(Magics):
    """The magics of memory_profiler."""

    shell: InteractiveShell

    @line_cell_magic
    def mprun(self, line: str = "", cell: str | None = None) -> MemoryProfiler | None:
        """Run a statement, or a cell, and measure what each line of functions takes of memory.

            %mprun -f FUNCTION [OPTIONS] STATEMENT
            %%mprun -f FUNCTION [OPTIONS]

        -f FUNCTION: a function, method or class; any expression without a space. May be repeated.
            It may be one of a cell.
        -T FILE: write the printed text to a file.
        -r: give back the MemoryProfiler.
        -c: with child processes; lines are measured without, which is said.
        """
        words = MagicWords(line, "rcf:m:T:")
        profiler = MemoryProfiler(include_children=words.has("c"))
        add_functions(profiler, words, self.shell)
        statement = self.shell.transform_cell(words.statement if cell is None else cell)
        with builtin(profiler):
            run = Run(lambda: profiler.runctx(
                statement, self.shell.user_global_ns, self.shell.user_ns))
        stream = io.StringIO()
        profiler.show(stream)
        given: MemoryProfiler | None = tell(
            self.shell, profiler, stream.getvalue(), run, words, partial(html, columns=MEMORY))
        return given

    @line_cell_magic
    def memit(self, line: str = "", cell: str | None = None) -> MemitResult | None:
        """Run a statement, or a cell, and print the most memory that the process used meanwhile.

            %memit [OPTIONS] STATEMENT
            %%memit [OPTIONS] SETUP

        With a cell the statement behind the options runs first, and is not measured.

        -r COUNT: repeat it so often, and print the most of all. [default: 1]
        -t SECONDS: no meaning: a statement is measured up to its end.
        -i SECONDS: between two readings, where the system does not tell the most by itself, as Linux
            does (its record of the process begins anew then). [default: 0.1]
        -c: with child processes.
        -o: give back a MemitResult.
        """
        words = MagicWords(line, "r:t:i:coh")
        repeat = max(int(_number(words, "r", 1)), 1)
        timeout = _number(words, "t", 0)
        interval = _number(words, "i", 0.1)
        names = self.shell.user_ns
        setup, text = ("", words.statement) if cell is None else (words.statement, cell)
        exec(self.shell.transform_cell(setup), names)
        code = compile(self.shell.transform_cell(text), "<memit>", "exec")
        gc.collect()  # what is garbage already should not be freed meanwhile
        baseline = memory_usage(include_children=words.has("c"))[0]
        usage = [_most(code, names, interval, words.has("c")) for _ in range(repeat)]
        result = MemitResult(usage, baseline, repeat, timeout or None, interval, words.has("c"))
        print(result)
        return result if words.has("o") else None


def _most(code: CodeType, names: dict[str, Any], interval: float, include_children: bool) -> float:
    """The most that the process used while the code ran, in MiB."""
    is_kept = not include_children and _begin_anew()
    most: float = memory_usage((exec, (code, names)), interval=interval, max_usage=True,
                               include_children=include_children)
    return max(most, _high_water()) if is_kept else most


def _begin_anew() -> bool:
    """Have the system keep the most that the process uses from now on; whether it does."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
        return _high_water() > 0
    except OSError:
        return False


def _high_water() -> float:
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _number(words: MagicWords, letter: str, default: float) -> float:
    given = words.last(letter)
    try:
        return default if given is None else float(given)
    except ValueError:
        raise UsageError(f"-{letter} takes a number, got {given!r}") from None
