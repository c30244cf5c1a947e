"""What line_details=True keeps of each line (src/lines/line_columns.c): extremes and percentile of its
hits, exceptions, and the time in what it called."""

from collections import Counter
from contextlib import redirect_stdout, suppress
import io
import linecache
import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from conftest import NEEDS_H5PY, examples

from scope_profiler import ProfileManager, load, merge_results, write_profile
from scope_profiler._instrument import line_overhead, lines as line_mode
from scope_profiler._model.counted_lines import once
from scope_profiler.line_profiler import LineStats
from scope_profiler.results.line_entries import all_lines


def detailed(**settings):
    manager = ProfileManager()
    manager.setup(line_details=True, **{"deactivate_file_output": True, **settings})
    return manager


@pytest.fixture
def timed(clock):
    """A manager that keeps the details of lines, and the fake clock as its attribute `tick`."""
    manager = detailed()
    manager.tick = clock.tick
    yield manager
    manager.reset()


def lines(manager, name):
    """{text of the line: CountedLine} of a region, but for lines of tests."""
    found = {}
    for (file, _, function), rows in manager.get_region(name).get_stats().lines.items():
        if "<locals>" in function or not function.startswith("test_"):
            found.update((linecache.getline(file, row.line).strip(), row) for row in rows)
    return found


def test_extremes_and_percentile_of_hits(timed):
    @timed.profile("r")
    def f(ns):
        timed.tick(ns)

    for ns in (7, *range(100, 300), 5000):
        f(ns)
    row = lines(timed, "r")["timed.tick(ns)"]
    assert row.hits == 202 and row.time_ns == 7 + sum(range(100, 300)) + 5000
    assert (row.minimum_ns, row.maximum_ns) == (7, 5000)
    assert row.p99_ns == pytest.approx(297, rel=0.008)


def test_a_hit_goes_on_after_it_was_suspended(timed):
    def generate():
        (yield timed.tick(10)), timed.tick(30)
        timed.tick(1)

    decorated = timed.profile("decorated")(generate)
    with timed.profile_region("watched", functions=[generate]):
        for make in (generate, decorated):
            for _ in make():
                timed.tick(1000)
    for region, hits in (("watched", 2), ("decorated", 1)):
        row = lines(timed, region)["(yield timed.tick(10)), timed.tick(30)"]
        assert (row.hits, row.time_ns, row.waiting_ns) == (hits, hits * 40, hits * 1000), region
        assert (row.minimum_ns, row.maximum_ns, row.p99_ns) == (40, 40, 40), region


def test_of_threads_together(timed):
    @timed.profile("r")
    def f(ns):
        timed.tick(ns)

    for ns in (5, 70, 900):
        thread = threading.Thread(target=f, args=[ns])
        thread.start()
        thread.join()
    f(20)
    row = lines(timed, "r")["timed.tick(ns)"]
    assert row[1:3] == (4, 995) and (row.minimum_ns, row.maximum_ns) == (5, 900)
    assert 70 < row.p99_ns <= 900


def test_own_time_and_that_of_callees(timed):
    @timed.profile("inner")
    def inner():
        timed.tick(100)

    def unrecorded():
        timed.tick(20)
        inner()

    @timed.profile("outer")
    def outer():
        timed.tick(1), inner(), unrecorded()
        timed.tick(3)

    outer()
    found = lines(timed, "outer")
    row = found["timed.tick(1), inner(), unrecorded()"]
    assert (row.time_ns, row.callees_ns, row.own_ns) == (221, 200, 21)
    assert found["timed.tick(3)"].callees_ns == 0


def test_recursion_has_callees_of_its_own(timed):
    @timed.profile("r")
    def f(n):
        timed.tick(10)
        if n:
            f(n - 1)

    f(3)
    row = lines(timed, "r")["f(n - 1)"]
    assert (row.hits, row.time_ns, row.callees_ns) == (3, 60, 60)


# ---- Exceptions


def raised(manager, name):
    return {text: row.raised for text, row in lines(manager, name).items() if row.raised}


def test_an_exception_counts_where_it_is_raised_and_where_it_arrives(timed):
    @timed.profile("inner")
    def inner():
        raise KeyError

    @timed.profile("outer")
    def outer():
        try:
            inner()
        except KeyError:
            pass
        {}["missing"]

    with suppress(KeyError):
        outer()
    assert raised(timed, "inner") == {"raise KeyError": 1}
    assert raised(timed, "outer") == {"inner()": 1, '{}["missing"]': 1}


def test_what_is_raised_again_does_not_count_again(timed):
    @timed.profile("r")
    def f():
        try:
            try:
                int("x")
            finally:
                timed.tick(1)
        except ValueError:
            raise

    with suppress(ValueError):
        f()
    assert raised(timed, "r") == {'int("x")': 1}


def test_another_exception_does(timed):
    @timed.profile("r")
    def f():
        try:
            int("x")
        except ValueError as error:
            raise KeyError from error

    with suppress(KeyError):
        f()
    assert raised(timed, "r") == {'int("x")': 1, "raise KeyError from error": 1}


def test_groups_and_context_managers(timed):
    @timed.profile("r")
    def f():
        try:
            raise ExceptionGroup("g", [KeyError(), ValueError()])
        except* KeyError:
            pass
        except* ValueError:
            pass
        with suppress(OSError):
            raise OSError

    f()
    assert raised(timed, "r") == {
        'raise ExceptionGroup("g", [KeyError(), ValueError()])': 1, "raise OSError": 1}


def test_the_end_of_an_iteration_is_no_exception(timed):
    class Countdown:
        def __init__(self):
            self.left = 3

        def __iter__(self):
            return self

        @timed.profile("next")
        def __next__(self):
            self.left -= 1
            if not self.left:
                raise StopIteration
            return self.left

    def numbers():
        yield 1
        yield 2

    @timed.profile("r")
    def f():
        for _ in Countdown():
            pass
        iterator = numbers()
        next(iterator)
        iterator.close()

    f()
    assert raised(timed, "r") == raised(timed, "next") == {}


@pytest.mark.parametrize("way", ["decorated", "watched"])
def test_what_is_thrown_into_a_generator_counts_where_it_waits(timed, way):
    def generate():
        with suppress(KeyError):
            yield 1
        yield 2

    region = timed.profile_region("r", functions=[generate] if way == "watched" else None)
    make = region.wrap(generate) if way == "decorated" else generate
    with region:
        generator = make()
        next(generator)
        generator.throw(KeyError)
        generator.close()
    assert raised(timed, "r") == {"yield 1": 1}


def test_exceptions_are_counted_only_where_a_run_wants_them(timed):
    """The event of them is one of the whole process."""
    other = ProfileManager()
    other.setup(use_line_profiler=True, deactivate_file_output=True)

    def f():
        with suppress(KeyError):
            raise KeyError

    for _ in range(3):
        timed.profile("r")(f)()
        other.profile("r")(f)()
    assert raised(timed, "r") == {"raise KeyError": 3}
    assert lines(other, "r")["raise KeyError"].raised is None
    timed.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    assert not line_mode._detailed
    timed.profile("r")(f)()
    assert lines(timed, "r")["raise KeyError"].raised is None
    other.reset()


# ---- Any program


class _Failure(Exception):
    pass


STEPS = st.recursive(
    st.lists(st.tuples(st.sampled_from(["tick", "tick", "raise"]), st.integers(1, 500)), max_size=3),
    lambda inside: st.lists(
        st.one_of(st.tuples(st.just("tick"), st.integers(1, 500)), st.tuples(st.sampled_from(
            ["decorated", "watched", "block", "generator", "twice", "thread"]), inside)),
        max_size=4),
    max_leaves=25,
)

# A function of each kind has these lines; `call` is not recorded.
BODY = """
    {begin}
        for what, argument in steps:
            if what == "tick":
                tick(argument)
                {rest}
            elif what == "raise":
                raise _Failure
            else:
                try:
                    call(what, argument)
                except _Failure:
                    pass
"""


class Program:
    """Executes steps, and knows what each kind of function has taken by itself."""

    def __init__(self, manager, tick):
        self.own, self.raised, self.arrived = Counter(), Counter(), Counter()
        self.stack, self.clock, self.wall = [None], tick, 0
        self.functions = {}
        for kind, begin, rest in (
            ("decorated", "if True:", "pass"), ("watched", "if True:", "pass"),
            ("block", "with region:", "pass"), ("generator", "if True:", "yield"),
            ("twice", "if True:", "pass"),
        ):
            source = f"def {kind}(steps):" + BODY.format(begin=begin, rest=rest)
            names = {"tick": self.tick, "call": self.call, "_Failure": _Failure,
                     "region": manager.profile_region("block")}
            exec(compile(source, f"<{kind}>", "exec"), names)
            self.functions[kind] = names[kind]
        for kind in ("decorated", "generator", "twice", "twice"):
            region = "again" if kind == "twice" and "again" in self.functions else kind
            self.functions[kind] = manager.profile(region)(self.functions[kind])
        watcher = manager.profile_region("watched")
        manager._add_functions(watcher, [self.functions["watched"]])
        self.watcher = watcher

    def tick(self, ns):
        self.own[self.stack[-1]] += ns
        self.wall += ns
        self.clock(ns)

    def call(self, kind, steps):
        caller = self.stack[-1]
        try:
            if kind == "thread":
                self.in_thread(steps)
            elif kind == "generator":
                self.consume(steps)
            else:
                self.run(kind, steps)
        except _Failure:
            self.arrived[caller] += 1
            raise

    def run(self, kind, steps):
        self.stack.append(kind)
        try:
            if kind == "watched":
                with self.watcher:
                    self.functions[kind](steps)
            else:
                self.functions[kind](steps)
        except _Failure:
            self.raised[kind] += 1
            raise
        finally:
            self.stack.pop()

    def consume(self, steps):
        generator = self.functions["generator"](steps)
        while True:
            self.stack.append("generator")
            try:
                next(generator)
            except StopIteration:
                return
            except _Failure:
                self.raised["generator"] += 1
                raise
            finally:
                self.stack.pop()
            self.tick(1)  # between its steps: the caller's

    def in_thread(self, steps):
        """What a thread does is not in a callee of the line that waits for it."""
        before, self.stack = self.stack, [None]
        begun = self.wall
        thread = threading.Thread(target=lambda: self.safely(steps))
        thread.start()
        thread.join()
        self.stack = before
        self.own[self.stack[-1]] += self.wall - begun

    def safely(self, steps):
        with suppress(_Failure):
            self.run("decorated", steps)


def tables(manager):
    return {each.code.co_qualname: each for each in line_mode.counted_lines(manager)
            if each.code.co_filename.startswith("<") and each.region == each.code.co_qualname}


def check(manager, program):
    found = tables(manager)
    for kind in ("decorated", "watched", "block", "generator", "twice"):
        rows = found[kind].rows if kind in found else []
        assert sum(row.own_ns for row in rows) == program.own[kind], kind
        assert sum(row.raised for row in rows) == program.raised[kind] + program.arrived[kind], kind
        for row in rows:
            assert 0 <= row.callees_ns <= row.time_ns
            assert row.minimum_ns <= row.p99_ns <= row.maximum_ns <= row.time_ns
            assert row.minimum_ns * row.hits <= row.time_ns <= row.maximum_ns * row.hits
            assert (row.waiting_ns is None) == (kind != "generator")


def test_any_program(clock):
    @settings(max_examples=examples(60))
    @given(STEPS)
    def of_steps(steps):
        manager = detailed()
        program = Program(manager, clock.tick)
        program.safely(steps)
        check(manager, program)
        manager.reset()

    of_steps()


# ---- Everywhere the same


def tables_in(text):
    """The tables of lines in a report."""
    return [line for line in text.partition("\nTimer unit")[2].splitlines()
            if line and not line.startswith(("Own overhead", "Written", "No line was"))]


def printed(function, *arguments, **how):
    stream = io.StringIO()
    function(*arguments, stream=stream, **how)
    return stream.getvalue()


@NEEDS_H5PY
@pytest.mark.parametrize("kind", ["h5", "json"])
def test_live_statistics_results_and_files_are_the_same(tmp_path, clock, kind):
    @settings(max_examples=15)
    @given(STEPS)
    def of_steps(steps):
        manager = detailed(deactivate_file_output=False, file_path=tmp_path / f"run.{kind}")
        program = Program(manager, clock.tick)
        program.safely(steps)
        live = line_mode.counted_lines(manager, overhead=line_overhead.of(manager))
        with redirect_stdout(io.StringIO()) as report:
            results = manager.finalize(return_results=True)
        read = [results, load(manager._run.file_path)]
        for form in ("h5", "json"):
            write_profile(read[1], tmp_path / f"again.{form}")
            read.append(load(tmp_path / f"again.{form}"))
        for each in read:
            stored = all_lines(each.line_profile)
            assert [lines._replace(source=None) for lines in stored] == live
            assert tables_in(printed(each.print_summary)) == tables_in(report.getvalue())
        for region in {each.region for each in live}:
            assert manager.get_region(region).get_stats().lines == {
                tuple(each.code): each.rows for each in live if each.region == region}
        every = once(live)
        for code, rows in every:  # each line once: no more than the regions together
            together = [row for each in live if each.code == code for row in each.rows]
            assert sum(row.hits for row in rows) <= sum(row.hits for row in together)
        manager.reset()

    of_steps()


@NEEDS_H5PY
def test_percentiles_of_ranks_files_regions_and_windows_are_those_of_all_hits(tmp_path, clock):
    """Against the hits themselves, by whatever way lines come together."""
    hits = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**6)), min_size=1, max_size=30)

    def f(ns):
        clock.tick(ns)

    def together(tables):
        [row] = [row for code, rows in once(tables) if code.co_name == "f" for row in rows]
        return row.p99_ns

    def right(durations):
        return pytest.approx(float(np.percentile(durations, 99)), rel=1 / 127, abs=1)

    @settings(max_examples=examples(20))
    @given(st.lists(st.tuples(hits, hits), min_size=1, max_size=3))
    def of_runs(runs):
        windows, files, stats = [], [], []
        for number, halves in enumerate(runs):
            manager = detailed()
            ways = {"a": manager.profile("a")(f), "b": manager.profile("b")(manager.profile("a")(f)),
                    "c": manager.profile("c")(f)}
            moments = []
            for half in halves:
                for way, ns in half:
                    ways[way](ns)
                moments.append(manager.snapshot())
            windows.append((moments[1] - moments[0], [ns for _, ns in halves[1]]))
            file = tmp_path / f"{number}.{'json' if number else 'h5'}"
            write_profile(moments[1], file)
            files.append(load(file))
            lines = manager.get_region("c").get_stats().lines
            stats.append(LineStats({key: [row[:3] for row in rows] for key, rows in lines.items()}, 1e-9,
                                   lines=lines))
            manager.reset()
        every = [ns for halves in runs for half in halves for _, ns in half]
        assert together(all_lines(merge_results(*files, ranks=True).line_profile)) == right(every)
        [row, *_] = [row for rows in sum(stats[1:], stats[0]).lines.values() for row in rows] or [None]
        of_region = [ns for halves in runs for half in halves for way, ns in half if way == "c"]
        assert row is None if not of_region else row.p99_ns == right(of_region)
        for window, durations in windows:
            assert together(all_lines(window.line_profile)) == right(durations)

    of_runs()
