"""line_profiler/whole_calls.py: calls of functions whose lines cannot be seen."""

import functools
import gc
import io
import math
import operator
import subprocess
import sys

import pytest

from scope_profiler.io import CorruptProfileError
from scope_profiler.line_profiler import LineProfiler, LineStats, lprof
from scope_profiler.line_profiler.whole_calls import name_of_callable
from scope_profiler.memory import LineProfiler as MemoryProfiler


@pytest.fixture
def profiler():
    yield LineProfiler()
    gc.collect()


def timed(profiler, function):
    with pytest.warns(UserWarning, match="times its calls as a whole"):
        return profiler(function)


def counts(profiler):
    return {name: calls for name, (calls, _) in profiler.get_stats().calls.items()}


def text_of(stats, **settings):
    stream = io.StringIO()
    stats.print(stream, **settings)
    return stream.getvalue()


def numba_function(function):
    """What numba.njit() gives, as far as one can tell by looking at it."""
    of_numba = type("CPUDispatcher", (), {
        "__module__": "numba.core.registry", "__code__": function.__code__, "__call__": lambda self, x: x,
    })
    return functools.update_wrapper(of_numba(), function)


def solved(x):
    return x


@pytest.mark.parametrize("function, arguments, name", [
    (len, ["abc"], "len"),
    (math.hypot, [3, 4], "math.hypot"),
    (str.upper, ["abc"], "str.upper"),
    ([1, 2].count, [1], "list.count"),
    (operator.attrgetter("real"), [3], "operator.attrgetter"),
    (type("cython_function_or_method", (), {"__call__": lambda self: 1})(), [], None),
    (numba_function(solved), [4], f"{__name__}.solved"),
])
def test_calls_are_timed_and_return_what_they_return(profiler, function, arguments, name):
    called = timed(profiler, function)
    assert [called(*arguments) for _ in range(3)] == [function(*arguments)] * 3
    [(found, (calls, time))] = profiler.get_stats().calls.items()
    assert (found, calls) == (name or name_of_callable(function), 3) and time > 0
    assert profiler(called) is called  # not twice, and with no warning


def test_exceptions_pass_and_count(profiler):
    length = timed(profiler, len)
    with pytest.raises(TypeError):
        length(3)
    assert counts(profiler) == {"len": 1}


def test_it_is_a_method_where_the_function_is_one(profiler):
    class Text(str):
        loud = timed(profiler, str.upper)
        length = timed(profiler, staticmethod(len))

    assert (Text("a").loud(), Text("a").length("abc")) == ("A", 3)
    assert counts(profiler) == {"str.upper": 1, "len": 1}


def test_wrappers_keep_their_kind(profiler):
    power = timed(profiler, functools.partial(math.pow, 2))
    assert isinstance(power, functools.partial) and power(3) == 8
    assert counts(profiler) == {"math.pow": 1}


def test_what_python_functions_stand_behind_is_not_timed_as_a_whole(profiler):
    @profiler
    @functools.lru_cache
    def cached():
        return 1

    cached()
    stats = profiler.get_stats()
    assert stats.calls == {} and [[row[1] for row in rows] for rows in stats.timings.values()] == [[1]]


def test_registered_alone_nothing_is_timed_and_it_is_said(profiler):
    with pytest.warns(UserWarning, match=r"written in C.* or decorate it"):
        profiler.add_function(len)
    len("abc")
    assert counts(profiler) == {}


def test_classes_stay_classes(profiler):
    with pytest.warns(UserWarning, match="records nothing"):
        assert profiler(int) is int
    assert counts(profiler) == {}


def test_the_table_comes_after_the_others_and_only_where_there_is_one():
    key = ("gone.py", 1, "f")
    plain, both = LineStats({key: [(1, 1, 5)]}, 1e-9), LineStats(
        {key: [(1, 1, 5)]}, 1e-9, calls={"len": (2, 3000), "math.sin": (0, 0)})
    assert text_of(both) == text_of(plain) + """\
Functions without lines, whose calls are timed as a whole

    Calls         Time Per Call  Function
=========================================
        2       3000.0   1500.0  len
        0          0.0           math.sin

"""
    assert text_of(both, stripzeros=True, output_unit=1e-6).endswith(
        "        2          3.0      1.5  len\n\n")
    assert text_of(both, details=False, summarize=True).endswith("  0.00 seconds - math.sin\n")
    assert "<td>len</td>" not in plain._repr_html_() and ">len</td>" in both._repr_html_()


def test_they_are_counted_anew(profiler):
    length = timed(profiler, len)
    length("abc")
    profiler.reset_stats()
    assert counts(profiler) == {"len": 0}


def test_files_keep_them_and_sums_add_them_up(tmp_path):
    stats = LineStats({}, 1e-9, calls={"len": (2, 3000)})
    stats.to_file(tmp_path / "a.lprof")
    stats.to_json(tmp_path / "a.json")
    for file in ("a.lprof", "a.json"):
        assert LineStats.from_files(tmp_path / file).calls == stats.calls
    assert (stats + stats).calls == {"len": (4, 6000)}
    coarse = LineStats({}, 1e-6, calls={"len": (1, 7), "abs": (1, 1)})
    assert (stats + coarse).calls == {"len": (3, 10), "abs": (1, 1)}
    printed = subprocess.run([sys.executable, "-m", "scope_profiler.line_profiler", tmp_path / "a.lprof"],
                             capture_output=True, text=True, check=True).stdout
    assert "       2          3.0      1.5  len\n" in printed


@pytest.mark.parametrize("calls", [[1], {"len": (1,)}, {"len": (1.0, 2)}, {("f", 1, "f"): (1, 2)}])
def test_damaged_files_are_refused(tmp_path, calls):
    with pytest.raises(CorruptProfileError, match="calls"):
        lprof.loaded(tmp_path, lprof.dumped({}, 1e-9, None, calls))


def test_memory_profiler_times_them_too():
    profiler = MemoryProfiler()
    timed(profiler, len)("abc")
    stream = io.StringIO()
    profiler.show(stream)
    assert stream.getvalue().splitlines()[-2].split()[0::3] == ["1", "len"]
    del profiler
    gc.collect()
