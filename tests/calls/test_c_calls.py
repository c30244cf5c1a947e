"""src/calls/c_calls.c, its back-ends and the part of _instrument/call_tracing.py that names C functions."""

import asyncio
from collections import Counter
from contextlib import contextmanager
import cProfile
import datetime
import functools
import gc
import inspect
import json
import pstats
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from scope_profiler import ProfileManager
from scope_profiler._instrument import call_tracing as calls
from scope_profiler._runtime import process_end
from standard_programs import PROGRAMS
from test_calls import counts_of, load, nothing_missed, tick, tree_of  # noqa: F401


# cProfile names a method after what the object has under that name, which is what calls super().
_CALLED_BY_SUPER = {"{function socket.close}": "{method 'close' of '_socket.socket' objects}"}


def counts_of_cprofile(function):
    """{C function: calls}, {(file, function): calls}."""
    profile = cProfile.Profile()
    profile.runcall(function)
    of_c, of_python = Counter(), Counter()
    for entry in profile.getstats():
        if isinstance(entry.code, str):
            name = "{%s}" % re.sub(" at 0x[0-9a-f]+", "", entry.code)[1:-1]
            of_c[_CALLED_BY_SUPER.get(name, name)] += entry.callcount
        elif entry.code.co_flags & STEPS:  # of which cProfile counts the steps
            of_python[place(entry.code)] = None
        elif not entry.code.co_name.endswith("comp>"):
            of_python[place(entry.code)] += entry.callcount
    del of_c["{method 'disable' of '_lsprof.Profiler' objects}"]
    return of_c, of_python


def place(code):
    return code.co_filename, code.co_firstlineno, code.co_name


def counts_of_ours(function, **settings):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, trace_c=True, **settings)
    calls.start(manager, only_user_code=False)
    function()
    calls.stop(manager)
    of_c, of_python = Counter(), Counter()
    for _, region, count, *_ in manager._collect(None):
        if region.name.startswith("{"):
            of_c[region.name] += count
        elif count:
            name = region.name.rpartition(".")[2].removesuffix(f":{region.source_lineno}")
            of_python[region.source_file, region.source_lineno, name] += count
    counters = manager._counters()
    manager.reset()
    assert not (counters["unmatched"] or counters["lost"] or counters["open"])
    return of_c, of_python


STEPS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_calls_are_those_of_cprofile(program, monkeypatch):
    # Ours stands in its place since a run of this process first waited for the end of it; what that calls
    # is called by this package, whose calls are not recorded.
    monkeypatch.setattr("_signal.signal", process_end._set_handler)
    program()  # imports, caches
    program()
    gc.collect()
    gc.disable()  # or its callbacks, of which other modules have some, would be among the calls
    found = []
    try:
        for counts in (counts_of_cprofile, counts_of_ours):
            signal.signal(signal.SIGINT, signal.default_int_handler)  # asyncio.run() looks at that
            found.append(counts(program))
    finally:
        gc.enable()
    theirs, ours = found
    for mine, cprofiles in zip(ours, theirs):
        assert mine.keys() ^ cprofiles.keys() == set()
        assert {name: (mine[name], count) for name, count in cprofiles.items()
                if count is not None and mine[name] != count} == {}


# ---- How they nest


@pytest.fixture
def manager(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, trace_c=True)
    yield manager
    manager.reset()


@contextmanager
def traced(manager, **filters):
    calls.start(manager, **{"include": ["user.*"], **filters})
    try:
        yield
    finally:
        calls.stop(manager)


def below(manager, name):
    """{path below the region of this name: (calls, total, exclusive, errors)}, of what has ended."""
    tree = {path.partition(name + ">")[2]: row for path, row in tree_of(manager).items()
            if name + ">" in path and row[0]}
    assert nothing_missed(manager) and manager._counters()["open"] == 0
    return tree


def test_c_functions_that_call_python(manager, tick):
    user = load("""
        def key(n): tick(n); return -n
        def f():
            tick(1)
            sorted([1, 2, 3], key=key)
            list(map(key, [4, 5]))
            functools.reduce(lambda a, b: len([a, b]), [1, 2, 3])
    """, tick=tick, functools=functools)
    with traced(manager):
        user["f"]()
    assert below(manager, "user.f") == {
        "{built-in method builtins.sorted}": (1, 6, 0, 0),
        "{built-in method builtins.sorted}>user.key": (3, 6, 6, 0),
        "user.key": (2, 9, 9, 0),  # map is a type: neither its call nor its steps are a C function's
        "{built-in method _functools.reduce}": (1, 0, 0, 0),
        "{built-in method _functools.reduce}>user.f.<locals>.<lambda>": (2, 0, 0, 0),
        "{built-in method _functools.reduce}>user.f.<locals>.<lambda>>"
        "{built-in method builtins.len}": (2, 0, 0, 0),
    }


def test_exceptions(manager, tick):
    user = load("""
        def fails(n): tick(n); raise ValueError(n)
        def f():
            for attempt in (lambda: [].pop(), lambda: sorted([1], key=fails), lambda: getattr(1, 'x', 2)):
                try:
                    attempt()
                except (IndexError, ValueError):
                    pass
    """, tick=tick)
    with traced(manager):
        user["f"]()
    lambdas = "user.f.<locals>.<lambda>"
    assert below(manager, "user.f") == {
        lambdas: (3, 1, 0, 2),
        lambdas + ">{method 'pop' of 'list' objects}": (1, 0, 0, 1),
        lambdas + ">{built-in method builtins.sorted}": (1, 1, 0, 1),
        lambdas + ">{built-in method builtins.sorted}>user.fails": (1, 1, 1, 1),
        lambdas + ">{built-in method builtins.getattr}": (1, 0, 0, 0),
    }


def test_generators(manager, tick):
    user = load("""
        def steps():
            tick(1)
            got = yield 0
            tick(2)
            yield got
            tick(4)
        def f():
            generator = steps()
            next(generator), generator.send(1)
            try:
                generator.throw(KeyError)
            except KeyError:
                pass
    """, tick=tick)
    with traced(manager):
        user["f"]()
    found = below(manager, "user.f")
    assert {path: row[:2] for path, row in found.items() if not path.endswith("user.steps")} == {
        "{built-in method builtins.next}": (1, 1),
        "{method 'send' of 'generator' objects}": (1, 2),
        "{method 'throw' of 'generator' objects}": (1, 0),
    }
    assert counts_of(manager)["user.steps"] == 1


def test_recursion(manager, tick):
    user = load("""
        def walk(tree):
            tick(1)
            return sum(map(walk, tree)) if isinstance(tree, list) else len(str(tree))
    """, tick=tick)
    with traced(manager):
        user["walk"]([1, [2, [3]]])
    assert below(manager, "user.walk") == {
        "{built-in method builtins.isinstance}": (6, 0, 0, 0),
        "{built-in method builtins.sum}": (3, 5, 0, 0),
        "{built-in method builtins.len}": (3, 0, 0, 0),
    }
    assert tree_of(manager)["user.walk"] == (6, 6, 6, 0)


def test_comprehensions_and_decorated_functions(manager):
    """Their calls are seen, though they have no region by tracing."""
    user = load("""
        def f(): return [len(str(i)) for i in range(3)], {abs(i) for i in range(2)}, decorated()
        def decorated(): return chr(65)
    """)
    user["decorated"] = manager.profile("decorated")(user["decorated"])
    with traced(manager, include=["user.f", "user.decorated"]):
        user["f"]()
    assert below(manager, "user.f") == {
        "{built-in method builtins.len}": (3, 0, 0, 0),
        "{built-in method builtins.abs}": (2, 0, 0, 0),
        "decorated": (1, 0, 0, 0),
        "decorated>{built-in method builtins.chr}": (1, 0, 0, 0),
    }


# ---- Which are seen


def test_calls_made_by_code_that_is_traced(manager):
    user = load("""
        def f(): len([]); g()
        def g(): abs(1); h()
        def h(): chr(65), len([])
    """)
    with traced(manager, exclude=["user.g", "{*chr}"]):
        user["f"]()
    assert below(manager, "user.f") == {
        "{built-in method builtins.len}": (1, 0, 0, 0),
        "user.h": (1, 0, 0, 0),
        "user.h>{built-in method builtins.len}": (1, 0, 0, 0),
    }


def test_the_users_code_alone(manager):
    user = load("def f(): json.dumps({1: [2]}, indent=1); len([])", json=json)
    with traced(manager, include=()):
        user["f"]()
    assert below(manager, "user.f") == {"{built-in method builtins.len}": (1, 0, 0, 0)}


def test_none_without_asking(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    user = load("def f(): len([])")
    with traced(manager):
        user["f"]()
        manager.setup(deactivate_file_output=True, trace_c=True, replace=True)
        user["f"]()
        assert counts_of(manager) == {"user.f": 1, "{built-in method builtins.len}": 1}
        manager.setup(deactivate_file_output=True, replace=True)
        user["f"]()
        assert counts_of(manager) == {"user.f": 1}
    manager.reset()


def test_in_spans_of_decorated_calls(manager):
    user = load("""
        def helper(): len([])
        def entry(): helper(), abs(1)
    """)
    user["helper"]()
    entry = manager.profile("entry", recursive=True)(user["entry"])
    entry(), user["helper"](), entry()
    assert below(manager, "entry") == {
        "user.helper": (2, 0, 0, 0),
        "user.helper>{built-in method builtins.len}": (2, 0, 0, 0),
        "{built-in method builtins.abs}": (2, 0, 0, 0),
    }
    assert counts_of(manager)["{built-in method builtins.len}"] == 2


# Static methods have had a module since 3.15.
MAKETRANS = ".".join(filter(None, (str.maketrans.__module__, "maketrans")))


def test_names(manager):
    user = load("""
        def f():
            time.sleep(0), [].append(1), list.append([], 1), "".join([]), dict.fromkeys("a")
            str.maketrans("a", "b"), object.__new__(object), type.__prepare__(), (1).__add__(2)
            datetime.datetime.now(), Child().append(1), getattr(sys, "getsizeof")(1)
        class Child(list): pass
    """, time=time, datetime=datetime, sys=sys)
    with traced(manager):
        user["f"]()
    names = set(counts_of(manager)) - {"user.f", "user.Child"}
    assert names == {
        "{built-in method time.sleep}", "{method 'append' of 'list' objects}",
        "{method 'join' of 'str' objects}", "{built-in method fromkeys}",
        f"{{built-in method {MAKETRANS}}}", "{built-in method __new__ of type object}",
        "{method '__prepare__' of 'type' objects}", "{built-in method now}",
        "{built-in method builtins.getattr}", "{built-in method sys.getsizeof}",
    }


def test_ours_are_none(manager):
    user = load("def f(): manager.is_active(), manager._counters(), region.__repr__()",
                manager=manager, region=manager.profile_region("r"))
    with traced(manager):
        user["f"]()
    assert counts_of(manager) == {"user.f": 1}


# ---- In the middle


def test_tracing_that_ends_in_a_c_function(manager, tick):
    user = load("""
        def key(n):
            if n == 2: stop()
            tick(1)
            return n
        def f(): sorted([1, 2, 3], key=key)
    """, tick=tick, stop=lambda: calls.stop(manager))
    calls.start(manager, include=["user.*"])
    user["f"]()
    assert below(manager, "user.f") == {
        "{built-in method builtins.sorted}": (1, 1, 0, 0),
        "{built-in method builtins.sorted}>user.key": (2, 1, 1, 0),
    }


def test_a_tool_that_raises_in_the_place_of_the_call(manager):
    """The call has begun for us, and never takes place."""
    def tool(frame, event, function):
        if event == "c_call" and function is abs:
            raise KeyError
    user = load("""
        def f():
            sys.setprofile(tool)
            try: g()
            except KeyError: pass
            sys.setprofile(None)
            len([])
        def g(): abs(1)
    """, sys=sys, tool=tool)
    with traced(manager):
        user["f"]()
    found = below(manager, "user.f")
    assert found.pop("user.g")[0] == 1
    assert set(found) <= {"{built-in method sys.setprofile}", "{built-in method builtins.len}",
                          "user.g>{built-in method builtins.abs}"}


def test_pause(manager, tick):
    user = load("""
        def f():
            sorted([1], key=lambda n: pause())
            len([])
            resume()
            abs(1)
        def g(): abs(1)
    """, pause=manager.pause, resume=manager.resume)
    with traced(manager):
        user["f"](), user["g"]()
    assert counts_of(manager) == {
        "user.f": 1, "{built-in method builtins.sorted}": 1, "user.f.<locals>.<lambda>": 1,
        "{built-in method builtins.abs}": 2, "user.g": 1}


def test_two_managers(manager):
    other = ProfileManager()
    other.setup(deactivate_file_output=True)
    user = load("def f(): len([])\ndef g(): f(), abs(1)")
    with traced(manager, include=["user.g"]), traced(other):
        user["g"]()
    assert counts_of(manager) == {"user.g": 1, "{built-in method builtins.abs}": 1}
    assert counts_of(other) == {"user.f": 1, "user.g": 1}
    other.reset()


def test_metadata_and_a_run_without_events(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True, trace_c=True)
    user = load("def f():\n with metadata(a=1): len([])", metadata=manager.metadata)
    with traced(manager):
        user["f"]()
    assert counts_of(manager)["{built-in method builtins.len}"] == 1
    manager.reset()


# ---- Threads, greenlets, tasks, other tools


def test_threads(manager):
    user = load("""
        def work():
            for i in range(500):
                sorted([1, 2], key=key)
                list(map(key, [1]))
        def key(n): return abs(n)
    """)
    threads = [threading.Thread(target=user["work"]) for _ in range(4)]
    with traced(manager):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts_of(manager) == {
        "user.work": 4, "user.key": 6_000, "{built-in method builtins.sorted}": 2_000,
        "{built-in method builtins.abs}": 6_000}
    assert nothing_missed(manager)


def test_greenlets(manager, tick):
    greenlet = pytest.importorskip("greenlet")
    user = load("""
        def child():
            tick(2)
            len([])
            parent.switch()
            tick(4)
            abs(1)
        def f():
            tick(1)
            other.switch()
            len([])
            other.switch()
            abs(1)
    """, tick=tick, parent=greenlet.getcurrent())
    user["other"] = greenlet.greenlet(user["child"])
    with traced(manager):
        user["f"]()
    assert counts_of(manager) == {
        "user.f": 1, "user.child": 1, "{built-in method builtins.len}": 2,
        "{built-in method builtins.abs}": 2, "{method 'switch' of 'greenlet.greenlet' objects}": 3}
    assert nothing_missed(manager) and manager._counters()["open"] == 0


@pytest.mark.parametrize("settings", [{}, {"track_async": True}])
def test_tasks(clock, settings):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, trace_c=True, **settings)
    user = load("""
        async def step(n):
            len([])
            await asyncio.sleep(0)
            return abs(n)
        async def main():
            await asyncio.gather(*map(step, range(3)))
    """, asyncio=asyncio)
    with traced(manager):
        asyncio.run(user["main"]())
    counts = counts_of(manager)
    assert counts["user.step"] == counts["{built-in method builtins.len}"] == 3
    assert counts["{built-in method builtins.abs}"] == 3
    assert nothing_missed(manager) and manager._counters()["open"] == 0
    manager.reset()


@pytest.mark.parametrize("first", [True, False])
def test_beside_cprofile(manager, first):
    user = load("def f(): g(), len([])\ndef g(): return [abs(i) for i in range(3)]")
    theirs = cProfile.Profile()
    if first:
        theirs.enable()
    with traced(manager):
        if not first:
            theirs.enable()
        user["f"](), user["f"]()
    theirs.disable()
    counts = {"user.f": 2, "user.g": 2, "{built-in method builtins.len}": 2,
              "{built-in method builtins.abs}": 6}
    assert counts_of(manager) == counts
    found = {key[2]: row[0] for key, row in pstats.Stats(theirs).stats.items()}
    assert [found[name] for name in ("f", "g", "<built-in method builtins.abs>")] == [2, 2, 6]


def test_cprofile_in_the_middle(manager):
    user = load("""
        def f():
            len([])
            theirs = cProfile.Profile()
            theirs.enable()
            g()
            theirs.disable()
            g()
            return theirs
        def g(): abs(1)
    """, cProfile=cProfile)
    with traced(manager):
        theirs = user["f"]()
    counts = counts_of(manager)
    assert counts["user.g"] == counts["{built-in method builtins.abs}"] == 2
    assert counts["{built-in method builtins.len}"] == 1
    assert tree_of(manager)["user.f>user.g"][0] == 2
    found = {key[2]: row[0] for key, row in pstats.Stats(theirs).stats.items()}
    assert found["g"] == found["<built-in method builtins.abs>"] == 1


@pytest.mark.parametrize("set_tool, get_tool", [
    (sys.setprofile, sys.getprofile), (sys.settrace, sys.gettrace)])
def test_beside_python_tracers(manager, set_tool, get_tool):
    seen = []

    def tool(frame, event, argument):
        if frame.f_globals.get("__name__") in ("user", "other"):
            seen.append((frame.f_code.co_name, event))
        return tool

    user = load("def f(): g()\ndef g(): len([])")
    user["g"] = load("def g(): len([])", "other")["g"]  # not traced

    def events():
        seen.clear()
        before = get_tool()
        set_tool(tool)
        try:
            user["f"]()
            assert get_tool() is tool
        finally:
            set_tool(before)
        return list(seen)

    alone = events()
    with traced(manager):
        assert events() == alone
    assert events() == alone
    assert counts_of(manager) == {"user.f": 1}


def test_with_line_mode(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, trace_c=True, use_line_profiler=True)
    user = load("""
        def f():
            for i in range(3):
                len([])
            g()
        def g():
            abs(1)
    """)
    with traced(manager):
        user["f"]()
    counts = counts_of(manager)
    assert counts["{built-in method builtins.len}"] == 3 and counts["{built-in method builtins.abs}"] == 1
    results = manager.finalize(verbose=False, return_results=True)
    hits = {line.line_number: line.hits for stats in results.line_results.values()
            for line in stats.lines} if hasattr(results, "line_results") else None
    assert hits is None or hits[4] == 3
    manager.reset()


DEEP = """
import sys
from scope_profiler import ProfileManager, calls
manager = ProfileManager()
manager.setup(deactivate_file_output=True, trace_c=True)
sys.setrecursionlimit(10**6)
def down(n):
    len([])
    if n: down(n - 1)
calls.start(manager, only_user_code=False)
down(25_000)
down(10)
calls.stop(manager)
counts = {r[1].name: r[2] for r in manager._collect_regions() if r[2]}
assert counts == {"__main__.down": 25_012, "{built-in method builtins.len}": 25_012}, counts
"""


def test_deep_recursion():
    subprocess.run([sys.executable, "-c", DEEP], check=True)


def test_overhead_and_report(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("def f():\n    for i in range(100): len([])\nf()\n")
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "run", "--c-functions", "-o",
                           tmp_path / "x.json", script], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert "{built-in method builtins.len}" in done.stdout
    assert "per traced call of a C function" in done.stdout


# ---- Bounds of what is recorded


@pytest.mark.parametrize("depth, counts", [
    (1, {"user.a": 2}),
    (2, {"user.a": 2, "user.b": 2}),
    (3, {"user.a": 2, "user.b": 2, "user.c": 4}),
    (4, {"user.a": 2, "user.b": 2, "user.c": 4, "user.steps": 4, "{built-in method builtins.len}": 4}),
])
def test_max_depth(clock, depth, counts):
    user = load("""
        def a(): b()
        def b(): c(), c()
        def c():
            len([])
            for i in steps(): pass
        def steps():
            yield 1
            yield 2
    """)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, trace_c=True, max_depth=depth)
    with traced(manager):
        user["a"]()
        thread = threading.Thread(target=user["a"])
        thread.start()
        thread.join()
    assert counts_of(manager) == counts
    assert nothing_missed(manager) and manager._counters()["open"] == 0
    manager.setup(deactivate_file_output=True, replace=True)
    with traced(manager):
        user["a"]()
    assert counts_of(manager)["user.steps"] == 2
    manager.reset()


def test_min_duration(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, min_duration=10e-9, track_async=True)

    def steps(n):
        clock.tick(n)
        yield
        clock.tick(n)

    region, steps = manager.profile_region("r"), manager.profile("steps")(steps)
    for ns in (3, 10, 9, 40):
        with region:
            clock.tick(ns)
        list(steps(ns // 2))
    results = manager.finalize(verbose=False, return_results=True)
    for name, kept in (("r", [10, 40]), ("steps", [10, 40])):
        assert results[name].num_calls == 4
        assert sorted(int(ns) for ns in results[name].durations_ns) == kept
        assert results[name].total_duration_ns in (62, 60)  # of all
    manager.reset()
