"""src/lines/ and lines.py: line mode counts like line_profiler, in decorated functions and in
`with` blocks, and leaves everything else as it is."""

import asyncio
import cProfile
from contextlib import ExitStack, contextmanager, suppress
import functools
import gc
import io
import json
import linecache
import os
from pathlib import Path
import pstats
import runpy
import signal
import subprocess
import sys
import textwrap
import threading
import traceback
import weakref

from hypothesis import HealthCheck, Phase, given, settings, strategies as st
import pytest

from conftest import examples
import line_profiler_reference as reference
from peer import MISSING, python_with
import scope_profiler
from scope_profiler import ProfileManager, _core

VERSION = reference.VERSION
MONITORING = hasattr(sys, "monitoring")
NO_GIL = not getattr(sys, "_is_gil_enabled", lambda: True)()

on_3_11 = pytest.mark.skipif(MONITORING, reason="the trace function carries line mode on 3.11")
from_3_12 = pytest.mark.skipif(not MONITORING, reason="sys.monitoring is new in 3.12")


def line_manager():
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    return manager


@pytest.fixture(autouse=True)
def nothing_left_behind():
    """The process-wide manager is as new before and after; tracers and tools are as they were."""
    ProfileManager.reset()
    tracer, profiler = sys.gettrace(), sys.getprofile()
    tools = tool_names()
    yield
    sys.settrace(tracer)
    sys.setprofile(profiler)
    ProfileManager.reset()
    assert tool_names() == tools


def tool_names():
    return [sys.monitoring.get_tool(tool) for tool in range(6)] if MONITORING else []


@pytest.fixture
def lined():
    """A manager in line mode."""
    manager = line_manager()
    yield manager
    manager.reset()


@pytest.fixture
def timed(clock):
    """A manager in line mode, and the fake clock as its attribute `tick`."""
    manager = line_manager()
    manager.tick = clock.tick
    yield manager
    manager.reset()


def on_a_thread_of_its_own(test):
    """For tests that leave blocks open: what they leave behind ends with the thread."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        raised = []

        def body():
            try:
                test(*args, **kwargs)
            except BaseException as error:
                raised.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        if raised:
            raise raised[0]

    return run


def tables(manager, name):
    """{function: {text of the line: (hits, ns)}} of a region. Lines must differ in their text."""
    region = manager.get_region(name)
    found = {}
    for (file, _, function), rows in (region.get_stats().timings if region else {}).items():
        table = found.setdefault(function.rpartition(".")[2], {})
        for line, hits, ns in rows:
            text = linecache.getline(file, line).strip() or line
            assert text not in table, f"two lines read {text!r}"
            table[text] = (hits, ns)
    return found


def hits_by_function(manager, name):
    return {
        function: {text: hits for text, (hits, _) in table.items()}
        for function, table in tables(manager, name).items()
    }


def only(found):
    assert len(found) <= 1, f"lines of several functions: {found}"
    return next(iter(found.values()), {})


def hits(manager, name):
    """{text of the line: hits} of a region that has lines of one function, or of none."""
    return only(hits_by_function(manager, name))


def times(manager, name):
    """{text of the line: ns} of such a region."""
    return {text: ns for text, (_, ns) in only(tables(manager, name)).items()}


def run_python(program, *arguments):
    """Run a program in a process of its own, for what may end the process; returns its output."""
    root = Path(scope_profiler.__file__).parents[1]
    result = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(program), *arguments],
        env={**os.environ, "PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60,
    )
    assert result.returncode == 0, f"ended with {result.returncode}: {result.stderr[-2000:]}"
    return result.stdout


PRELUDE = """\
import gc, sys
from scope_profiler import ProfileManager

def line_manager():
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    return manager

def hits(manager, name):
    timings = manager.get_region(name).get_stats().timings
    return {key[2]: [hits for _, hits, _ in rows] for key, rows in timings.items()}

"""


# ---- As line_profiler counts ------------------------------------------------------------------

ONE_LINE_LOOP = (
    "each round of a loop on one line is a hit on every version; line_profiler counts the first "
    "alone where it uses sys.monitoring, which reports no line for the others"
)
ON_THE_DEF_LINE = (
    "CPython 3.13 reports no line for a body that begins on the `def` or `lambda` line unless the "
    "start of the function is watched as well; line_profiler does not watch it"
)
AFTER_A_CALL = (
    "CPython 3.12.1 reports a line once more when a call of a Python function returns to a place "
    "that can be jumped to; a function that we decorate is not called in that way"
)
SYS_MONITORING = ("3.12", "3.13")
# {case: (versions that differ, reason)}. There our hits are those of line_profiler on 3.11, which
# has none of these problems.
DIFFERENCES = {
    "one_line_for": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_of_two_statements": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_while": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_with_else": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_in_a_loop": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_of_comprehensions": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_over_a_comprehension": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_for_that_raises": (SYS_MONITORING, ONE_LINE_LOOP),
    "one_line_loop_in_a_generator": (SYS_MONITORING, ONE_LINE_LOOP),
    "recursion_inside_an_expression": (("3.12",), AFTER_A_CALL),
    "nothing_but_a_docstring": (("3.13",), ON_THE_DEF_LINE),
    "profiled_lambda": (("3.13",), ON_THE_DEF_LINE),
    "one_line_def_without_decorator_line": (("3.13",), ON_THE_DEF_LINE),
}


@pytest.fixture(scope="module")
def written_down():
    """{version: {case: {function: {line: hits}}}} of line_hits.json."""
    written = json.loads(reference.HITS_FILE.read_text())
    if written.pop("digest") != reference.digest():
        pytest.fail("line_cases.py has changed: run line_profiler_reference.py on every version")
    return written


@pytest.fixture(scope="module")
def live():
    """{case: {function: {line: hits}}} of line_profiler now, or None without a peer."""
    python = python_with("line_profiler")
    if python is None:
        return None
    told = subprocess.run([python, reference.__file__, "--print"], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def test_line_profiler_counts_what_is_written_down(live, written_down):
    if live is None:
        pytest.skip(f"{MISSING}: compared with line_hits.json alone")
    if VERSION not in written_down:
        pytest.skip(f"line_hits.json has nothing of {VERSION}")
    assert live == written_down[VERSION]


@pytest.fixture(scope="module")
def counted(live, written_down):
    """{case: {function: {line: hits}}} of line_profiler on this version."""
    if live is None and VERSION not in written_down:
        pytest.skip(f"what line_profiler counts on {VERSION} is not written down, and no peer")
    return live or written_down[VERSION]


@pytest.mark.parametrize("case", reference.case_names())
def test_hits_equal_those_of_line_profiler(lined, counted, written_down, case):
    reference.load(lined.profile())[case]()
    timings = {}
    for region in lined.get_all_regions().values():
        timings.update(region.get_stats().timings)
    expected = counted[case]
    if case in DIFFERENCES and VERSION in DIFFERENCES[case][0]:
        expected = written_down["3.11"][case]
    assert reference.by_function(timings) == expected


@pytest.mark.parametrize("case", DIFFERENCES)
def test_each_deliberate_difference_is_one(written_down, case):
    for version in DIFFERENCES[case][0]:
        assert written_down[version][case] != written_down["3.11"][case]


def test_every_case_runs_as_without_a_profiler(lined):
    """Profiled or not, a case returns or raises the same."""
    for name, plain in reference.load(lambda function: function).items():
        profiled = reference.load(lined.profile())[name]
        results = []
        for case in (plain, profiled):
            try:
                results.append(repr(case()))
            except Exception as error:
                results.append(repr(error))
        first, second = (result.partition(" at 0x")[0] for result in results)
        assert first == second, name


# ---- Blocks -----------------------------------------------------------------------------------


def test_a_block_has_its_own_lines_and_nothing_else(lined):
    """Its last hit is on the `with` line, which is where Python leaves it."""

    def f():
        a = 0
        with lined.region("r"):
            a += 1
            a += 2
        return a

    f()
    assert hits(lined, "r") == {'with lined.region("r"):': 1, "a += 1": 1, "a += 2": 1}
    f()
    assert hits(lined, "r") == {'with lined.region("r"):': 2, "a += 1": 2, "a += 2": 2}


def test_a_block_has_no_lines_of_what_it_calls(lined):
    def helper():
        b = 1
        return b

    def f():
        with lined.region("r"):
            helper()
            list(map(lambda x: x, [1, 2]))

    f()
    assert hits_by_function(lined, "r") == {
        "f": {
            'with lined.region("r"):': 1,
            "helper()": 1,
            "list(map(lambda x: x, [1, 2]))": 1,
        }
    }


def test_a_block_in_a_method_a_closure_and_a_class_body(lined):
    class Holder:
        with lined.region("class"):
            made = 1

        def method(self):
            with lined.region("method"):
                self.made = 2

    def make():
        n = 0

        def closure():
            nonlocal n
            with lined.region("closure"):
                n += 1

        return closure

    Holder().method()
    closure = make()
    closure()
    closure()
    assert hits(lined, "class") == {'with lined.region("class"):': 1, "made = 1": 1}
    assert hits(lined, "method") == {'with lined.region("method"):': 1, "self.made = 2": 1}
    assert hits(lined, "closure") == {'with lined.region("closure"):': 2, "n += 1": 2}


SCRIPT = """\
import scope_profiler as sp

{setup}
with sp.region("top"):
    total = 0
    for i in range(3):
        total += i
{show}
"""
SCRIPT_HITS = [(4, 1), (5, 1), (6, 4), (7, 3)]


def test_a_block_at_module_level(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(setup="", show=""))
    ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True)
    runpy.run_path(str(script))
    [(key, rows)] = ProfileManager.get_region("top").get_stats().timings.items()
    assert key == (str(script), 1, "<module>")
    assert [row[:2] for row in rows] == SCRIPT_HITS


def test_a_block_at_the_top_of_a_script_that_sets_up_itself():
    """The frame runs already when line mode is switched on."""
    output = run_python(SCRIPT.format(
        setup="sp.setup(use_line_profiler=True, deactivate_file_output=True)",
        show="[rows] = sp.get_region('top').get_stats().timings.values()\n"
             "print([hits for _, hits, _ in rows])",
    ))
    assert output.strip() == str([count for _, count in SCRIPT_HITS])


def test_setup_in_the_function_that_has_the_block():
    def f():
        ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True)
        with ProfileManager.region("r"):
            a = 1
            return a

    f()
    assert hits(ProfileManager, "r") == {
        'with ProfileManager.region("r"):': 1, "a = 1": 1, "return a": 1}


def test_a_block_in_a_loop(lined):
    def f():
        for i in range(5):
            with lined.region("r"):
                if i == 1:
                    continue
                if i == 3:
                    break
                i += 1

    f()
    assert hits(lined, "r") == {
        'with lined.region("r"):': 4, "if i == 1:": 4, "continue": 1, "if i == 3:": 3,
        "break": 1, "i += 1": 2,
    }


def test_leaving_a_block_early(lined):
    def f():
        with lined.region("return"):
            return 1
        return 2

    def g():
        with lined.region("raise"):
            a = 1
            raise LookupError
            a = 2

    f()
    with suppress(LookupError):
        g()
    assert hits(lined, "return") == {'with lined.region("return"):': 1, "return 1": 1}
    assert hits(lined, "raise") == {
        'with lined.region("raise"):': 1, "a = 1": 1, "raise LookupError": 1}


def test_what_follows_an_early_exit_is_not_counted(lined):
    def f(how):
        try:
            for _ in range(2):
                with lined.region("r"):
                    if how == "raise":
                        raise LookupError
                    break
            after = 1
        except LookupError:
            caught = 1
        end = 1

    f("raise")
    f("break")
    assert hits(lined, "r") == {
        'with lined.region("r"):': 2, 'if how == "raise":': 2, "raise LookupError": 1, "break": 1}


def test_nested_blocks(lined):
    def f():
        with lined.region("outer"):
            a = 1
            with lined.region("inner"):
                a = 2
            a = 3
        a = 4

    f()
    assert hits(lined, "outer") == {
        'with lined.region("outer"):': 1, "a = 1": 1, 'with lined.region("inner"):': 2,
        "a = 2": 1, "a = 3": 1,
    }
    assert hits(lined, "inner") == {'with lined.region("inner"):': 1, "a = 2": 1}


def test_two_regions_in_one_with(lined):
    def f():
        with lined.region("a"), lined.region("b"):
            c = 1

    f()
    expected = {'with lined.region("a"), lined.region("b"):': 1, "c = 1": 1}
    assert hits(lined, "a") == hits(lined, "b") == expected


def test_the_same_region_nested_in_itself(lined):
    """A line is hit once, however often the region is open."""

    def f():
        with lined.region("r"):
            a = 1
            with lined.region("r"):  # inner
                a = 2
            a = 3
        a = 4

    f()
    assert hits(lined, "r") == {
        'with lined.region("r"):': 1, "a = 1": 1, 'with lined.region("r"):  # inner': 2,
        "a = 2": 1, "a = 3": 1,
    }


def test_the_same_region_nested_in_itself_through_recursion(lined):
    def f(n):
        with lined.region("r"):
            if n:
                f(n - 1)
            a = 1
        a = 2

    f(3)
    assert hits(lined, "r") == {
        'with lined.region("r"):': 4, "if n:": 4, "f(n - 1)": 3, "a = 1": 4}


def test_a_block_in_a_decorated_function(lined):
    """Its lines go to both regions."""

    @lined.profile("f")
    def f():
        a = 1
        with lined.region("block"):
            a = 2
        a = 3

    f()
    f()
    assert hits(lined, "f") == {
        "a = 1": 2, 'with lined.region("block"):': 4, "a = 2": 2, "a = 3": 2}
    assert hits(lined, "block") == {'with lined.region("block"):': 2, "a = 2": 2}


def test_a_block_of_the_region_that_the_function_is_decorated_with(lined):
    @lined.profile("r")
    def f():
        a = 1
        with lined.region("r"):
            a = 2
        a = 3

    f()
    assert hits(lined, "r") == {
        "a = 1": 1, 'with lined.region("r"):': 2, "a = 2": 1, "a = 3": 1}


def test_a_block_that_calls_decorated_functions(lined):
    @lined.profile("f")
    def f():
        return 1

    def g():
        with lined.region("r"):
            f()
            f()  # again

    g()
    assert hits(lined, "f") == {"return 1": 2}
    assert hits(lined, "r") == {'with lined.region("r"):': 1, "f()": 1, "f()  # again": 1}


def test_one_region_in_two_functions(lined):
    def f():
        with lined.region("r"):
            a = 1
        return a

    def g():
        with lined.region("r"):
            b = 1
        return b

    f(), g(), g()
    assert hits_by_function(lined, "r") == {
        "f": {'with lined.region("r"):': 1, "a = 1": 1},
        "g": {'with lined.region("r"):': 2, "b = 1": 2},
    }


def test_a_block_in_a_generator(lined):
    def generate():
        with lined.region("r"):
            yield 1
            a = 2
            yield a
            a = 3
        a = 4

    for _ in generate():
        pass
    expected = {'with lined.region("r"):': 1, "yield 1": 1, "a = 2": 1, "yield a": 1, "a = 3": 1}
    assert hits(lined, "r") == expected
    first, second = generate(), generate()
    for _ in zip(first, second):
        pass
    list(second)
    assert hits(lined, "r") == {text: 3 * count for text, count in expected.items()}


def test_blocks_in_many_interleaved_generators(lined):
    def generate(n):
        with lined.region("r"):
            for i in range(n):
                yield i
                i += 1

    running = [generate(n) for n in range(150)]  # more than there are slots
    while running:
        running = [generator for generator in running if next(generator, None) is not None]
    rounds = sum(range(150))
    assert hits(lined, "r") == {
        'with lined.region("r"):': 150, "for i in range(n):": rounds + 150, "yield i": rounds,
        "i += 1": rounds,
    }


def test_a_block_in_a_generator_that_is_thrown_into_and_closed(lined):
    def generate():
        with lined.region("r"):
            try:
                yield 1
            except LookupError:
                a = 1
                yield a
            finally:
                a = 2

    thrown = generate()
    next(thrown)
    thrown.throw(LookupError)
    next(thrown, None)
    closed = generate()
    next(closed)
    closed.close()
    dropped = generate()
    next(dropped)
    del dropped
    gc.collect()
    assert hits(lined, "r") == {
        'with lined.region("r"):': 3, "try:": 3, "yield 1": 3, "except LookupError:": 3,
        "a = 1": 1, "yield a": 1, "a = 2": 3,
    }


def test_a_block_around_a_delegation(lined):
    def inner():
        with lined.region("inner"):
            a = 1
            yield a
            a = 2

    def outer():
        with lined.region("outer"):
            yield from inner()
            b = 1

    first, second = outer(), outer()
    for _ in zip(first, second):
        pass
    list(second)
    list(outer())
    assert hits(lined, "inner") == {
        'with lined.region("inner"):': 3, "a = 1": 3, "yield a": 3, "a = 2": 3}
    assert hits(lined, "outer") == {
        'with lined.region("outer"):': 3, "yield from inner()": 3, "b = 1": 3}


def test_blocks_in_a_deep_chain_of_generators(lined):
    def chain(depth):
        with lined.region("r"):
            if depth:
                yield from chain(depth - 1)
            yield depth

    assert list(chain(50)) == list(range(51))
    assert hits(lined, "r") == {
        'with lined.region("r"):': 51, "if depth:": 51, "yield from chain(depth - 1)": 50,
        "yield depth": 51,
    }


def test_a_block_in_a_decorated_generator(lined):
    @lined.profile("g")
    def generate():
        a = 1
        with lined.region("r"):
            yield a
            a = 2
        a = 3

    for _ in zip(generate(), generate()):
        pass
    list(generate())
    assert hits(lined, "r") == {'with lined.region("r"):': 3, "yield a": 3, "a = 2": 2}
    assert hits(lined, "g") == {
        "a = 1": 3, 'with lined.region("r"):': 6, "yield a": 3, "a = 2": 2, "a = 3": 2}


def test_blocks_in_tasks(lined):
    async def work(n):
        with lined.region("r"):
            for _ in range(n):
                await asyncio.sleep(0)
            a = 1
        return a

    async def main():
        with lined.region("main"):
            await asyncio.gather(*map(work, range(5)))

    asyncio.run(main())
    assert hits(lined, "r") == {
        'with lined.region("r"):': 5, "for _ in range(n):": 15, "await asyncio.sleep(0)": 10,
        "a = 1": 5,
    }
    assert hits(lined, "main") == {
        'with lined.region("main"):': 1, "await asyncio.gather(*map(work, range(5)))": 1}


def test_a_generator_that_yields_inside_a_block_of_another(lined):
    def generate():
        with lined.region("g"):
            yield 1
            yield 2

    def f():
        for i in generate():
            with lined.region("f"):
                i += 1

    f()
    assert hits(lined, "g") == {'with lined.region("g"):': 1, "yield 1": 1, "yield 2": 1}
    assert hits(lined, "f") == {'with lined.region("f"):': 2, "i += 1": 2}


def test_a_block_in_a_contextmanager_function(lined):
    @contextmanager
    def measured():
        with lined.region("r"):
            yield

    @lined.profile("f")
    def f():
        with measured():
            a = 1
        return a

    f()
    assert hits(lined, "r") == {'with lined.region("r"):': 1, "yield": 1}
    assert hits(lined, "f") == {"with measured():": 2, "a = 1": 1, "return a": 1}


def test_exit_stack(lined):
    """It enters by hand, as it were: the calls are timed and have no lines, and nobody else loses
    any."""

    @lined.profile("f")
    def f():
        with ExitStack() as stack:
            stack.enter_context(lined.region("a"))
            stack.enter_context(lined.region("b"))
            c = 1
        return c

    f()
    assert lined.get_region("a").num_calls == lined.get_region("b").num_calls == 1
    assert hits(lined, "a") == hits(lined, "b") == {}
    assert hits(lined, "f") == {
        "with ExitStack() as stack:": 2, 'stack.enter_context(lined.region("a"))': 1,
        'stack.enter_context(lined.region("b"))': 1, "c = 1": 1, "return c": 1,
    }


@on_a_thread_of_its_own
def test_exit_stack_closed_in_another_function(lined):
    def enter():
        stack = ExitStack()
        stack.enter_context(lined.region("r"))
        a = 1
        return stack

    @lined.profile("leave")
    def leave(stack):
        stack.close()
        b = 1

    leave(enter())
    assert lined.get_region("r").num_calls == 1
    assert hits(lined, "r") == {}
    assert hits(lined, "leave") == {"stack.close()": 1, "b = 1": 1}


class Wrapping:
    """What many projects have: a context manager of their own around a region."""

    def __init__(self, region):
        self.region = region

    def __enter__(self):
        self.region.__enter__()
        return self

    def __exit__(self, *exception):
        self.region.__exit__(*exception)


@on_a_thread_of_its_own
def test_a_context_manager_around_a_region_hides_no_lines(lined):
    """The frame that entered is gone while the block runs; what runs now must not be taken for
    it, nor be hidden by it."""

    def callee():
        with lined.region("callee"):
            a = 1
        return a

    @lined.profile("f")
    def f():
        with Wrapping(lined.region("wrapped")):
            b = 1
            callee()
            b = 2
        b = 3

    f()
    f()
    assert hits(lined, "f") == {
        'with Wrapping(lined.region("wrapped")):': 4, "b = 1": 2, "callee()": 2, "b = 2": 2,
        "b = 3": 2,
    }
    assert hits(lined, "callee") == {'with lined.region("callee"):': 2, "a = 1": 2}
    assert hits(lined, "wrapped") == {} and lined.get_region("wrapped").num_calls == 2


@on_a_thread_of_its_own
def test_nested_context_managers_around_regions(lined):
    def f():
        with Wrapping(lined.region("a")):
            with lined.region("b"):
                with Wrapping(lined.region("c")):
                    d = 1
                e = 1
            f = 1
        return d, e, f

    f()
    f()
    assert hits(lined, "b") == {
        'with lined.region("b"):': 2, 'with Wrapping(lined.region("c")):': 4, "d = 1": 2,
        "e = 1": 2,
    }


def test_entered_and_left_by_hand(lined):
    """That may happen anywhere, any number of times: it is timed, and has no lines."""

    @lined.profile("f")
    def f():
        region = lined.region("r")
        a = 1
        region.__enter__()
        a = 2
        region.__exit__(None, None, None)
        return a

    f()
    f()
    assert hits(lined, "r") == {}
    assert lined.get_region("r").num_calls == 2
    assert set(hits(lined, "f").values()) == {2} and len(hits(lined, "f")) == 6


@on_a_thread_of_its_own
def test_left_in_another_thread(lined):
    """That leaves nothing: it was entered here. Nor does it disturb what follows."""
    region = lined.region("r")

    def f():
        region.__enter__()
        a = 1
        thread = threading.Thread(target=region.__exit__, args=(None, None, None))
        thread.start()
        thread.join()

    def g():
        b = 1
        with lined.region("g"):
            b = 2
        b = 3

    f()
    g()
    g()
    assert hits(lined, "r") == {}
    assert hits(lined, "g") == {'with lined.region("g"):': 2, "b = 2": 2}
    region.__exit__(None, None, None)


@pytest.mark.parametrize("way", ["by hand", "with"])
@on_a_thread_of_its_own
def test_a_frame_that_never_leaves_its_block(lined, way):
    """Frames that come after it, at its address even, are none of it and lose nothing."""
    region = lined.region("left open")

    class Half:
        """The region is entered by a `with` statement and left by none."""

        __enter__ = region.__enter__

        def __exit__(self, *exception):
            pass

    def forget_by_hand():
        a = 1
        region.__enter__()
        return a

    def forget_with():
        b = 1
        with Half():
            a = 2
        return b

    forget = forget_by_hand if way == "by hand" else forget_with

    def other():
        b = 1
        b = 2
        return b

    def block():
        with lined.region("block"):
            c = 1
        c = 2

    @lined.profile("decorated")
    def decorated():
        d = 1
        forget()
        d = 2
        return d

    def around():
        with lined.region("around"):
            e = 1
            forget()
            e = 2
        e = 3

    forget()
    other()
    block()
    decorated()
    around()
    forget()
    block()
    if way == "by hand":
        assert hits(lined, "left open") == {}
    else:  # nobody told when it ended: it may count a line of the next call at its address
        assert hits(lined, "left open").keys() >= {"a = 2", "with Half():", "return b"}
    assert hits(lined, "block") == {'with lined.region("block"):': 2, "c = 1": 2}
    assert hits(lined, "decorated") == {"d = 1": 1, "forget()": 1, "d = 2": 1, "return d": 1}
    assert hits(lined, "around") == {
        'with lined.region("around"):': 1, "e = 1": 1, "forget()": 1, "e = 2": 1}


@on_a_thread_of_its_own
def test_a_frame_that_never_leaves_its_block_when_an_exception_ends_it(lined):
    region = lined.region("left open")

    def forget():
        region.__enter__()
        raise LookupError

    def block():
        try:
            with lined.region("block"):
                forget()
                a = 1
        except LookupError:
            a = 2
        with lined.region("after"):
            a = 3

    block()
    block()
    assert hits(lined, "left open") == {}
    assert hits(lined, "block") == {'with lined.region("block"):': 2, "forget()": 2}
    assert hits(lined, "after") == {'with lined.region("after"):': 2, "a = 3": 2}


@on_a_thread_of_its_own
def test_a_generator_that_wakes_in_another_thread(lined):
    def generate():
        with lined.region("r"):
            a = 1
            yield a
            a = 2
            yield a  # again
            a = 3
        a = 4

    def step():
        for _ in range(3):
            next(generator, None)

    generator = generate()
    next(generator)
    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    assert hits(lined, "r") == {
        'with lined.region("r"):': 1, "a = 1": 1, "yield a": 1, "a = 2": 1, "yield a  # again": 1,
        "a = 3": 1,
    }


@on_a_thread_of_its_own
def test_a_decorated_generator_that_wakes_in_another_thread(lined):
    @lined.profile("g")
    def generate():
        a = 1
        yield a
        a = 2

    generator = generate()
    next(generator)
    thread = threading.Thread(target=list, args=(generator,))
    thread.start()
    thread.join()
    assert hits(lined, "g") == {"a = 1": 1, "yield a": 1, "a = 2": 1}


# ---- Times ------------------------------------------------------------------------------------


def test_line_times_are_exact(timed):
    @timed.profile("f")
    def f():
        timed.tick(1)
        for _ in range(3):
            timed.tick(10)
        return timed.tick(100)

    f()
    f()
    assert times(timed, "f") == {
        "timed.tick(1)": 2, "for _ in range(3):": 0, "timed.tick(10)": 60,
        "return timed.tick(100)": 200,
    }


def test_a_line_takes_as_long_as_what_it_calls(timed):
    @timed.profile("inner")
    def inner():
        timed.tick(5)
        plain()

    def plain():
        timed.tick(20)
        return 1

    @timed.profile("outer")
    def outer():
        inner()
        plain()
        a = [plain() for _ in range(3)]

    outer()
    assert times(timed, "inner") == {"timed.tick(5)": 5, "plain()": 20}
    assert times(timed, "outer") == {
        "inner()": 25, "plain()": 20, "a = [plain() for _ in range(3)]": 60}


def test_recursive_calls_count_in_every_frame(timed):
    @timed.profile("f")
    def f(n):
        timed.tick(1)
        if n:
            f(n - 1)

    f(3)
    assert times(timed, "f") == {"timed.tick(1)": 4, "if n:": 0, "f(n - 1)": 3 + 2 + 1}


def test_mutually_recursive_times(timed):
    @timed.profile("even")
    def even(n):
        timed.tick(1)
        return n == 0 or odd(n - 1)

    @timed.profile("odd")
    def odd(n):
        timed.tick(10)
        return n != 0 and even(n - 1)

    assert even(2)
    assert times(timed, "even") == {"timed.tick(1)": 2, "return n == 0 or odd(n - 1)": 11}
    assert times(timed, "odd") == {"timed.tick(10)": 10, "return n != 0 and even(n - 1)": 1}


def test_times_of_a_block(timed):
    def f():
        timed.tick(1_000_000)
        with timed.region("r"):
            timed.tick(1)
            timed.tick(10)
        timed.tick(2_000_000)

    f()
    f()
    assert times(timed, "r") == {
        'with timed.region("r"):': 0, "timed.tick(1)": 2, "timed.tick(10)": 20}


def test_times_of_nested_blocks_go_to_both(timed):
    def f():
        with timed.region("outer"):
            timed.tick(1)
            with timed.region("inner"):
                timed.tick(10)
            timed.tick(100)

    f()
    assert times(timed, "inner") == {'with timed.region("inner"):': 0, "timed.tick(10)": 10}
    assert times(timed, "outer") == {
        'with timed.region("outer"):': 0, "timed.tick(1)": 1, 'with timed.region("inner"):': 0,
        "timed.tick(10)": 10, "timed.tick(100)": 100,
    }


def test_a_line_that_raises_takes_until_the_handler(timed):
    def fail():
        timed.tick(3)
        raise LookupError

    @timed.profile("f")
    def f():
        try:
            fail()
        except LookupError:
            timed.tick(10)

    @timed.profile("g")
    def g():
        timed.tick(1)
        fail()

    f()
    with suppress(LookupError):
        g()
    timed.tick(1_000_000)
    assert times(timed, "f") == {
        "try:": 0, "fail()": 3, "except LookupError:": 0, "timed.tick(10)": 10}
    assert times(timed, "g") == {"timed.tick(1)": 1, "fail()": 3}


def test_time_stands_while_a_generator_with_an_open_block_sleeps(timed):
    def generate():
        with timed.region("r"):
            timed.tick(1)
            yield
            timed.tick(10)
            yield timed.tick(100)
        timed.tick(5_000)

    first, second = generate(), generate()
    for _ in zip(first, second):
        timed.tick(1_000_000)
    next(second, None)
    timed.tick(1_000_000)
    assert times(timed, "r") == {
        'with timed.region("r"):': 0, "timed.tick(1)": 2, "yield": 0, "timed.tick(10)": 20,
        "yield timed.tick(100)": 200,
    }


def test_a_line_goes_on_where_the_generator_wakes(timed):
    def generate():
        with timed.region("r"):
            timed.tick((yield timed.tick(1)) or 10)

    generator = generate()
    next(generator)
    timed.tick(1_000_000)
    with suppress(StopIteration):
        generator.send(7)
    assert times(timed, "r") == {
        'with timed.region("r"):': 0, "timed.tick((yield timed.tick(1)) or 10)": 8}


@pytest.mark.parametrize("end", ["throw", "close", "drop"])
def test_no_time_is_taken_back_where_a_generator_is_thrown_into(end):
    """With the real clock: what wakes by an exception has no event for it."""
    manager = line_manager()

    def generate():
        with manager.region("r"):
            try:
                yield 1
            except LookupError:
                a = 1

    for _ in range(50):
        generator = generate()
        next(generator)
        if end == "throw":
            with suppress(StopIteration):
                generator.throw(LookupError)
        elif end == "close":
            generator.close()
        del generator
    found = times(manager, "r")
    manager.reset()
    assert len(found) >= 3
    assert all(0 <= ns < 10**9 for ns in found.values()), found


def test_time_stands_while_a_decorated_generator_sleeps(timed):
    @timed.profile("g")
    def generate():
        timed.tick(1)
        yield
        timed.tick(10)

    first, second = generate(), generate()
    for _ in zip(first, second):
        timed.tick(1_000_000)
    list(second)
    assert times(timed, "g") == {"timed.tick(1)": 2, "yield": 0, "timed.tick(10)": 20}


def test_time_stands_while_a_decorated_coroutine_waits(timed):
    @timed.profile("c")
    async def work():
        timed.tick(1)
        await asyncio.sleep(0)
        timed.tick(10)

    async def main():
        await asyncio.gather(work(), pause(), work(), pause())

    async def pause():
        timed.tick(1_000_000)
        await asyncio.sleep(0)
        timed.tick(1_000_000)

    asyncio.run(main())
    assert times(timed, "c") == {"timed.tick(1)": 2, "await asyncio.sleep(0)": 0,
                                 "timed.tick(10)": 20}


def test_times_of_threads_add_up(timed):
    @timed.profile("f")
    def f(ns):
        timed.tick(ns)

    for ns in (1, 10, 100):
        thread = threading.Thread(target=f, args=(ns,))
        thread.start()
        thread.join()
    f(1_000)
    assert times(timed, "f") == {"timed.tick(ns)": 1_111}


def test_times_of_one_line_loops(timed):
    @timed.profile("f")
    def f():
        for ns in (1, 10, 100): timed.tick(ns)
        timed.tick(1_000)

    f()
    assert times(timed, "f") == {
        "for ns in (1, 10, 100): timed.tick(ns)": 111, "timed.tick(1_000)": 1_000}


def test_the_lines_of_a_call_add_up_to_the_call(timed):
    @timed.profile("f")
    def f(n):
        for i in range(n):
            timed.tick(i)
            try:
                if i % 2:
                    raise LookupError(timed.tick(7))
            except LookupError:
                timed.tick(3)

    f(10)
    assert sum(times(timed, "f").values()) == timed.get_region("f").get_stats().total_ns == 95


# ---- Random programs --------------------------------------------------------------------------


def blocks(depth):
    """Lists of statements; a statement is (kind, blocks inside, number)."""
    simple = st.tuples(
        st.sampled_from(["tick", "call", "break", "continue", "return", "raise", "if 1"]),
        st.just(()), st.integers(0, 3),
    )
    if depth == 0:
        return st.lists(simple, min_size=1, max_size=3)
    nested = st.tuples(
        st.sampled_from(["for", "while", "if", "else", "try", "finally", "with", "one-line for"]),
        st.tuples(blocks(depth - 1), blocks(depth - 1)), st.integers(0, 3),
    )
    return st.lists(simple | nested, min_size=1, max_size=4)


def source_of(statements, indent="    ", in_loop=False, loops=0):
    """The lines of Python for the statements."""
    for kind, inside, number in statements:
        below = functools.partial(source_of, indent=indent + "    ", in_loop=in_loop, loops=loops)
        if kind == "tick":
            yield f"{indent}n += tick({number})"
        elif kind == "call":
            yield f"{indent}tick("
            yield f"{indent}    {number},"
            yield f"{indent})"
        elif kind in ("break", "continue"):
            yield indent + (kind if in_loop else "pass")
        elif kind == "return":
            yield f"{indent}if n > {8 + number}:"
            yield f"{indent}    return n"
        elif kind == "raise":
            yield f"{indent}if n > {4 + number}:"
            yield f"{indent}    raise LookupError(n)"
        elif kind == "if 1":
            yield f"{indent}if n % 2: n += {number}"
        elif kind == "for":
            yield f"{indent}for i{loops} in range({number}):"
            yield from below(inside[0], in_loop=True, loops=loops + 1)
        elif kind == "one-line for":
            yield f"{indent}for i{loops} in range({number}): n += tick(i{loops})"
        elif kind == "while":
            yield f"{indent}w{loops} = {number}"
            yield f"{indent}while w{loops} > 0:"
            yield f"{indent}    w{loops} -= 1"
            yield from below(inside[0], in_loop=True, loops=loops + 1)
        elif kind in ("if", "else"):
            yield f"{indent}if n % 3 == {number}:"
            yield from below(inside[0])
            if kind == "else":
                yield f"{indent}else:"
                yield from below(inside[1])
        elif kind == "try":
            yield f"{indent}try:"
            yield from below(inside[0])
            yield f"{indent}except LookupError:"
            yield from below(inside[1])
        elif kind == "finally":
            yield f"{indent}try:"
            yield from below(inside[0])
            yield f"{indent}finally:"
            yield from below(inside[1], in_loop=False)
        elif kind == "with":
            yield f"{indent}with suppress(LookupError):"
            yield from below(inside[0])


def traced(function):
    """The line events of the function's own frame, as sys.settrace reports them: {line: hits}."""
    counted = {}

    def on_line(frame, event, _):
        if event == "line":
            counted[frame.f_lineno] = counted.get(frame.f_lineno, 0) + 1
        return on_line

    before = sys.gettrace()
    sys.settrace(
        lambda frame, event, _: on_line if frame.f_code is function.__code__ else None
    )
    try:
        function()
    except LookupError:
        pass
    finally:
        sys.settrace(before)
    return counted


fast = settings(
    max_examples=examples(150), deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@fast
@given(blocks(3))
def test_random_programs_count_as_a_trace_function_does(statements):
    source = "\n".join(["def f():", "    n = 0", *source_of(statements), ""])
    now = [1_000]
    names = {"suppress": suppress, "tick": lambda ns: ns}
    exec(compile(source, "<random>", "exec"), names)
    expected = traced(names["f"])

    def tick(ns):
        now[0] += ns
        _core._fake_clock(now[0])
        return ns

    manager = line_manager()
    _core._fake_clock(now[0])
    try:
        names["tick"] = tick
        with suppress(LookupError):
            manager.profile("f")(names["f"])()
        [rows] = manager.get_region("f").get_stats().timings.values()
    finally:
        _core._fake_clock(None)
        manager.reset()
    assert {line: count for line, count, _ in rows} == expected, source
    assert sum(ns for _, _, ns in rows) == now[0] - 1_000, source
    assert all(ns >= 0 for _, _, ns in rows)


@fast
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("nncxt")), max_size=30))
def test_random_interleavings_of_generators(steps):
    """Each line is hit as often as the generators say themselves."""
    manager = line_manager()
    said = []

    def generate():
        with manager.region("outer"):
            said.append("a")
            with suppress(LookupError):
                with manager.region("inner"):
                    yield said.append("b")
                    yield said.append("c")
            said.append("d")
            yield
        said.append("e")

    generators = [generate() for _ in range(4)]
    for index, how in steps:
        with suppress(StopIteration, LookupError, RuntimeError):
            if how == "n":
                next(generators[index])
            elif how == "c":
                generators[index].close()
            elif how == "t":
                generators[index].throw(LookupError)
            elif how == "x":
                generators[index] = generate()
    del generators
    outer, inner = hits(manager, "outer"), hits(manager, "inner")
    manager.reset()
    assert outer.get('said.append("a")', 0) == said.count("a")
    assert outer.get('said.append("d")', 0) == said.count("d")
    for text, mark in (('yield said.append("b")', "b"), ('yield said.append("c")', "c")):
        assert outer.get(text, 0) == inner.get(text, 0) == said.count(mark)
    assert 'said.append("e")' not in {**outer, **inner}


# ---- What is handed out -----------------------------------------------------------------------


@ProfileManager.profile("decorated early")
def decorated_early():
    a = 1
    return a


def test_timings_and_unit(timed):
    @timed.profile("f")
    def f(n):
        for _ in range(n):
            timed.tick(2)

    f(3)
    stats = timed.get_region("f").get_stats()
    first = f.__code__.co_firstlineno
    name = "test_timings_and_unit.<locals>.f"
    assert stats.unit == 1e-9
    assert stats.timings == {(__file__, first, name): [(first + 2, 4, 0), (first + 3, 3, 6)]}
    assert all(type(value) is int for rows in stats.timings.values() for row in rows
               for value in row)
    assert stats.to_dict()["timings"] == stats.timings and stats.to_dict()["unit"] == 1e-9


def test_no_timings_without_line_mode(manager):
    @manager.profile("f")
    def f():
        return 1

    f()
    with manager.region("r"):
        f()
    assert manager.get_region("f").get_stats().timings is None
    assert manager.get_region("r").get_stats().timings is None


def test_a_region_without_lines_has_an_empty_table(lined):
    lined.profile("len")(len)("")
    assert lined.get_region("len").get_stats().timings == {}


def test_print_stats(timed):
    @timed.profile("f")
    def f(n):
        timed.tick(500)
        for _ in range(n):
            timed.tick(250)

    f(2)
    out = io.StringIO()
    timed.get_region("f").print_stats(out)
    text = out.getvalue()
    first = f.__code__.co_firstlineno
    assert f"Function: test_print_stats.<locals>.f at line {first}" in text
    assert "Timer unit: 1e-09 s" in text and "Total time: 1e-06 s" in text
    assert f"File: {__file__}" in text
    header, *rows = text[text.index("Line #"):].splitlines()
    assert header.split() == "Line # Hits Time Per Hit % Time Line Contents".split()
    cells = [row.split(None, 5) for row in rows if row.split()]
    assert [str(first + 2), "1", "500.0", "500.0", "50.0", "timed.tick(500)"] in cells
    assert [str(first + 3), "3", "0.0", "0.0", "0.0", "for _ in range(n):"] in cells
    assert [str(first + 4), "2", "500.0", "250.0", "50.0", "timed.tick(250)"] in cells


def test_finalize_prints_the_tables(lined, capsys):
    @lined.profile("f")
    def f():
        return 1

    f()
    lined.finalize()
    printed = capsys.readouterr().out
    assert "test_finalize_prints_the_tables.<locals>.f at line" in printed
    assert "return 1" in printed


@pytest.mark.parametrize("name", ["<string>", "no such file.py", ""])
def test_code_without_source_gets_a_table_and_a_note(lined, name, monkeypatch):
    monkeypatch.delitem(linecache.cache, name, raising=False)  # of `python -c`, since 3.13
    names = {}
    exec(compile("def f(n):\n for i in range(n):\n  i += 1\n", name, "exec"), names)
    lined.profile("f")(names["f"])(2)
    [rows] = lined.get_region("f").get_stats().timings.values()
    assert [row[:2] for row in rows] == [(2, 3), (3, 2)]
    out = io.StringIO()
    lined.get_region("f").print_stats(out)
    assert "source is not to be found" in out.getvalue()
    assert [line.split()[:2] for line in out.getvalue().splitlines()[-2:]] == [
        ["2", "3"], ["3", "2"]]


def test_source_that_has_changed_meanwhile(lined, tmp_path):
    """Fewer lines than were counted, or no Python any more: a table all the same."""
    script = tmp_path / "changing.py"
    script.write_text("def f():\n    a = 1\n    b = 2\n    return a + b\n")
    names = runpy.run_path(str(script))
    lined.profile("f")(names["f"])()
    for text in ("def f():\n    a = (\n", "\0", "", "'''"):
        script.write_text(text)
        linecache.clearcache()
        out = io.StringIO()
        lined.get_region("f").print_stats(out)
        assert [line.split()[:2] for line in out.getvalue().splitlines()[-3:]] == [
            ["2", "1"], ["3", "1"], ["4", "1"]]


def test_lines_of_earlier_runs_are_forgotten(lined):
    @lined.profile("f")
    def f():
        with lined.region("r"):
            return 1

    for rounds in (3, 1, 2):
        lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        assert hits(lined, "f") == hits(lined, "r") == {}
        for _ in range(rounds):
            f()
        assert hits(lined, "f") == {'with lined.region("r"):': 2 * rounds, "return 1": rounds}
        assert hits(lined, "r") == {'with lined.region("r"):': rounds, "return 1": rounds}


def test_decorated_before_setup_and_over_several_runs():
    for rounds in (1, 4, 2):
        ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        for _ in range(rounds):
            decorated_early()
        assert hits(ProfileManager, "decorated early") == {"a = 1": rounds, "return a": rounds}


def test_on_off_and_on_again():
    @ProfileManager.profile("f")
    def f():
        with ProfileManager.region("r"):
            return 1

    for line_mode in (True, False, True, True, False, False, True):
        ProfileManager.setup(use_line_profiler=line_mode, deactivate_file_output=True,
                             replace=True)
        f()
        counted = {'with ProfileManager.region("r"):': 1, "return 1": 1}
        if line_mode:
            assert hits(ProfileManager, "r") == counted
        else:
            assert ProfileManager.get_region("f").get_stats().timings is None
        ProfileManager.reset()
        f()
    ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True)
    ProfileManager.pause()
    f()
    assert hits(ProfileManager, "f") == {}
    ProfileManager.resume()
    f()
    assert hits(ProfileManager, "r") == counted


def test_lines_stay_after_a_session():
    with ProfileManager.session(use_line_profiler=True, deactivate_file_output=True,
                                verbose=False):
        decorated_early()
    decorated_early()
    assert hits(ProfileManager, "decorated early") == {"a = 1": 1, "return a": 1}


@pytest.mark.parametrize("what", ["reset", "setup", "off"])
def test_a_run_that_ends_while_lines_are_recorded(what):
    manager = line_manager()

    def end():
        if what == "reset":
            manager.reset()
        else:
            manager.setup(use_line_profiler=what == "setup", deactivate_file_output=True,
                          replace=True)

    @manager.profile("f")
    def f(interrupt):
        a = 1
        interrupt()
        with manager.region("r"):
            interrupt()  # in the block
            a = 2
        return a

    def nothing():
        pass

    def generate():
        with manager.region("g"):
            yield 1
            yield 2

    counted = {"a = 1": 1, "interrupt()": 1, 'with manager.region("r"):': 2,
               "interrupt()  # in the block": 1, "a = 2": 1, "return a": 1}
    for _ in range(2):
        generator = generate()
        next(generator)
        assert f(end) == 2
        list(generator)
        manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        assert f(nothing) == 2
        list(generate())
        assert hits(manager, "f") == counted
        assert hits(manager, "g") == {'with manager.region("g"):': 1, "yield 1": 1, "yield 2": 1}
    manager.reset()


# ---- Several managers, threads, carriers ------------------------------------------------------


def test_two_managers_at_once(lined):
    other = line_manager()

    @lined.profile("f")
    def f():
        a = 1
        with other.region("r"):
            a = 2
        return a

    f()
    assert hits(lined, "f") == {
        "a = 1": 1, 'with other.region("r"):': 2, "a = 2": 1, "return a": 1}
    assert hits(other, "r") == {'with other.region("r"):': 1, "a = 2": 1}
    assert other.get_region("f") is None
    other.reset()
    f()
    assert hits(lined, "f")["a = 1"] == 2


@pytest.mark.parametrize("end", ["reset", "setup", "death"])
def test_the_end_of_one_managers_run_takes_no_lines_from_another(lined, end):
    other = line_manager()

    def f(manager):
        with lined.region("mine"):
            with manager.region("its"):
                a = 1
            a = 2

    counted = {'with lined.region("mine"):': 1, 'with manager.region("its"):': 2, "a = 1": 1,
               "a = 2": 1}
    f(other)
    assert hits(lined, "mine") == counted
    other.reset()
    if end == "setup":
        other.setup(use_line_profiler=True, deactivate_file_output=True)
        other.reset()
    elif end == "death":
        del other
        gc.collect()
    assert hits(lined, "mine") == counted


def test_a_manager_in_line_mode_beside_one_that_is_not(lined):
    other = ProfileManager()
    other.setup(deactivate_file_output=True)

    @other.profile("other")
    @lined.profile("f")
    def f():
        with other.region("r"):
            return 1

    f()
    assert hits(lined, "f") == {'with other.region("r"):': 2, "return 1": 1}
    assert other.get_region("r").get_stats().timings is None
    assert other.get_region("other").num_calls == 1


@on_a_thread_of_its_own
def test_lines_of_a_function_decorated_twice_go_to_both(lined):
    other = line_manager()

    @lined.profile("outer")
    @lined.profile("inner")
    def f():
        a = 1
        return a

    @other.profile("theirs")
    @lined.profile("ours")
    def g():
        b = 1
        return b

    f()
    g()
    inner, outer = hits(lined, "inner"), hits(lined, "outer")
    ours, theirs = hits(lined, "ours"), hits(other, "theirs")
    other.reset()
    assert inner == outer == {"a = 1": 1, "return a": 1}
    assert ours == theirs == {"b = 1": 1, "return b": 1}


def test_two_regions_over_the_same_function(lined):
    def f(n):
        if n:
            lesser(n - 1)

    greater, lesser = lined.profile("greater")(f), lined.profile("lesser")(f)
    greater(3)
    assert hits(lined, "greater") == {"if n:": 1, "lesser(n - 1)": 1}
    assert hits(lined, "lesser") == {"if n:": 3, "lesser(n - 1)": 2}


def test_the_undecorated_function_is_not_counted(lined):
    """Calls are recorded, not code: a plain call inside a decorated one is not of its region."""

    def f(n):
        if n:
            f(n - 1)

    lined.profile("f")(f)(3)
    f(5)
    assert hits(lined, "f") == {"if n:": 1, "f(n - 1)": 1}


def test_threads_add_up(lined):
    @lined.profile("f")
    def f(n):
        with lined.region("r"):
            for i in range(n):
                i += 1

    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        for _ in range(25):
            f(10)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits(lined, "r") == {
        'with lined.region("r"):': 100, "for i in range(n):": 1100, "i += 1": 1000}
    assert hits(lined, "f") == {
        'with lined.region("r"):': 200, "for i in range(n):": 1100, "i += 1": 1000}


@pytest.mark.skipif(NO_GIL, reason="a run begins while no thread records, without the GIL")
def test_threads_that_record_while_runs_begin_and_end():
    manager = ProfileManager()
    stop = threading.Event()
    wrong = []

    @manager.profile("f")
    def f(x):
        with manager.region("r"):
            y = x
        return y

    def generate(n):
        with manager.region("g"):
            for i in range(n):
                yield i

    def work():
        while not stop.is_set():
            if f(7) != 7 or sum(generate(4)) != 6:
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for round in range(100):
            manager.setup(use_line_profiler=round % 3 != 2, deactivate_file_output=True,
                          replace=True)
            if round % 2:
                manager.reset()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong
    manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    f(1)
    assert hits(manager, "f") == {'with manager.region("r"):': 2, "y = x": 1, "return y": 1}
    manager.reset()


@pytest.mark.skipif(NO_GIL, reason="a run begins while no thread records, without the GIL")
def test_threads_that_meet_new_code_while_runs_begin_and_end():
    manager = ProfileManager()
    stop = threading.Event()
    wrong = []
    code = compile("def f(x):\n with manager.region('fresh'):\n  return x\n", "<fresh>", "exec")

    def meet():
        names = {"manager": manager}
        exec(code, names)
        f = names["f"]
        f.__code__ = f.__code__.replace()
        return f(7)

    def work():
        while not stop.is_set():
            try:
                if meet() != 7:
                    wrong.append("result")
            except Exception as error:
                wrong.append(error)

    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    for _ in range(500):
        meet()
    manager.reset()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            manager.setup(use_line_profiler=True, deactivate_file_output=True)
            manager.reset()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert not wrong


def test_code_that_a_signal_handler_brings_while_a_run_begins(monkeypatch):
    """Between any two steps of setup() and reset() other code may be met for the first time."""
    manager = line_manager()

    def meet():
        names = {"manager": manager}
        exec("def f():\n with manager.region('r'):\n  return 1\n", names)
        names["f"]()

    other = line_manager()
    for _ in range(5):
        meet()
    calls = []

    def interrupted(*args):
        calls.append(args)
        meet()
        return set_local_events(*args)

    if MONITORING:
        set_local_events = sys.monitoring.set_local_events
        monkeypatch.setattr(sys.monitoring, "set_local_events", lambda *args: (
            set_local_events(*args) if calls else interrupted(*args)))
    other.reset()
    manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    meet()
    assert [rows[0][1] for rows in manager.get_region("r").get_stats().timings.values()] == [1]
    manager.reset()


def test_lru_cache_above_and_below(lined):
    @functools.lru_cache
    @lined.profile("below")
    def below(x):
        return x

    @lined.profile("above")
    @functools.lru_cache
    def above(x):
        return x + 1

    for x in (1, 2, 1, 1):
        below(x), above(x)
    assert hits(lined, "below") == {"return x": 2}
    assert hits(lined, "above") == {"return x + 1": 2}


def test_an_argument_whose_hash_is_python_code(lined):
    """It runs before the function does, and is not the function."""

    class Key:
        def __hash__(self):
            value = 1
            return value

        def __eq__(self, other):
            return True

    @lined.profile("f")
    @functools.lru_cache
    def f(key):
        return key

    f(Key()), f(Key())
    f.cache_clear()
    f(Key())
    assert hits_by_function(lined, "f") == {"f": {"return key": 2}}


def test_no_lines_of_what_runs_before_the_function(lined):
    """The lines of __hash__ have numbers that the function has, too."""
    names = {}
    exec("class Key:\n"
         " def __eq__(self, other): return True\n"
         " def __hash__(self):\n  a = 1\n  b = 2\n  c = 3\n  return 4\n", names)
    exec("def f(key):\n a = 1\n b = 2\n c = 3\n d = 4\n e = 5\n return key\n", names)
    f = lined.profile("f")(functools.lru_cache(names["f"]))
    f(names["Key"]()), f(names["Key"]())
    [rows] = lined.get_region("f").get_stats().timings.values()
    assert [row[:2] for row in rows] == [(line, 1) for line in range(2, 8)]


def test_partial_and_methods(lined):
    class Holder:
        def method(self, x):
            return x

    def f(x, y):
        return x + y

    lined.profile("partial")(functools.partial(f, 1))(2)
    lined.profile("bound")(Holder().method)(1)
    assert hits(lined, "partial") == {"return x + y": 1}
    assert hits(lined, "bound") == {"return x": 1}


def test_a_function_whose_code_is_replaced(lined):
    @lined.profile("f")
    def f():
        return 1

    def other():
        return 2

    f()
    f.__wrapped__.__code__ = other.__code__
    if MONITORING:
        f.__code__ = other.__code__
    assert f() == 2
    assert hits_by_function(lined, "f") == {"f": {"return 1": 1}, "other": {"return 2": 1}}


def test_what_a_generator_function_hands_on(lined):
    @lined.profile("g")
    def generate():
        got = yield 1
        return got

    generator = generate()
    assert next(generator) == 1
    with pytest.raises(StopIteration) as stopped:
        generator.send("sent")
    assert stopped.value.value == "sent"
    assert hits(lined, "g") == {"got = yield 1": 1, "return got": 1}


# ---- Exceptions -------------------------------------------------------------------------------


def test_exceptions_pass_unchanged(lined):
    def fail(error):
        raise error

    def plain(error):
        try:
            fail(error)
        except KeyError as cause:
            raise LookupError("second") from cause

    def block(error):
        with lined.region("r"):
            plain(error)

    def in_no_block(error):
        with suppress():
            plain(error)

    def caught(function):
        error = KeyError("first")
        with pytest.raises(LookupError, match="second") as caught:
            function(error)
        assert caught.value.__cause__ is caught.value.__context__ is error
        return [
            [(entry.name, entry.lineno) for entry in traceback.extract_tb(raised.__traceback__)][1:]
            for raised in (caught.value, error)
        ]

    assert caught(lined.profile("f")(plain))[0][-1] == caught(plain)[0][-1]
    assert [name for name, _ in caught(lined.profile("f")(plain))[0]] == ["plain"]
    assert [[name for name, _ in entries] for entries in caught(block)] == [
        [name.replace("in_no_block", "block") for name, _ in entries]
        for entries in caught(in_no_block)
    ]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_base_exceptions_pass(lined, kind):
    @lined.profile("f")
    def f():
        with lined.region("r"):
            raise kind
        return 1

    with pytest.raises(kind):
        f()
    assert hits(lined, "r") == {'with lined.region("r"):': 1, "raise kind": 1}


def test_sys_exit_inside():
    output = run_python("""
        manager = line_manager()
        import atexit
        atexit.register(lambda: print(hits(manager, "f"), hits(manager, "r")))

        @manager.profile("f")
        def f():
            with manager.region("r"):
                sys.exit(0)

        f()
        """)
    assert output.strip() == "{'f': [2, 1]} {'r': [1, 1]}".replace("'r'", "'f'")


def test_a_signal_handler_that_is_profiled(lined):
    @lined.profile("handler")
    def handler(*_):
        with lined.region("in the handler"):
            a = 1
        return a

    @lined.profile("f")
    def f():
        b = 1
        signal.raise_signal(signal.SIGUSR1)
        return b

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        f()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert hits(lined, "f") == {
        "b = 1": 1, "signal.raise_signal(signal.SIGUSR1)": 1, "return b": 1}
    assert hits(lined, "handler") == {
        'with lined.region("in the handler"):': 2, "a = 1": 1, "return a": 1}


def test_a_signal_handler_that_raises(lined):
    def handler(*_):
        raise LookupError

    @lined.profile("f")
    def f():
        with lined.region("r"):
            signal.raise_signal(signal.SIGUSR1)
            a = 1

    before = signal.signal(signal.SIGUSR1, handler)
    try:
        for _ in range(3):
            with suppress(LookupError):
                f()
    finally:
        signal.signal(signal.SIGUSR1, before)
    counted = {'with lined.region("r"):': 3, "signal.raise_signal(signal.SIGUSR1)": 3}
    assert hits(lined, "r") == counted
    assert hits(lined, "f") == {**counted, 'with lined.region("r"):': 6}


@pytest.fixture
def ctrl_c():
    """The usual handler, also where the tests were started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, RecursionError])
@pytest.mark.parametrize("carrier", ["decorator", "block"])
def test_an_interruption_while_code_is_prepared(lined, error, carrier, ctrl_c):
    """Ctrl-C may come at any moment: it is passed on, and the lines are counted from then on."""
    interruptions = [error()]
    prepare = lined._arm

    def interrupted(code):
        if interruptions:
            raise interruptions.pop()
        return prepare(code)

    lined._arm = interrupted

    @lined.profile("r")
    def decorated():
        return 1

    def block():
        with lined.region("r"):
            return 1

    f = decorated if carrier == "decorator" else block
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            f()
    else:
        assert f() == 1
    before = hits(lined, "r").get("return 1", 0)
    f()
    f()
    assert hits(lined, "r").get("return 1", 0) == before + 2


def test_first_called_where_the_stack_is_nearly_full(lined):
    """There is room for the function and none for preparing it: it counts from the next call."""

    def descend(n, function):
        return descend(n - 1, function) if n else function()

    limit = sys.getrecursionlimit()
    for room in range(60):
        names = {}
        exec(compile("def f():\n return 1\n", "<fresh>", "exec"), names)
        f = lined.profile(f"f{room}")(names["f"])
        with suppress(RecursionError):
            descend(limit - room - 20, f)
        before = sum(only(hits_by_function(lined, f"f{room}")).values())
        f()
        f()
        assert sum(only(hits_by_function(lined, f"f{room}")).values()) == before + 2


# ---- Beside other tools -----------------------------------------------------------------------


def test_no_tracer_is_left(lined):
    @lined.profile("f")
    def f():
        with lined.region("r"):
            return 1

    def generate():
        with lined.region("g"):
            yield 1

    assert sys.gettrace() is None
    generator = generate()
    next(generator)
    assert sys.gettrace() is None
    f()
    list(generator)
    assert sys.gettrace() is None and sys.getprofile() is None


def leaf(n):
    m = n
    return m


def sampled(n):
    """Something of everything, for comparing what other tools see of it."""
    total = 0
    for i in range(n):
        total += leaf(i)
    try:
        leaf(1)
        raise LookupError
    except LookupError:
        total += 1
    return total


def sampled_generator(region):
    with region:
        yield leaf(1)
        leaf(2)
        yield 2
    leaf(3)


def sampled_block(region):
    a = leaf(0)
    with region:
        a = leaf(1)
        a = sum(i for i in range(2))
    list(zip(sampled_generator(region), sampled_generator(region)))
    return a


class Tracer:
    """Writes down the events of functions of this file; opcodes too, when asked."""

    def __init__(self, opcodes=False):
        self.events = []
        self.opcodes = opcodes

    def __call__(self, frame, event, argument):
        if frame.f_code.co_filename != __file__:
            self.events.append(("elsewhere", frame.f_code.co_filename, frame.f_code.co_name))
            return None
        frame.f_trace_opcodes = self.opcodes
        self.events.append((frame.f_code.co_name, event, frame.f_lineno, frame.f_lasti))
        return self


@pytest.mark.parametrize("opcodes", [False, pytest.param(True, marks=on_3_11)])
def test_a_tracer_sees_the_same_events(lined, opcodes):
    profiled = lined.profile("f")(sampled)
    region = lined.region("r")
    profiled(1), sampled_block(region)

    def seen(function, context):
        tracer = Tracer(opcodes)
        sys.settrace(tracer)
        function(3)
        sampled_block(context)
        leaf(5)
        still = sys.gettrace()
        sys.settrace(None)
        assert still is tracer
        return [event for event in tracer.events if event[0] != "elsewhere"]

    assert seen(profiled, region) == seen(sampled, threading.RLock())


def test_a_tracer_does_not_see_us_prepare_code(lined):
    """Stepping into a block must not lead into the profiler."""
    tracer = Tracer()

    def f():
        with lined.region("r"):
            return 1

    sys.settrace(tracer)
    f()
    lined.profile("f")(f)
    sys.settrace(None)
    strangers = {event[1:] for event in tracer.events if event[0] == "elsewhere"}
    assert not [name for file, name in strangers if file.endswith(("lines.py", "dis.py"))]


def test_a_tracer_is_shown_inside_and_back_afterwards(lined):
    seen = []

    @lined.profile("f")
    def f():
        seen.append(sys.gettrace())
        helper()

    def helper():
        seen.append(sys.gettrace())

    def g():
        with lined.region("r"):
            seen.append(sys.gettrace())

    tracer = Tracer()
    sys.settrace(tracer)
    f(), g()
    seen.append(sys.gettrace())
    sys.settrace(None)
    assert [tool is tracer for tool in seen] == [True] * 4
    assert sum(hits(lined, "f").values()) == 2 and sum(hits(lined, "r").values()) == 2


def test_a_tracer_taken_out_and_put_back_inside(lined):
    """The usual `old = gettrace(); settrace(None); ...; settrace(old)` of tools."""

    @lined.profile("f")
    def f():
        old = sys.gettrace()
        sys.settrace(None)
        a = 1
        sys.settrace(old)
        return a

    tracer = Tracer()
    sys.settrace(tracer)
    f()
    after = sys.gettrace()
    leaf(1)
    sys.settrace(None)
    assert after is tracer
    assert [event[0] for event in tracer.events].count("leaf") == 4
    if MONITORING:  # on 3.11 the trace function is the tool's from then on, and ours is out
        assert hits(lined, "f") == {
            "old = sys.gettrace()": 1, "sys.settrace(None)": 1, "a = 1": 1,
            "sys.settrace(old)": 1, "return a": 1,
        }


@pytest.mark.parametrize("directly", [True, False])
def test_a_tracer_installed_inside_stays(lined, directly):
    tracer = Tracer()

    def install():
        sys.settrace(tracer)

    @lined.profile("f")
    def f():
        sys.settrace(tracer) if directly else install()
        leaf(1)
        return 1

    def g():
        with lined.region("r"):
            sys.settrace(tracer) if directly else install()
            leaf(2)
        leaf(3)

    for function, leaves in ((f, 1), (g, 2)):
        del tracer.events[:]
        function()
        after = sys.gettrace()
        sys.settrace(None)
        assert after is tracer
        assert [event[:2] for event in tracer.events].count(("leaf", "call")) == leaves
    if directly and not MONITORING:
        return  # the trace function is the tool's from then on, and ours is out
    first = "sys.settrace(tracer) if directly else install()"
    assert hits(lined, "f") == {first: 1, "leaf(1)": 1, "return 1": 1}
    assert hits(lined, "r") == {'with lined.region("r"):': 1, first: 1, "leaf(2)": 1}


def test_a_tracer_taken_out_inside_stays_out(lined):
    @lined.profile("f")
    def f():
        sys.settrace(None)
        leaf(1)

    tracer = Tracer()
    sys.settrace(tracer)
    f()
    after = sys.gettrace()
    sys.settrace(None)
    assert after is None
    assert ("leaf", "call") not in [event[:2] for event in tracer.events]


def test_a_tracer_that_wants_no_lines_takes_none_from_us(lined):
    """coverage.py sets f_trace_lines to False in files that it does not measure."""

    def tracer(frame, event, argument):
        frame.f_trace_lines = False
        return tracer

    @lined.profile("f")
    def f():
        a = 1
        return a

    def g():
        with lined.region("r"):
            b = 1
        return b

    sys.settrace(tracer)
    f()
    sys.settrace(None)
    assert hits(lined, "f") == {"a = 1": 1, "return a": 1}


def test_a_tracer_that_raises(lined):
    """Python takes it out and passes the exception on; the next calls count as before."""

    def tracer(frame, event, argument):
        if frame.f_code.co_name in ("f", "g") and event == "line" and not failed:
            failed.append(event)
            raise LookupError("from the tracer")
        return tracer

    @lined.profile("f")
    def f():
        a = 1
        return a

    def g():
        with lined.region("r"):
            b = 1
        return b

    for function in (f, g):
        failed = []
        sys.settrace(tracer)
        with pytest.raises(LookupError, match="from the tracer"):
            function()
        assert sys.gettrace() is None
    before = hits(lined, "f").get("return a", 0), hits(lined, "r").get("b = 1", 0)
    assert f() == g() == 1
    after = hits(lined, "f")["return a"], hits(lined, "r")["b = 1"]
    assert [new - old for new, old in zip(after, before)] == [1, 1]


def test_the_debugger_steps_through(lined):
    """pdb stops in profiled lines as in others, and stepping stays in the user's code."""
    import pdb

    @lined.profile("f")
    def f():
        pdb.Pdb(stdin=commands, stdout=out, nosigint=True, readrc=False).set_trace()
        a = 1
        with lined.region("r"):
            a = leaf(2)
        return a

    commands = io.StringIO("next\nnext\nstep\nstep\np n\nreturn\ncontinue\n")
    out = io.StringIO()
    f()
    where = [line for line in out.getvalue().splitlines() if line.startswith("> ")]
    assert {line.split("(")[0] for line in where} == {f"> {__file__}"}, out.getvalue()
    assert hits(lined, "r") == {'with lined.region("r"):': 1, "a = leaf(2)": 1}


def test_cprofile_around_and_inside(lined):
    @lined.profile("f")
    def f():
        for i in range(10):
            leaf(i)

    def g():
        with lined.region("r"):
            for i in range(10):
                leaf(i)

    @lined.profile("inside")
    def inside():
        profiler = cProfile.Profile()
        profiler.enable()
        leaf(1)
        profiler.disable()
        return calls_seen(profiler)

    def calls_seen(profiler):
        return {key[2]: row[0] for key, row in pstats.Stats(profiler).stats.items()
                if key[0] == __file__}

    f(), g()
    profiler = cProfile.Profile()
    profiler.enable()
    f(), g()
    profiler.disable()
    assert calls_seen(profiler) == {"f": 1, "g": 1, "leaf": 20}
    assert inside() == {"leaf": 1}
    loop = {"for i in range(10):": 22, "leaf(i)": 20}
    assert hits(lined, "f") == loop
    assert hits(lined, "r") == {'with lined.region("r"):': 2, **loop}
    assert sum(hits(lined, "inside").values()) == 5


def test_setprofile_sees_the_same_events(lined):
    profiled = lined.profile("f")(sampled)
    region = lined.region("r")
    profiled(1), sampled_block(region)

    def seen(function, context):
        events = []

        def profiler(frame, event, argument):
            if event in ("call", "return") and frame.f_code.co_filename == __file__:
                events.append((frame.f_code.co_name, event, frame.f_lineno))

        sys.setprofile(profiler)
        function(3)
        sampled_block(context)
        sys.setprofile(None)
        return events

    assert seen(profiled, region) == seen(sampled, threading.RLock())


@from_3_12
@pytest.mark.parametrize("local", [True, False])
def test_tools_of_others_see_the_same_events(local):
    monitoring = sys.monitoring
    tool = 2
    events = monitoring.events.LINE | monitoring.events.PY_START | monitoring.events.PY_YIELD
    code = sampled.__code__, sampled_generator.__code__, sampled_block.__code__
    seen = []

    def write_down(event):
        return lambda code, at, *_: (
            seen.append((event, code.co_name, at)) if code.co_filename == __file__ else None)

    monitoring.use_tool_id(tool, "theirs")
    try:
        for bit in (monitoring.events.LINE, monitoring.events.PY_START,
                    monitoring.events.PY_YIELD):
            monitoring.register_callback(tool, bit, write_down(bit))
        if local:
            for each in code:
                monitoring.set_local_events(tool, each, events)
        else:
            monitoring.set_events(tool, events)
        sampled(3), sampled_block(threading.RLock())
        without = seen[:]
        manager = line_manager()
        profiled = manager.profile("f")(sampled)
        region = manager.region("r")
        del seen[:]
        profiled(3), sampled_block(region)
        beside = seen[:]
        first = hits(manager, "f"), hits_by_function(manager, "r")
        manager.reset()
        del seen[:]
        sampled(3), sampled_block(threading.RLock())
        after = seen[:]
        assert monitoring.get_tool(tool) == "theirs"
        assert monitoring.get_events(tool) == (0 if local else events)
        assert [monitoring.get_local_events(tool, each) for each in code] == (
            [events] * 3 if local else [0] * 3)
    finally:
        monitoring.set_events(tool, 0)
        for each in code:
            monitoring.set_local_events(tool, each, 0)
        monitoring.free_tool_id(tool)
    watched = {"sampled", "sampled_block", "sampled_generator", "leaf"}
    without, beside, after = (
        [event for event in events if event[1] in watched] for events in (without, beside, after)
    )
    assert without == beside == after
    assert sum(first[0].values()) > 10 and set(first[1]) == {"sampled_block", "sampled_generator"}


@from_3_12
def test_a_tool_that_switches_lines_off_for_itself_takes_none_from_us(lined):
    monitoring = sys.monitoring
    tool = 1
    line = monitoring.events.LINE

    @lined.profile("f")
    def f(n):
        for i in range(n):
            i += 1

    monitoring.use_tool_id(tool, "theirs")
    try:
        monitoring.register_callback(tool, line, lambda code, line: monitoring.DISABLE)
        monitoring.set_events(tool, line)
        f(5)
        monitoring.restart_events()
        f(5)
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    f(5)
    assert hits(lined, "f") == {"for i in range(n):": 18, "i += 1": 15}


@from_3_12
def test_another_tool_may_come_and_go_while_lines_are_recorded(lined):
    monitoring = sys.monitoring
    tool = 0

    @lined.profile("f")
    def f():
        a = 1
        monitoring.use_tool_id(tool, "theirs")
        monitoring.set_events(tool, monitoring.events.LINE)
        a = 2
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
        a = 3
        return a

    f()
    f()
    assert set(hits(lined, "f").values()) == {2} and len(hits(lined, "f")) == 8


@pytest.mark.usefixtures("line_mode_is_over")
@from_3_12
def test_every_tool_id_taken_is_a_clear_error():
    monitoring = sys.monitoring
    free = [tool for tool in range(6) if monitoring.get_tool(tool) is None]
    for tool in free:
        monitoring.use_tool_id(tool, f"tool {tool}")
    manager = ProfileManager()
    try:
        with pytest.raises(RuntimeError, match="tool id") as caught:
            manager.setup(use_line_profiler=True, deactivate_file_output=True)
        assert "'tool 4'" in str(caught.value)
        assert not manager.is_active() and not manager.is_configured()
        manager.setup(deactivate_file_output=True)
        with manager.region("r"):
            pass
        assert manager.get_region("r").num_calls == 1
        manager.reset()
    finally:
        for tool in free:
            monitoring.free_tool_id(tool)
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    with manager.region("r"):
        a = 1
    assert hits(manager, "r") == {'with manager.region("r"):': 1, "a = 1": 1}
    manager.reset()


@pytest.mark.usefixtures("line_mode_is_over")
@from_3_12
def test_the_tool_id_is_given_back():
    before = tool_names()
    first, second = line_manager(), line_manager()
    assert tool_names() != before
    first.reset()
    assert tool_names() != before
    second.reset()
    assert tool_names() == before
    with ProfileManager.session(use_line_profiler=True, deactivate_file_output=True,
                                verbose=False):
        assert tool_names() != before
    assert tool_names() == before


@from_3_12
def test_the_tool_id_is_given_back_by_a_manager_that_dies():
    before = tool_names()
    manager = line_manager()
    with manager.region("r"):
        pass
    watcher = weakref.ref(manager)
    del manager
    gc.collect()
    assert watcher() is None
    left = tool_names()
    for tool, name in enumerate(left):  # so that the other tests start anew
        if name != before[tool]:
            scope_profiler._instrument.lines._users.clear()
            scope_profiler._instrument.lines._tool = None
            sys.monitoring.free_tool_id(tool)
    assert left == before


@pytest.mark.usefixtures("line_mode_is_over")
@from_3_12
def test_code_runs_without_events_when_line_mode_is_over():
    manager = line_manager()

    @manager.profile("f")
    def f():
        with manager.region("r"):
            return 1

    f()
    tool = tool_names().index("scope_profiler")
    assert sys.monitoring.get_local_events(tool, f.__code__) != 0
    manager.reset()
    sys.monitoring.use_tool_id(tool, "looking")
    assert sys.monitoring.get_local_events(tool, f.__code__) == 0
    sys.monitoring.free_tool_id(tool)


# ---- Depth and size ---------------------------------------------------------------------------


def test_deep_recursion():
    """As deep as it goes with line_profiler, or without any profiler; from 3.14 on decorated calls end
    where Python has the C stack end."""
    depth = 5_000 if sys.version_info < (3, 14) else 3_000
    output = run_python("""
        manager = line_manager()

        @manager.profile("f")
        def f(n):
            if n == 0:
                return 0
            return f(n - 1)

        sys.setrecursionlimit(20_000)
        f(int(sys.argv[1]))
        print(hits(manager, "f"))
        """, str(depth))
    assert output.strip() == f"{{'f': [{depth + 1}, 1, {depth}]}}"


def test_recursion_deeper_than_half_the_usual_limit():
    output = run_python("""
        manager = line_manager()

        @manager.profile("f")
        def f(n):
            if n == 0:
                return 0
            return f(n - 1)

        f(900)
        print(hits(manager, "f"))
        """)
    assert output.strip() == "{'f': [901, 1, 900]}"


def test_recursion_of_a_block_5_000_deep():
    output = run_python("""
        manager = line_manager()

        def f(n):
            with manager.region("r"):
                if n:
                    f(n - 1)

        sys.setrecursionlimit(20_000)
        f(5_000)
        print(hits(manager, "r"))
        """)
    assert output.strip() == "{'f': [5001, 5001, 5000]}"


def test_deep_recursion_of_functions_that_are_not_profiled():
    """Python needs no C stack for it, and must not because of us."""
    output = run_python("""
        manager = line_manager()

        def f(n):
            return n and f(n - 1)

        sys.setrecursionlimit(60_000)
        with manager.region("r"):
            print(f(50_000))
        """)
    assert output.strip() == "0"


def test_a_thread_while_another_is_deep(lined):
    """On 3.11 the hook around evaluation is out then, for all threads."""
    region = lined.region("block")
    ready, done = threading.Event(), threading.Event()
    limit = sys.getrecursionlimit()

    def descend(n):
        if n:
            return descend(n - 1)
        ready.set()
        done.wait(10)

    def plain(n):
        return n

    @lined.profile("f")
    def f(n):
        a = plain(n)
        with region:
            b = plain(a)
        return b

    sys.setrecursionlimit(12_000)
    thread = threading.Thread(target=descend, args=(5_000,))
    try:
        thread.start()
        ready.wait(10)
        for n in range(10):
            f(n)
    finally:
        done.set()
        thread.join()
        sys.setrecursionlimit(limit)
    f(10)
    assert hits(lined, "f") == {
        "a = plain(n)": 11, "with region:": 22, "b = plain(a)": 11, "return b": 11}
    assert hits(lined, "block") == {"with region:": 11, "b = plain(a)": 11}
    assert sys.gettrace() is None


@pytest.mark.parametrize("line_mode", [True, False])
def test_recursion_deeper_than_the_stack_is_an_error_and_no_crash(line_mode):
    output = run_python(f"""
        manager = ProfileManager()
        manager.setup(use_line_profiler={line_mode}, deactivate_file_output=True)

        @manager.profile("f")
        def f(n):
            if n:
                f(n - 1)

        sys.setrecursionlimit(1_000_000)
        try:
            f(200_000)
        except RecursionError:
            pass
        f(10)
        print("alive")
        """)
    assert output.strip() == "alive"


DEEP = """
    import threading

    manager = line_manager()
    sys.setrecursionlimit(20_000)

    def generate():
        with manager.region("g"):
            yield 1
            yield 2

    @manager.profile("d")
    def decorated():
        with manager.region("r"):
            yield 1
            yield 2

    def interleave():
        for make in (generate, decorated):
            first, second = make(), make()
            for _ in zip(first, second):
                pass
            list(second)

    def counts():
        counted = [hits(manager, name) for name in ("g", "r", "d")]
        manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        return counted

    def descend(n, function):
        return descend(n - 1, function) if n else function()

    interleave()
    expected = counts()
"""


def test_endless_recursion_is_an_error_as_ever(lined):
    @lined.profile("f")
    def f(n):
        with lined.region("r"):
            return f(n + 1)

    with pytest.raises(RecursionError):
        f(0)
    found = hits(lined, "f")
    assert found["return f(n + 1)"] > 100
    assert hits(lined, "r")['with lined.region("r"):'] == hits(lined, "r")["return f(n + 1)"]


def test_10_000_code_objects(lined):
    names = {}
    exec(compile("def f():\n a = 1\n return a\n", "<many>", "exec"), names)
    original = names["f"]
    decorate = lined.profile("many")
    for i in range(10_000):
        code = original.__code__.replace(co_name=f"f{i}", co_qualname=f"f{i}")
        decorate(type(original)(code, names))()
    found = lined.get_region("many").get_stats().timings
    assert len(found) == 10_000
    assert {tuple(row[:2] for row in rows) for rows in found.values()} == {((2, 1), (3, 1))}
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    assert lined.get_region("many").get_stats().timings == {}


def test_a_function_of_many_lines(lined):
    body = "".join(f" a = {i}\n" for i in range(2_000))
    names = {}
    exec(compile("\n" * 70_000 + "def f():\n" + body, "<long>", "exec"), names)
    f = lined.profile("f")(names["f"])
    f(), f()
    [(key, rows)] = lined.get_region("f").get_stats().timings.items()
    assert key[1] == 70_001
    assert [row[:2] for row in rows] == [(70_002 + i, 2) for i in range(2_000)]


@pytest.mark.parametrize("line, counted", [(1_000_000, True), (2_147_483_000, False)])
def test_line_numbers_far_apart(lined, line, counted):
    """Code from templates may carry any numbers: those that would cost much memory are left out,
    and nothing else is."""
    import ast

    tree = ast.parse("def f():\n a = 1\n return a\n")
    for node in ast.walk(tree.body[0].body[1]):
        if hasattr(node, "lineno"):
            node.lineno = node.end_lineno = line
    names = {}
    exec(compile(tree, "<far>", "exec"), names)

    @lined.profile("around")
    def around():
        b = lined.profile("f")(names["f"])()
        return b

    around()
    found = lined.get_region("f").get_stats().timings.values()
    expected = [[(2, 1), (line, 1)]] if counted else []
    assert [[row[:2] for row in rows] for rows in found] == expected
    assert sum(hits(lined, "around").values()) == 2


# ---- Memory -----------------------------------------------------------------------------------


def test_managers_that_die_with_blocks_open():
    """Their regions are freed; nothing may point there afterwards."""
    output = run_python("""
        def forget(manager, name):
            manager.region(name).__enter__()
            return 1

        def block(manager):
            with manager.region("r"):
                a = 1
            return a

        kept = line_manager()
        for i in range(50):
            manager = line_manager()
            for j in range(5):
                forget(manager, f"r{j}")
            manager.reset()
            del manager
            gc.collect()
            filling = [bytearray(64 + 16 * k) for k in range(200)]
            block(kept)
        print(hits(kept, "r"))
        """)
    assert output.strip() == "{'block': [50, 50]}"


def test_a_generator_that_outlives_its_manager():
    output = run_python("""
        def generate(manager):
            with manager.region("r"):
                yield 1
                yield 2

        def decorated(manager):
            @manager.profile("g")
            def generate():
                yield 1
                yield 2
            return generate()

        kept = line_manager()
        alive = []
        for i in range(30):
            for make in (generate, decorated):
                manager = line_manager()
                generator = make(manager)
                next(generator)
                alive.append(generator)
                manager.reset()
                del manager
            gc.collect()
        for generator in alive:
            list(generator)
        del alive, generator
        gc.collect()
        with kept.region("r"):
            a = 1
        print(hits(kept, "r"))
        """)
    assert output.strip() == "{'<module>': [1, 1]}"


def test_a_decorated_generator_whose_block_loses_its_region():
    output = run_python("""
        kept = line_manager()

        def half(manager):
            region = manager.region("r")

            class Half:
                __enter__ = region.__enter__

                def __exit__(self, *exception):
                    pass

            return Half

        @kept.profile("g")
        def generate(half):
            with half():
                del half.__enter__
                yield 1
                yield 2

        for _ in range(30):
            manager = line_manager()
            kind = half(manager)
            generator = generate(kind)
            next(generator)
            manager.reset()
            del manager, kind
            gc.collect()
            filling = [bytearray(40 + 16 * k) for k in range(300)]
            list(generator)
        print(hits(kept, "g"))
        """)
    assert output.strip() == "{'generate': [60, 30, 30, 30]}"


def test_the_runs_of_one_manager_do_not_pile_up_in_another(lined):
    other = line_manager()

    def f():
        with lined.region("mine"):
            with other.region("its"):
                a = 1
        return a

    for _ in range(50):
        f()
        other.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    tables_kept = len(lined._lines(None))
    other.reset()
    assert hits(lined, "mine")["a = 1"] == 50
    assert tables_kept < 10


def test_collecting_garbage_at_every_allocation(lined):
    """A collection may run our own callbacks in the middle of anything."""
    ran = []

    @lined.profile("callback")
    def callback(phase, info):
        with lined.region("in the callback"):
            ran.append(phase)

    @lined.profile("f")
    def f():
        a = []
        for i in range(50):
            a.append([i])
            with lined.region("r"):
                b = {}
        return a, b

    threshold = gc.get_threshold()
    gc.callbacks.append(callback)
    gc.set_threshold(1)
    try:
        f()
        for i in range(5):
            names = {"lined": lined}
            exec("def g():\n with lined.region('g'):\n  a = [[]]\n", names)
            lined.profile("g")(names["g"])()
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(callback)
    assert hits(lined, "f") == {
        "a = []": 1, "for i in range(50):": 51, "a.append([i])": 50, 'with lined.region("r"):': 100,
        "b = {}": 50, "return a, b": 1,
    }
    if not ran:
        pytest.skip("this Python collects no garbage in so short a time")
    assert hits(lined, "in the callback") == {
        'with lined.region("in the callback"):': len(ran), "ran.append(phase)": len(ran)}
    assert hits(lined, "callback") == {
        'with lined.region("in the callback"):': 2 * len(ran), "ran.append(phase)": len(ran)}


def test_results_taken_while_lines_are_recorded(lined):
    seen = []

    @lined.profile("f")
    def f():
        with lined.region("r"):
            a = 1
            seen.append(hits(lined, "r"))
        return a

    f()
    f()
    assert seen == [{"a = 1": 1, 'seen.append(hits(lined, "r"))': 1}] + [
        {"a = 1": 2, 'seen.append(hits(lined, "r"))': 2, 'with lined.region("r"):': 1}]


def test_frames_that_a_traceback_keeps(lined):
    kept = []

    def fail():
        with lined.region("r"):
            a = 1
            raise LookupError(a)

    for _ in range(10):
        try:
            fail()
        except LookupError as error:
            kept.append(error)
    assert hits(lined, "r") == {
        'with lined.region("r"):': 10, "a = 1": 10, "raise LookupError(a)": 10}
    for error in kept:
        error.__traceback__.tb_next.tb_frame.clear()


def test_what_was_lost_in_one_run_is_no_matter_of_the_next(lined):
    def out_of_memory(code):
        raise MemoryError

    prepare, lined._arm = lined._arm, out_of_memory

    @lined.profile("f")
    def f():
        return 1

    before = lined._counters()["lines_lost"]
    f()
    assert lined._counters()["lines_lost"] == before + 1
    lined._arm = prepare
    other = line_manager()
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    f()
    lost = lined._counters()["lines_lost"], other._counters()["lines_lost"]
    other.reset()
    assert lost == (0, 0)
    assert hits(lined, "f") == {"return 1": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_counts_from_nothing(lined):
    """As its run starts anew; what is open at the fork is left in peace, and the parent's lines
    are its own."""

    @lined.profile("f")
    def f():
        with lined.region("r"):
            return 1

    @lined.profile("around")
    def around():
        child = 0
        with lined.region("open in both"):
            child = os.fork()
            if child == 0:
                f()
        return child

    f()
    child = around()
    if child == 0:
        code = 1
        try:
            code = 0 if hits(lined, "f").get("return 1") == 1 else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert hits(lined, "f")["return 1"] == 1
    assert hits(lined, "open in both") == {
        'with lined.region("open in both"):': 1, "child = os.fork()": 1, "if child == 0:": 1}


# ---- Other users of what CPython keeps on code objects --------------------------------------------


def test_another_user_of_code_extras_that_is_gone_by_then():
    """CPython calls its destructor with every code object on which anybody has put something."""
    done = run_python("""
        import ctypes
        prefix = "PyUnstable_" if sys.version_info >= (3, 12) else "_Py"
        request = getattr(ctypes.pythonapi, prefix + "Eval_RequestCodeExtraIndex")
        request.restype = ctypes.c_ssize_t
        request.argtypes = [ctypes.c_void_p]
        assert request(1) >= 0  # where nothing can be called: a library that was unloaded
        from scope_profiler import ProfileManager
        ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True)

        def make():
            space = {}
            exec("def f():\\n    return 1", space)
            return ProfileManager.profile("f")(space["f"])

        for _ in range(10):
            assert make()() == 1
        with ProfileManager.region("block"):
            make()()
        ProfileManager.finalize(verbose=False)
        kept = make()
        kept()
        print(ProfileManager.get_region("f").num_calls)
    """)
    assert done == "12\n"
