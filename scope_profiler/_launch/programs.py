"""Programs under the profiler: a function, a script in this process, a command in another."""

from contextlib import contextmanager
import os
import re
import sys
from typing import NamedTuple

from .._base.arguments import boolean, path, strings, text, wrong_type
from .._base.file_names import check_name, identity
from .._run.runs import _Root
from .main_program import MainProgram, restored


def run(manager, func, *args, output=None, **session_kwargs):
    """Call func(*args) in a session(), and return what it returns.

    output: where the results are written; None for the default. The other keywords are those of
    session(), with verbose=False and return_results=True unless they say otherwise; func gets
    none. The results are in last_results() afterwards, also when func raises.

    Raises TypeError when func cannot be called, or for an unknown setting.
    """
    if not callable(func):
        raise wrong_type("func", "a callable", func)
    settings = {"verbose": False, "return_results": True, **destination(output), **session_kwargs}
    with manager.session(**settings):
        return func(*args)


def run_script(manager, script_path, script_args=None, region_name=None, only_user_code=True,
               recursive=True, include_patterns=(), exclude_patterns=(), entrypoint=None):
    """Run a script as `__main__`, in the current run and in this process.

    script_path: a file of Python, or a folder or zip file with a `__main__.py`.
    script_args: its sys.argv[1:], an iterable of str.
    recursive: trace every function that it calls, inside a region around all of it; without,
        the regions of the script itself are recorded and nothing is added.
    region_name: of the region around the traced script; None for the name of the file.
    only_user_code, include_patterns, exclude_patterns, entrypoint: what is traced, and how it is
        named; see call_tracing.start().

    sys.argv, sys.path and `__main__` are put back at the end. What the script raises passes,
    SystemExit too.

    Raises TypeError or ValueError for an argument that is not that, OSError for a script that
    cannot be read, ImportError for a folder without `__main__.py`, SyntaxError.
    """
    for name, value in (("region_name", region_name), ("entrypoint", entrypoint)):
        if value is not None:
            text(name, value)
    only_user_code = boolean("only_user_code", only_user_code)
    recursive = boolean("recursive", recursive)
    include_patterns = strings("include_patterns", include_patterns)
    exclude_patterns = strings("exclude_patterns", exclude_patterns)
    program, script_args = _load(script_path, script_args)
    tracing = None
    if recursive:
        tracing = Tracing(region_name or name_of(script_path), only_user_code, include_patterns,
                          exclude_patterns, entrypoint)
    with restored(), hosting(manager):
        execute(manager, program, script_args, tracing)


def profile_script(manager, script_path, *, script_args=None, output=None, **setup):
    """Run a script as `__main__` in a run of its own, and return its ProfilingResults.

    output: where the results are written; None for the default. The other keywords are those of
    setup(). A script that ends by sys.exit(0) has ended well; what else it raises passes, and the
    results are in last_results() then. The run is over afterwards.

    Raises what setup() and run_script() raise, before the script runs.
    """
    program, script_args = _load(script_path, script_args)
    current = manager.setup(**destination(output), **setup)
    tracing = None
    if current._settings["recursive_profile"]:
        tracing = Tracing(name_of(script_path))
    try:
        with restored(), hosting(manager, setup):
            execute(manager, program, script_args, tracing)
    except SystemExit as end:
        if end.code not in (None, 0):
            raise
    finally:
        results = manager.finalize(verbose=False, return_results=True)
        if manager._host is None and manager.is_active():
            manager._stop()
    return results


def profile_command(manager, command, *, output=None, recursive=False, all=False,
                    mpi_calls=False):
    """Run a Python program in a process of its own, under `scope-profiler run --quiet`.

    command: an iterable of str: a script or "-m" and a module, and its arguments. A leading
        "python", "python3", "python3.x" of this version or sys.executable is passed over: the
        program runs in this interpreter.
    output: where the results are written; None for profiling_data.h5.
    recursive: trace every function of the program's own; all: and of what it imports. mpi_calls: make
        regions of its calls of MPI, see docs/mpi.md.

    Returns the subprocess.CompletedProcess, with the ProfilingResults as `profile_results`: None
    when the program failed or no file was written.

    Raises TypeError when command is a str or holds something else than str, ValueError when it
    is empty.
    """
    mpi_calls = boolean("mpi_calls", mpi_calls)
    words = _words("command", command)
    if words and (words[0] == sys.executable or _PYTHON.fullmatch(os.path.basename(words[0]))):
        del words[0]
    if not words:
        raise ValueError("command takes a script and its arguments, got none")
    file = path("output", output) if output is not None else "profiling_data.h5"
    check_name(file, f"output={file!r}")
    recursive, all = boolean("recursive", recursive), boolean("all", all)
    options = ["--recursive"] * (recursive or all) + ["--all"] * all + ["--mpi-calls"] * mpi_calls
    before = identity(file)
    import subprocess

    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "--quiet",
                           "--output", file, *options, *words])
    done.profile_results = None
    if done.returncode == 0 and identity(file) not in (None, before):
        from ..io import load

        done.profile_results = load(file)
    return done


_PYTHON = re.compile(rf"python(3(\.{sys.version_info.minor})?)?(\.exe)?")


class Tracing(NamedTuple):
    """Which functions of a program are traced, and the region around it."""

    region_name: str
    only_user_code: bool = True
    include: tuple = ()
    exclude: tuple = ()
    entrypoint: "str | None" = None
    lines: object = None  # NamedFunctions whose lines count, None for all that are traced
    only_lines: bool = False  # trace no others
    ignored_dirs: tuple = ()  # whose files are left out
    executed: object = None  # the Executed that is told of them, or None


@contextmanager
def hosting(manager, given=()):
    """Inside, setup() goes into the manager's current run, if it has one; `given` are the names of
    settings that this run was given, and that it keeps."""
    run = manager._run
    if manager._host is not None or run is None or not run.is_active:
        yield
        return
    from .host import Host

    manager._host = host = Host(manager, given)
    try:
        yield
    finally:
        manager._host = None
        host.leave()


def execute(manager, program, args, tracing=None):
    """Run a MainProgram in the manager's current run: as it is, or traced."""
    if tracing is None:
        program.run(args)
        return
    from .._instrument import call_tracing

    filters = tracing._asdict()
    region = manager.profile_region(filters.pop("region_name"))
    call_tracing.start(manager, **filters)
    if manager._follows_children:
        from .._runtime import following

        lines = tracing.lines and tracing.lines.texts()
        executed = tracing.executed and tracing.executed.options()
        following.tell({**filters, "lines": lines, "executed": executed})
    root = _Root(region)
    try:
        program.run(args)
    finally:
        root.close(sys.exc_info())
        call_tracing.stop(manager)


def trace(manager, lines=None, executed=None, **filters):
    """Trace this process, a child, as execute() does its program. lines: the patterns of those whose lines
    count. executed: the options of the program's Executed."""
    from .._instrument import call_tracing
    from .._instrument.code_finder import NamedFunctions
    from .._instrument.executed import Executed

    named = None if lines is None else NamedFunctions(lines)
    told = None if executed is None else Executed(**executed)
    call_tracing.start(manager, lines=named, executed=told, **filters)


def name_of(script_path):
    """The region's name for a script, folder or zip file."""
    return os.path.basename(os.path.abspath(script_path))


def destination(output):
    """The settings that have the results written to output; none when it is None."""
    return {} if output is None else {"output": output}


def _load(script_path, script_args):
    script_path = path("script_path", script_path)
    args = [] if script_args is None else _words("script_args", script_args)
    return MainProgram.from_path(script_path), args


def _words(argument, words):
    """The words of a command line as a list of str. Raises TypeError when they are something else."""
    hint = f"{argument} takes a list of str, got"
    if isinstance(words, (str, bytes)):
        raise TypeError(f"{hint} {type(words).__name__}: {words!r}; shlex.split() makes one of it")
    try:
        words = list(words)
    except TypeError:
        raise TypeError(f"{hint} {type(words).__name__}: {words!r}") from None
    for word in words:
        if not isinstance(word, (str, os.PathLike)):
            raise TypeError(f"{hint} {type(word).__name__} in it: {word!r}")
    return [os.fspath(word) for word in words]
