"""src/python/wrapper.c, twin.c and decorator.py: what @profile makes of a callable."""

import copy
import functools
import gc
import inspect
import operator
import pickle
import sys
import types
import weakref

import pytest

from scope_profiler import ProfileManager

NO_GIL = not getattr(sys, "_is_gil_enabled", lambda: True)()


def calls(manager, name):
    region = manager.get_region(name)
    return region.num_calls if region is not None else None


@ProfileManager.profile("module level")
def at_module_level(a, b: int = 2, *args, c: "str" = "c", **kwargs) -> float:
    """Its doc."""
    return (a, b, args, c, kwargs)


class Holder:
    @ProfileManager.profile("method")
    def method(self, x=1):
        return self, x

    @staticmethod
    @ProfileManager.profile("static inside")
    def static_inside(x):
        return x

    @ProfileManager.profile("static outside")
    @staticmethod
    def static_outside(x):
        return x

    @classmethod
    @ProfileManager.profile("class inside")
    def class_inside(cls, x):
        return cls, x

    @ProfileManager.profile("class outside")
    @classmethod
    def class_outside(cls, x):
        return cls, x

    @property
    @ProfileManager.profile("property")
    def value(self):
        return 42

    def __init__(self):
        self.made = True


def test_arguments_and_results_pass_unchanged():
    expected = (1, 3, (4, 5), "d", {"e": 6})
    assert at_module_level(1, 3, 4, 5, c="d", e=6) == expected
    ProfileManager.setup(deactivate_file_output=True)
    assert at_module_level(1, 3, 4, 5, c="d", e=6) == expected
    assert at_module_level(a=1) == (1, 2, (), "c", {})
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        at_module_level()
    assert calls(ProfileManager, "module level") == 3
    assert ProfileManager.get_region("module level").get_stats().errors == 1


def test_methods_of_every_kind():
    ProfileManager.setup(deactivate_file_output=True)
    holder = Holder()
    assert holder.method(3) == (holder, 3) and Holder.method(holder) == (holder, 1)
    bound = holder.method
    assert bound(x=2) == (holder, 2)
    assert holder.static_inside(1) == Holder.static_inside(1) == 1
    assert holder.static_outside(1) == Holder.static_outside(1) == 1
    assert holder.class_inside(1) == Holder.class_inside(1) == (Holder, 1)
    assert holder.class_outside(1) == Holder.class_outside(1) == (Holder, 1)
    assert holder.value == 42
    assert [calls(ProfileManager, n) for n in (
        "method", "static inside", "static outside", "class inside", "class outside", "property"
    )] == [3, 2, 2, 2, 2, 1]


def test_it_looks_like_the_function():
    f = at_module_level
    assert (f.__name__, f.__qualname__, f.__module__) == (
        "at_module_level", "at_module_level", __name__)
    assert f.__doc__ == "Its doc."
    assert f.__defaults__ == (2,) and f.__kwdefaults__ == {"c": "c"}
    assert f.__annotations__ == {"b": int, "c": "str", "return": float}
    assert str(inspect.signature(f)) == "(a, b: int = 2, *args, c: 'str' = 'c', **kwargs) -> float"
    assert inspect.unwrap(f) is f.__wrapped__ and type(f.__wrapped__) is types.FunctionType
    assert f.__code__ is f.__wrapped__.__code__
    assert "at_module_level" in repr(f)
    assert inspect.isroutine(f)
    if sys.version_info >= (3, 12):
        assert type(f) is types.FunctionType


def test_pickle_and_copy_by_reference():
    assert pickle.loads(pickle.dumps(at_module_level)) is at_module_level
    assert copy.copy(at_module_level) is at_module_level
    assert copy.deepcopy([at_module_level])[0] is at_module_level
    assert pickle.loads(pickle.dumps(Holder.method)) is Holder.method


def test_own_attributes(manager):
    def f():
        pass

    f.mark = 1
    g = manager.profile("f")(f)
    assert g.mark == 1
    g.other = 2
    assert g.other == 2 and not hasattr(f, "other")
    assert weakref.ref(g)() is g


@pytest.mark.parametrize("form", [lambda m: m.profile, lambda m: m.profile()])
def test_without_a_name_the_function_names_the_region(manager, form):
    class Inner:
        @form(manager)
        def step(self):
            pass

    Inner().step()
    assert calls(manager, "step") == 1


def test_before_setup_and_over_several_runs(clock):
    manager = ProfileManager()

    @manager.profile("f")
    def f():
        return 1

    assert [f() for _ in range(100)] == [1] * 100
    for round in range(1, 4):
        manager.setup(deactivate_file_output=True, replace=True)
        for _ in range(round):
            f()
        assert calls(manager, "f") == round
    manager.setup(deactivate_profiling=True, replace=True)
    assert f() == 1 and calls(manager, "f") == 0
    manager.setup(deactivate_file_output=True, replace=True)
    f()
    assert calls(manager, "f") == 1


def test_call_sites_specialized_without_a_run_still_record(manager):
    """Python specializes calls it has seen often; switching a run on must reach those, too."""

    class Thing:
        @manager.profile("init")
        def __init__(self, x=0):
            self.x = x

        @manager.profile("getitem")
        def __getitem__(self, key):
            return key

        @property
        @manager.profile("prop")
        def prop(self):
            return 1

        @manager.profile("method")
        def method(self):
            return 1

        @manager.profile("getattribute")
        def __getattribute__(self, name):
            return object.__getattribute__(self, name)

        @manager.profile("len")
        def __len__(self):
            return 3

    @manager.profile("function")
    def function(a, b=1):
        return a

    def use(n):
        for _ in range(n):
            thing = Thing(1)
            thing[0]
            thing.prop
            thing.method()
            len(thing)
            function(1)

    manager.reset()
    use(500)
    manager.setup(deactivate_file_output=True)
    use(10)
    counted = {name: calls(manager, name) for name in (
        "init", "getitem", "prop", "method", "len", "function")}
    assert counted == dict.fromkeys(counted, 10)
    assert calls(manager, "getattribute") >= 20
    manager.reset()
    use(500)
    manager.setup(deactivate_file_output=True)
    use(7)
    assert {calls(manager, name) for name in counted} == {7}


def test_builtins_partials_lambdas_and_callable_objects(manager):
    class Adder:
        def __call__(self, x):
            return x + 1

    assert manager.profile("len")(len)([1, 2]) == 2
    assert manager.profile("partial")(functools.partial(operator.add, 1))(2) == 3
    assert manager.profile("lambda")(lambda x: x * 2)(4) == 8
    assert manager.profile("object")(Adder())(1) == 2
    assert manager.profile("cached")(functools.lru_cache(lambda x: x))(5) == 5
    assert manager.profile("bound")([3, 1].index)(1) == 1
    for name in ("len", "partial", "lambda", "object", "cached", "bound"):
        assert calls(manager, name) == 1
    assert manager.profile(functools.partial(len))("ab") == 2 and calls(manager, "len") == 2


def test_decorated_twice_counts_twice(manager):
    @manager.profile("outer")
    @manager.profile("inner")
    def f(x):
        return x

    assert f(1) == 1
    assert calls(manager, "outer") == calls(manager, "inner") == 1
    tree = [(row[0], row[1].name) for row in manager._collect(None)]
    assert tree == [(-1, "outer"), (0, "inner")]


def test_recursion(manager, clock):
    @manager.profile("fib")
    def fib(n):
        clock.tick(1)
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(10) == 55
    stats = manager.get_region("fib").get_stats()
    assert stats.num_calls == 177
    assert stats.total_ns == stats.exclusive_ns == 177


def test_exception_passes_with_its_traceback(manager):
    @manager.profile("f")
    def f():
        raise LookupError("x")

    with pytest.raises(LookupError) as caught:
        f()
    assert [entry.name for entry in caught.traceback][1:] == ["f"]
    assert manager.get_region("f").get_stats().errors == 1


def test_closures_are_freed_with_their_region_kept(manager):
    def make(i):
        kept = bytearray(10_000)

        def closure():
            return len(kept)

        return manager.profile("closure")(closure)

    made = [make(i) for i in range(100)]
    assert {f() for f in made} == {10_000}
    watchers = [weakref.ref(f) for f in made]
    del made
    gc.collect()
    assert not any(watcher() for watcher in watchers)
    assert calls(manager, "closure") == 100
    for _ in range(100):  # the addresses are used again, under other names
        f = manager.profile("other")(lambda: 1)
        f()
    assert calls(manager, "other") == 100 and calls(manager, "closure") == 100


def test_a_function_may_drop_its_own_last_reference():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    holder = {}

    def f():
        del holder["f"]
        gc.collect()
        return 3

    holder["f"] = manager.profile("f")(f)
    del manager
    assert holder["f"]() == 3


def test_threads_calling_while_runs_begin_and_end():
    import threading

    manager = ProfileManager()

    @manager.profile("f")
    def f(x):
        return x

    stop = threading.Event()
    wrong = []

    def work():
        while not stop.is_set():
            if f(7) != 7:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    if NO_GIL:
        manager.setup(deactivate_file_output=True)
    else:
        for _ in range(200):
            manager.setup(deactivate_file_output=True, replace=True)
            manager.reset()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("wrong, message", [
    (3, "region_name must be a non-empty str, got int: 3"),
    ("", "region_name must be a non-empty str, got ''"),
    (b"x", "region_name must be a non-empty str, got bytes: b'x'"),
])
def test_a_bad_name_is_an_error_at_once(manager, wrong, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        manager.profile(wrong)
    assert str(caught.value) == message


@pytest.mark.parametrize("wrong, message", [
    (dict, "got the class 'dict'"), (3, "got int: 3"), (property(len), "got a property"),
])
def test_what_cannot_be_decorated(manager, wrong, message):
    with pytest.raises(TypeError, match=message):
        manager.profile("x")(wrong)


def test_what_is_no_descriptor_is_no_method_either(manager):
    class Owner:
        length = manager.profile("len")(len)
        double = manager.profile("object")(operator.methodcaller("__mul__", 2))

        def method(self):
            return self

        method = manager.profile("m", record_outcome=True)(method)

    owner = Owner()
    assert owner.length("abc") == 3 and owner.double(4) == 8 and owner.method() is owner
    assert Owner.length("ab") == 2
