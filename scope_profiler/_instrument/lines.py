"""Line mode, the part that is not per event: what is armed, and what was counted.

On 3.12 and newer the events of sys.monitoring are set on single code objects when line mode
meets them, and stay set until line mode ends. On 3.11 there is nothing to arm; a hook around
frame evaluation is put in and out.
"""

from collections.abc import Iterable
import contextlib
import sys
from types import FunctionType
import weakref

from .. import _core
from .._base import interpreter
from .._base.unrecorded import PACKAGE
from .._model import buckets
from .._model.counted_code import CountedCode
from .._model.counted_lines import CountedLine, CountedLines, added_up
from . import monitoring
from .without_lines import is_compiled, refusal

_MONITORING = monitoring.AVAILABLE

# Whose `with` is not a line of the user: an ExitStack enters regions from there. What its decorators
# make is called for the user's functions.
_HELPS = contextlib.__file__

# Lines further apart are not of a function but of a template; a cell for each would be too many.
_MOST_LINES = 2_000_000

# Programs that make code as they run make any number of it.
_MOST_CODES = 100_000

_slowed = {}  # {CountedCode: what interpreter.slowed() says of it}
_users = {}  # managers in line mode: {id: weak reference}
_detailed = set()  # the ids of those that count exceptions,
_each_round = set()  # and of those for which each round of a comprehension is a hit
_tool = None


def start(manager, details=False):
    """Line mode begins for this manager; details: it keeps them, so exceptions count, and on 3.12 and
    newer the clock is read more exactly. Raises RuntimeError when every tool id is taken."""
    global _tool
    reference = _reference(manager)  # first: garbage may be collected here, the last user with it
    if not _users:
        if _MONITORING:
            _tool = monitoring.Tool("line mode", _callbacks())
            _core.use_tool(_tool.number)
        else:
            _core.install_evaluator(True)
    _users[id(manager)] = reference
    _keep_details(id(manager), details)


def start_switched(manager, details=False):
    """The same for one whose regions are switched on by thread. On 3.11 the hook is in only while one
    is; on 3.12 and newer code has events only then."""
    if _MONITORING:
        start(manager, details)


def stop(manager):
    """Line mode is over for this manager; with the last one, code runs at full speed again."""
    _leave(id(manager))


def _reference(manager):
    """A weak reference that stops line mode for a manager that dies."""
    number = id(manager)
    return weakref.ref(manager, lambda _: _leave(number))


def _leave(number):
    global _tool
    if _users.pop(number, None) is None:
        return
    _keep_details(number, False)
    _each_round.discard(number)
    if _users:
        return
    if _MONITORING:
        _core.leave_tool(_tool.is_ours())
        _tool.free()
        _tool = None
    else:
        _core.install_evaluator(False)


def count_each_round(manager):
    """Until line mode is over for this manager, each round of a comprehension is a hit of its line, as of
    other loops on one line: in code that is met from now on, for all managers."""
    _each_round.add(id(manager))


def _keep_details(number, on):
    """On 3.12 and newer what they take, the event of exceptions among it, is of the whole process: it is on
    as long as a manager wants it."""
    before = bool(_detailed)
    (_detailed.add if on else _detailed.discard)(number)
    if _MONITORING and before != bool(_detailed):
        _core.keep_line_details(sys.monitoring.events.RAISE if _detailed else 0)


def _callbacks():
    events = sys.monitoring.events
    return {
        events.LINE: _core.on_line,
        events.JUMP: _core.on_jump,
        events.PY_YIELD: _core.on_yield,
        events.PY_RESUME: _core.on_resume,
        events.PY_THROW: _core.on_throw,
        events.PY_START: _core.on_start,
        events.RAISE: _core.on_raise,
        events.PY_RETURN: _core.on_end,
        events.PY_UNWIND: _core.on_end,
    }


def arm(code):
    """Called by the core with each code object that line mode meets for the first time.

    Returns (first line, last line, offsets where `with` statements enter, offsets where one-line
    loops begin, events to set, whether decorated calls of it are recorded), or None when the lines of
    this code are not wanted.
    """
    if code.co_filename.startswith(PACKAGE):
        return None
    first, last = first_and_last(code)
    if not last or last - first > _MOST_LINES:
        return None
    instructions = interpreter.instructions(code)
    loops, events = (), 0
    if _MONITORING:
        loops = interpreter.one_line_loops(instructions, bool(_each_round))
        events = _events(code, instructions, loops)
    helps = code.co_filename == _HELPS
    if len(_slowed) < _MOST_CODES:
        name = CountedCode(code.co_filename, code.co_firstlineno, code.co_qualname)
        _slowed[name] = interpreter.slowed(instructions)
        _keep_source(code)
    withs = () if helps else interpreter.with_statements(instructions)
    return first, last, withs, loops, events, not helps


def first_and_last(code):
    """The numbers of its first and last line; (0, 0) where it has none."""
    lines = [line for _, _, line in code.co_lines() if line]
    return min(lines, default=0), max(lines, default=0)


def _keep_source(code):
    from .._base import source_lines  # inspect is loaded by line mode alone

    source_lines.keep(code, {})


def _events(code, instructions, loops):
    events = sys.monitoring.events
    wanted = events.LINE
    if loops:
        wanted |= events.JUMP
    if code.co_flags & interpreter.SUSPENDING:
        wanted |= events.PY_YIELD | events.PY_RESUME
    if interpreter.begins_on_def_line(instructions):
        wanted |= events.PY_START
    return wanted


# ---- Watched functions


def watch(region, functions):
    """In line mode, count the lines of these functions for the region while it is open.

    functions: an iterable of what ends in Python code: functions, methods, static and class
    methods, properties, partials, objects with a __call__ and what a decorator made that tells
    what it wraps. It may be called at any time, and again with the same ones; nothing is kept
    alive by it. Raises TypeError when something else is given.
    """
    for code in _codes_of(functions):
        _core.watch_lines(region, code)


def watch_wrapped(region, function, code):
    """In line mode, count the lines also of what a decorated function wraps, as functools.wraps()
    says: of the innermost, while the region is open.

    Where a call of the wrapper only makes what runs the innermost later (a context manager of
    contextlib, an awaitable), its lines count whenever it runs. code: that a call runs itself, or
    None.
    """
    outer, inner = _core.function_of(function, True), _bottom(function)
    if inner is None or outer is None:
        return
    later = runs_later(code, inner.__code__)
    if later or inner.__code__ is not outer.__code__:
        _core.watch_lines(region, inner.__code__, *((True,) if later else ()))


def runs_later(outer, inner):
    """Whether a call of a wrapper with the code `outer` (None: of none) only makes what runs `inner`."""
    suspends = outer is not None and outer.co_flags & interpreter.SUSPENDING
    return bool(inner.co_flags & interpreter.SUSPENDING) and not suspends


_TAKEN = "functions takes an iterable of Python functions, methods or what wraps them"


def _codes_of(functions):
    try:
        given = list(functions)
    except TypeError:
        raise TypeError(f"{_TAKEN}, got {type(functions).__name__}: {functions!r}") from None
    codes = []
    for function in given:
        parts = (function,)
        if isinstance(function, property):
            parts = filter(None, (function.fget, function.fset, function.fdel))
        for part in parts:
            bottom = _bottom(part)
            if bottom is None:
                why = f"; {refusal(part)}" if is_compiled(part) else ""
                raise TypeError(f"{_TAKEN}, got one of {type(function).__name__}: {function!r}{why}")
            codes.append(bottom.__code__)
    return codes


def with_lines(functions):
    """The functions of a region as a tuple. Raises TypeError when they have no lines to count."""
    functions = tuple(functions) if isinstance(functions, Iterable) else functions
    _codes_of(functions)
    return functions


_FARTHEST = 64  # some objects have every attribute that one asks for


def _bottom(function):
    """The last Python function on the way through methods, partials and decorators, or None."""
    bottom = None
    if isinstance(function, type):
        return None
    for _ in range(_FARTHEST):
        if is_compiled(function):
            break
        if isinstance(function, FunctionType):
            bottom = function
            function = getattr(function, "__wrapped__", None)
        else:
            call = getattr(type(function), "__call__", None)
            bottom = call if isinstance(call, FunctionType) else bottom
            found = (getattr(function, way, None) for way in ("__func__", "func", "__wrapped__"))
            function = next((inside for inside in found if inside is not None), None)
        if function is None:
            break
    return bottom


# ---- What was counted


def counted_lines(manager, region=None, tables=None, overhead=None):
    """What line mode counted in the current run: [CountedLines, ...], one for each region and code
    object, in the order in which these were met.

    region: only what was counted for it, or None for all. tables: what manager._lines(region) gave
    before. overhead: the LineOverhead of the run; without it overhead_ns is not known.
    """
    tables = manager._lines(region) if tables is None else tables
    parts = {}  # of threads, and of code objects that were made anew
    for of_region, code, rows, again in reversed(tables):
        if rows:
            part = parts.setdefault((of_region.name, CountedCode(*code)), ([], []))
            part[again].extend(rows)
    return [_added_up(name, code, *part, overhead) for (name, code), part in parts.items()]


def _added_up(name, code, first, again, overhead):
    rows, repeated = (_rows(code, parts, overhead) for parts in (first + again, again))
    return CountedLines(name, code, rows, [row.sums() for row in repeated])


def _rows(code, parts, overhead):
    """The CountedLine of each line: what threads had of it is still apart."""
    slow, unit = _slowed.get(code, {}), _core.clock_info()["ns_per_tick"]
    rows = []
    for line, hits, ns, extras in parts:
        known = dict(extras or ())
        below = known.pop("below", None)
        if "sketch" in known:
            known["sketch"] = buckets.of_core(known["sketch"], unit)
        if overhead is not None:
            known["overhead_ns"] = round(overhead.added_ns(line, hits, below, slow.get(line, 0)))
        rows.append(CountedLine(line, hits, ns, **known))
    return [row.with_percentile() for row in added_up(rows)]


def lines_of(region, overhead=None):
    """The region's lines as {(file, first line, function): [CountedLine, ...]}."""
    counted = counted_lines(region.manager, region, overhead=overhead)
    return {tuple(each.code): each.rows for each in counted}
