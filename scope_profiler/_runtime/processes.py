"""The processes of one program: which of them this is, and where it writes.

A program is a process with all that it forks and that multiprocessing starts for it. What the
latter starts anew (spawn, forkserver) learns from the environment which program it belongs to.
What `subprocess` and the like start are programs of their own.
"""

from _thread import RLock
from contextlib import contextmanager
import os
import sys
import time

from . import launcher

from .._base import environment

_VARIABLE = "SCOPE_PROFILER_PROGRAM"

_forked = False  # in the middle of a run


def is_child():
    """Whether another process of the program has a run, or may have one."""
    return _forked or is_worker() or _is_server()


def is_worker():
    """Whether multiprocessing started this process, in whatever way."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and (
        process.parent_process() is not None
        # The main module is imported before it is told of its parent.
        or getattr(process.current_process(), "_inheriting", False)
    )


def _is_server():
    """Whether this is what workers are forked from, with the start method forkserver. From 3.14 on
    it imports the main module, too."""
    return any("multiprocessing.forkserver" in argument for argument in sys.orig_argv)


def _identify():
    known = os.environ.get(_VARIABLE)
    if not known or not (is_worker() or _is_server()):
        known = os.urandom(8).hex()
        if not environment.DISABLED:
            os.environ[_VARIABLE] = known
    return known


#: The same text in all processes of the program, and in no other program.
PROGRAM = _identify()


def was_forked(paths):
    """To be called in the child of a fork in the middle of runs that write to the paths."""
    global _forked
    _forked = True
    _parents.update(map(os.path.abspath, paths))


def facts():
    """What the metadata of a run say of its process: {name: int or str}."""
    known = {"program_id": PROGRAM, "process_id": os.getpid(), **launcher.facts()}
    if is_child():
        known.update(_facts_of_child())
    return known


def _facts_of_child():
    process = sys.modules.get("multiprocessing.process")
    if not is_worker():
        return {"parent_process_id": os.getppid()}
    parent = process.parent_process()
    return {
        "parent_process_id": os.getppid() if parent is None else parent.pid,
        "process_name": process.current_process().name,
    }


def own_path(path, fields):
    """Where this process writes what is to go to the path, and the same without its own number:
    (str, str).

    fields: what stands for the fields in braces, by name. Of the ranks of a job, all but the first
    write beside the path, by a name with their rank; and a child of the program writes beside the
    path of its parent's run, by a name with its process id: unless the path has them already.
    """
    path = os.fspath(path)
    rank, has_rank = launcher.rank(), "{rank" in path
    if "{" in path or "}" in path:
        path = expanded(path, fields)
    stem, suffix = split(path)
    if rank and not has_rank:
        stem = f"{stem}.rank{rank}"
        path = stem + suffix
    if not is_child() or not _is_shared(path) or _has_own_number(path):
        return path, path
    return numbered(path), path


def numbered(path):
    """The path with the number of this process in its name."""
    stem, suffix = split(path)
    return f"{stem}.{os.getpid()}{suffix}"


def _has_own_number(path):
    import re

    return re.search(rf"(?<!\d){os.getpid()}(?!\d)", os.path.basename(path))


#: What may stand in braces in file_path.
FIELDS = ("pid", "rank", "host", "time", "run")


def fields(number, begun):
    """What stands for them, of the run of that number in this process, begun at that time (s since
    the epoch)."""
    return {
        "pid": os.getpid(),
        "rank": launcher.rank() or 0,
        "host": os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""),
        "time": time.strftime("%Y%m%dT%H%M%S", time.localtime(begun)),
        "run": number,
    }


def expanded(path, fields):
    """The path with what stands for its fields. ValueError for a field that there is not."""
    from string import Formatter

    try:
        names = [name for _, name, _, _ in Formatter().parse(path) if name is not None]
        if {*names} <= {*FIELDS}:
            return path.format(**fields)
    except ValueError:
        pass
    raise ValueError(
        f"file_path={path!r} has a field in braces that is not known: it takes "
        + ", ".join(f"{{{name}}}" for name in FIELDS) + ", and {{ and }} for braces"
    )


# ---- What the parent's run writes to

_PATHS = "SCOPE_PROFILER_PATHS"


def _inherited():
    return {*os.environ.get(_PATHS, "").split(os.pathsep)} - {""}


_parents = _inherited() if is_worker() else set()


def writes_to(paths):
    """Have processes that multiprocessing starts from here know these paths."""
    os.environ[_PATHS] = os.pathsep.join(sorted({*map(os.path.abspath, paths), *_parents}))


def _is_shared(path):
    """Whether it is of the parent's run; what a forkserver starts cannot tell."""
    return os.path.abspath(path) in _parents or _is_server()


def split(path):
    """The path before what tells the format, and that: (str, str)."""
    if path.lower().endswith(".json.gz"):
        return path[: -len(".json.gz")], path[-len(".json.gz") :]
    return os.path.splitext(path)


def beside(path):
    """The files that have names as children of the program, and other ranks, write when the path is
    its file: a list of paths, sorted."""
    import re

    path = os.fspath(path)
    folder, name = os.path.split(path)
    stem, suffix = split(name)
    pattern = re.compile(rf"{re.escape(stem)}(\.rank\d+)?(\.\d+)?{re.escape(suffix)}")
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    return [os.path.join(folder, found) for found in sorted(names)
            if found != name and pattern.fullmatch(found)]


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
