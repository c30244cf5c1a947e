"""scope-profiler kernprof: a program under the line profiler, with the options of kernprof."""

from functools import partial
import sys
from textwrap import dedent

import click

from .._launch.main_program import MainProgram
from .._version import __version__
from .kernprof_words import KernprofCommand, Number
from .program import load, loading, run_to_the_end


def _switch(*names, **settings):
    """A switch that is None where it is not given."""
    *short, long = names
    return click.option(*short, f"--{long}/--no-{long}", default=None, **settings)


def _positive(context, param, value):
    if value is not None and not value > 0:
        raise click.BadParameter("takes a number of seconds above 0")
    return value


@click.command(
    cls=KernprofCommand,
    short_help="Run a program and count its lines, as kernprof does.",
    context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]},
    options_metavar="[OPTIONS]",
)
@_switch("-l", "line-by-line", help="Count and time lines. Without, every function is timed, as by "
         "cProfile. Implies --builtin.")
@_switch("-b", "builtin", help="Make `profile` a builtin: @profile, `with profile:`, "
         "profile.enable() and profile.disable().")
@click.option("-s", "--setup", metavar="FILE", help="Run this script first, without profiling it.")
@click.option("-p", "--prof-mod", metavar="TARGET", multiple=True,
              help="With -l, profile this without decorating it: a module, package, class or function by "
              "its dotted name, a file by its path, globs of either, or the program itself. A package "
              "has its modules, but as PACKAGE.__init__. May be repeated or hold several with commas; "
              "'' forgets those before.")
@_switch("preimports", help="Import the modules of -p before the program, and profile all that they have. "
         "Without, only what the program imports of them.")
@_switch("prof-imports", help="Where the program itself is among the targets of -p, profile what it "
         "imports too.")
@_switch("inner-functions", help="Profile also lambdas, generator expressions and the functions inside of "
         "those that -p means.")
@_switch("top-level", help="Profile also what the program, and modules of -p, run outside of functions.")
@click.option("-o", "--outfile", metavar="FILE",
              help="Where to write the results.  [default: SCRIPT.lprof, or SCRIPT.prof without -l]")
@click.option("-v", "--verbose", "--view", count=True, help="Print the results; twice: and what is done.")
@click.option("-q", "--quiet", count=True,
              help="Do not say where the results are; twice: nor let the program print; three times: nor "
              "let it write to standard error.")
@_switch("-r", "rich", help="Print in colours.")
@click.option("-u", "--unit", metavar="SECONDS", type=float, callback=_positive,
              help="The unit of the times printed.  [default: 1e-6]")
@_switch("-z", "skip-zero", help="Leave out functions that were not called.")
@_switch("summarize", help="Print a line with the total time of each function, too.")
@click.option("-i", "--output-interval", metavar="[SECONDS]", type=click.IntRange(0), cls=Number,
              help="Write the results so far every so many seconds, and at the end.")
@click.option("--config", metavar="FILE", help="Take defaults from [tool.line_profiler.kernprof] of this "
              "TOML file.  [default: line_profiler.toml or pyproject.toml, here or above]")
@click.option("--no-config", is_flag=True, help="Take them from no file.")
@click.option("-m", "module", metavar="MODULE", help="The program is this module; what follows is for it.")
@click.option("-c", "text", metavar="CODE", help="The program is this text; what follows is for it.")
@click.version_option(__version__, "-V", "--version", message="%(version)s")
@click.argument("words", metavar="{SCRIPT | -m MODULE | -c CODE | -} [ARGS]...", nargs=-1,
                type=click.UNPROCESSED)
def kernprof(words, module, text, config, no_config, **options):
    """Run a program and profile the lines of its decorated functions, as kernprof of line_profiler does.

    Options, names of files and what is printed are those of kernprof; it reads the same configuration.
    The program runs as it would under Python itself, and the results are written however it ends.
    SCRIPT is looked for on the PATH where there is no such file.

    \b
    Examples:
      scope-profiler kernprof -l -v script.py --steps 100
      scope-profiler kernprof -l -p package.module -p script.py script.py
      sp-kernprof -lv -m package.module
    """
    from .kernprof_run import KernprofRun, on_path  # with all that line mode needs

    words = list(words)
    if module is not None and text is not None:
        raise click.UsageError("-m and -c exclude each other")
    if module is None and text is None and not words:
        raise click.UsageError("Missing argument 'SCRIPT'")
    run = KernprofRun(options, False if no_config else config)
    if module is not None:
        program = load(module, True)
    elif text is not None:
        program = _from_text(text, "command", "-c")
    elif words[0] == "-":
        program = _from_text(sys.stdin.read(), "stdin", words.pop(0))
    else:
        program = load(on_path(words.pop(0)), False)
    run.prepare(program, words, module)
    return partial(_run, run)


def _run(run, is_process):
    run_to_the_end(run.run, run, run.finish, is_process)


def _from_text(text, source, argv0):
    from .kernprof_run import file_of_text

    if not sys.flags.safe_path:
        del sys.path[:1]  # the entry that Python made for this command
    with loading(source):
        return MainProgram.from_text(dedent(text), file_of_text(source), argv0)
