"""The private entry points of _core: whatever they are given, they raise or answer, and never crash."""

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, faulthandler, itertools, sys, types
faulthandler.enable()
import scope_profiler as sp
from scope_profiler import ProfileManager, _core

ALLOWED = (TypeError, ValueError, OverflowError, AttributeError, RuntimeError, StopIteration, OSError,
           LookupError)


class Hostile:
    def __bool__(self):
        raise ValueError("no truth")

    def __eq__(self, other):
        raise ValueError("no equality")

    __hash__ = None


def function(*args, **kwargs):
    return 1


def generator():
    yield 1


def made(mode):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, **mode)
    return manager


def objects(mode):
    # One of each type, new for each attempt, so that what one has done does not matter to the next.
    manager, other = made(mode), made({})
    region = manager.profile_region("r", tags=["a"])
    scope = manager.metadata(a=1)
    task = _core.Task(manager)
    profiled = manager.profile("f")(function)
    instances = [
        manager, region, scope, task, manager.profile_region, manager.region_factory("g"), profiled,
        manager._wrap(region, function, {"a": 1}, True), manager._wrap(region, len),
        _core.GeneratorProxy(region, function.__code__, generator()),
        _core.GeneratorProxy.of_task(task, generator()), region.__enter__, region.__exit__,
        vars(_core.Region)["__enter__"], vars(_core.Region)["__exit__"], _core.unrecorded,
    ]
    return instances, other.profile_region("other's")


def values(other):
    return [None, 1, "x", object(), 2**200, -1, Hostile(), (), [], {}, function, function.__code__,
            other, other.manager, _core.Task, ValueError("x")]


def attempt(what, call, *args, **kwargs):
    print(*what, file=sys.stderr, flush=True)
    try:
        call(*args, **kwargs)
    except ALLOWED:
        pass


def arguments(other):
    some = values(other)
    yield from ((), *((value,) for value in some))
    for first in (None, 1, other, other.manager, function.__code__, Hostile()):
        for second in (None, 2**200, "x", other, function.__code__):
            yield first, second
            yield first, second, None
            yield first, 1, second
            yield first, second, object(), {}
    yield (None,) * 9


# What would end this process, stop its clock or trace its own calls belongs to other tests.
SKIPPED = {"__class__", "__getattribute__", "__doc__", "__module__", "__dict__", "__new__"}


def names_of(kind):
    return sorted({name for base in kind.__mro__ if base.__module__ == "scope_profiler._core"
                   for name in vars(base)} - SKIPPED)


def functions(mode):
    found = {name: value for name, value in vars(_core).items()
             if callable(value) and not isinstance(value, type)}
    assert {"trace_calls", "watch_lines", "set_recursive", "clock_info"} <= set(found)
    other = made(mode).profile_region("other's")
    for name, call in found.items():
        for args in arguments(other):
            attempt(("function", name, len(args)), call, *args)
        attempt(("function", name, "named"), call, wrong=1)
    _core._fake_clock(None)


def types_(mode):
    found = [value for value in vars(_core).values() if isinstance(value, type)]
    assert {_core.Manager, _core.Region, _core.GeneratorProxy, _core.Task} <= set(found)
    other = made(mode).profile_region("other's")
    for kind in found:
        for args in arguments(other):
            attempt(("type", kind.__name__, len(args)), kind, *args)
            attempt(("new", kind.__name__, len(args)), getattr(kind, "__new__"), *args)
        attempt(("object.__new__", kind.__name__), object.__new__, kind)
        for name, value in vars(kind).items():
            if name in SKIPPED or name.endswith("offset__"):
                continue
            for wrong in values(other):
                if callable(value):
                    attempt(("unbound", kind.__name__, name), value, wrong)
                if hasattr(value, "__get__"):
                    attempt(("get", kind.__name__, name), value.__get__, wrong, type(wrong))
                elsewhere = type("Elsewhere", (), {"slot": value})()
                attempt(("elsewhere", kind.__name__, name), lambda: elsewhere.slot)
        attempt(("with", kind.__name__), lambda: type("E", (), dict(vars(_core.Region)))().__enter__)


def instances(mode):
    count = len(objects(mode)[0])
    for at in range(count):
        kind = type(objects(mode)[0][at])
        for name in (*names_of(kind), "__call__"):
            some, other = objects(mode)
            for args in arguments(other):
                call = getattr(some[at], name, None)
                if callable(call):
                    attempt(("method", kind.__name__, name, len(args)), call, *args)
        for name in names_of(kind):
            some, other = objects(mode)
            one = some[at]
            for value in values(other):
                attempt(("set", kind.__name__, name), setattr, one, name, value)
                attempt(("get", kind.__name__, name), getattr, one, name)
                used(one, other)
            attempt(("delete", kind.__name__, name), delattr, one, name)
            attempt(("get deleted", kind.__name__, name), getattr, one, name)
            attempt(("repr", kind.__name__), repr, one)
            used(one, other)


def used(one, other):
    # The manager goes on with what was set.
    manager = one if isinstance(one, _core.Manager) else getattr(one, "manager", other.manager)

    def use():
        with manager.profile_region("new"), manager.metadata(b=1):
            manager.profile("used")(function)()
        manager._regions(), manager._snapshot(True), manager._annotations()

    if isinstance(manager, _core.Manager):
        attempt(("use", type(one).__name__), use)


{"functions": functions, "types": types_, "instances": instances}[sys.argv[1]](eval(sys.argv[2]))
print("to the end")
"""


@pytest.mark.parametrize("mode", [{}, {"use_line_profiler": True}], ids=["regions", "lines"])
@pytest.mark.parametrize("what", ["functions", "types", "instances"])
def test_wrong_arguments_never_crash(what, mode):
    done = subprocess.run([sys.executable, "-c", PROGRAM, what, repr(mode)], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0 and "to the end" in done.stdout, (
        done.returncode, done.stderr[-1500:])
