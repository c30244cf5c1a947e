"""The processes of one program, and which of them this is.

A program is a process with all that it forks and that multiprocessing starts for it. What the
latter starts anew (spawn, forkserver) learns from the environment which program it belongs to.
What `subprocess` and the like start are programs of their own, unless they are followed (following.py).
"""

from _thread import RLock
from contextlib import contextmanager
import os
import sys

from .._base import environment, interpreter

_VARIABLE = "SCOPE_PROFILER_PROGRAM"

_forked = False  # in the middle of a run
_origin = None  # [number of the process that has started this one, names of the regions open there or None]

#: Whether this process was started, and not forked, in a program whose children are followed, as
#: _launch/startup says; and it is not what the process that began that has become.
_STARTED = os.environ.get("SCOPE_PROFILER_FOLLOWED") == f"{os.getpid()}"
_GOES_ON = os.environ.get("SCOPE_PROFILER_FOLLOWED") == f"{os.getpid()} again"


def is_child():
    """Whether another process of the program has a run, or may have one."""
    return _forked or _STARTED or is_worker() or is_server()


def is_worker():
    """Whether multiprocessing started this process, in whatever way."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and (
        process.parent_process() is not None
        or interpreter.is_being_made(process.current_process())
    )


def is_server():
    """Whether this is what workers are forked from, with the start method forkserver. From 3.14 on
    it imports the main module, too."""
    return any("multiprocessing.forkserver" in argument for argument in sys.orig_argv)


def _identify():
    known = os.environ.get(_VARIABLE)
    if not known or not (_STARTED or _GOES_ON or is_worker() or is_server()):
        known = os.urandom(8).hex()
        if not environment.DISABLED:
            os.environ[_VARIABLE] = known
    return known


#: The same text in all processes of the program, and in no other program.
PROGRAM = _identify()


def was_forked():
    """To be called in the child of a fork in the middle of runs."""
    global _forked
    _forked = True


def began_below(origin):
    """Who has started this process, and below which regions: [process, names or None], or None."""
    global _origin
    _origin = origin


def origin():
    """The same, or None where it is not known."""
    process = sys.modules.get("multiprocessing.process")
    told = process and process.current_process()._config.get("scope_profiler_origin")
    return told or _origin


def facts(members=None):
    """What the metadata of a run say of its process: {name: int or str}. members: See launcher.place()."""
    from . import launcher

    known = {"program_id": PROGRAM, "process_id": os.getpid(), **launcher.facts(members)}
    if is_child():
        known.update(_facts_of_child())
    return known


def _facts_of_child():
    process, known = sys.modules.get("multiprocessing.process"), origin()
    parent = process and process.parent_process()
    facts = {"parent_process_id": known[0] if known else parent.pid if parent else os.getppid()}
    if known and known[1] is not None:
        facts["parent_regions"] = known[1]
    if is_worker():
        facts["process_name"] = process.current_process().name
    elif _STARTED:
        facts["process_name"] = _program_name()
    return facts


def _program_name():
    """What this Python runs: the name of a script, "-m" and that of a module, or "-c"."""
    words = iter(sys.orig_argv[1:])
    for word in words:
        if word in ("-X", "-W", "--check-hash-based-pycs"):
            next(words, None)
        elif word.startswith("-m") or word == "-c":
            return f"-m {word[2:] or next(words, '')}" if word != "-c" else word
        elif not word.startswith("-") or word == "-":
            return os.path.basename(word)
    return ""


# ---- Forks and other threads

_unforked = RLock()
_PATIENCE = 10  # seconds


@contextmanager
def unforked():
    """Forks of other threads wait until this is left. For imports: the lock of a module that is
    half imported in another thread stays closed in the child, and who imports it there waits for
    ever."""
    with _unforked:
        yield


def _before_fork():
    # Not for ever: who imports may wait for who forks.
    _unforked.acquire(timeout=_PATIENCE)


def _after_fork_in_parent():
    try:
        _unforked.release()
    except RuntimeError:  # patience was at its end
        pass


def _after_fork_in_child():
    global _unforked
    _unforked = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent,
                        after_in_child=_after_fork_in_child)
