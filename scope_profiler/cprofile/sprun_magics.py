"""Magics of IPython and Jupyter for functions: %sprun and %%sprun, with the options of %prun.

    %load_ext scope_profiler
    %sprun -s cumulative -l 10 main()
"""

from __future__ import annotations

import io
import pstats
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.page import page

from .._base.shown import shown
from ..line_profiler.magic_runs import Run
from ..line_profiler.magic_words import MagicWords
from .function_profiler import Profile

__all__ = ["SprunMagics", "load_ipython_extension"]


def load_ipython_extension(ip: Any) -> None:
    """What %load_ext calls."""
    ip.register_magics(SprunMagics)


@magics_class
class SprunMagics(Magics):
    """The magic of functions."""

    shell: InteractiveShell

    @line_cell_magic
    def sprun(self, line: str = "", cell: str | None = None) -> pstats.Stats | None:
        """Run a statement, or a cell, and print which functions it called, and how long they took.

            %sprun [OPTIONS] STATEMENT
            %%sprun [OPTIONS] [STATEMENT]

        -l LIMIT: which lines are printed: an int for so many, a float for that share, a text for those
            in which this regular expression is found. May be repeated.
        -s KEY: by what they are sorted, as pstats has it: cumulative, time, calls, name, file, ...
            May be repeated. [default: time]
        -r: give back the pstats.Stats.
        -D FILE: write them to a file for pstats.
        -T FILE: write the printed text to a file.
        -q: print nothing.
        """
        words = MagicWords(line, "l:s:rD:T:q")
        statement = words.statement if cell is None else f"{words.statement}\n{cell}"
        keys = words.all("s") or ["time"]
        unknown = [key for key in keys if key not in pstats.Stats.sort_arg_dict_default]
        if unknown:
            raise UsageError(f"-s {unknown[0]}: pstats has no such key")
        text = self.shell.transform_cell(statement)
        profile = Profile()
        run = Run(lambda: profile.runctx(text, self.shell.user_global_ns, self.shell.user_ns))
        return self._tell(profile, keys, run, words)

    def _tell(
        self, profile: Profile, keys: list[str], run: Run, words: MagicWords
    ) -> pstats.Stats | None:
        stream = io.StringIO()
        profile.create_stats()
        from ..exports.prof import stats

        made = stats({
            (shown(file), line, shown(name)): (*row, {
                (shown(its_file), its_line, shown(its_name)): part
                for (its_file, its_line, its_name), part in callers.items()
            })
            for (file, line, name), (*row, callers) in profile.stats.items()
        }, stream)
        made.strip_dirs().sort_stats(*keys).print_stats(*map(_limit, words.all("l")))
        output = stream.getvalue().rstrip()
        if not words.has("q"):
            page(output)
        if run.message:
            print(run.message, end=" ")
        if (path := words.last("D")) is not None:
            profile.dump_stats(path)
            print(f"\n*** Profile stats marshalled to file {path!r}.")
        if (path := words.last("T")) is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(output)
            print(f"\n*** Profile printout saved to text file {path!r}.")
        return made if words.has("r") else None


def _limit(word: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            pass
    return word
