"""Every-function tracing, the part that is not per event: see calls.py, which users import.

A region is named "module.qualified name", with ":line" behind it where another function has that
name. It nests with `with` regions and decorated functions as if
the function had been decorated; one that is decorated for the manager is left to its decorator. Of a
generator or coroutine the call lasts from the first step to the last, and its own time is what ran in
its steps. Calls that are open when tracing starts are not counted, nor is their leaving; those that
are open when it stops end there.

List, set and dict comprehensions are part of the function they stand in, also where Python makes
functions of them. This package is not traced.

Where the manager's run asks for it (trace_c), calls of C functions are traced as well, as leaves below
the traced code that makes them. Their regions have the names that cProfile shows:
"{built-in method time.sleep}", "{method 'append' of 'list' objects}".
"""

from contextlib import contextmanager
from fnmatch import fnmatch
from functools import cache
import os
import re
import sys
from types import (
    BuiltinFunctionType,
    ClassMethodDescriptorType,
    MethodDescriptorType,
    ModuleType,
)
import weakref

from .. import _core
from .._base.arguments import wrong_type
from .._base.unrecorded import PACKAGE, is_kept, unrecorded
from . import monitoring, overhead

_COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>"}
# What stands for a file name where the user types code. Other names in <> are those of generated code.
_TYPED = ("<stdin>", "<python-input", "<ipython-input")

_OURS = PACKAGE, overhead.FILE

_tracings = {}  # id(manager): _Tracing
_tool = None


class _Filter:
    """Which functions are traced everywhere."""

    def __init__(self, include, exclude, only_user_code, wanted, lines, only_lines, ignored_dirs):
        self._include = _patterns("include", include)
        self._exclude = _patterns("exclude", exclude)
        if not isinstance(only_user_code, bool):
            raise wrong_type("only_user_code", "True or False", only_user_code)
        if wanted is not None and not callable(wanted):
            raise wrong_type("wanted", "a callable that is given a code object", wanted)
        self._only_user_code = only_user_code
        self._wanted = wanted
        self.lines = lines
        self._only_lines = only_lines
        self._ignored_dirs = tuple(os.path.join(folder, "") for folder in ignored_dirs)

    def is_plain(self):
        """Whether it passes everything, whatever the name."""
        return not (self._only_user_code or self._include or self._exclude or self._ignored_dirs
                    or self._only_lines or self._wanted is not None)

    def excludes(self, name):
        """Whether the name is excluded, of a Python function or one of C."""
        return bool(self._exclude) and any(fnmatch(name, pattern) for pattern in self._exclude)

    def has_lines(self, code, name):
        """Whether its lines are wanted, where lines are recorded."""
        return self.lines is None or self.lines.has(code, name)

    def passes(self, code, name):
        if self._only_lines:
            return self.lines.has(code, name)
        if self._only_user_code and not _is_users(code.co_filename, name):
            return False
        if self._include and not any(fnmatch(name, pattern) for pattern in self._include):
            return False
        if self.excludes(name) or code.co_filename.startswith(self._ignored_dirs):
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
        self.of_c = False
        self.entrypoint = None
        self.executed = None
        self.lined = []  # (region, weak reference to code) whose lines count while this is on

    def plain(self, manager):
        """What _core.trace_calls() needs to decide about most functions without asking, or None."""
        if (self.filter is None or not self.filter.is_plain() or self.entrypoint is not None
                or self.executed is not None or manager._line_mode):
            return None
        return _OURS, manager._decorated

    def leave_lines(self):
        for region, reference in self.lined:
            code = reference()
            if code is not None:
                _core.watch_lines(region, code, False)
        self.lined.clear()


@unrecorded
def start(manager, *, include=(), exclude=(), only_user_code=True, wanted=None, entrypoint=None,
          lines=None, only_lines=False, ignored_dirs=(), executed=None):
    """Trace the calls of every Python function, in all threads, those that run already included.

    manager: a ProfileManager, or the class for the process-wide one.
    include, exclude: glob patterns (fnmatch) for the names of regions; with `include` only what
    matches one of them is traced, and never what matches one of `exclude`. only_user_code: leave out
    the standard library, installed packages and generated code. wanted: called with the code object
    of each function that passes the rest; False leaves it out. Each is asked once for a code object.
    entrypoint: the region of functions with this plain name has it alone as its name.
    lines: the code_finder.NamedFunctions whose lines are recorded, in a run that records lines; None for all
    that are traced. only_lines: trace these functions alone, wherever they are.
    ignored_dirs: folders whose files are left out. executed: an executed.Executed, which is told of what is
    called and whose lines count.

    Nothing is recorded while the manager has no run. Raises RuntimeError when the manager's calls are traced
    already, or when no tool id of sys.monitoring is free (3.12 and newer); TypeError or ValueError
    for arguments that are none of the above.
    """
    filter = _Filter(include, exclude, only_user_code, wanted, lines, only_lines, ignored_dirs)
    if entrypoint is not None and (not isinstance(entrypoint, str) or not entrypoint):
        raise TypeError(f"entrypoint takes a non-empty str, got {entrypoint!r}")
    manager = _instance(manager)
    tracing = _tracings.get(id(manager))
    if tracing is not None and tracing.filter is not None:
        raise RuntimeError("calls are traced already for this manager: stop() it first")
    tracing = _tracing_of(manager)
    tracing.filter = filter
    tracing.entrypoint = entrypoint
    tracing.executed = executed
    _decide_anew(manager, tracing)
    if executed is not None:
        executed.begin(manager)


@unrecorded
def stop(manager):
    """End what start() began; nothing when it did not. Code runs at full speed again."""
    manager = _instance(manager)
    tracing = _tracings.get(id(manager))
    if tracing is not None:
        tracing.filter = tracing.entrypoint = None
        if tracing.executed is not None:
            tracing.executed.end(manager)
            tracing.executed = None
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
        overhead.measure_traced(type(manager._default), _tracing_aside, of_c=False)
    return _tracings.setdefault(id(manager), fresh)


@contextmanager
def _tracing_aside(manager, decide, decide_c, throttle=None):
    """Trace calls of what decide() and decide_c(), as of _core.trace_calls(), want, before anybody else
    does."""
    _core.trace_calls(manager, decide, True, decide_c, None, throttle)
    try:
        _watch(decide_c is not None)
        yield
    finally:
        _core.untrace_calls(id(manager))


@unrecorded
def settings_changed(manager):
    """manager._traced has changed, or functions that are throttled are to be timed again: a run has begun."""
    tracing = _tracings.get(id(manager))
    if tracing is not None:
        _decide_anew(manager, tracing)


def _decide_anew(manager, tracing):
    """What is wanted has changed."""
    if tracing.filter is None and not tracing.in_spans:
        _end(id(manager))
        return
    of_c, max_depth, throttle = manager._traced
    if of_c and not any(tracing.of_c for tracing in _tracings.values()):
        overhead.measure_traced(type(manager._default), _tracing_aside, of_c=True)
    tracing.of_c = of_c
    if manager._line_mode:
        throttle = None  # lines count while a call is open
    if throttle is not None:
        overhead.measure_throttled(type(manager._default), _tracing_aside)
    _core.trace_calls(manager, _decide, tracing.filter is not None, _decide_c if of_c else None, max_depth,
                      throttle, tracing.plain(manager))
    _watch(any(tracing.of_c for tracing in _tracings.values()))


def _watch(c_calls):
    """Have the events of calls, of C functions too or not."""
    if monitoring.AVAILABLE:
        events = sys.monitoring.events
        _tool.watch(() if c_calls else (events.CALL, events.C_RETURN, events.C_RAISE))


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
        events.CALL: _core.on_c_call,
        events.C_RETURN: _core.on_c_return,
        events.C_RAISE: _core.on_c_raise,
    }


def _decide(manager, code, namespace, in_span):
    """Called by the core with a code object that is new to the manager's tracing, and the globals
    that it runs in: see _core.trace_calls()."""
    if _OURS is None or _COMPREHENSIONS is None or _tracings is None:
        return None  # a thread goes on while Python takes its modules apart
    if code.co_filename.startswith(_OURS):
        return None
    tracing = _tracings[id(manager)]
    is_comprehension = code.co_name in _COMPREHENSIONS
    has_region = not is_comprehension and not is_kept(manager._decorated, code)
    if not has_region and not tracing.of_c and tracing.executed is None:
        return None
    module = namespace.get("__name__", "<unknown>")
    if module == "__mp_main__":  # what multiprocessing calls the main module in a process that it starts
        module = "__main__"
    name = f"{module}.{_function_of(code)}"
    everywhere = tracing.filter is not None and tracing.filter.passes(code, name)
    if not everywhere and not tracing.in_spans:
        return None
    if not everywhere and not in_span:
        return None, False, False
    tells = everywhere and tracing.executed is not None
    if tells and is_comprehension and manager._line_mode:  # up to 3.11, where it is a function
        _watch_lines(manager, tracing, manager.profile_region(name), code, name)
        tracing.executed.meet_lines(code, namespace)
    elif tells and not has_region:  # its decorator counts
        tracing.executed.meet(name, code, namespace)
    if not has_region:
        return False, everywhere, tracing.of_c
    place = code.co_filename, code.co_firstlineno
    if code.co_name == tracing.entrypoint:
        region = manager._region_at(tracing.entrypoint, *place)
    else:
        region = _region_of(manager, name, *place)
    if tells:
        tracing.executed.meet(region.name, code, namespace)
    if everywhere and manager._line_mode:
        _watch_lines(manager, tracing, region, code, name)
    return region, everywhere, tracing.of_c


def _watch_lines(manager, tracing, region, code, name):
    """Count the lines of the code for the region, where they are wanted."""
    if not tracing.filter.has_lines(code, name):
        return
    _core.watch_lines(region, code, True)
    tracing.lined.append((region, weakref.ref(code)))


def _function_of(code):
    """The qualified name of a function, or of that around a comprehension."""
    name = code.co_qualname
    if not name.endswith("comp>"):
        return name
    while name.rpartition(".")[2] in _COMPREHENSIONS:
        name = name.rpartition(".")[0].removesuffix(".<locals>")
    return name


def _decide_c(manager, function):
    """Called by the core with a C function that is new to the manager's tracing, a builtin or a method
    descriptor: its region, or None when it is not wanted."""
    if PACKAGE is None or _tracings is None:
        return None
    name = _c_name(function)
    tracing = _tracings[id(manager)]
    if _is_ours(function):
        return None
    if not monitoring.AVAILABLE and name in _SETS_PROFILE:
        return None
    if tracing.filter is not None and tracing.filter.excludes(name):
        return None
    return manager._region_at(name, None, 0)  # in no file


def _is_ours(function):
    module = getattr(function, "__module__", None)
    if module is None:
        module = (getattr(function, "__objclass__", None) or type(function.__self__)).__module__
    return isinstance(module, str) and module.partition(".")[0] == __name__.partition(".")[0]


# What puts its own profile function in the place of ours on 3.11, so that its end is not seen.
_SETS_PROFILE = {"{built-in method sys.setprofile}", "{method 'enable' of '_lsprof.Profiler' objects}",
                 "{method 'disable' of '_lsprof.Profiler' objects}"}


def _c_name(function):
    """The name that pstats shows for it. Without addresses, which other runs do not have."""
    name, module = function.__name__, getattr(function, "__module__", None)
    owner = getattr(function, "__self__", None)
    if isinstance(function, MethodDescriptorType):
        text = str(function)
    elif owner is None and module is not None and function.__qualname__ == name:  # no static method
        text = f"<{name}>" if module == "builtins" else f"<{module}.{name}>"
    else:
        found = None if isinstance(owner, ModuleType) else _method(type(owner), name)
        full = name if module is None else f"{module}.{name}"
        text = f"<built-in method {full}>" if found is None else str(found)
    return "{" + re.sub(" at 0x[0-9a-fA-F]+", "", text)[1:-1] + "}"


_OF_TYPES = MethodDescriptorType, ClassMethodDescriptorType, BuiltinFunctionType


def _method(cls, name):
    """What a type has for its C method of the name, or None."""
    for base in cls.__mro__:
        found = base.__dict__.get(name)
        if isinstance(found, _OF_TYPES):
            return found
    return None


def _region_of(manager, name, file, line):
    """The region of a function, with a name that no function on another line has: one that is defined
    twice, the getter and the setter of a property, the lambdas of a function share theirs. The first
    to be called has it as it is, others with the number of their line."""
    own, number = name, 1
    while (region := manager._region_of_function(own, file, line)) is None:
        own = f"{name}:{line}" if number == 1 else f"{name}:{line}#{number}"
        number += 1
    return region


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


def _is_users(filename, name):
    """Whether the function of that name is the user's."""
    if not filename or filename.startswith("<"):
        return filename.startswith(_TYPED) or name.startswith("__main__.")
    return not _is_installed(filename)


@cache
def _is_installed(filename):
    return os.path.realpath(filename).startswith(_installed())
