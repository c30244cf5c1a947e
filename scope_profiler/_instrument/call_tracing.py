"""Every-function tracing, the part that is not per event: see calls.py, which users import.

A region is named "module.qualified name". It nests with `with` regions and decorated functions as if
the function had been decorated; one that is decorated for the manager is left to its decorator. Of a
generator or coroutine the call lasts from the first step to the last, and its own time is what ran in
its steps. Calls that are open when tracing starts are not counted, nor is their leaving; those that
are open when it stops end there.

List, set and dict comprehensions are part of the function they stand in, also where Python makes
functions of them. This package is not traced.
"""

from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cache
import os
import sys
import weakref

from .. import _core
from .._base.arguments import wrong_type
from .._base.unrecorded import PACKAGE, is_kept, unrecorded
from . import monitoring, overhead

_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}
# What stands for a file name where the user types code. Other names in <> are those of generated code.
_TYPED = ("<stdin>", "<python-input", "<ipython-input")

_tracings = {}  # id(manager): _Tracing
_tool = None


class _Filter:
    """Which functions are traced everywhere."""

    def __init__(self, include, exclude, only_user_code, wanted):
        self._include = _patterns("include", include)
        self._exclude = _patterns("exclude", exclude)
        if not isinstance(only_user_code, bool):
            raise wrong_type("only_user_code", "True or False", only_user_code)
        if wanted is not None and not callable(wanted):
            raise wrong_type("wanted", "a callable that is given a code object", wanted)
        self._only_user_code = only_user_code
        self._wanted = wanted

    def passes(self, code, name):
        if self._only_user_code and not _is_user_code(code.co_filename):
            return False
        if self._include and not any(fnmatch(name, pattern) for pattern in self._include):
            return False
        if any(fnmatch(name, pattern) for pattern in self._exclude):
            return False
        return self._wanted is None or bool(self._wanted(code))


class _Tracing:
    """What is traced for a manager: everywhere what passes the filter; in the spans of decorated
    calls that ask for it, everything."""

    def __init__(self, manager):
        number = id(manager)
        # Ends the tracing of a manager that dies.
        self.manager = weakref.ref(manager, lambda _: _end(number))
        self.filter = None
        self.in_spans = False
        self.entrypoint = None
        self.lined = []  # (region, weak reference to code) whose lines count while this is on

    def leave_lines(self):
        for region, reference in self.lined:
            code = reference()
            if code is not None:
                _core.watch_lines(region, code, False)
        self.lined.clear()


@unrecorded
def start(manager, *, include=(), exclude=(), only_user_code=True, wanted=None, entrypoint=None):
    """Trace the calls of every Python function, in all threads, those that run already included.

    manager: a ProfileManager, or the class for the process-wide one.
    include, exclude: glob patterns (fnmatch) for the names of regions; with `include` only what
    matches one of them is traced, and never what matches one of `exclude`. only_user_code: leave out
    the standard library, installed packages and generated code. wanted: called with the code object
    of each function that passes the rest; False leaves it out. Each is asked once for a code object.
    entrypoint: the region of functions with this plain name has it alone as its name.

    Nothing is recorded while the manager has no run. Raises RuntimeError when the manager's calls are traced
    already, or when no tool id of sys.monitoring is free (3.12 and newer); TypeError or ValueError
    for arguments that are none of the above.
    """
    filter = _Filter(include, exclude, only_user_code, wanted)
    if entrypoint is not None and (not isinstance(entrypoint, str) or not entrypoint):
        raise TypeError(f"entrypoint takes a non-empty str, got {entrypoint!r}")
    manager = _instance(manager)
    tracing = _tracings.get(id(manager))
    if tracing is not None and tracing.filter is not None:
        raise RuntimeError("calls are traced already for this manager: stop() it first")
    tracing = _tracing_of(manager)
    tracing.filter = filter
    tracing.entrypoint = entrypoint
    _decide_anew(manager, tracing)


@unrecorded
def stop(manager):
    """End what start() began; nothing when it did not. Code runs at full speed again."""
    manager = _instance(manager)
    tracing = _tracings.get(id(manager))
    if tracing is not None:
        tracing.filter = tracing.entrypoint = None
        tracing.leave_lines()
        _decide_anew(manager, tracing)


@contextmanager
def tracing(manager, **filters):
    """start() and stop() around a block; the filters are those of start()."""
    start(manager, **filters)
    try:
        yield
    finally:
        stop(manager)


@unrecorded
def trace_spans(manager, on, of_all=False):
    """Let decorated calls trace everything that they call, whatever it is, in their thread: those
    whose region says so (see recurse()) and, if of_all, those whose region says nothing. RuntimeError
    when no tool id is free."""
    if on or id(manager) in _tracings:
        tracing = _tracing_of(manager)
        tracing.in_spans = on
        _decide_anew(manager, tracing)
    _core.set_recursive(manager, of_all)


def recurse(region, recursive):
    """Whether decorated calls under the region trace what they call."""
    _core.set_recursive(region, 1 if recursive else -1)


def _instance(manager):
    if isinstance(manager, type):  # ProfileManager stands for the process-wide one
        manager = getattr(manager, "_default", manager)
    if not isinstance(manager, _core.Manager):
        raise wrong_type("manager", "a ProfileManager", manager)
    return manager


def _tracing_of(manager):
    """The manager's tracing; begun when it is missing."""
    global _tool
    fresh = _Tracing(manager)  # first: garbage may be collected here, the last tracing with it
    if monitoring.AVAILABLE and _tool is None:
        _tool = monitoring.Tool("tracing of every function", _callbacks())
    if not _tracings:
        overhead.measure_traced(type(manager._default), _tracing_aside)
    return _tracings.setdefault(id(manager), fresh)


@contextmanager
def _tracing_aside(manager, decide):
    """Trace calls of what decide(), as of _core.trace_calls(), wants, before anybody else does."""
    _core.trace_calls(manager, decide, True)
    try:
        if monitoring.AVAILABLE:
            _tool.watch()
        yield
    finally:
        _core.untrace_calls(id(manager))


def _decide_anew(manager, tracing):
    """What is wanted has changed."""
    if tracing.filter is None and not tracing.in_spans:
        _end(id(manager))
        return
    _core.trace_calls(manager, _decide, tracing.filter is not None)
    if monitoring.AVAILABLE:
        _tool.watch()


def _end(number):
    global _tool
    if number not in _tracings:
        return
    _core.untrace_calls(number)  # first: a signal handler may be called here, and asked about
    _tracings.pop(number, None)
    if _tool is not None and not _tracings:
        _tool.free()
        _tool = None


def _callbacks():
    events = sys.monitoring.events
    return {
        events.PY_START: _core.on_call_start,
        events.PY_RESUME: _core.on_call_resume,
        events.PY_RETURN: _core.on_call_return,
        events.PY_YIELD: _core.on_call_yield,
        events.PY_THROW: _core.on_call_throw,
        events.PY_UNWIND: _core.on_call_unwind,
    }


def _decide(manager, code, namespace, in_span):
    """Called by the core with a code object that is new to the manager's tracing, and the globals
    that it runs in: (region, whether calls are wanted everywhere), or None when they are not. The
    region is None when none is recorded now."""
    if PACKAGE is None or _COMPREHENSIONS is None or _tracings is None:
        return None  # a thread goes on while Python takes its modules apart
    if code.co_filename.startswith((PACKAGE, overhead.FILE)) or code.co_name in _COMPREHENSIONS:
        return None
    if is_kept(manager._decorated, code):
        return None
    tracing = _tracings[id(manager)]
    name = f"{namespace.get('__name__', '<unknown>')}.{code.co_qualname}"
    everywhere = tracing.filter is not None and tracing.filter.passes(code, name)
    if not everywhere and not tracing.in_spans:
        return None
    if not everywhere and not in_span:
        return None, False
    if code.co_name == tracing.entrypoint:
        name = tracing.entrypoint
    region = manager.profile_region(name)
    region._locate(code.co_filename, code.co_firstlineno)
    if everywhere and manager._line_mode:
        _core.watch_lines(region, code, True)
        tracing.lined.append((region, weakref.ref(code)))
    return region, everywhere


def _patterns(name, patterns):
    """The patterns as a tuple of str."""
    if isinstance(patterns, (str, bytes)):
        raise TypeError(f"{name} takes patterns, as a list or tuple of str, got {patterns!r}")
    try:
        patterns = tuple(patterns)
    except TypeError:
        takes = "patterns, as a list or tuple of str"
        raise wrong_type(name, takes, patterns) from None
    for pattern in patterns:
        if not isinstance(pattern, str) or not pattern:
            raise TypeError(f"{name} takes patterns that are non-empty str, got {pattern!r}")
    return patterns


@cache
def _installed():
    """Folders of the standard library and of installed packages."""
    import site
    import sysconfig

    paths = sysconfig.get_paths()
    folders = [paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    folders += site.getsitepackages()
    folders.append(site.getusersitepackages())
    return tuple({os.path.join(os.path.realpath(folder), "") for folder in folders})


def _is_user_code(filename):
    if not filename or filename.startswith("<"):
        return filename.startswith(_TYPED)
    return not os.path.realpath(filename).startswith(_installed())
