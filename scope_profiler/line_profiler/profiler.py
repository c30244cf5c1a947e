"""`LineProfiler`: counts and times the lines of the functions that are registered with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import update_wrapper
import os
import sys
from types import CodeType, FunctionType, ModuleType
from typing import IO, TYPE_CHECKING, Any, Literal

from .. import _core
from .._base import interpreter, source_lines
from .._base.arguments import boolean
from .._base.unrecorded import unrecorded
from .._base.warning import warn
from .._instrument import line_overhead, lines
from .._instrument.code_finder import functions_in
from .._instrument.decorator import Decoration, carrier
from .._instrument.without_lines import is_compiled, refusal
from ..manager import ProfileManager
from . import callables
from .profiler_mixin import ByCountProfilerMixin
from .scoping_policy import Policies, ScopingPolicy
from .whole_calls import name_of_callable

if TYPE_CHECKING:
    from .stats import Key, LineStats
    from .toml_config import ConfigArgument

#: How LineProfiler decorates.
_PLAIN = Decoration(None, None, False, None)


class _WrapperInfo:
    """On what a LineProfiler returns for a function: that function, and whose it is."""

    def __init__(self, func: Any, profiler_id: int) -> None:
        self.func = func
        self.profiler_id = profiler_id


class LineProfiler(_core.LineSwitch, ByCountProfilerMixin):
    """Counts and times the lines of functions, while it is on.

        profile = LineProfiler()

        @profile
        def solve(): ...

        profile.print_stats()

    It is on in a thread from enable() to disable(), in a `with` block, and while what it decorates
    is called; then the code of every function that is registered counts, whoever calls it and by
    whatever reference, also one that runs already. A decorated coroutine keeps it on up to its end, a
    generator from step to step. What is decorated is registered. Nothing that nobody has enabled costs
    anything.

    functions: to be registered. wrap_trace, set_frame_local_trace: of line_profiler, for its way of
    sharing the interpreter with debuggers and coverage; here those are never displaced. line_details: keep
    of each line also its shortest and longest hit, the 99th percentile, the exceptions and the time in
    registered functions that it called, which get_stats() has in `lines`. inner_functions: register also the
    functions inside of those that are registered, lambdas and generator expressions among them; their lines
    count as far as profiling is on while they run.

    Each LineProfiler counts for itself. Raises RuntimeError, on 3.12 and newer, when other tools have
    every tool id of sys.monitoring.
    """

    timer_unit = 1e-9

    @unrecorded
    def __init__(self, *functions: Any, wrap_trace: bool | None = None,
                 set_frame_local_trace: bool | None = None, line_details: bool = False,
                 inner_functions: bool = False) -> None:
        self._manager = manager = _core.Manager()
        self.line_details = boolean("line_details", line_details)
        self.inner_functions = boolean("inner_functions", inner_functions)
        manager._arm = lines.arm
        lines.start_switched(manager, self.line_details)
        manager._begin(False, True, False, False, False, self.line_details)
        self._region = manager.profile_region("LineProfiler")
        self._codes: dict[int, CodeType] = {}  # by id, in the order in which they were registered
        self._timed_regions: set[str] = set()  # names of what has no lines
        self.functions: list[Any] = []
        self.wrap_trace = bool(wrap_trace)
        self.set_frame_local_trace = bool(set_frame_local_trace)
        for function in functions:
            self.add_function(function)

    # ---- Registering

    def __call__(self, func: Any) -> Any:
        """Decorator: registers a function, and switches profiling on while it is called.

        Takes functions of all kinds, methods, properties, functools.partial and the like, objects
        with a __call__, and classes, whose members are wrapped in place. What has no lines
        that could be seen, as a function in C, is timed as a whole, with a warning; see LineStats.calls.
        Raises TypeError when it cannot be called.
        """
        if not (self.add_callable(func) or self._has_registered(func) or self._already_a_wrapper(func)):
            what = "records nothing" if isinstance(func, type) else "times its calls as a whole"
            warn(f"LineProfiler {what}: {refusal(func)}")
        self._register_later(func)
        return self.wrap_callable(func)

    @unrecorded
    def _register_later(self, func: Any) -> None:
        """Have counted, whenever it runs, what a call of the function only makes: that of a context
        manager of contextlib, say."""
        outer = getattr(func, "__code__", None)
        for behind in callables.functions_behind(func):
            if isinstance(outer, CodeType) and lines.runs_later(outer, behind.__code__):
                lines.start(self._manager, self.line_details)
                _core.watch_lines(self._region, behind.__code__, True)

    @unrecorded
    def add_function(self, func: Any) -> None:
        """Register a function, and those that decorators say it wraps. Warns when it has no code of
        Python: then nothing of it is recorded, as it is not decorated."""
        code = getattr(getattr(func, "__func__", func), "__code__", None)
        if not isinstance(code, CodeType) or is_compiled(func):
            instead = "" if isinstance(func, type) else (
                ", or decorate it: what LineProfiler()(function) returns has its calls timed")
            warn(f"Could not extract a code object for the object {func!r}: {refusal(func)}{instead}")
            return
        self._register(code, func)
        for behind in callables.functions_behind(func):
            self._register(behind.__code__, behind)
        self.functions.append(func)

    @unrecorded
    def add_code(self, code: CodeType) -> None:
        """Register a code object: its lines count in every thread from now on, whether profiling is on
        there or not."""
        self._register(code, None)
        lines.start(self._manager, self.line_details)
        _core.watch_lines(self._region, code, True)

    def _register(self, code: CodeType, func: Any) -> None:
        inner = functions_in(code, nested=True, nameless=True) if self.inner_functions else ()
        for each in (code, *inner):
            self._codes[id(each)] = each
            _core.watch_lines(self._region, each)
            source_lines.keep(each, getattr(func, "__globals__", None))

    def add_callable(self, func: object, guard: Callable[[Any], Any] | None = None,
                     name: str | None = None) -> Literal[0, 1]:
        """Register the functions in a callable or wrapper; gives whether there were any.

        guard: functions of which it is true are left out; those that this profiler has made are,
        unless it is given. name: is not needed here. Raises TypeError when it cannot be called.
        """
        guard = self._already_a_wrapper if guard is None else guard
        found = self.get_underlying_functions(func)
        added = [function for function in found if not guard(function)]
        for function in added:
            info = getattr(function, self._profiler_wrapped_marker, None)
            self.add_function(function if info is None else info.func)
        if not found:
            found = added = list(callables.functions_behind(func))
            for function in added:
                self.add_function(function)
        return 1 if added else 0

    def add_class(self, cls: type, *, scoping_policy: Policies = None, wrap: bool = False) -> int:
        """Register the functions of a class and of what is in it; gives how many members were.

        scoping_policy: which, see ScopingPolicy. wrap: decorate them in place.
        """
        return self._add_namespace(cls, ScopingPolicy.to_policies(scoping_policy), wrap, set())

    def add_module(self, mod: ModuleType, *, scoping_policy: Policies = None,
                   wrap: bool = False) -> int:
        """The same for a module."""
        return self._add_namespace(mod, ScopingPolicy.to_policies(scoping_policy), wrap, set())

    def add_imported_function_or_module(self, item: object, *, scoping_policy: Policies = None,
                                        wrap: bool = False) -> Literal[0, 1]:
        """Register whatever it is, and switch profiling on in this thread for good when there was
        anything; gives whether there was."""
        if isinstance(item, type):
            count = self.add_class(item, scoping_policy=scoping_policy, wrap=wrap)
        elif isinstance(item, ModuleType):
            count = self.add_module(item, scoping_policy=scoping_policy, wrap=wrap)
        else:
            count = self._add_if_callable(item)
        if count:
            self.enable_by_count()
        return 1 if count else 0

    def _add_if_callable(self, item: object, guard: Callable[[Any], Any] | None = None) -> int:
        try:
            return self.add_callable(item, guard)
        except TypeError:
            return 0

    def _add_namespace(self, namespace: type | ModuleType, policies: dict[str, ScopingPolicy],
                       wrap: bool, seen: set[int]) -> int:
        takes = {kind: policy.get_filter(namespace, kind) for kind, policy in policies.items()}
        count, to_wrap = 0, {}
        for name, value in [*vars(namespace).items()]:
            if id(value) in seen:
                continue
            seen.add(id(value))
            kind = _kind_of(value)
            if kind is not None:
                added = takes[kind](value) and self._add_namespace(value, policies, wrap, seen)
            else:
                added = self._add_if_callable(
                    value, lambda f: self._already_a_wrapper(f) or not takes["func"](f))
                if added and wrap:
                    to_wrap[name] = value
            count += bool(added)
        self._wrap_members(namespace, to_wrap)
        return count

    def _has_registered(self, func: object) -> bool:
        return any(self._already_a_wrapper(function) for function in _or_nothing(
            self.get_underlying_functions, func))

    # ---- Decorating

    def wrap_callable(self, func: Any) -> Any:
        """The callable, or wrapper of callables, profiled while it is called; classes in place. What has
        no lines that could be seen is timed as a whole. Raises TypeError when it is neither."""
        if isinstance(func, type) or callables.parts_of(func) is not None or not callable(func):
            return super().wrap_callable(func)
        if self.get_underlying_functions(func) or any(callables.functions_behind(func)):
            return super().wrap_callable(func)
        return self._timed(func)

    @unrecorded
    def _timed(self, func: Any) -> Any:
        if self._already_a_wrapper(func):
            return func
        region = self._manager.profile_region(name_of_callable(func))
        self._timed_regions.add(region.name)
        made = carrier(self._manager, region, None, func, _PLAIN)
        return self._mark_wrapper(update_wrapper(made, func))

    def wrap_function(self, func: Any) -> Any:
        """A function, or an object with a __call__."""
        return self._carried(func)

    def wrap_generator(self, func: Any) -> Any:
        """A generator function; profiled is what runs between one yield and the next."""
        return self._carried(func)

    @unrecorded
    def _carried(self, func: Any) -> Any:
        if self._already_a_wrapper(func):
            return func
        code = func.__code__ if isinstance(func, FunctionType) else None
        made = carrier(self._manager, self._region, code, func, _PLAIN)
        return self._mark_wrapper(update_wrapper(made, func))

    def _already_a_wrapper(self, func: object) -> bool:
        info = getattr(func, self._profiler_wrapped_marker, None)
        return getattr(info, "profiler_id", None) == id(self)

    def _mark_wrapper(self, wrapper: Any) -> Any:
        inner = getattr(wrapper.__wrapped__, self._profiler_wrapped_marker, None)
        function = wrapper.__wrapped__ if inner is None else inner.func
        setattr(wrapper, self._profiler_wrapped_marker, _WrapperInfo(function, id(self)))
        return wrapper

    # ---- What was counted

    @unrecorded
    def get_stats(self) -> LineStats:
        """What has been counted so far: LineStats, with times in nanoseconds, of every function that
        is registered, in that order.

        The times are as they were measured; `lines`, and what is written as JSON, CSV, a data frame or
        HTML, also has what measuring is estimated to have added."""
        return self._stats(line_overhead.of_type(ProfileManager, self.line_details))

    @unrecorded
    def _stats(self, overhead: line_overhead.LineOverhead | None = None) -> LineStats:
        from .stats import LineStats

        timings: dict[Key, list[Any]] = {_key(code): [] for code in self._codes.values()}
        counted = lines.lines_of(self._region, overhead)
        for key, rows in counted.items():
            timings[key] = [(row.line, row.hits, row.time_ns) for row in rows]
        calls = {row[1].name: (row[2], row[5]) for row in self._manager._collect_regions()
                 if row[1].name in self._timed_regions}
        return LineStats(timings, self.timer_unit, lines=counted, calls=calls)

    def reset_stats(self) -> None:
        """Begin counting anew. What is registered stays, and profiling on where it is."""
        self._manager._begin(False, True, False, False, False, self.line_details)

    def print_stats(self, stream: IO[str] | None = None, output_unit: float | None = None,
                    stripzeros: bool = False, details: bool = True, summarize: bool = False,
                    sort: bool = False, rich: bool = False, *,
                    config: ConfigArgument = None) -> None:
        """Print what has been counted so far; see LineStats.print()."""
        self._stats().print(
            stream=stream, output_unit=output_unit, stripzeros=stripzeros, details=details,
            summarize=summarize, sort=sort, rich=rich, config=config)

    def dump_stats(self, filename: str | os.PathLike[str]) -> None:
        """Write what has been counted so far into a file (.lprof)."""
        self._stats().to_file(filename)

    # ---- As line_profiler shows what it has inside

    @property
    def code_map(self) -> dict[CodeType, dict[int, dict[str, Any]]]:
        """{code: {line: {"code", "lineno", "total_time", "nhits"}}}, in units of timer_unit."""
        timings = self._stats().timings
        return {
            code: {
                line: {"code": code, "lineno": line, "total_time": time, "nhits": hits}
                for line, hits, time in timings[_key(code)]
            }
            for code in self._codes.values()
        }

    @property
    def code_hash_map(self) -> dict[CodeType, list[int]]:
        """{code: [a number that no other has]}, of all that are registered."""
        return {code: [number] for number, code in self._codes.items()}

    @property
    def dupes_map(self) -> dict[bytes, list[CodeType]]:
        """{bytecode: the codes that have it}, of all that are registered."""
        found: dict[bytes, list[CodeType]] = {}
        for code in self._codes.values():
            found.setdefault(interpreter.bytecode(code), []).append(code)
        return found

    @property
    def last_time(self) -> dict[CodeType, dict[str, int]]:
        """{code: {"f_lineno": the line that runs}} of the registered functions that run in this thread,
        while calls, or `with` blocks, have profiling on."""
        found: dict[CodeType, dict[str, int]] = {}
        frame = sys._getframe(1) if self.enable_count else None
        while frame is not None:
            if id(frame.f_code) in self._codes:
                found.setdefault(frame.f_code, {"f_lineno": frame.f_lineno})
            frame = frame.f_back
        return found

    @property
    def c_last_time(self) -> dict[int, dict[str, int]]:
        """The same by the hash of the bytecode. Raises KeyError when profiling is off."""
        if not self.enable_count:
            raise KeyError("no profiling data on the current thread: profiling is off")
        return {hash(interpreter.bytecode(code)): row for code, row in self.last_time.items()}


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_firstlineno, code.co_qualname


def _kind_of(value: object) -> str | None:
    if isinstance(value, type):
        return "class"
    return "module" if isinstance(value, ModuleType) else None


def _or_nothing(function: Callable[[Any], Iterable[Any]], value: object) -> Iterable[Any]:
    try:
        return function(value)
    except TypeError:
        return ()
