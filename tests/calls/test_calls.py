"""src/calls/, src/backend/*/calls_*.c and scope_profiler/_instrument/call_tracing.py: every-function
tracing."""

import asyncio
from collections import namedtuple
from contextlib import contextmanager
import contextvars
import cProfile
import fractions
import gc
import json
import os
import pathlib
import pstats
import subprocess
import sys
import textwrap
import _thread
import threading
import weakref

import pytest
from hypothesis import example, given, settings

import call_programs
from conftest import CODE_DIES, Clock, events_of, examples
from scope_profiler import ProfileManager, _core
from scope_profiler._instrument import call_tracing as calls


def tree_of(manager):
    """{names of the path joined by >: (calls, total, exclusive, errors)}."""
    paths, tree = [], {}
    for parent, region, count, errors, _, total, _, exclusive, *_ in manager._collect(None):
        paths.append((paths[parent] + ">" if parent >= 0 else "") + region.name)
        tree[paths[-1]] = (count, total, exclusive, errors)
    return tree


def nothing_missed(manager):
    counters = manager._counters()
    return not (counters["unmatched"] or counters["lost"] or counters["dropped"])


@pytest.fixture
def tick(clock):
    """Move the clock on. The function claims to be of the package, which is never traced."""
    filename = os.path.join(os.path.dirname(calls.__file__), "tick.py")
    source = "def tick(ns):\n    clock.now += ns\n    fake_clock(clock.now)"
    namespace = {"clock": clock, "fake_clock": _core._fake_clock}
    exec(compile(source, filename, "exec"), namespace)
    return namespace["tick"]


def attempt(main, held):
    try:
        main(2)
    except Exception:
        pass
    while held:
        held.clear()


@contextmanager
def traced(program, **settings):
    """(a manager that has traced the program, the model of it)."""
    clock = Clock()
    manager = ProfileManager()
    try:
        model = call_programs.Model(lambda: clock.now)
        attempt(*call_programs.run(program, {"tick": clock.tick, "model": model}, True))
        clock.now = 1_000
        clock.tick(0)
        manager.setup(deactivate_file_output=True, **settings)
        names = {"tick": clock.tick, "region": manager.profile_region("block")}
        plain = call_programs.run(program, names, False)
        with calls.tracing(manager, include=["program.f*"]):
            attempt(*plain)
        assert nothing_missed(manager) and manager._counters()["open"] == 0
        yield manager, model
    finally:
        manager.reset()
        _core._fake_clock(None)


def check_program(program):
    """What tracing records of the program is what a model of it does."""
    with traced(program) as (manager, model):
        assert tree_of(manager) == model.tree()
        for name, events in model.events.items():
            assert sorted(events_of(manager, name)) == sorted(events)


@given(call_programs.programs)
@settings(max_examples=examples(60), deadline=None)
@example((  # a StopIteration leaves a generator, which makes it an error
    (False, [("throw", 1)]),
    (True, [("call", 2)]),
    (False, [("throw", 3)]),
    (True, [("try", [("yield",)], [("again",)])]),
))
def test_programs(program):
    check_program(program)


def test_iterations_that_end_inside_of_generators_are_errors():
    class Ends:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

    def stops():
        yield next(iter(()))

    async def stops_too():
        yield await Ends().__anext__()

    async def quietly():
        async for _ in Ends():
            pass
        async for _ in stops_too():
            pass

    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    with calls.tracing(manager):
        for program in (stops().__next__, lambda: asyncio.run(quietly())):
            with pytest.raises(RuntimeError):
                program()
    errors = {region.name.rpartition(".")[2]: region.get_stats().errors
              for region in manager.get_all_regions().values()}
    assert errors["stops"] == errors["stops_too"] == 1 and errors["__anext__"] == 0
    manager.reset()


# ---- What is traced, and under which name


def counts_of(manager):
    """{region: calls} of the regions with a finished call."""
    return {r[1].name: r[2] for r in manager._collect_regions() if r[2]}


def load(source, name="user", filename="user.py", **names):
    """The namespace of a module of the user's."""
    namespace = {"__name__": name, **names}
    exec(compile(textwrap.dedent(source), filename, "exec"), namespace)
    return namespace


def test_names(manager):
    user = load("""
        class Thing:
            def method(self):
                return (lambda: 1)()

            @staticmethod
            def static(): pass

        def outer():
            def inner(): pass
            inner()

        def everything():
            Thing().method()
            Thing.static()
            outer()
            class Local: pass
    """)
    with calls.tracing(manager):
        user["everything"]()
        load("x = 1", name="user.module")
    assert counts_of(manager) == {
        "user.everything": 1,
        "user.Thing.method": 1,
        "user.Thing.method.<locals>.<lambda>": 1,
        "user.Thing.static": 1,
        "user.outer": 1,
        "user.outer.<locals>.inner": 1,
        "user.everything.<locals>.Local": 1,
        "user.module.<module>": 1,
        "test_calls.load": 1,
    }
    region = manager.get_region("user.outer")
    assert (region.source_file, region.source_lineno) == ("user.py", 9)


def test_code_without_a_module(manager):
    namespace = {}
    exec(compile("def f(): pass", "user.py", "exec"), namespace)
    del namespace["__builtins__"]
    with calls.tracing(manager):
        namespace["f"]()
    assert counts_of(manager) == {"<unknown>.f": 1}


def test_comprehensions_are_part_of_their_function(manager, tick):
    user = load("""
        def f():
            [tick(1) for _ in range(2)], {tick(1) for _ in range(2)}, {tick(1): 1 for _ in range(2)}
            return sum(tick(1) or 0 for _ in range(2))
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        user["f"]()
    assert tree_of(manager) == {
        "user.f": (1, 8, 6, 0), "user.f>user.f.<locals>.<genexpr>": (1, 2, 2, 0)}


def test_only_user_code(manager):
    def work():
        json.dumps({})
        namedtuple("Point", "x y")(1, 2)
        fractions.Fraction(1, 2)
        typed["here"]()
        made_up["there"]()

    typed = load("def here(): pass", filename="<stdin>", name="typed")
    made_up = load("def there(): pass", filename="<made up>", name="made_up")
    with calls.tracing(manager):
        work()
        pytest.importorskip("pytest")
    assert counts_of(manager) == {
        "test_calls.test_only_user_code.<locals>.work": 1, "typed.here": 1}
    manager.setup(replace=True, deactivate_file_output=True)
    with calls.tracing(manager, only_user_code=False, exclude=["test_calls.*"]):
        work()
    names = set(counts_of(manager))
    assert {"json.dumps", "fractions.Fraction.__new__", "made_up.there", "typed.here"} <= names
    assert not any(name.startswith(("scope_profiler", "test_calls")) for name in names)


def test_a_folder_beside_the_installed_ones_is_the_users(manager):
    import sysconfig

    paths = sysconfig.get_paths()
    mine = load("def f(): pass", filename=paths["stdlib"] + "_of_mine/f.py")
    installed = load("def g(): pass", filename=paths["purelib"] + "/package/g.py")
    with calls.tracing(manager):
        mine["f"](), installed["g"]()
    assert counts_of(manager) == {"user.f": 1}


def test_equal_codes_of_different_files_are_decided_apart(manager):
    import sysconfig

    source = "def f(): pass"
    installed = load(source, filename=sysconfig.get_paths()["purelib"] + "/f.py")["f"]
    mine = load(source)["f"]
    assert installed.__code__ == mine.__code__
    with calls.tracing(manager):
        installed(), mine(), mine()
    assert counts_of(manager) == {"user.f": 2}


@pytest.mark.parametrize("filters, traced", [
    ({}, "a b c"),
    ({"include": ["user.[ab]"]}, "a b"),
    ({"include": ("*a", "*.c")}, "a c"),
    ({"exclude": iter(["user.a"])}, "b c"),
    ({"include": ["user.*"], "exclude": ["*.b", "*.c"]}, "a"),
    ({"include": ["a"]}, ""),
    ({"wanted": lambda code: code.co_name != "b"}, "a c"),
    ({"wanted": lambda code: 1, "exclude": ["*b"]}, "a c"),
    ({"entrypoint": "b"}, "a b c"),
])
def test_filters(manager, filters, traced):
    user = load("def a(): b()\ndef b(): c()\ndef c(): pass")
    with calls.tracing(manager, **filters):
        user["a"](), user["a"]()
    entry = filters.get("entrypoint")
    assert counts_of(manager) == {
        name if name == entry else f"user.{name}": 2 for name in traced.split()}


def test_wanted_is_asked_once_for_a_code_object(manager):
    asked = []
    user = load("def a(): pass\ndef b(): pass")
    with calls.tracing(manager, include=["user.*"], wanted=lambda c: asked.append(c.co_name)):
        for _ in range(3):
            user["a"](), user["b"]()
    assert asked == ["a", "b"] and counts_of(manager) == {}


def test_what_was_left_out_can_be_traced_later(manager):
    user = load("def a(): pass\ndef b(): pass")

    def both():
        user["a"](), user["b"]()

    for wanted in ("a", "b", "*", "a"):
        manager.setup(replace=True, deactivate_file_output=True)
        with calls.tracing(manager, include=[f"user.{wanted}"]):
            both(), both()
        names = "ab" if wanted == "*" else wanted
        assert counts_of(manager) == {f"user.{name}": 2 for name in names}


@pytest.mark.parametrize("arguments, error, message", [
    ({"include": "user.*"}, TypeError, r"include takes patterns, as a list or tuple of str, got 'user.\*'"),
    ({"exclude": b"x"}, TypeError, "exclude takes patterns, as a list or tuple of str, got b'x'"),
    ({"include": 3}, TypeError, "include takes patterns, as a list or tuple of str, got int: 3"),
    ({"include": ["a", 3]}, TypeError, "include takes patterns that are non-empty str, got 3"),
    ({"exclude": [""]}, TypeError, "exclude takes patterns that are non-empty str, got ''"),
    ({"only_user_code": 1}, TypeError, "only_user_code takes True or False, got int: 1"),
    ({"wanted": "f"}, TypeError, "wanted takes a callable that is given a code object, got str: 'f'"),
    ({"entrypoint": 3}, TypeError, "entrypoint takes a non-empty str, got 3"),
    ({"entrypoint": ""}, TypeError, "entrypoint takes a non-empty str, got ''"),
])
def test_bad_arguments(manager, arguments, error, message):
    with pytest.raises(error, match=message):
        calls.start(manager, **arguments)
    calls.start(manager)  # which found nothing begun
    calls.stop(manager)


@pytest.mark.parametrize("function", [calls.start, calls.stop])
def test_what_is_no_manager(function):
    with pytest.raises(TypeError, match="manager takes a ProfileManager, got int: 3"):
        function(3)


def test_the_process_wide_manager():
    ProfileManager.setup(deactivate_file_output=True)
    f = load("def f(): pass")["f"]
    with calls.tracing(ProfileManager):
        f()
    assert ProfileManager.get_region("user.f").num_calls == 1


def test_starting_twice_and_stopping_twice(manager):
    calls.stop(manager)
    calls.start(manager)
    with pytest.raises(RuntimeError, match=r"calls are traced already.*stop\(\) it first"):
        calls.start(manager)
    calls.stop(manager)
    calls.stop(manager)
    f = load("def f(): pass")["f"]
    f()
    assert counts_of(manager) == {}
    with pytest.raises(ZeroDivisionError), calls.tracing(manager):
        f()
        1 / 0
    f()
    assert counts_of(manager) == {"user.f": 1}


# ---- Nesting


def test_it_nests_with_regions_and_decorated_functions(manager, tick):
    user = load("""
        def plain():
            tick(1)
            with region:
                tick(10)
                decorated()

        def inner(): tick(1000)
    """, tick=tick, region=manager.profile_region("block"))

    @manager.profile("decorated")
    def decorated():
        tick(100)
        user["inner"]()

    user["decorated"] = decorated
    with calls.tracing(manager):
        user["plain"]()
    assert tree_of(manager) == {
        "user.plain": (1, 1111, 1, 0),
        "user.plain>block": (1, 1110, 10, 0),
        "user.plain>block>decorated": (1, 1100, 100, 0),
        "user.plain>block>decorated>user.inner": (1, 1000, 1000, 0),
    }


def test_decorated_functions_are_left_to_their_decorator(manager):
    user = load("def f(): pass\ndef g():\n    yield")
    f, g = manager.profile("f")(user["f"]), manager.profile("g")(user["g"])
    other = ProfileManager()
    other.setup(deactivate_file_output=True)
    with calls.tracing(manager), calls.tracing(other, include=["user.*"]):
        f(), list(g())
    assert counts_of(manager) == {"f": 1, "g": 1}
    assert counts_of(other) == {"user.f": 1, "user.g": 1}
    other.reset()


def test_a_function_that_is_decorated_while_it_is_traced(manager):
    f = load("def f(): pass")["f"]
    with calls.tracing(manager):
        f()
        f = manager.profile("decorated")(f)
        f()
    assert counts_of(manager) == {"user.f": 1, "decorated": 1}


def test_two_managers(manager, tick):
    other = ProfileManager()
    other.setup(deactivate_file_output=True)
    user = load("""
        def f():
            tick(1)
            g()
            list(h())

        def g(): tick(10)

        def h():
            tick(100)
            yield
    """, tick=tick)
    with calls.tracing(manager, include=["user.[fg]"]):
        with calls.tracing(other, include=["user.[gh]"]):
            user["f"]()
        user["f"]()
    assert tree_of(manager) == {"user.f": (2, 222, 202, 0), "user.f>user.g": (2, 20, 20, 0)}
    assert tree_of(other) == {"user.g": (1, 10, 10, 0), "user.h": (1, 100, 100, 0)}
    assert nothing_missed(manager) and nothing_missed(other)
    other.reset()


def test_metadata_in_force(manager):
    f = load("def f(): pass")["f"]
    with calls.tracing(manager):
        with manager.metadata(step=3):
            f()
        f()
    results = manager.finalize(verbose=False, return_results=True)
    assert [e.get("metadata") for e in results.events(include=["user.f"])] == [{"step": 3}, None]


def test_without_events(tick):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)
    user = load("def f(): tick(5)\ndef g():\n    tick(1)\n    yield\n    tick(1)", tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        user["f"](), list(user["g"]())
    assert tree_of(manager) == {"user.f": (1, 5, 5, 0), "user.g": (1, 2, 2, 0)}
    assert events_of(manager, "user.f") == []
    manager.reset()


def test_with_line_mode(tick):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, use_line_profiler=True)
    user = load("""
        def helper(n):
            for _ in range(n):
                tick(1)
    """, tick=tick)

    @manager.profile("lines")
    def lines():
        user["helper"](3)
        return user["helper"](1)

    with calls.tracing(manager, include=["user.*"]):
        lines()
        with manager.profile_region("block"):
            user["helper"](2)
    assert tree_of(manager) == {
        "lines": (1, 4, 0, 0), "lines>user.helper": (2, 4, 4, 0),
        "block": (1, 2, 0, 0), "block>user.helper": (1, 2, 2, 0)}
    [rows] = manager.get_region("lines").get_stats().timings.values()
    assert [(hits, ns) for _, hits, ns in rows] == [(1, 3), (1, 1)]
    [rows] = manager.get_region("block").get_stats().timings.values()
    assert (1, 2) in [(hits, ns) for _, hits, ns in rows]
    manager.reset()


# ---- Recursion


def test_recursion(manager, tick):
    user = load("""
        def even(n):
            tick(1)
            return True if n == 0 else odd(n - 1)

        def odd(n):
            tick(10)
            return False if n == 0 else even(n - 1)
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        assert user["even"](10)
    assert tree_of(manager) == {"user.even": (6, 56, 6, 0), "user.even>user.odd": (5, 55, 50, 0)}


def test_the_recursion_limit(manager):
    user = load("""
        ran = 0

        def descend():
            global ran
            ran += 1
            descend()

        def late(n):
            if n:
                late(n - 1)
            else:
                new()

        def new(): pass
    """)
    with calls.tracing(manager, include=["user.*"]):
        with pytest.raises(RecursionError):
            user["descend"]()
        assert manager.get_region("user.descend").num_calls == user["ran"]
        for depth in range(sys.getrecursionlimit(), 0, -1):  # as deep as it goes
            try:
                user["late"](depth)
                break
            except RecursionError:
                pass
    assert counts_of(manager)["user.new"] == 1, "there was room to decide about it"
    assert nothing_missed(manager) and manager._counters()["open"] == 0


DEEP = """
import sys
from scope_profiler import ProfileManager, calls

depth = 200_000
sys.setrecursionlimit(depth + 100)
manager = ProfileManager()
manager.setup(deactivate_file_output=True)
seen = []


def down(n):
    if n == 0:
        return sum(each for each in range(3))
    return down(n - 1) + 1


def fails(n):
    if n == 0:
        raise ValueError
    fails(n - 1)


def profile(frame, event, argument):
    if frame.f_code is down.__code__:
        seen.append(event)


with calls.tracing(manager):
    assert down(depth) == depth + 3
    try:
        fails(depth)
    except ValueError:
        pass
    sys.setprofile(profile)
    down(depth)
    sys.setprofile(None)
    down(10)
counts = {r[1].name: r[2:4] for r in manager._collect_regions()}
assert counts["__main__.down"] == (2 * depth + 13, 0), counts
assert counts["__main__.fails"] == (depth + 1, depth + 1), counts
assert counts["__main__.down.<locals>.<genexpr>"] == (3, 0), counts
assert sum(r[4] for r in manager._collect(None)) == 0
assert seen.count("call") == seen.count("return") == depth + 1, len(seen)
counters = manager._counters()
assert not (counters["lost"] or counters["unmatched"] or counters["open"]), counters
"""


def python(source):
    """Run a program in a process of its own; what it printed."""
    pathlib.Path("program.py").write_text(textwrap.dedent(source))
    done = subprocess.run([sys.executable, "program.py"], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_deep_recursion():
    python(DEEP)


# ---- Errors


def test_errors(manager):
    user = load("""
        def fails(): raise ValueError("theirs")

        def handles():
            try:
                fails()
            except ValueError as error:
                return str(error)

        def exits(): raise SystemExit(3)
    """)
    with calls.tracing(manager, include=["user.*"]):
        assert user["handles"]() == "theirs"
        with pytest.raises(ValueError, match="theirs") as caught:
            user["fails"]()
        with pytest.raises(SystemExit):
            user["exits"]()
    assert [entry.name for entry in caught.traceback[1:]] == ["fails"]
    assert tree_of(manager) == {
        "user.handles": (1, 0, 0, 0), "user.handles>user.fails": (1, 0, 0, 1),
        "user.fails": (1, 0, 0, 1), "user.exits": (1, 0, 0, 1)}


def test_the_exception_being_handled_stays(manager):
    user = load("""
        import sys

        def new(): return sys.exc_info()[1]

        def f():
            try:
                raise KeyError("k")
            except KeyError as error:
                return error is new()
    """)
    with calls.tracing(manager):
        assert user["f"]()


def test_a_filter_that_fails(manager, monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", lambda what: shown.append(what.exc_value))

    def wanted(code):
        if code.co_name == "bad":
            raise LookupError("in the filter")
        return True

    user = load("def bad(): return 1\ndef good(): return 2")
    with calls.tracing(manager, include=["user.*"], wanted=wanted):
        assert [user["bad"](), user["good"](), user["bad"]()] == [1, 2, 1]
    assert counts_of(manager) == {"user.good": 1}
    assert [str(error) for error in shown] == ["in the filter"]
    assert manager._counters()["lost"] == 1


def test_an_interruption_in_the_filter_is_the_users(manager):
    asked = []

    def wanted(code):
        asked.append(code)
        if len(asked) == 1:
            raise KeyboardInterrupt
        return True

    user = load("def f():\n    for _ in range(1000): pass\n    return 1")
    with calls.tracing(manager, include=["user.*"], wanted=wanted):
        with pytest.raises(KeyboardInterrupt):
            user["f"]()
            for _ in range(1000):
                pass
        user["f"]()
    assert len(asked) == 2 and counts_of(manager) == {"user.f": 1}
    assert manager._counters()["lost"] == 1, "the first call"


def test_a_filter_that_stops_tracing(manager):
    f = load("def f(): return 1")["f"]
    calls.start(manager, include=["user.*"], wanted=lambda code: calls.stop(manager))
    assert f() == f() == 1
    assert counts_of(manager) == {}
    with calls.tracing(manager, include=["user.*"]):
        f()
    assert counts_of(manager) == {"user.f": 1}


# ---- Generators and coroutines


def test_a_generator_is_one_call_of_what_ran_in_it(manager, tick):
    user = load("""
        def count(n):
            for i in range(n):
                tick(10)
                yield i

        def use():
            for _ in count(3): tick(1000)
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        user["use"]()
    assert tree_of(manager) == {
        "user.use": (1, 3030, 3000, 0), "user.use>user.count": (1, 3030, 30, 0)}
    assert events_of(manager, "user.count") == [(1000, 3030)]


def test_throwing_into_and_closing_generators(manager, tick):
    user = load("""
        def stubborn():
            while True:
                try:
                    yield
                except KeyError:
                    tick(1)
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        made = user["stubborn"]()
        next(made)
        made.throw(KeyError)
        tick(50)
        made.close()
        made.close()
        made = user["stubborn"]()
        next(made)
        with pytest.raises(IndexError):
            made.throw(IndexError)
        unstarted = user["stubborn"]()
        unstarted.close()
        with pytest.raises(ValueError):
            user["stubborn"]().throw(ValueError)
        next(user["stubborn"]())  # dies here
        assert manager.get_region("user.stubborn").num_calls == 3
    assert tree_of(manager) == {"user.stubborn": (3, 51, 1, 1)}


def test_a_generator_that_nobody_finishes(manager, tick):
    user = load("""
        def numbers():
            tick(1)
            yield 1
            yield 2

        def first(): return next(iter(numbers()))

        def any_of(): return any(n for n in numbers())
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        for _ in range(5):
            user["first"](), user["any_of"]()
            assert manager.get_region("user.numbers").num_calls % 2 == 0
        assert counts_of(manager) == {
            "user.first": 5, "user.any_of": 5, "user.numbers": 10,
            "user.any_of.<locals>.<genexpr>": 5}
    assert nothing_missed(manager)


def test_a_generator_that_is_closed_and_kept(manager, tick):
    user = load("def g():\n    tick(1)\n    yield", tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        kept = user["g"]()
        next(kept)
        tick(10)
        kept.close()
        tick(100)
    silent = call_programs.SILENT_CLOSE  # then it lasts to its last step
    assert tree_of(manager) == {"user.g": (1, 1 if silent else 11, 1, 0)}


def test_generators_in_a_cycle_are_collected(manager):
    user = load("""
        def g(me):
            yield
            me.append(1)
    """)
    with calls.tracing(manager, include=["user.*"]):
        me = []
        me.append(user["g"](me))
        next(me[0])
        del me
        gc.collect()
        assert counts_of(manager) == {"user.g": 1}
    assert nothing_missed(manager)


def test_a_generator_goes_on_in_another_thread(manager, tick):
    user = load("def g():\n    tick(1)\n    yield\n    tick(10)", tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        made = user["g"]()
        next(made)
        thread = threading.Thread(target=list, args=(made,))
        thread.start()
        thread.join()
    assert tree_of(manager) == {"user.g": (1, 11, 11, 0)} and nothing_missed(manager)


def test_tasks(manager, tick):
    user = load("""
        import asyncio

        async def work(ns):
            tick(ns)
            await asyncio.sleep(0)
            with region:
                tick(ns)
            return ns

        async def numbers(n):
            for i in range(n):
                await asyncio.sleep(0)
                tick(1000)
                yield i

        async def cancelled():
            await asyncio.Event().wait()

        async def main():
            assert await asyncio.gather(work(1), work(100)) == [1, 100]
            assert [i async for i in numbers(3)] == [0, 1, 2]
            async for i in numbers(3):
                break
            task = asyncio.create_task(cancelled())
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass
    """, tick=tick, region=manager.profile_region("inner"))
    with calls.tracing(manager, include=["user.*"]):
        asyncio.run(user["main"]())
    stats = {row[1].name: (row[2], row[7], row[3]) for row in manager._collect_regions()}
    assert stats == {
        "inner": (2, 101, 0), "user.main": (1, 0, 0), "user.work": (2, 101, 0),
        "user.numbers": (2, 4000, 0), "user.cancelled": (1, 0, 1)}
    assert nothing_missed(manager) and manager._counters()["open"] == 0


# ---- Beginning and ending in the middle


def test_start_in_the_middle(manager, tick):
    user = load("""
        def outer():
            tick(1)
            made = steps()
            next(made)
            start()
            inner()
            list(made)
            tick(10)

        def inner(): tick(100)

        def steps():
            yield
            inner()
            yield
    """, tick=tick, start=lambda: calls.start(manager, include=["user.*"]))
    user["outer"]()
    user["inner"]()
    calls.stop(manager)
    assert tree_of(manager) == {"user.inner": (3, 300, 300, 0)}
    assert nothing_missed(manager)


def test_stop_in_the_middle(manager, tick):
    user = load("""
        def outer():
            tick(1)
            middle()
            tick(10)

        def middle():
            with region:
                list(steps())

        def steps():
            yield
            tick(100)
            stop()
            tick(1000)
            asleep = sleeps()
            next(asleep)

        def sleeps():
            tick(5)
            yield
    """, tick=tick, region=manager.profile_region("block"),
        stop=lambda: calls.stop(manager))
    calls.start(manager, include=["user.*"])
    asleep = user["sleeps"]()
    next(asleep)
    tick(20)
    user["outer"]()
    assert tree_of(manager) == {
        "user.sleeps": (1, 126, 5, 0),
        "user.outer": (1, 101, 1, 0),
        "user.outer>user.middle": (1, 100, 0, 0),
        "user.outer>user.middle>block": (1, 1105, 1005, 0),
        "user.outer>user.middle>block>user.steps": (1, 100, 100, 0),
    }
    assert nothing_missed(manager) and manager._counters()["open"] == 0
    with manager.profile_region("after"):
        tick(1)
    assert tree_of(manager)["after"] == (1, 1, 1, 0)


def test_calls_of_other_threads_end_too(manager, tick):
    inside, go = threading.Event(), threading.Event()

    def wait():
        inside.set()
        go.wait()

    user = load("def work():\n    wait()", wait=wait)
    with calls.tracing(manager, include=["user.*"]):
        thread = threading.Thread(target=user["work"])
        thread.start()
        inside.wait()
        tick(7)
    assert tree_of(manager) == {"user.work": (1, 7, 7, 0)}
    go.set()
    thread.join()
    assert tree_of(manager) == {"user.work": (1, 7, 7, 0)} and nothing_missed(manager)


def test_a_run_that_begins_in_the_middle(manager, tick):
    user = load("""
        def outer():
            begin()
            inner()
            list(steps)

        def inner(): tick(1)

        def generate():
            yield
            inner()
            yield

        steps = generate()
    """, tick=tick,
        begin=lambda: manager.setup(replace=True, deactivate_file_output=True))
    with calls.tracing(manager, include=["user.*"]):
        next(user["steps"])
        user["outer"]()
    assert tree_of(manager) == {"user.inner": (2, 2, 2, 0)} and nothing_missed(manager)


def test_pause(manager, tick):
    user = load("""
        def f(): tick(1)

        def g():
            tick(1)
            yield
            tick(10)
            yield
            tick(100)
    """, tick=tick)
    with calls.tracing(manager, include=["user.*"]):
        made, other = user["g"](), user["g"]()
        next(made), next(other)
        user["f"]()
        manager.pause()
        user["f"](), next(made), list(other)
        manager.resume()
        user["f"](), list(made)
    assert tree_of(manager) == {"user.f": (2, 2, 2, 0), "user.g": (2, 348, 102, 0)}
    assert nothing_missed(manager)


def test_what_changes_while_functions_are_called_again(manager, tick):
    """What is kept beside their code, to be found at once, is no longer good then."""
    user = load("""
        def inner(): tick(1)

        def outer():
            inner()
            yield inner()
            inner()

        def leaf(): tick(1)
    """, tick=tick)

    def call():
        for _ in range(5):
            list(user["outer"]())
            user["inner"](), user["leaf"]()

    def part():
        return manager.finalize(verbose=False, return_results=True, start_over=True)

    def begins():
        """When the first call of each node began."""
        return [row[20] for row in manager._collect(None)]

    def counts(results):
        names = [event["name"] for event in results.events()]
        return [names.count("user.inner"), names.count("user.outer")]

    with calls.tracing(manager, include=["user.*"]):
        call()
        manager.pause()
        call()
        manager.resume()
        call()
        first = part()
        call()
        before = max(begins())
        manager._snapshot(False, True)  # a part without more ado
        tick(1000)
        call()
        assert min(begins()) > before + 1000  # they are those of this part
        with manager.metadata(step=1):
            call()
        call()
        second = part()
        manager.setup(replace=True, deactivate_file_output=True)
        call()
        third = part()
        with calls.tracing(other := ProfileManager(), include=["user.*"]):
            other.setup(deactivate_file_output=True)
            call()
        call()
        fourth, beside = part(), tree_of(other)
    assert [counts(results) for results in (first, second, third, fourth)] == [
        [40, 10], [60, 15], [20, 5], [40, 10]
    ]
    with_metadata = [event["name"] for event in second.events() if event.get("metadata")]
    assert sorted(with_metadata) == ["user.inner"] * 20 + ["user.leaf"] * 5 + ["user.outer"] * 5
    assert {path: count for path, (count, *_) in beside.items()} == {
        "user.outer": 5, "user.outer>user.inner": 15, "user.inner": 5, "user.leaf": 5
    }
    assert nothing_missed(manager) and nothing_missed(other)
    other.reset()


def test_without_a_run():
    manager = ProfileManager()
    f = load("def f(): return 1")["f"]
    with calls.tracing(manager):
        assert f() == 1
    manager.setup(deactivate_file_output=True)
    assert counts_of(manager) == {}
    manager.reset()


def test_a_manager_that_dies(manager):
    f = load("def f(): pass")["f"]
    mortal = ProfileManager()
    mortal.setup(deactivate_file_output=True)
    reference = weakref.ref(mortal)
    calls.start(mortal)
    f()
    del mortal
    gc.collect()
    assert reference() is None
    f()
    with calls.tracing(manager):
        f()
    assert counts_of(manager) == {"user.f": 1}
    assert not calls._tracings


# ---- Threads, processes


def test_threads(manager):
    user = load("""
        def work(n):
            for _ in range(n):
                leaf()

        def leaf(): pass
    """)
    ready, go = threading.Barrier(3), threading.Event()

    def runs_already():
        ready.wait()
        go.wait()
        user["work"](1000)

    before = [threading.Thread(target=runs_already) for _ in range(2)]
    for thread in before:
        thread.start()
    ready.wait()
    with calls.tracing(manager, include=["user.*"]):
        go.set()
        later = [threading.Thread(target=user["work"], args=(1000,)) for _ in range(2)]
        for thread in later:
            thread.start()
        done = threading.Lock()
        done.acquire()
        _thread.start_new_thread(lambda: (user["work"](1000), done.release()), ())
        for thread in before + later:
            thread.join()
        done.acquire()
    assert counts_of(manager) == {"user.work": 5, "user.leaf": 5000}
    assert {tuple(path.split(">")) for path in tree_of(manager)} == {
        ("user.work",), ("user.work", "user.leaf")}
    assert nothing_missed(manager)


def test_many_short_threads(manager):
    user = load("def leaf(): pass\ndef g():\n    yield leaf()")
    with calls.tracing(manager, include=["user.*"]):
        for _ in range(50):
            thread = threading.Thread(target=lambda: next(user["g"]()))
            thread.start()
            thread.join()
    assert counts_of(manager) == {"user.leaf": 50, "user.g": 50}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_fork():
    out = python("""
        import os
        from scope_profiler import ProfileManager, calls

        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)

        def leaf(): pass

        def counts():
            counters = manager._counters()
            assert not (counters["unmatched"] or counters["lost"]), counters
            return {r[1].name: r[2] for r in manager._collect_regions() if r[2]}

        def steps():
            yield
            leaf()

        def forks():
            made = steps()
            next(made)
            leaf()
            child = os.fork()
            leaf(), list(made)
            return child

        calls.start(manager)
        child = forks()
        calls.stop(manager)
        if child == 0:
            print(counts(), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
        print(counts())
    """)
    assert out.splitlines() == [
        "{'__main__.leaf': 2}",
        "{'__main__.forks': 1, '__main__.steps': 1, '__main__.leaf': 3}"]


def test_the_end_of_the_process():
    out = python("""
        import atexit, sys, threading
        from scope_profiler import ProfileManager, calls

        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)

        def late(): print("late")

        def kept():
            yield
            yield

        atexit.register(late)
        threading.Thread(target=kept, daemon=True).start()
        calls.start(manager)
        alive = kept()
        next(alive)
        sys.exit(0)
    """)
    assert out == "late\n"


# ---- Code objects that come and go


def test_code_objects_that_die(manager):
    with calls.tracing(manager, include=["user.*"]):
        for i in range(500):
            name = f"f{i % 7}"
            load(f"def {name}(): pass")[name]()
    assert counts_of(manager) == {
        **{f"user.f{i}": 72 - (i > 2) for i in range(7)}, "user.<module>": 500}


def test_code_that_is_replaced(manager):
    user = load("def f(): pass\ndef g(): pass")
    f = user["f"]
    with calls.tracing(manager, include=["user.*"]):
        f()
        f.__code__ = user["g"].__code__
        f()
    assert counts_of(manager) == {"user.f": 1, "user.g": 1}


@CODE_DIES
def test_memory_does_not_grow_with_dead_code(manager):
    with calls.tracing(manager, include=["user.*"], exclude=["user.<module>"]):
        code = weakref.ref(load("def f(): pass")["f"].__code__)
        for _ in range(3):
            user = load("def f(): pass")
            user["f"]()
            code = weakref.ref(user["f"].__code__)
            del user
            gc.collect()
            assert code() is None


# ---- Beside other tools


def test_beside_cprofile(manager):
    user = load("def f(): g()\ndef g(): pass")
    for first in (True, False):
        manager.setup(replace=True, deactivate_file_output=True)
        theirs = cProfile.Profile()
        if first:
            theirs.enable()
        with calls.tracing(manager, include=["user.*"]):
            if not first:
                theirs.enable()
            user["f"](), user["f"]()
        theirs.disable()
        assert counts_of(manager) == {"user.f": 2, "user.g": 2}
        found = {key[2]: row[0] for key, row in pstats.Stats(theirs).stats.items()}
        assert (found["f"], found["g"]) == (2, 2)


@pytest.mark.parametrize("set_tool, get_tool", [
    (sys.setprofile, sys.getprofile), (sys.settrace, sys.gettrace)])
def test_beside_python_tracers(manager, set_tool, get_tool):
    seen = []

    def tool(frame, event, argument):
        if frame.f_globals.get("__name__") == "user" and event in ("call", "return"):
            seen.append((frame.f_code.co_name, event))
        return tool

    user = load("def f(): g()\ndef g(): pass")
    before = get_tool()
    set_tool(tool)
    try:
        with calls.tracing(manager, include=["user.*"]):
            assert get_tool() is tool
            user["f"]()
        assert get_tool() is tool
    finally:
        set_tool(before)
    assert seen == [("f", "call"), ("g", "call"), ("g", "return"), ("f", "return")]
    assert counts_of(manager) == {"user.f": 1, "user.g": 1}


def test_beside_coverage(tmp_path):
    coverage = pytest.importorskip("coverage")
    del coverage
    (tmp_path / "covered.py").write_text("""if True:
        from scope_profiler import ProfileManager, calls
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)
        def f(n):
            if n:
                return 1
            return 2
        with calls.tracing(manager):
            f(0)
            f(1)
        assert manager.get_region("__main__.f").num_calls == 2
    """)
    subprocess.run([sys.executable, "-m", "coverage", "run", "covered.py"], cwd=tmp_path, check=True)
    report = subprocess.run([sys.executable, "-m", "coverage", "report", "--include=covered.py"],
                            cwd=tmp_path, text=True, capture_output=True)
    assert "100%" in report.stdout


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
class TestToolIds:
    def test_when_every_id_is_taken(self, manager):
        taken = [i for i in (3, 4, 5) if sys.monitoring.get_tool(i) is None]
        for i in taken:
            sys.monitoring.use_tool_id(i, f"tool {i}")
        try:
            with pytest.raises(RuntimeError, match=r"tracing of every function needs a free tool id "
                                                   r"of sys.monitoring; taken: 3 by 'tool 3', 4 by"):
                calls.start(manager)
            with pytest.raises(RuntimeError, match="needs a free tool id"):
                manager.setup(replace=True, recursive_profile=True, deactivate_file_output=True)
            assert all(sys.monitoring.get_events(i) == 0 for i in taken)
        finally:
            for i in taken:
                sys.monitoring.free_tool_id(i)
        f = load("def f(): pass")["f"]
        with calls.tracing(manager):
            f()
        assert counts_of(manager) == {"user.f": 1}

    def test_the_id_is_given_back(self, manager):
        before = [sys.monitoring.get_tool(i) for i in range(6)]
        with calls.tracing(manager):
            assert [sys.monitoring.get_tool(i) for i in range(6)] != before
        assert [sys.monitoring.get_tool(i) for i in range(6)] == before

    def test_other_tools_see_what_they_would(self, manager):
        events, seen = sys.monitoring.events, []
        user = load("def f(): pass\ndef unwanted(): pass")
        sys.monitoring.use_tool_id(4, "theirs")
        try:
            sys.monitoring.register_callback(
                4, events.PY_START, lambda code, _: seen.append(code.co_name))
            for name in ("f", "unwanted"):
                sys.monitoring.set_local_events(4, user[name].__code__, events.PY_START)
            with calls.tracing(manager, include=["user.f"]):
                for _ in range(2):
                    user["f"](), user["unwanted"]()
            user["f"]()
        finally:
            sys.monitoring.free_tool_id(4)
        assert seen == ["f", "unwanted", "f", "unwanted", "f"]
        assert counts_of(manager) == {"user.f": 2}

    def test_unwanted_code_is_asked_about_no_more(self, manager):
        user = load("def unwanted():\n    yield\n    return")
        callbacks = [_core.on_call_start, _core.on_call_return, _core.on_call_yield]
        events = sys.monitoring.events
        told = []
        with calls.tracing(manager, include=["user.nothing"]):
            list(user["unwanted"]())
            for event in (events.PY_START, events.PY_RETURN, events.PY_YIELD, events.PY_RESUME):
                sys.monitoring.register_callback(
                    calls._tool.number, event, lambda code, *_: told.append(code))
            list(user["unwanted"]())
        assert user["unwanted"].__code__ not in told and len(callbacks) == 3


# ---- What decorated calls call


def test_recursive_decoration(manager, tick):
    user = load("""
        import json

        def helper():
            tick(1)
            json.dumps({})

        def outside(): tick(1)
    """, tick=tick)

    @manager.profile("entry", recursive=True)
    def entry():
        user["helper"]()
        return [user["helper"]() for _ in range(2)]

    @manager.profile("plain")
    def plain():
        user["outside"]()

    user["outside"](), entry(), plain(), user["outside"]()
    counts = counts_of(manager)
    assert counts["entry"] == counts["plain"] == 1
    assert counts["user.helper"] == counts["json.dumps"] == 3
    assert manager.get_region("user.outside") is None
    assert not any(name.startswith("scope_profiler") for name in counts)
    tree = tree_of(manager)
    assert tree["entry"] == (1, 3, 0, 0) and tree["entry>user.helper"][0] == 3
    assert nothing_missed(manager)


@pytest.mark.parametrize("how", ["before setup", "after setup", "by setup"])
def test_recursive_by_default(clock, how):
    manager = ProfileManager()
    user = load("def helper(): pass")
    if how == "after setup":
        manager.setup(deactivate_file_output=True)

    @manager.profile("asks", recursive=None if how == "by setup" else True)
    def asks():
        user["helper"]()

    @manager.profile("refuses", recursive=False)
    def refuses():
        user["helper"]()

    @manager.profile("says nothing")
    def says_nothing():
        user["helper"]()

    if how != "after setup":
        manager.setup(deactivate_file_output=True, recursive_profile=how == "by setup")
    asks(), refuses(), says_nothing()
    helped = {path for path in tree_of(manager) if "helper" in path}
    expected = {"asks>user.helper"} | ({"says nothing>user.helper"} if how == "by setup" else set())
    assert helped == expected
    manager.setup(replace=True, deactivate_file_output=True)
    says_nothing(), refuses()
    assert "user.helper" not in counts_of(manager)
    asks()
    assert counts_of(manager).get("user.helper") == (None if how == "by setup" else 1)
    manager.reset()
    asks()
    assert not calls._tracings


def test_recursive_calls_of_recursive_functions(manager, tick):
    user = load("def leaf(): tick(1)", tick=tick)

    @manager.profile("down", recursive=True)
    def down(n):
        user["leaf"]()
        if n:
            down(n - 1)
        else:
            raise ValueError

    with pytest.raises(ValueError):
        down(3)
    user["leaf"]()
    assert tree_of(manager) == {"down": (4, 4, 0, 4), "down>user.leaf": (4, 4, 4, 0)}


def test_recursive_generators(manager, tick):
    user = load("def leaf(): tick(1)", tick=tick)

    @manager.profile("g", recursive=True)
    def g():
        user["leaf"]()
        yield
        user["leaf"]()

    for _ in g():
        user["leaf"]()
    assert tree_of(manager) == {"g": (1, 3, 0, 0), "g>user.leaf": (2, 2, 2, 0)}


def test_a_generator_that_leaves_the_decorated_call(manager, tick):
    user = load("""
        def g():
            tick(1)
            yield
            leaf()
            tick(10)
            yield

        def leaf(): tick(100)
    """, tick=tick)

    @manager.profile("entry", recursive=True)
    def entry():
        made = user["g"]()
        next(made)
        return made

    list(entry())
    user["leaf"]()
    assert tree_of(manager) == {
        "entry": (1, 1, 0, 0), "entry>user.g": (0, 0, 0, 0), "user.g": (1, 111, 111, 0)}
    assert nothing_missed(manager)


def test_recursion_is_of_one_thread(manager):
    user = load("def leaf(): pass")
    inside, go = threading.Event(), threading.Event()

    @manager.profile("entry", recursive=True)
    def entry():
        inside.set()
        go.wait()

    thread = threading.Thread(target=entry)
    thread.start()
    inside.wait()
    user["leaf"]()
    go.set()
    thread.join()
    assert "user.leaf" not in counts_of(manager)


def test_recursion_and_tracing_everywhere(manager, tick):
    user = load("def f(): g()\ndef g(): tick(1)\ndef unwanted(): pass", tick=tick)
    entry = manager.profile("entry", recursive=True)(lambda: user["f"]())
    with calls.tracing(manager, include=["user.f"]):
        user["f"](), entry(), user["g"](), user["unwanted"]()
    entry()
    assert manager.get_region("user.unwanted") is None
    assert tree_of(manager) == {
        "user.f": (1, 1, 1, 0), "entry": (2, 2, 0, 0),
        "entry>user.f": (2, 2, 0, 0), "entry>user.f>user.g": (2, 2, 2, 0)}


def test_recursive_functions_of_many_managers(clock):
    managers = [ProfileManager() for _ in range(10)]
    call = load("def leaf(): pass")["leaf"]
    for manager in managers:
        manager.setup(deactivate_file_output=True)
        call = manager.profile("entry", recursive=True)(call)
    call()
    for manager in managers[:8]:  # the innermost of all have no room any more
        manager.reset()
    assert [m.get_region("entry").num_calls for m in managers[8:]] == [1, 1]
    for manager in managers:
        manager.reset()


def test_a_pending_call_of_a_reset_manager(manager):
    user = load("def leaf(): pass")

    @manager.profile("entry", recursive=True)
    def entry():
        manager.setup(replace=True, deactivate_file_output=True)
        user["leaf"]()
        manager.reset()
        user["leaf"]()

    entry()
    manager.setup(replace=True, deactivate_file_output=True)
    user["leaf"]()
    assert counts_of(manager) == {}


def test_a_call_in_which_the_context_changes(manager, clock):
    """The calls of the new context hang below it, and it is the innermost when they are over."""
    variable = contextvars.ContextVar("variable")

    def inner():
        clock.tick(1)

    def outer():
        variable.set(1)  # the first in a thread makes its context
        inner()
        contextvars.copy_context().run(inner)

    def thread():
        with calls.tracing(manager, only_user_code=False, include=["*outer", "*inner"]):
            outer()

    alone = threading.Thread(target=thread)
    alone.start()
    alone.join()
    outer_name, inner_name = (
        f"{__name__}.{function.__qualname__}" for function in (outer, inner))
    assert {path: row[:2] for path, row in tree_of(manager).items()} == {
        outer_name: (1, 2), f"{outer_name}>{inner_name}": (2, 2)}
    assert nothing_missed(manager)
