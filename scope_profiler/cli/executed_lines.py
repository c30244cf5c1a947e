"""What the standard library's trace module does, as options of `scope-profiler run`.

Its annotated listings and tables are written by that module itself, from what was counted here.
"""

import os
import sys
import tokenize
from typing import NamedTuple

import click

from .._base.shown import shown
from .._base.warning import complain
from .._instrument.executed import Executed

_OPTIONS = (
    click.option("--count", "counted", is_flag=True,
                 help="Count how often each line runs, and write for each file one beside it that ends in "
                      ".cover: its text, with a number before each line."),
    click.option("--missing", is_flag=True, help="Mark lines there that did not run, by >>>>>>."),
    click.option("--summary", is_flag=True,
                 help="Print how many lines each file has and which part of them ran. Implies --missing."),
    click.option("--coverdir", metavar="FOLDER",
                 help="Write these files there, named by modules. Implies --count, as the two above do."),
    click.option("--trace", is_flag=True, help="Print each line as it runs."),
    click.option("--listfuncs", is_flag=True, help="Print which functions were called."),
    click.option("--trackcalls", is_flag=True, help="Print which functions have called which."),
    click.option("--ignore-module", metavar="NAME", multiple=True,
                 help="Leave out this module, and those below it. May be repeated."),
    click.option("--ignore-dir", metavar="FOLDER", multiple=True,
                 help="Leave out files below this folder; $prefix is Python's own. May be repeated."),
)


def options(command):
    """The command with the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Asked(NamedTuple):
    """What a command line asks for."""

    counted: bool
    missing: bool
    summary: bool
    coverdir: "str | None"
    trace: bool
    listfuncs: bool
    trackcalls: bool

    @classmethod
    def taken(cls, given):
        """Out of the options given, as a dict."""
        asked = cls(**{name: given.pop(name) for name in cls._fields})
        missing = asked.missing or asked.summary
        coverdir = asked.coverdir and os.path.abspath(asked.coverdir)
        return asked._replace(missing=missing, coverdir=coverdir,
                              counted=asked.counted or missing or coverdir is not None)

    def executed(self):
        """The Executed for it, or None where nothing is asked for."""
        if not any(self):
            return None
        return Executed(self.counted or self.trace, self.trace, self.trackcalls)


def ignored_modules(names):
    """The patterns for the names of functions in these modules: "--ignore-module a,b" is both."""
    return tuple(f"{name.strip()}.*" for text in names for name in text.split(",") if name.strip())


def ignored_folders(texts):
    """The folders that are meant; each text may name several."""
    prefixes = {"$prefix": sys.base_prefix, "$exec_prefix": sys.base_exec_prefix}
    folders = []
    for folder in (folder for text in texts for folder in text.split(os.pathsep) if folder):
        name, slash, rest = folder.partition("/")
        folders.append(os.path.abspath(prefixes.get(name, name) + slash + rest))
    return tuple(folders)


def write(asked, executed, manager):
    """Write and print what is asked for, of what was called and of the lines of the manager's run, which is
    over."""
    import trace

    functions = executed.functions.values() if asked.listfuncs else ()
    pairs = [pair for pair in executed.callers if executed.functions.keys() >= {*pair}]
    callers = [tuple(map(executed.functions.get, pair)) for pair in pairs]
    counts = _counts(_lines(manager), asked.missing) if asked.counted else None
    told = trace.CoverageResults(counts, dict.fromkeys(functions, 1),
                                 callers=dict.fromkeys(callers, 1))
    told.write_results(asked.missing, asked.summary, asked.coverdir)


def _lines(manager):
    """The CountedLines of the run, and of its child processes where it has followed any. Where it has not,
    no results are made for these alone, which would take more time than all the rest."""
    run = manager._run
    if run is None or run._results is None:
        from .._instrument.lines import counted_lines

        return counted_lines(manager)
    from ..results.line_entries import all_lines

    return all_lines(run._results.line_profile)


def _counts(lines, missing):
    """{(file, line): how often it ran}, of files that can be read."""
    from .._model.counted_lines import once

    counts, readable = {}, {}
    for code, rows in once(lines):
        file = code.co_filename
        if file not in readable:
            readable[file] = _is_readable(file, missing)
        for row in rows if readable[file] else ():
            if row.hits:
                counts[file, row.line] = counts.get((file, row.line), 0) + row.hits
    return counts


def _is_readable(file, missing):
    """Whether it is a file of Python's, as lines that did not run can be found in nothing else."""
    if not os.path.isfile(file):
        return False
    try:
        with tokenize.open(file) as opened:
            text = opened.read()
        if missing:
            compile(text, file, "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError) as error:
        complain(f"no lines of {shown(file)}", error)
        return False
    return True
