"""Child processes that are recorded with the program: the setting follow_children.

A child is reached without a change in the program: by the environment, which Python reads as it starts.

- PYTHONPATH gets a folder in front, with a sitecustomize.py that begins the recording
  (_launch/startup). It takes itself away from sys.path, and imports the sitecustomize of the user. Python
  looks at neither with -I, -E and -S: such children run as ever, and are not recorded.
- SCOPE_PROFILER_FOLLOW says how to record, and where to leave the results: in a folder beside the file
  of the run, from which the process that began the run, here called the root, takes them when it
  finalizes (_run/children.py).
- SCOPE_PROFILER_ORIGIN says who has started the child, and below which regions: spawning.py, which
  also gives all this to children that the program starts with an environment of its own making.

A child that is forked has all this in its memory. It leaves its results there, too.
"""

import json
import os
import sys
import time

from .._base import file_names
from .._base.unrecorded import PACKAGE
from . import processes, spawning

_STARTUP = os.path.join(PACKAGE, "_launch", "startup")

_followed = None  # what children are told: a dict; None where they are left alone
_begun = {}  # this process, as its number may be that of an earlier one: its time
_manager = None  # whose regions they begin below: a weak reference


def is_root():
    """Whether children leave their results for this process."""
    return _followed is not None and _followed["root"] == os.getpid()


def folder():
    """Where children leave their results."""
    return _followed["folder"]


def is_temporary():
    """Whether nobody would find that when this process is over."""
    return _followed["is_temporary"]


def begin(manager, settings, path):
    """Have the children of this process followed from now on, and theirs. path: of the run's file; None
    for none. In a child that is followed itself the run is part of the root's."""
    global _followed, _manager
    from weakref import ref

    _manager = ref(manager)
    if _followed is None:
        _followed = {
            "root": os.getpid(),
            "folder": _folder_of(path),
            "is_temporary": path is None,
            "package": PACKAGE.rstrip(os.sep),
            "python": [sys.implementation.cache_tag, getattr(sys, "abiflags", "")],
            "settings": _of_children(settings),
            "tracing": None,
        }
    _tell()


def join(told):
    """This process was started by one that is followed, and told this."""
    global _followed
    _followed = told
    processes.began_below(json.loads(os.environ.pop(spawning.ORIGIN, "null")))


def tell(tracing):
    """Have children that begin from now on traced in the same way: the arguments of programs.trace(), or
    None."""
    if _followed is not None:
        _followed["tracing"] = tracing
        _tell()


def end():
    """Leave new children alone."""
    global _followed
    spawning.stop()
    if is_root():
        _followed = None


def path_of(settings):
    """Where this process, a child, leaves the results of a run with these settings; None where the run is
    not that of the root, but one of its own."""
    if _followed is None or is_root():
        return None
    root = _followed["settings"]
    if settings["deactivate_file_output"] != root["deactivate_file_output"]:
        return None
    is_own = os.path.abspath(settings["file_path"]) != root["file_path"]
    if is_own and not root["deactivate_file_output"]:
        return None
    return _own_path()


def _own_path():
    """The file of this process in the folder."""
    from .._base import needs

    if _begun.get("process") != os.getpid():
        _begun.update(process=os.getpid(), ns=time.time_ns())
    os.makedirs(folder(), exist_ok=True)
    suffix = ".h5" if needs.is_there("h5py") else ".json"
    return os.path.join(folder(), f"{os.getpid()}-{_begun['ns']}{suffix}")


def _folder_of(path):
    if path is not None:
        return file_names.children_of(os.path.abspath(path))
    from tempfile import mkdtemp

    return mkdtemp(prefix="scope-profiler-")


_OWN = ("verbose", "label", "slow_callback", "comm")  # of the root alone


def _of_children(settings):
    """What children call setup() with."""
    from ..config.table import DEFAULTS

    chosen = {name: sorted(value) if isinstance(value, frozenset) else value
              for name, value in settings.items()
              if name not in _OWN and value != DEFAULTS.get(name)}
    return {**chosen, "file_path": os.path.abspath(settings["file_path"]),
            "deactivate_file_output": settings["deactivate_file_output"]}


def _tell():
    os.environ[spawning.FOLLOW] = json.dumps(_followed)
    spawning.start(_STARTUP, _open_regions, _before_exec)


def _open_regions():
    """Those below which a child begins now: a list of str."""
    manager = None if _manager is None else _manager()
    return [] if manager is None else [region.name for region in manager._open_regions()]


def _before_exec():
    """This process becomes another program, under the same number: what it has recorded is left in the
    folder. Gives the origin of the other, and what takes this back where there is none."""
    manager = None if _manager is None else _manager()
    begins = processes.origin()
    if manager is None or not manager.is_active() or not manager._counters()["calls"]:
        return begins, None
    from ..io import write_profile

    path = _own_path()
    is_new = not os.path.exists(path)
    write_profile(manager.snapshot(), path)
    if manager._run._settings["journal"] is None:
        manager._journal_end(False)  # the other program would not
    return begins, lambda: is_new and os.unlink(path)
