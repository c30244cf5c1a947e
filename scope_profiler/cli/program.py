"""Programs that commands run: found, run, and followed to their end."""

import atexit
from contextlib import contextmanager
import os
import sys

import click

from .._base.shown import shown
from .._launch.main_program import MainProgram
from .._runtime import process_end


def load(script, module, text=False):
    """The MainProgram: of a path, the name of a module, or the program itself as text. sys.path loses
    the entry that Python made for this command: to be called once."""
    if not sys.flags.safe_path:
        sys.path[:1] = [os.getcwd()] if module else []
    with loading("-c" if text else script):
        if text:
            return MainProgram.from_text(script, "<string>", "-c")
        return MainProgram.from_module(script) if module else MainProgram.from_path(script)


@contextmanager
def loading(script):
    """Inside a program is loaded; when that fails the command ends, and says why."""
    try:
        yield
    except FileNotFoundError:
        raise click.ClickException(f"can't open file {script!r}: there is none") from None
    except (OSError, ImportError) as error:
        raise click.ClickException(f"can't run {script!r}: {shown(error)}") from None
    except (SyntaxError, ValueError) as error:
        _show(error, None)
        sys.exit(1)


def run_to_the_end(run, program, finish, is_process):
    """Call run(), which runs the program, and then finish(), once; what the program raises passes.

    is_process: the process is the command's and ends with it. finish() is called by an exit handler
    then, when the program's threads have ended. A child that the program forks does not call it.
    """
    end = _End(finish)
    try:
        run()
    except SystemExit:
        raise
    except BaseException as error:
        if is_process:
            end.interrupted = type(error) is KeyboardInterrupt
            _show(error, program.traceback_of(error))
            sys.excepthook = _shown  # Python is still to take the exit status from it
        raise
    finally:
        if is_process:
            # Now, not before the program: a handler runs before those that were there earlier, and
            # the one of h5py, which the program may have imported, takes from us what writing needs.
            atexit.register(end)
        else:
            end()


class _End:
    """An exit handler, which runs after the program's threads have ended and before its own exit
    handlers; what those do is not in the results."""

    def __init__(self, finish):
        self.interrupted = False
        self._finish = finish
        self._process = os.getpid()

    def __call__(self):
        if os.getpid() != self._process:
            return
        self._finish()
        if self.interrupted:
            process_end.end_by_interrupt()


def _show(error, traceback):
    """Print an error as Python does, with the traceback given."""
    sys.excepthook(type(error), error.with_traceback(traceback), traceback)


def _shown(*error):
    """An excepthook that prints nothing."""
