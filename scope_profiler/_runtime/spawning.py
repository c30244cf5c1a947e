"""The ways in which a program starts others: each gets the environment that following.py speaks of.

What takes the environment of the process has it there already, but for the regions that are open. So
that is put there for the moment of the start, which one thread at a time does. What is given an
environment by the program gets ours added.
"""

import json
import os
from threading import RLock

from .._base.patches import Patches
from .._base.warning import complain
from .._instrument.import_hook import AfterImport

FOLLOW, ORIGIN = "SCOPE_PROFILER_FOLLOW", "SCOPE_PROFILER_ORIGIN"
_PATH = "PYTHONPATH"
_OURS = (FOLLOW, "SCOPE_PROFILER_PROGRAM", "SCOPE_PROFILER_PATHS")

#: In the configuration that multiprocessing sends to each process that it starts.
PROCESS_ORIGIN = "scope_profiler_origin"

_LONGEST = 100_000  # bytes: the system takes 128 KiB for one variable

_one_at_a_time = RLock()
_spawning = None  # a _Spawning


def _after_fork_in_child():
    global _one_at_a_time
    _one_at_a_time = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)


class _Spawning:
    """startup: the folder for PYTHONPATH. origin(): the regions that are open, a list of str.
    before_exec(): called before this process becomes another program; returns what takes that back."""

    def __init__(self, startup, origin, before_exec):
        self.startup = startup
        self.origin = origin
        self.before_exec = before_exec
        self.patches = Patches()
        self.hook = AfterImport(self.patches.waits_for, self.patches.imported)

    def origin_text(self, begins=None):
        """What the variable says of a child that begins now."""
        text = json.dumps([os.getpid(), self.origin()] if begins is None else begins)
        return text if len(text) < _LONGEST else json.dumps([os.getpid(), None])

    def added(self, environment, begins=None):
        """The environment of a child, a dict of bytes, with ours."""
        ours = {os.fsencode(name): os.fsencode(os.environ[name]) for name in _OURS if name in os.environ}
        ours[ORIGIN.encode()] = self.origin_text(begins).encode()
        path = os.fsdecode(environment.get(_PATH.encode(), b""))
        ours[_PATH.encode()] = os.fsencode(with_folder(path, self.startup))
        return {**environment, **ours}


def with_folder(path, folder):
    """The value of PYTHONPATH with the folder in front."""
    return os.pathsep.join([folder, *without_folder(path, folder).split(os.pathsep)]
                           if path else [folder])


def without_folder(path, folder):
    """The same without it."""
    return os.pathsep.join(part for part in path.split(os.pathsep) if part != folder)


def start(startup, origin, before_exec):
    """Have what is started from now on get ours."""
    global _spawning
    os.environ[_PATH] = with_folder(os.environ.get(_PATH, ""), startup)
    if _spawning is not None:
        return
    import _posixsubprocess

    _spawning = _Spawning(startup, origin, before_exec)
    patches = _spawning.patches
    patches.put(_posixsubprocess, "fork_exec", _fork_exec)
    for name in ("posix_spawn", "posix_spawnp"):
        patches.put(os, name, _posix_spawn)
    patches.put(os, "execv", _execv)
    patches.put(os, "execve", _execve)
    patches.put(os, "system", _system)
    patches.when_there("subprocess", lambda module: patches.put(module, "_fork_exec", _fork_exec))
    patches.when_there("multiprocessing.process",
                       lambda module: patches.put(module.BaseProcess, "start", _process_start))
    _spawning.hook.__enter__()


def stop():
    """Leave them alone again."""
    global _spawning
    spawning, _spawning = _spawning, None
    if spawning is None:
        return
    spawning.patches.undo()
    spawning.hook.__exit__()
    path = without_folder(os.environ.pop(_PATH, ""), spawning.startup)
    if path:
        os.environ[_PATH] = path
    os.environ.pop(FOLLOW, None)


def _safely(function, default):
    """What function() gives; the default where that fails, as the program must go on."""
    try:
        return function()
    except Exception as error:
        complain("a child process is not followed", error)
        return default


def _fork_exec(before):
    def fork_exec(*args):
        if _spawning is None or len(args) < 6:
            return before(*args)
        if args[5] is not None:
            return before(*args[:5], _safely(lambda: _added_to_list(args[5]), args[5]), *args[6:])
        with _one_at_a_time, _Variable():
            return before(*args)

    return fork_exec


def _added_to_list(environment):
    pairs = (entry.split(b"=", 1) for entry in map(os.fsencode, environment))
    added = _spawning.added({pair[0]: pair[-1] for pair in pairs})
    return [name + b"=" + value for name, value in added.items()]


class _Variable:
    """Inside, the variable ORIGIN says where a child begins."""

    def __init__(self, begins=None):
        self._begins = begins

    def __enter__(self):
        text = _safely(lambda: _spawning.origin_text(self._begins), None)
        if text is not None:
            os.environ[ORIGIN] = text

    def __exit__(self, *exception):
        os.environ.pop(ORIGIN, None)


def _posix_spawn(before):
    def posix_spawn(path, argv, env, /, **settings):
        if _spawning is None:
            return before(path, argv, env, **settings)
        if env is not None:
            return before(path, argv, _safely(lambda: _added(env), env), **settings)
        with _one_at_a_time, _Variable():
            return before(path, argv, env, **settings)

    return posix_spawn


def _added(environment, begins=None):
    encoded = {os.fsencode(name): os.fsencode(value) for name, value in environment.items()}
    return _spawning.added(encoded, begins)


def _system(before):
    def system(command):
        if _spawning is None:
            return before(command)
        with _Variable():
            return before(command)

    return system


# ---- This process becomes another program


def _execv(before):
    def execv(path, argv, /):
        if _spawning is None:
            return before(path, argv)
        with _leaving() as begins, _Variable(begins):
            return before(path, argv)

    return execv


def _execve(before):
    def execve(path, argv, env):
        if _spawning is None:
            return before(path, argv, env)
        with _leaving() as begins:
            return before(path, argv, _safely(lambda: _added(env, begins), env))

    return execve


class _leaving:
    """Around a call that does not return, but for an error."""

    def __enter__(self):
        begins, self._take_back = _safely(_spawning.before_exec, (None, None))
        return begins

    def __exit__(self, *exception):
        if self._take_back is not None:
            self._take_back()


# ---- multiprocessing


def _process_start(before):
    def start(self):
        if _spawning is not None:
            _safely(lambda: self._config.update({PROCESS_ORIGIN: [os.getpid(), _spawning.origin()]}), None)
        return before(self)

    return start
