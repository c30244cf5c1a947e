"""Where this process writes what is to go to a path: ranks of a job and children of a program write
beside the path of the others."""

import os
import time

from .._base import file_names
from . import launcher, processes


def own_path(path, fields):
    """Where this process writes what is to go to the path, and the same without its own number:
    (str, str).

    fields: what stands for the fields in braces, by name. Of the ranks of a job, all but the first
    write beside the path, by a name with their rank; and a child of the program writes beside the
    path of its parent's run, by a name with its process id: unless the path has them already.
    """
    path = os.fspath(path)
    rank, has_rank = fields["rank"], "{rank" in path
    if "{" in path or "}" in path:
        path = file_names.expanded(path, fields)
    stem, suffix = file_names.split(path)
    if rank and not has_rank:
        stem = f"{stem}.rank{rank}"
        path = stem + suffix
    if not processes.is_child() or not _is_shared(path) or _has_own_number(path):
        return path, path
    return numbered(path), path


def numbered(path):
    """The path with the number of this process in its name."""
    stem, suffix = file_names.split(path)
    return f"{stem}.{os.getpid()}{suffix}"


def _has_own_number(path):
    import re

    return re.search(rf"(?<!\d){os.getpid()}(?!\d)", os.path.basename(path))


def fields(number, begun, members=None):
    """What stands for them, of the run of that number in this process, begun at that time (s since
    the epoch). members: See launcher.place()."""
    return {
        "pid": os.getpid(),
        "rank": launcher.rank(members) or 0,
        "host": os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", ""),
        "time": time.strftime("%Y%m%dT%H%M%S", time.localtime(begun)),
        "run": number,
    }


# ---- What the parent's run writes to

_PATHS = "SCOPE_PROFILER_PATHS"


def _inherited():
    return {*os.environ.get(_PATHS, "").split(os.pathsep)} - {""}


_parents = _inherited() if processes.is_worker() else set()


def was_forked(paths):
    """To be called in the child of a fork in the middle of runs that write to the paths."""
    _parents.update(map(os.path.abspath, paths))


def writes_to(paths):
    """Have processes that multiprocessing starts from here know these paths."""
    os.environ[_PATHS] = os.pathsep.join(sorted({*map(os.path.abspath, paths), *_parents}))


def _is_shared(path):
    """Whether the parent's run writes there, or may: a forkserver does not know of it."""
    return os.path.abspath(path) in _parents or processes.is_server()
