"""Magics of IPython and Jupyter: %lprun, %%lprun and %%lprun_all.

    %load_ext scope_profiler
    %lprun -f solver.step solver.run(100)

In a notebook the result is a table with a bar of heat for each line, in a terminal the text.
"""

from __future__ import annotations

import ast
import io
from textwrap import dedent
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_cell_magic, magics_class

from .._instrument.code_finder import functions_in
from .magic_runs import Run, add_functions, builtin, tell
from .magic_words import MagicWords
from .profiler import LineProfiler

__all__ = ["LineProfilerMagics", "load_ipython_extension"]

def load_ipython_extension(ip: Any) -> None:
    """What %load_ext calls."""
    ip.register_magics(LineProfilerMagics)


@magics_class
class LineProfilerMagics(Magics):
    """The magics of line_profiler."""

    shell: InteractiveShell

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
        profiler = LineProfiler()
        add_functions(profiler, words, self.shell)
        statement = self.shell.transform_cell(words.statement if cell is None else cell)
        with builtin(profiler):
            run = Run(lambda: profiler.runctx(
                statement, self.shell.user_global_ns, self.shell.user_ns))
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
        with builtin(profiler), profiler:
            run = Run(lambda: exec(code, self.shell.user_global_ns, self.shell.user_ns))
        if words.has("t"):
            self.shell.user_ns["_total_time_taken"] = run.seconds
        return self._tell(profiler, run, words, unit)

    def _tell(
        self, profiler: LineProfiler, run: Run, words: MagicWords, unit: float | None
    ) -> LineProfiler | None:
        stream = io.StringIO()
        skip = words.has("z") or words.has("s")
        profiler.print_stats(stream, output_unit=unit, stripzeros=skip)
        return tell(self.shell, profiler, stream.getvalue(), run, words)


def _unit(words: MagicWords) -> float | None:
    given = words.last("u")
    try:
        return None if given is None else float(given)
    except ValueError:
        raise TypeError(f"-u takes a number of seconds, got {given!r}") from None
