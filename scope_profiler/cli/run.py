"""scope-profiler run: a program under the profiler, from its first line to the report."""

from functools import partial
import os
import sys
import warnings

import click

from .._base.shown import shown
from .._base.warning import complain
from .._instrument.code_finder import NamedFunctions
from .._launch.host import Host
from .._launch.programs import Tracing, destination, execute, name_of
from .._runtime import process_end
from ..config import toml
from ..config.kinds import LIMITS, STRINGS, SWITCH
from ..config.table import ARGUMENTS, DEFAULTS, SETTINGS
from ..manager import ProfileManager
from . import executed_lines
from .program import load, run_to_the_end

manager = ProfileManager._default


def _options(command):
    """The command with the options of the table of settings."""
    for row in reversed((*ARGUMENTS, *SETTINGS)):
        if row.option is not None:
            command = _option(row)(command)
    return command


_TYPES = {"int": click.INT, "float": click.FLOAT}


def _option(row):
    """One of them. It gives None where the setting is not given."""
    names, option = row.option.names.split(), row.option
    help = option.help or row.sentence
    if row.kind is not SWITCH:
        several = row.kind in (STRINGS, LIMITS)
        return click.option(
            *names, row.name, metavar=option.metavar or row.kind.metavar, multiple=several,
            type=_TYPES.get(row.kind.annotation), hidden=option.hidden,
            help=f"{help} May be repeated." if several else help,
        )
    flag = {} if "/" in option.names else {"is_flag": True, "flag_value": option.value}
    return click.option(*names, row.name, default=None, hidden=option.hidden, help=help, **flag)


@click.command(
    short_help="Run a program and record its regions.",
    context_settings={"allow_interspersed_args": False},
    options_metavar="[OPTIONS]",
)
@click.option("-m", "--module", is_flag=True, help="SCRIPT is the name of a module or package.")
@click.option("-c", "--command", "text", is_flag=True, help="SCRIPT is the program itself, as text.")
@_options
@click.option("--recursive/--no-recursive", "--functions/--no-functions", "recursive", default=None,
              help="Trace every function of the program's own, not its regions only.")
@click.option("--all", "everything", is_flag=True,
              help="Trace the functions of the standard library and of installed packages too.")
@click.option("--include", metavar="GLOB", multiple=True,
              help="Trace only functions named so: 'solver.*', '*.solve'. May be repeated.")
@click.option("--exclude", metavar="GLOB", multiple=True,
              help="Do not trace functions named so. May be repeated.")
@click.option("--lines", metavar="PATTERN", multiple=True,
              help="Count and time the lines of the functions of this name, or of the class, module or "
                   "file: 'solve', 'package.Grid.step', 'package.sol*', 'src/*.py'. They may be of "
                   "any package. May be repeated.")
@click.option("--entrypoint", metavar="NAME",
              help="Trace, and call the region of functions of this name just that.")
@click.option("--regions", "regions_file", metavar="FILE",
              help="Make regions of functions that a TOML file names, in its table "
                   "[scope_profiler.regions]: \"package.module:Class.method\" = true, or its tags.")
@executed_lines.options
@click.option("--sample-memory", metavar="FILE",
              help="Draw the memory of the process and those below it over time, with the regions: "
                   "memory.png; or a table: memory.csv.")
@click.argument("script")
@click.argument("script_args", metavar="[ARGS]...", nargs=-1, type=click.UNPROCESSED)
def run(script, script_args, module, text, output, recursive, everything, include, exclude, lines,
        entrypoint, regions_file, sample_memory, ignore_module, ignore_dir, **settings):
    """Run SCRIPT with ARGS, record its regions, and print a report when it has ended.

    SCRIPT runs as it would under Python itself, and its exit status is that of this command. Its
    regions are recorded as if it had called setup() at its start; it need not call setup() or
    finalize(). When it does, its settings count, but for those given here, and its own file is
    written, too. The report comes also when it fails or is interrupted. Options for SCRIPT come
    after its name.

    \b
    Examples:
      scope-profiler run simulate.py --steps 100
      scope-profiler run -o fine.h5 --line-profile simulate.py
      scope-profiler run --recursive -o run.prof simulate.py
      scope-profiler run -m package.module
      scope-profiler run --lines 'package.Grid.*' simulate.py
      scope-profiler run --functions --c-functions -c 'import json; json.dumps([1])'
      scope-profiler run --count --missing --coverdir covered simulate.py
    """
    if module and text:
        raise click.UsageError("--module and --command exclude each other")
    no_output = settings["deactivate_file_output"]
    if output is not None and no_output:
        raise click.UsageError("--output and --no-output exclude each other")
    asked = executed_lines.Asked.taken(settings)
    executed = asked.executed()
    if everything or entrypoint is not None or settings["trace_c"] or executed is not None:
        if recursive is False:
            raise click.UsageError("--no-recursive excludes --all and --entrypoint, --c-functions, and "
                                   "--count, --trace and the like")
        recursive = True
    if recursive is False:
        settings["recursive_profile"] = False  # whatever the configuration says
    if not no_output and (output is not None or settings["config_path"] is None):
        # From here: the program may go to another folder.
        settings.update(destination(os.path.abspath(output or DEFAULTS["file_path"])))
    samples = None if sample_memory is None else _Samples(sample_memory)
    if settings["memory"] and settings["use_line_profiler"]:
        settings["line_memory"] = True
    if lines or executed is not None and executed.counts_lines:
        settings["use_line_profiler"] = True
    if executed is not None:  # of what they record without these, nobody has asked for single calls
        settings.update({name: value for name, value in _QUIETLY.items() if settings[name] is None})
    program = load(script, module, text)
    given = {name: value for name, value in settings.items() if value not in (None, ())}
    if regions_file is not None:
        _make_regions(regions_file)
    current = _setup(given)
    if recursive is None:
        recursive = current._settings["recursive_profile"]
    exclude += executed_lines.ignored_modules(ignore_module)
    ignored_dirs = executed_lines.ignored_folders(ignore_dir)
    if (include or exclude or ignored_dirs) and not recursive:
        raise click.UsageError("--include and --exclude, --ignore-module and --ignore-dir are about "
                               "--recursive: add that")
    tracing = None
    if recursive or lines:
        name = "-c" if text else script if module else name_of(script)
        named = NamedFunctions(lines) if lines else None
        tracing = Tracing(name, not everything, include, exclude, entrypoint, named,
                          not recursive, ignored_dirs, executed)
    return partial(_run, _End(given, samples, tracing, asked), program, script_args, tracing)


_QUIETLY = {"aggregation_mode": True, "verbose": False}


def _make_regions(file):
    """Have functions decorated that the file names."""
    try:
        for name, how in toml.read_regions(file).items():
            manager.instrument(name, **how)
    except (TypeError, ValueError) as error:
        raise click.UsageError(shown(error)) from None


def _setup(settings):
    """The run; a setting that cannot be had, or a place that cannot be written to, ends the
    command before the program runs."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            current = manager.setup(replace=True, **settings)
    except (TypeError, ValueError, OSError) as error:
        raise click.UsageError(shown(error)) from None
    for warning in caught:
        click.echo(f"Warning: {shown(warning.message)}", err=True)
    if current.file_path is not None:
        folder = os.path.dirname(os.path.abspath(current.file_path))
        if not os.access(folder, os.W_OK):
            raise click.UsageError(f"cannot write into the folder {folder!r}: it is not there, or "
                                   "it is not allowed")
    return current


def _run(end, program, args, tracing, is_process):
    """Run it. is_process: this process is the command's, which ends with it."""
    if end.samples is not None:
        end.samples.start()
    process_end.finalize_at_exit(manager, end.run)  # for the program's child processes
    finalize = process_end.finalize_last if is_process else _finalize
    run_to_the_end(partial(execute, manager, program, args, tracing), program,
                   partial(end.finalize, finalize), is_process)


def _finalize(manager, verbose):
    manager.finalize(verbose)


class _End:
    """The end of the command."""

    def __init__(self, given, samples, tracing, asked):
        self.run = manager._run
        self.samples = samples
        self._asked, self._executed = asked, tracing and tracing.executed
        self._lines = tracing and tracing.lines
        self._host = manager._host = Host(manager, given)

    def finalize(self, finalize):
        if self.samples is not None:
            self.samples.stop()
        manager._host = None
        self._host.leave()
        process_end.forget(manager._run)
        process_end.wait_for_workers([self.run])
        try:
            if manager.is_active():
                manager._stop()  # threads that nobody waits for would go on recording
            finalize(manager, self.run._settings["verbose"])
            self._hint()
            if self._executed is not None:
                executed_lines.write(self._asked, self._executed, manager)
        except Exception as error:
            complain("finalize() failed", error)
        if self.samples is not None:
            self.samples.write()

    def _hint(self):
        """Say what to add where nothing was recorded, and which options meant nothing."""
        run = manager._run
        has_children = run is not None and run._results is not None and run._results.num_ranks > 1
        for pattern, names in self._lines.idle() if self._lines and not has_children else ():
            print(f"scope-profiler: --lines {shown(pattern)!r}: no function of that name was called"
                  + (f"; did you mean {', '.join(map(shown, names))}?" if names else ""),
                  file=sys.stderr)
        recorded = (run is None or has_children or manager._counters()["calls"]
                    or self.run._settings["sample"])
        if self.run._settings["verbose"] and not recorded:
            print("scope-profiler: nothing was recorded. --recursive traces every function of the "
                  "program; @scope_profiler.profile and `with scope_profiler.region(...)` record "
                  "what they are put around", file=sys.stderr)


class _Samples:
    """The memory of the process over time, and where it is written."""

    def __init__(self, path):
        from ..memory.memory_samples import MemorySamples, check_path

        try:
            check_path(path)
        except (ValueError, ImportError) as error:
            raise click.UsageError(shown(error)) from None
        self._name, self._path = path, os.path.abspath(path)
        self._samples = MemorySamples()

    def start(self):
        self._samples.start()

    def stop(self):
        self._samples.stop()

    def write(self):
        try:
            self._samples.write(self._path, manager.last_results())
            print(f"Memory over time: {shown(self._name)}")
        except Exception as error:
            complain("the memory over time cannot be written", error)
