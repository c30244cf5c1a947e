"""A run of kernprof: what is profiled, where the results go, and what is said of them."""

import builtins
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import datetime
from importlib import import_module
import os
import shlex
import sys
import tempfile
import threading

import click

from .._base.needs import is_there
from .._base.shown import shown
from .._base.unrecorded import PACKAGE, unrecorded
from .._base.warning import complain
from .._launch.main_program import MainProgram
from .._runtime import process_end
from ..line_profiler import LineProfiler, profile as explicit_profile
from ..line_profiler.autoprofile import Autoprofile
from ..line_profiler.cli_utils import get_cli_config, get_python_executable, short_string_path
from .function_profile import FunctionProfile
from .program import loading

_NOTHING = object()
_NOT_SHOWN = (PACKAGE, "<frozen importlib", import_module.__code__.co_filename,
              contextmanager.__code__.co_filename)


def file_of_text(source):
    """The name that the code of a text has for its file. The tables of lines take it for generated
    code, whose text is in linecache."""
    return f"<generated kernprof-{source}>"


def on_path(script):
    """The file of a script: as it is named, or in a folder of the PATH."""
    if not os.path.exists(script) and not os.path.dirname(script):
        for folder in os.get_exec_path():
            path = os.path.join(folder, script)
            if folder and os.path.isfile(path):
                return path
    return script


class KernprofRun:
    """One program under the profiler."""

    def __init__(self, options, config):
        self._config = config
        self._options = _with_defaults(options, config)
        self._verbosity = self._options["verbose"] - self._options["quiet"]
        self._has_begun = self._is_over = False
        self._interval = None
        self._programs = []  # the setup script, the program
        self._decorators = []  # (what programs import as `profile`, how it was before)

    def prepare(self, program, args, module):
        """What is to be known before it runs. module: its name, where it is no script and no text."""
        self._args, self._module = args, module
        if self._options["setup"]:
            setup = on_path(self._options["setup"])
            with loading(setup):
                self._programs.append(MainProgram.from_path(setup))
        self._programs.append(program)
        self._profile = _Lines() if self._options["line_by_line"] else _Functions()
        self._outfile = self._destination(program)
        folder = os.path.dirname(self._outfile)
        if not os.access(folder, os.W_OK) or os.path.isdir(self._outfile):
            raise click.UsageError(f"cannot write to {self._outfile!r}: there is no such folder, or it is "
                                   "not allowed, or that is one")

    def _destination(self, program):
        """Absolute, as the program may go to another folder."""
        outfile, suffix = self._options["outfile"], self._profile.suffix
        if not outfile and self._is_text:
            source = program.code.co_filename.strip("<>").rpartition(" ")[2]
            descriptor, outfile = tempfile.mkstemp(f".{suffix}", f"{source}-", os.curdir)
            os.close(descriptor)
        return os.path.abspath(
            outfile or f"{os.path.basename(self._module or program.argv0)}.{suffix}")

    @property
    def _is_text(self):
        return self._programs[-1].code.co_filename.startswith("<")

    # ---- The program

    def run(self):
        """Run it, profiled."""
        *setup, program = self._programs
        process_end.call_at_exit(self.finish)
        self._stdout = sys.stdout
        self._builtin = vars(builtins).get("profile", _NOTHING)
        with ExitStack() as stack:
            if self._verbosity < -1:
                nowhere = stack.enter_context(open(os.devnull, "w"))
                stack.enter_context(redirect_stdout(nowhere))
                if self._verbosity < -2:
                    stack.enter_context(redirect_stderr(nowhere))
            for each in setup:
                each.run(self._args)
            program.take_place(self._args)
            if self._options["builtin"] or self._options["line_by_line"]:
                builtins.profile = self._profile.injected
            for decorator in _decorators():
                self._decorators.append((decorator, decorator._profile, decorator.enabled))
                decorator._kernprof_overwrite(self._profile.injected)
            if self._options["output_interval"]:
                self._interval = _Interval(self._options["output_interval"], self._dump)
            if self._verbosity > 1:
                self._say(f"Options: {self._options}")
                self._say(f"Running {program.code.co_filename} with {self._args}")
            self._profile.around(program, self._module, self._options, self._run_program)

    def _run_program(self):
        self._has_begun = True
        self._programs[-1].run(self._args)

    def traceback_of(self, error):
        """The error's traceback from the program's first frame on, or from that of a module which was
        imported for it; None without any."""
        for program in self._programs:
            traceback = program.traceback_of(error)
            if traceback is not None:
                return traceback
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code.co_filename.startswith(_NOT_SHOWN):
            traceback = traceback.tb_next
        return traceback

    def finish(self):
        """Write the results and say so; once."""
        if self._is_over:
            return
        self._is_over = True
        process_end.forget_call(self.finish)
        if self._interval is not None:
            self._interval.stop()
        self._profile.stop()
        if self._has_begun:
            try:
                self._dump()
                self._tell()
            except Exception as error:
                complain(f"no results in {shown(self._outfile)}", error)
        for decorator, profile, enabled in self._decorators:
            decorator._profile, decorator.enabled = profile, enabled
        if self._builtin is not _NOTHING:
            builtins.profile = self._builtin
        else:
            vars(builtins).pop("profile", None)

    def _dump(self):
        self._profile.write(self._outfile, self._is_text)

    def _tell(self):
        name = short_string_path(self._outfile)
        self._say(f"Wrote profile results to {name!r}")
        if self._verbosity > 0:
            self._profile.show(self._stdout, self._options, self._config)
        else:
            python = shlex.quote(get_python_executable())
            self._say(f"Inspect results with:\n{python} -m {self._profile.viewer} {shlex.quote(name)}")

    def _say(self, text):
        if self._verbosity > 1:
            text = f"[kernprof {datetime.now():%Y-%m-%d %H:%M:%S}] {text}"
        if self._verbosity > -1:
            print(text, file=self._stdout)


class _Functions:
    """The profiler of functions, as KernprofRun uses it."""

    suffix, viewer = "prof", "pstats"

    def __init__(self):
        self.injected = FunctionProfile()

    def around(self, program, module, options, run):
        if options["builtin"]:
            run()
        else:
            self.injected.runcall(run, os.path.basename(module or program.argv0))

    def stop(self):
        self.injected.disable()

    def write(self, path, is_text):
        self.injected.dump_stats(path)

    def show(self, stream, options, config):
        self.injected.print_stats(stream=stream)


class _Lines:
    """The line profiler, as KernprofRun uses it."""

    suffix, viewer = "lprof", "scope_profiler.line_profiler -rmt"

    def __init__(self):
        self.injected = LineProfiler()

    def around(self, program, module, options, run):
        targets = options["prof_mod"]
        if program.code.co_filename.startswith("<"):
            targets = [*targets, program.code.co_filename]
        autoprofile = Autoprofile(
            self.injected, targets, imports=options["prof_imports"], preimports=options["preimports"],
            inner=options["inner_functions"], top_level=options["top_level"])
        with autoprofile.around(program, module):
            missing = autoprofile.missing
            if missing:
                count = "1 profiling target" if len(missing) == 1 else f"{len(missing)} profiling targets"
                print(f"scope-profiler kernprof: {count} of -p cannot be imported: {missing}",
                      file=sys.stderr)
            try:
                run()
            finally:
                if idle := [pattern.text for pattern in autoprofile.idle]:
                    count = "1 glob" if len(idle) == 1 else f"{len(idle)} globs"
                    print(f"scope-profiler kernprof: {count} of -p met no function of what the program "
                          f"imports: {idle}", file=sys.stderr)

    def stop(self):
        for _ in range(self.injected.enable_count):
            self.injected.disable_by_count()

    def write(self, path, is_text):
        stats = self.injected.get_stats()
        if is_text:  # whose source is nowhere when the file is read
            for key in [key for key in stats.timings if key[0].startswith("<generated kernprof-")]:
                del stats.timings[key]
        stats.to_file(path)

    def show(self, stream, options, config):
        self.injected.print_stats(
            stream, output_unit=options["unit"], stripzeros=options["skip_zero"],
            summarize=options["summarize"], rich=options["rich"], config=config)


class _Interval:
    """A thread that writes the results so far every so many seconds."""

    def __init__(self, seconds, write):
        self._seconds = max(seconds, 1)
        self._write = unrecorded(write)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kernprof", daemon=True)
        self._thread.start()

    def _run(self):
        while not self._is_over.wait(self._seconds):
            try:
                self._write()
            except Exception as error:
                complain("the results so far could not be written", error)

    def stop(self):
        self._is_over.set()
        self._thread.join()


def _decorators():
    """The decorators `profile` that programs import: ours, and that of line_profiler, if it is installed."""
    yield explicit_profile
    if is_there("line_profiler"):
        with suppress(Exception):  # whatever is wrong with it, it is the program's to see
            from line_profiler import profile

            if hasattr(profile, "_kernprof_overwrite"):
                yield profile


def _with_defaults(options, config):
    """The options, and what the configuration says where they are not given."""
    try:
        defaults = get_cli_config("kernprof", config).conf_dict
    except (ValueError, OSError) as error:
        raise click.UsageError(shown(error)) from None
    given = {name: value for name, value in options.items()
             if value is not None and value != () and (name, value) != ("verbose", 0)}
    return {**options, **defaults, **given}
