"""Magics of IPython and Jupyter: %lprun, %%lprun and %%lprun_all.

    %load_ext scope_profiler
    %lprun -f solver.step solver.run(100)

In a notebook the result is a table with a bar of heat for each line, in a terminal the text.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
import io
from textwrap import dedent
from time import perf_counter
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class
from IPython.core.page import page

from .._base.warning import warn
from .._instrument.code_finder import functions_in
from .callables import refusal
from .magic_words import MagicWords
from .profiler import LineProfiler
from .stats import LineStats

__all__ = ["LineProfilerMagics", "load_ipython_extension"]

_OF_THE_CELL = "<module>"


def load_ipython_extension(ip: Any) -> None:
    """What %load_ext calls."""
    ip.register_magics(LineProfilerMagics)


@magics_class
class LineProfilerMagics(Magics):
    """The magics of line_profiler."""

    @line_cell_magic
    def lprun(self, line: str = "", cell: str | None = None) -> LineProfiler | None:
        """Run a statement, or a cell, and count and time the lines of functions.

            %lprun -f FUNCTION [OPTIONS] STATEMENT
            %%lprun -f FUNCTION [OPTIONS]

        -f FUNCTION: a function, method or class; any expression without a space. May be repeated.
        -m MODULE: the functions of a module, by its name. May be repeated.
        -D FILE: write the results to a file (.lprof) for python -m scope_profiler.line_profiler.
        -T FILE: write the printed text to a file.
        -r: give back the LineProfiler.
        -z, -s: leave out functions that did not run.
        -u SECONDS: the unit of times.
        """
        words = MagicWords(line, "rszf:m:D:T:u:")
        unit = _unit(words)
        names, local_names = self.shell.user_global_ns, self.shell.user_ns
        profiler = LineProfiler()
        for name in words.all("f"):
            with _found("function", name):
                function = eval(name, names, local_names)
                if not profiler.add_callable(function):
                    warn(f"-f {name}: {refusal(function)}")
        for name in words.all("m"):
            with _found("module", name):
                profiler.add_module(__import__(name, fromlist=[""]))
        statement = self.shell.transform_cell(words.statement if cell is None else cell)
        with _builtin(profiler):
            run = _Run(lambda: profiler.runctx(statement, names, local_names))
        return self._tell(profiler, run, words, unit)

    @cell_magic
    def lprun_all(self, line: str = "", cell: str = "") -> LineProfiler | None:
        """Run the cell, and count and time its lines and those of the functions that it defines.

            %%lprun_all [OPTIONS]

        -p: the lines of the cell itself alone, not those of functions.
        -t: keep the seconds that it took in the variable _total_time_taken.
        -D, -T, -r, -z, -u: as for %lprun.
        """
        words = MagicWords(line, "rzptD:T:u:")
        unit = _unit(words)
        text = self.shell.transform_cell(dedent(cell).strip("\n")) or "pass\n"
        # Under a name of IPython's, which tracebacks and tables find the text by.
        file = self.shell.compile.cache(text, self.shell.execution_count, raw_code=cell)
        code = compile(ast.parse(text, file), file, "exec")
        profiler = LineProfiler()
        profiler.add_code(code)
        if not words.has("p"):
            for function in functions_in(code, nested=True):
                profiler.add_code(function)
        with _builtin(profiler), profiler:
            run = _Run(lambda: exec(code, self.shell.user_global_ns, self.shell.user_ns))
        if words.has("t"):
            self.shell.user_ns["_total_time_taken"] = run.seconds
        return self._tell(profiler, run, words, unit)

    def _tell(
        self, profiler: LineProfiler, run: _Run, words: MagicWords, unit: float | None
    ) -> LineProfiler | None:
        stats = profiler.get_stats()
        skip = words.has("z") or words.has("s")
        stream = io.StringIO()
        stats.print(stream, output_unit=unit, stripzeros=skip)
        text = stream.getvalue().rstrip()
        if not _show_html(self.shell, stats, text):
            page(text)
        if (path := words.last("D")) is not None:
            stats.to_file(path)
            print(f"\n*** Profile stats pickled to file {path!r}.")
        if (path := words.last("T")) is not None:
            with open(path, "w", encoding="utf-8") as file:
                print(text, file=file)
            print(f"\n*** Profile printout saved to text file {path!r}.")
        if run.message:
            print(f"\n*** {run.message}")
        return profiler if words.has("r") else None


class _Run:
    """What a call came to."""

    def __init__(self, call: Callable[[], object]) -> None:
        #: What ended it, where that is no error.
        self.message: str | None = None
        begun = perf_counter()
        try:
            call()
        except (SystemExit, KeyboardInterrupt) as end:
            self.message = f"{type(end).__name__} exception caught in code being profiled."
        #: How long it took.
        self.seconds = perf_counter() - begun


def _unit(words: MagicWords) -> float | None:
    given = words.last("u")
    try:
        return None if given is None else float(given)
    except ValueError:
        raise TypeError(f"-u takes a number of seconds, got {given!r}") from None


@contextmanager
def _found(what: str, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise UsageError(
            f"Could not find {what} {name}.\n{type(error).__name__}: {error}") from None


@contextmanager
def _builtin(profiler: LineProfiler) -> Iterator[None]:
    """Inside, `profile` is the profiler wherever it is undefined."""
    names = vars(builtins)
    before = dict(names)
    names["profile"] = profiler
    try:
        yield
    finally:
        if "profile" in before:
            names["profile"] = before["profile"]
        else:
            names.pop("profile", None)


def _show_html(shell: Any, stats: LineStats, text: str) -> bool:
    """Show the table in a notebook; whether it is one."""
    if getattr(shell, "kernel", None) is None:
        return False
    shell.display_pub.publish({"text/plain": text, "text/html": stats._repr_html_()})
    return True
