"""src/lines/line_switch.c: profiling by code, as LineProfiler has it, switched on by thread."""

import asyncio
import concurrent.futures
import contextlib
import cProfile
import functools
import gc
import io
import json
import os
import sys
import threading
import time
import weakref

import pytest

import line_profiler_reference as reference
from scope_profiler.line_profiler import LineProfiler, LineStats
from test_lines import (  # noqa: F401 (fixtures)
    DIFFERENCES, VERSION, counted, from_3_12, lined, live, written_down,
)
from test_lines_watch import NO_DIFFERENCE


def hits(profiler, function=None):
    """{line, from the function's first: hits}, of the function or the only one."""
    timings = profiler.get_stats().timings
    name = None if function is None else getattr(function, "__qualname__", function)
    (key, rows), = [item for item in timings.items() if name in (None, item[0][2])]
    return {line - key[1]: count for line, count, _ in rows}


# Each test that counts has functions of its own: events stay on in code for a while.


@pytest.fixture(autouse=True)
def no_profiler_is_left():
    """Some of them are in cycles, and hold a tool id as long as they live."""
    yield
    gc.collect()


def make_double():
    def double(n):
        m = n
        return m + n

    return double


def test_what_measuring_added_is_known_of_each_line_and_the_table_has_the_times_as_they_were():
    profiler = LineProfiler()
    double = profiler(make_double())
    for n in range(100):
        double(n)
    stats = profiler.get_stats()
    (key, rows), = stats.timings.items()
    assert [(row.line, row.hits, row.time_ns) for row in stats.lines[key]] == rows
    assert all(row.overhead_ns > 0 for row in stats.lines[key])
    function, = json.loads(stats.to_json())["functions"]
    assert [line["net_ns"] for line in function["lines"]] == [row.net_ns for row in stats.lines[key]]
    assert "net_ns" in stats.to_csv().splitlines()[0]
    texts = io.StringIO(), io.StringIO()
    stats.print(texts[0])
    LineStats(stats.timings, stats.unit).print(texts[1])
    assert texts[0].getvalue() == texts[1].getvalue()


@from_3_12
def test_code_has_no_event_of_its_begin_where_its_lines_have():
    profiler = LineProfiler()
    function = make_double()
    double = profiler(function)
    tool = next(number for number in (3, 4, 5) if sys.monitoring.get_tool(number) == "scope_profiler")
    for n in range(3):
        assert double(n) == 2 * n
    events = sys.monitoring.get_local_events(tool, function.__code__)
    assert events & sys.monitoring.events.LINE and not events & sys.monitoring.events.PY_START
    assert hits(profiler) == {1: 3, 2: 3}


# ---- As line_profiler counts ------------------------------------------------------------------


@pytest.mark.parametrize("how", ["registered", "decorated"])
@pytest.mark.parametrize("case", reference.case_names())
def test_hits_equal_those_of_line_profiler(counted, written_down, case, how):
    profiler = LineProfiler()

    def register(function):
        profiler.add_function(function)
        return function

    run = reference.load(profiler if how == "decorated" else register)[case]
    with contextlib.nullcontext() if how == "decorated" else profiler:
        run()
    timings = {key: rows for key, rows in profiler.get_stats().timings.items()
               if key[0] == str(reference.CASES_FILE)}
    expected = counted[case]
    alike = how == "registered" and case in NO_DIFFERENCE
    if not alike and case in DIFFERENCES and VERSION in DIFFERENCES[case][0]:
        expected = written_down["3.11"][case]
    assert reference.by_function(timings) == expected


def test_every_case_runs_as_without_a_profiler():
    for name, plain in reference.load(lambda function: function).items():
        decorated = reference.load(LineProfiler())[name]
        results = []
        for case in (plain, decorated):
            try:
                results.append(repr(case()))
            except Exception as error:
                results.append(repr(error))
        first, second = (result.partition(" at 0x")[0] for result in results)
        assert first == second, name


# ---- Who calls --------------------------------------------------------------------------------


def test_whoever_calls_it_and_by_whatever_reference():
    double = make_double()
    before = {"table": double, "partial": functools.partial(double, 1), "method": double.__call__}

    def other():
        return double(1)

    profiler = LineProfiler(double)
    with profiler:
        before["table"](1), before["partial"](), before["method"](1), other(), [*map(double, [1])]
    assert hits(profiler) == {1: 5, 2: 5}


def test_nothing_counts_while_it_is_off():
    double = make_double()
    profiler = LineProfiler(double)
    double(1)
    with profiler:
        pass
    double(1)
    assert hits(profiler) == {}


def test_a_decorated_call_has_on_what_it_calls():
    double, triple = make_double(), make_double()
    profiler = LineProfiler(double)

    @profiler
    def outer():
        return double(1)

    double(1)
    outer()
    assert hits(profiler, double) == {1: 1, 2: 1}
    assert triple(1) == 2


def test_a_decorated_coroutine_has_on_the_tasks_that_run_meanwhile():
    async def worker(n):
        for _ in range(n):
            await asyncio.sleep(0)
        return n

    profiler = LineProfiler(worker)

    @profiler
    async def main():
        return await asyncio.gather(worker(2), worker(3))

    assert asyncio.run(main()) == [2, 3]
    assert hits(profiler, worker) == {1: 7, 2: 5, 3: 2}
    assert profiler.enable_count == 0


def test_profilers_count_for_themselves():
    double = make_double()
    first, second = LineProfiler(double), LineProfiler(double)
    with first:
        double(1)
        with second:
            double(1)
    assert hits(first) == {1: 2, 2: 2}
    assert hits(second) == {1: 1, 2: 1}


# ---- Frames that run already ------------------------------------------------------------------


def test_a_frame_that_runs_counts_from_its_next_line_on():
    profiler = LineProfiler()

    def main():
        a = 1
        profiler.enable()
        b = a
        c = b
        profiler.disable()
        return c

    profiler.add_function(main)
    main()
    assert hits(profiler) == {3: 1, 4: 1}


def test_a_frame_below_counts_when_it_goes_on():
    profiler = LineProfiler()

    def switch():
        profiler.enable()

    def between():
        switch()
        a = 1
        return a

    def main():
        a = between()
        b = make_double()(a)
        for i in range(2):
            b += i
        profiler.disable()

    profiler.add_function(main)
    main()
    assert hits(profiler) == {2: 1, 3: 3, 4: 2}


def test_frames_of_one_function_that_run_at_the_same_time():
    profiler = LineProfiler()

    def main(n):
        if n:
            main(n - 1)
            profiler.enable()
        return n

    profiler.add_function(main)
    main(3)
    profiler.disable()
    assert hits(profiler) == {3: 2, 4: 3}


def test_the_block_itself_does_not_count():
    profiler = LineProfiler()

    def main():
        with profiler:
            a = 1
            b = a
        return b

    profiler.add_function(main)
    main()
    assert hits(profiler) == {2: 1, 3: 1}


def test_rounds_inside_a_registered_function_keep_no_frames():
    profiler = LineProfiler()

    def main(n):
        for _ in range(n):
            with profiler:
                a = 1
        return a

    profiler.add_function(main)
    main(3000)
    assert hits(profiler) == {3: 3000}


def test_exceptions_leave_running_frames():
    profiler = LineProfiler()

    def fails():
        profiler.enable()
        a = 1
        raise ValueError(a)

    def main():
        try:
            fails()
        except ValueError:
            b = 1
        profiler.disable()
        return b

    profiler.add_function(fails)
    profiler.add_function(main)
    main()
    assert hits(profiler, fails) == {2: 1, 3: 1}
    assert hits(profiler, main) == {3: 1, 4: 1}


def test_a_generator_that_runs_already():
    def numbers():
        for i in range(4):
            yield i

    profiler = LineProfiler(numbers)
    made = numbers()
    assert next(made) == 0
    with profiler:
        assert next(made) == 1
    assert [*made] == [2, 3]
    assert hits(profiler) == {1: 1, 2: 1}


# ---- On and off -------------------------------------------------------------------------------


def test_the_count_is_of_the_thread():
    profiler = LineProfiler()
    profiler.enable_by_count()
    counts = []
    thread = threading.Thread(target=lambda: counts.append(profiler.enable_count))
    thread.start()
    thread.join()
    assert (profiler.enable_count, counts) == (1, [0])
    profiler.disable_by_count()
    profiler.disable_by_count()
    assert profiler.enable_count == 0


def test_other_threads_are_not_on():
    double = make_double()
    profiler = LineProfiler(double)
    with profiler, concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(double, 1).result()
        double(1)
    assert hits(profiler) == {1: 1, 2: 1}


def test_enable_lasts_until_disable():
    double = make_double()
    profiler = LineProfiler()
    decorated = profiler(double)
    profiler.enable()
    decorated(1)
    double(1)
    profiler.disable()
    double(1)
    assert hits(profiler) == {1: 2, 2: 2}


def test_disable_stops_what_calls_have_on():
    profiler = LineProfiler()

    @profiler
    def outer():
        a = 1
        profiler.disable()
        b = a
        profiler.enable()
        c = b
        return c

    outer()
    profiler.disable()
    assert hits(profiler) == {2: 1, 6: 1, 7: 1}
    outer()
    assert hits(profiler) == {2: 2, 6: 2, 7: 2}
    profiler.disable()


def test_a_thread_that_ends_while_it_is_on_leaves_nothing_on():
    double = make_double()
    profiler = LineProfiler(double)
    for _ in range(3):
        thread = threading.Thread(target=profiler.enable)
        thread.start()
        thread.join()
    counts = []
    thread = threading.Thread(target=lambda: (double(1), counts.append(profiler.enable_count)))
    thread.start()
    thread.join()
    assert (hits(profiler), counts) == ({}, [0])


def test_a_profiler_that_dies_while_it_is_on():
    profiler = LineProfiler()
    double = make_double()
    profiler.add_function(double)
    profiler.enable()
    double(1)
    alive = weakref.ref(profiler)
    manager = weakref.ref(profiler._manager)
    del profiler
    gc.collect()
    assert (alive(), manager()) == (None, None)
    assert double(1) == 2


def test_reset_begins_anew():
    double = make_double()
    profiler = LineProfiler(double)
    with profiler:
        double(1)
        profiler.reset_stats()
        assert hits(profiler) == {}
        double(1)
    double(1)
    assert hits(profiler) == {1: 1, 2: 1}


def test_threads_count_together():
    def work(n):
        total = 0
        for i in range(n):
            total += i
        return total

    profiler = LineProfiler()
    decorated = profiler(work)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(decorated, [50] * 200)) == 200 * 1225
    assert hits(profiler) == {1: 200, 2: 200 * 51, 3: 200 * 50, 4: 200}


# ---- What nobody has enabled costs nothing ------------------------------------------------------


@from_3_12
def test_code_has_no_events_before_it_is_enabled_and_a_while_after():
    double = make_double()
    profiler = LineProfiler(double)
    tool = next(number for number in (3, 4, 5) if sys.monitoring.get_tool(number) == "scope_profiler")

    def events():
        return sys.monitoring.get_local_events(tool, double.__code__)

    assert events() == 0
    with profiler:
        double(1)
    assert events() != 0
    for _ in range(1000):
        double(1)
    assert events() == 0
    with profiler:
        double(1)
    assert events() != 0
    assert hits(profiler) == {1: 2, 2: 2}


@pytest.mark.usefixtures("line_mode_is_over")
@from_3_12
def test_events_of_exceptions_end_a_while_after():
    def fails():
        raise ValueError

    gc.unfreeze()  # managers of other tests, whose regions may watch code
    gc.collect()
    profiler = LineProfiler(fails)
    tool = next(number for number in (3, 4, 5) if sys.monitoring.get_tool(number) == "scope_profiler")
    with profiler, contextlib.suppress(ValueError):
        fails()
    assert sys.monitoring.get_events(tool) != 0
    for _ in range(1001):
        with contextlib.suppress(ValueError):
            fails()
    assert sys.monitoring.get_events(tool) == 0
    with profiler, contextlib.suppress(ValueError):
        fails()
    assert hits(profiler) == {1: 2}


@from_3_12
def test_a_region_that_watches_the_same_code_keeps_it_awake(lined):
    from scope_profiler._instrument.lines import watch

    double = make_double()
    region = lined.region("r")
    watch(region, [double])
    profiler = LineProfiler(double)
    for _ in range(1001):
        double(1)
    with region:
        double(1)
    with profiler:
        double(1)
    (rows,) = (rows for key, rows in region.get_stats().timings.items() if "double" in key[2])
    assert [row[1] for row in rows] == [1, 1]
    assert hits(profiler) == {1: 1, 2: 1}


# ---- Beside other tools -----------------------------------------------------------------------


def test_a_running_cprofile_keeps_its_counts():
    double = make_double()
    profiler = LineProfiler()
    decorated = profiler(double)

    def helper():
        return decorated(1)

    tool = cProfile.Profile()
    tool.enable()
    for _ in range(4):
        helper()
    tool.disable()
    tool.create_stats()
    calls = {name: row[0] for (_, _, name), row in tool.stats.items()}
    assert (calls["helper"], calls["double"]) == (4, 4)
    assert hits(profiler) == {1: 4, 2: 4}


def test_cprofile_may_begin_inside():
    profiler = LineProfiler()

    @profiler
    def work():
        tool = cProfile.Profile()
        tool.enable()
        tool.disable()
        return 1

    assert work() == 1
    assert hits(profiler) == {2: 1, 3: 1, 4: 1, 5: 1}


def test_a_trace_function_sees_every_line():
    double = make_double()
    profiler = LineProfiler()
    decorated = profiler(double)
    seen = []

    def trace(frame, event, argument):
        if frame.f_code is double.__code__:
            seen.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    decorated(1)
    sys.settrace(before)
    assert seen == [("call", 0), ("line", 1), ("line", 2), ("return", 2)]
    assert hits(profiler) == {1: 1, 2: 1}


@pytest.mark.parametrize("when", ["call", "line"])
def test_a_trace_function_that_wants_no_lines(when):
    def work(n):
        total = 0
        for i in range(n):
            total += i
        return total

    profiler = LineProfiler()
    decorated = profiler(work)
    seen = []

    def trace(frame, event, argument):
        if frame.f_code is work.__code__:
            seen.append(event)
            if event == when:
                frame.f_trace_lines = False
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    decorated(5)
    sys.settrace(before)
    assert seen == ["call", *(["line"] if when == "line" else []), "return"]
    assert hits(profiler) == {1: 1, 2: 6, 3: 5, 4: 1}


# ---- What line_profiler 5.1 gets wrong ----------------------------------------------------------


def test_overlapping_decorated_calls_of_threads():
    profiler, barrier = LineProfiler(), threading.Barrier(2)

    @profiler
    def work():
        barrier.wait()
        return 1

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            results = [pool.submit(work) for _ in range(2)]
            assert [result.result() for result in results] == [1, 1]
    assert hits(profiler) == {2: 40, 3: 40}


def test_a_decorated_generator_keeps_its_protocol():
    profiler, told = LineProfiler(), []

    @profiler
    def numbers():
        try:
            got = yield 1
            told.append(got)
            yield 2
        except ValueError as error:
            told.append(repr(error))
            yield 3
        finally:
            told.append("closed")
        return "end"

    def outer():
        return (yield from numbers())

    made = outer()
    assert next(made) == 1
    assert made.throw(ValueError("x")) == 3
    with pytest.raises(StopIteration) as stop:
        next(made)
    assert stop.value.value == "end"
    made = numbers()
    next(made)
    made.close()
    assert told == ["ValueError('x')", "closed", "closed"]


def test_a_decorated_async_generator_keeps_its_protocol():
    profiler, told = LineProfiler(), []

    @profiler
    async def numbers():
        try:
            got = yield 1
            told.append(got)
            yield 2
        except ValueError as error:
            told.append(repr(error))
            yield 3
        finally:
            await asyncio.sleep(0)
            told.append("closed")

    async def main():
        made = numbers()
        assert await anext(made) == 1
        assert await made.asend("sent") == 2
        assert await made.athrow(ValueError("x")) == 3
        with pytest.raises(StopAsyncIteration):
            await anext(made)
        made = numbers()
        await anext(made)
        await made.aclose()

    asyncio.run(main())
    assert told == ["sent", "ValueError('x')", "closed", "closed"]
    assert profiler.enable_count == 0


def test_time_after_a_resume_on_the_same_line_counts(clock):
    profiler = LineProfiler()

    @profiler
    def numbers():
        x = clock_passes(clock, (yield))
        return x

    made = numbers()
    next(made)
    with contextlib.suppress(StopIteration):
        made.send(5_000)
    (rows,) = profiler.get_stats().timings.values()
    assert [time for line, _, time in rows][0] >= 5_000


def clock_passes(clock, ns):
    clock.tick(ns)
    return ns


def test_one_line_loops_and_one_line_functions():
    profiler = LineProfiler()

    @profiler
    def loop(r):
        s = 0
        for i in range(r): s += i
        return s

    @profiler
    def on_its_def_line(): return 1

    loop(100)
    on_its_def_line()
    assert hits(profiler, loop) == {2: 1, 3: 101, 4: 1}
    assert hits(profiler, on_its_def_line) == {1: 1}  # below the decorator


def test_the_code_of_a_function_stays_what_it_is():
    double = make_double()
    code = double.__code__
    profiler = LineProfiler(double)
    profiler(double)(1)
    assert double.__code__ is code


def test_threads_leave_nothing_behind():
    double = make_double()
    profiler = LineProfiler()
    decorated = profiler(double)
    for _ in range(50):
        thread = threading.Thread(target=decorated, args=(1,))
        thread.start()
        thread.join()  # it has come to the end of its Python, and gives back what is its own after that
        while os.path.exists(f"/proc/self/task/{thread.native_id}"):
            time.sleep(0.0001)
    assert hits(profiler) == {1: 50, 2: 50}
    assert len(profiler._manager._lines(None)) <= 2


def test_functions_inside_of_others_on_request():
    def outer(n):
        def inner(x):
            return x
        total = sum(inner(i) for i in range(n))
        return total + (
            lambda: n
        )()

    def generate():
        class Local:
            def method(self):
                yield 1
        yield from Local().method()

    profiler = LineProfiler(generate, inner_functions=True)
    profiler(outer)(3)
    profiler(generate)
    with profiler:
        list(generate())
    found = {name.rpartition("<locals>.")[2]: {line - first: hits for line, hits, _ in rows}
             for (_, first, name), rows in profiler.get_stats().timings.items()}
    assert found["inner"] == {1: 3} and found["<lambda>"] == {0: 1}
    assert found["<genexpr>"] == {0: 4} and found["Local.method"] == {1: 1}
    assert LineProfiler(outer).get_stats().timings.keys() == {
        key for key in profiler.get_stats().timings if key[2].endswith(".outer")}
    with pytest.raises(TypeError, match="inner_functions takes True or False"):
        LineProfiler(inner_functions=None)
