"""line_profiler/callables.py, profiler_mixin.py, scoping_policy.py: what may be registered and decorated."""

from contextlib import contextmanager
import functools
import gc
import inspect
import types

import pytest

from scope_profiler.line_profiler import LineProfiler
from scope_profiler.line_profiler.scoping_policy import ScopingPolicy


@pytest.fixture(autouse=True)
def no_profiler_is_left():
    """They are in cycles, and hold a tool id as long as they live."""
    yield
    gc.collect()
    gc.collect()  # what the functions held that went with the first one


@pytest.fixture
def profiler(no_profiler_is_left):
    return LineProfiler()


def hits(profiler):
    """{the function's own name: hits of its lines} of those that ran."""
    return {key[2].rpartition(".")[2]: [row[1] for row in rows]
            for key, rows in profiler.get_stats().timings.items() if rows}


# ---- Each kind --------------------------------------------------------------------------------


def test_methods_and_properties(profiler):
    class Thing:
        @profiler
        @classmethod
        def of_class(cls):
            return cls

        @profiler
        @staticmethod
        def static():
            return 1

        @profiler
        @property
        def value(self):
            return 2

        @value.setter
        def value(self, value):
            self.kept = value

        @profiler
        @functools.cached_property
        def cached(self):
            return 3

        @profiler
        def method(self, n=4):
            return n

        partial = profiler(functools.partialmethod(method, 5))

    thing = Thing()
    thing.value = 6
    found = [thing.of_class(), thing.static(), thing.value, thing.cached, thing.cached, thing.method(),
             thing.partial(), profiler(thing.method)(7), profiler(functools.partial(thing.method, 8))()]
    assert found == [Thing, 1, 2, 3, 3, 4, 5, 7, 8]
    assert hits(profiler) == {"of_class": [1], "static": [1], "value": [1], "cached": [1], "method": [4]}
    assert profiler.enable_count == 0


def test_a_class_in_place(profiler):
    def elsewhere():
        return 0

    class Thing:
        def __init__(self):
            self.n = 1

        class Inner:
            def deep(self):
                return 2

        other = staticmethod(elsewhere)

    assert profiler(Thing) is Thing
    Thing()
    Thing.Inner().deep()
    Thing.other()
    assert hits(profiler) == {"__init__": [1], "deep": [1]}


def test_an_object_with_a_call(profiler):
    class Callable:
        def __call__(self, n):
            return n

    assert profiler(Callable())(3) == 3
    assert hits(profiler) == {"__call__": [1]}


def test_what_is_decorated_again_stays(profiler):
    @profiler
    def f():
        return 1

    assert profiler(f) is f
    assert len(profiler.functions) == 1
    other = LineProfiler()
    assert other(f)() == 1
    assert (hits(profiler), hits(other)) == ({"f": [1]}, {"f": [1]})


def test_names_and_kinds_stay(profiler):
    async def coroutine(a, *, b=1): "doc"

    async def async_generator(a): yield

    def generator(a): yield

    for function in (coroutine, async_generator, generator):
        decorated = profiler(function)
        assert decorated.__name__ == function.__name__
        assert inspect.signature(decorated) == inspect.signature(function)
        for kind in ("isgeneratorfunction", "iscoroutinefunction", "isasyncgenfunction"):
            assert getattr(inspect, kind)(decorated) == getattr(inspect, kind)(function)


def test_functions_behind_decorators(profiler):
    @functools.lru_cache
    def cached(n):
        return n

    def passing(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    @passing
    def passed(n):
        return n

    @contextmanager
    def managed():
        yield 1

    for function in (cached, passed, managed):
        profiler.add_callable(function)
    with profiler:
        cached(1), cached(1), passed(2)
        with managed():
            pass
    assert hits(profiler) == {"cached": [1], "wrapper": [1], "passed": [1], "helper": [1], "managed": [1]}


def test_a_decorated_context_manager_counts_when_it_runs(profiler):
    @profiler
    @contextmanager
    def managed():
        x = 1
        yield x

    with managed():
        pass
    assert hits(profiler)["managed"] == [1, 1]


def test_functions_of_two_equal_codes_count_apart(profiler):
    first, second = {}, {}
    for names in (first, second):
        exec(compile("def f():\n    return 1\n", f"<{id(names)}>", "exec"), names)
    profiler.add_function(first["f"])
    with profiler:
        first["f"](), second["f"](), second["f"]()
    assert hits(profiler) == {"f": [1]}


# ---- Modules and policies -----------------------------------------------------------------------


def module_of(source, name="some.module"):
    module = types.ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), vars(module))
    return module


SOURCE = """
import functools
from textwrap import dedent
def own(): return 1
class Thing:
    def method(self): return 2
    class Inner:
        def deep(self): return 3
"""


@pytest.mark.parametrize("policy, count, names", [
    ("exact", 1, {"own"}),
    ("children", 2, {"own", "method", "deep"}),
    ("descendants", 2, {"own", "method", "deep"}),
    ("SIBLINGS", 2, {"own", "method", "deep"}),
    (None, 2, {"own", "method", "deep"}),
])
def test_a_module_by_policy(profiler, policy, count, names):
    module = module_of(SOURCE)
    assert profiler.add_module(module, scoping_policy=policy) == count
    assert {function.__name__ for function in profiler.functions} == names


def test_a_module_with_everything_in_it(profiler):
    module = module_of("from textwrap import dedent\ndef own(): return 1\n")
    assert profiler.add_module(module, scoping_policy="none") == 2
    assert {function.__name__ for function in profiler.functions} == {"own", "dedent"}


def test_a_module_in_place():
    profiler = LineProfiler()  # pytest would hold it until after the collections
    module = module_of(SOURCE)
    profiler.add_module(module, wrap=True)
    module.own(), module.Thing().method()
    assert hits(profiler) == {"own": [1], "method": [1]}


def test_what_is_imported_is_on_for_good(profiler):
    module = module_of(SOURCE)
    assert profiler.add_imported_function_or_module(module) == 1
    assert profiler.add_imported_function_or_module(module.own) == 1
    assert profiler.add_imported_function_or_module(len) == 0
    assert profiler.add_imported_function_or_module(5) == 0
    assert profiler.enable_count == 2
    module.own()
    profiler.disable()
    assert hits(profiler) == {"own": [1]}


def test_policies_are_checked():
    assert ScopingPolicy("Children") is ScopingPolicy.CHILDREN
    assert str(ScopingPolicy.NONE) == "none"
    with pytest.raises(ValueError):
        ScopingPolicy.to_policies("all")
    with pytest.raises(KeyError):
        ScopingPolicy.to_policies({"func": "exact"})


# ---- Refused ------------------------------------------------------------------------------------


def numba_function(function):
    """What numba.njit() gives, as far as one can tell by looking at it."""
    dispatcher = type("CPUDispatcher", (), {
        "__module__": "numba.core.registry", "py_func": function, "__wrapped__": function,
        "__code__": function.__code__, "__call__": staticmethod(len).__func__,
    })
    return dispatcher()


def numba_ufunc(function):
    """What numba.vectorize() gives: it is called by Python code of numba."""
    of_numba = type("DUFunc", (), {
        "__module__": "numba.np.ufunc.dufunc", "__wrapped__": function,
        "__call__": lambda self, x: x,
    })
    return of_numba()


@pytest.mark.parametrize("make, words", [
    (lambda: len, "written in C"),
    (lambda: [].append, "written in C"),
    (lambda: int, "no method of its own in Python"),
    (lambda: type("Empty", (), {}), "no method of its own in Python"),
    (lambda: numba_function(lambda: 1), r"numba.*\.py_func"),
    (lambda: numba_ufunc(lambda x: x), r"numba.*\.py_func"),
    (lambda: type("cython_function_or_method", (), {"__call__": len})(), "Cython"),
])
def test_what_has_no_lines_is_told(profiler, make, words):
    refused = make()
    with pytest.warns(UserWarning, match=words):
        profiler(refused)
    with pytest.warns(UserWarning, match="Could not extract a code object"):
        profiler.add_function(refused)
    assert profiler.functions == []


def test_what_cannot_be_called_is_an_error(profiler):
    for attempt in (profiler, profiler.add_callable, profiler.wrap_callable):
        with pytest.raises(TypeError, match="func = 5"):
            attempt(5)


# ---- Running ------------------------------------------------------------------------------------


def test_run_runctx_and_runcall(profiler):
    def f(n):
        return n

    profiler.add_function(f)
    names = {"f": f}
    assert profiler.runctx("x = f(1)", names, names) is profiler
    assert (profiler.runcall(f, n=2), names["x"]) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        profiler.runcall(lambda: 1 / 0)
    assert profiler.enable_count == 0
    assert hits(profiler) == {"f": [2]}


def test_what_it_has_inside_as_line_profiler_shows_it(profiler):
    @profiler
    def f():
        return {code.co_name for code in profiler.last_time}

    code = f.__wrapped__.__code__
    assert f() == {"f"}
    assert profiler.last_time == {}
    with pytest.raises(KeyError):
        profiler.c_last_time
    row = profiler.code_map[code][code.co_firstlineno + 2]
    assert (row["code"], row["nhits"]) == (code, 1)
    assert [*profiler.code_hash_map] == [code]
    assert profiler.dupes_map == {code.co_code: [code]}
    assert profiler.timer_unit == 1e-9
