"""lines.watch_wrapped, and lines of traced functions: which lines count when what is decorated is a
wrapper around a function, or nothing is decorated at all; and what a region's statistics do with them."""

import asyncio
from contextlib import asynccontextmanager, contextmanager
import functools
import io
import pickle
import subprocess
import sys
import textwrap
import threading

import pytest

from scope_profiler import calls
from test_lines import (  # noqa: F401 (fixtures)
    hits_by_function, lined, nothing_left_behind,
)


def wrapping(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


WRAPPER = {"return function(*args, **kwargs)": 1}


def test_contextmanager(lined):
    @lined.profile("r")
    @contextmanager
    def managed():
        x = 1
        yield x
        x += 1

    for _ in range(2):
        with managed() as x:
            assert x == 1
    found = hits_by_function(lined, "r")
    assert found == {"managed": {"x = 1": 2, "yield x": 2, "x += 1": 2}}
    assert lined.get_region("r").num_calls == 2


def test_contextmanager_as_a_decorator_and_left_by_an_exception(lined):
    @lined.profile("r")
    @contextmanager
    def managed():
        try:
            yield
        except KeyError:
            caught = 1
            del caught

    @managed()
    def inside():
        raise KeyError

    inside()
    assert hits_by_function(lined, "r") == {
        "managed": {"try:": 1, "yield": 1, "except KeyError:": 1, "caught = 1": 1, "del caught": 1},
    }


def test_asynccontextmanager(lined):
    @lined.profile("r")
    @asynccontextmanager
    async def managed():
        await asyncio.sleep(0)
        yield

    async def main():
        async with managed():
            pass

    asyncio.run(main())
    assert hits_by_function(lined, "r") == {"managed": {"await asyncio.sleep(0)": 1, "yield": 1}}


@pytest.mark.parametrize("times", [1, 2])
def test_functools_wraps(lined, times):
    def f(n):
        return n + 1

    function = f
    for _ in range(times):
        function = wrapping(function)
    assert lined.profile("r")(function)(1) == 2
    assert f(1) == 2  # not through what is decorated
    assert hits_by_function(lined, "r") == {"wrapper": WRAPPER, "f": {"return n + 1": 1}}


def test_functools_wraps_around_a_coroutine_function(lined):
    async def f(n):
        await asyncio.sleep(0)
        return n + 1

    async def main():
        assert await lined.profile("r")(wrapping(f))(1) == 2

    asyncio.run(main())
    assert hits_by_function(lined, "r") == {
        "wrapper": WRAPPER, "f": {"await asyncio.sleep(0)": 1, "return n + 1": 1},
    }


@pytest.mark.parametrize("cached", [functools.cache, functools.lru_cache(maxsize=2)])
def test_lru_cache(lined, cached):
    @lined.profile("r")
    @cached
    def f(n):
        return n + 1

    assert [f(1), f(1), f(2)] == [2, 2, 3]
    assert hits_by_function(lined, "r") == {"f": {"return n + 1": 2}}
    assert lined.get_region("r").num_calls == 3


def test_lru_cache_around_a_wrapper(lined):
    @lined.profile("r")
    @functools.cache
    @wrapping
    def f(n):
        return n + 1

    assert [f(1), f(1)] == [2, 2]
    assert hits_by_function(lined, "r") == {"wrapper": WRAPPER, "f": {"return n + 1": 1}}


def test_partial(lined):
    def f(n, m):
        return n + m

    assert lined.profile("r")(functools.partial(f, 1))(2) == 3
    assert lined.profile("s")(functools.partial(wrapping(f), 1))(2) == 3
    assert hits_by_function(lined, "r") == {"f": {"return n + m": 1}}
    assert hits_by_function(lined, "s") == {"wrapper": WRAPPER}  # a partial says nothing of what it wraps


def test_singledispatch(lined):
    @lined.profile("r")
    @functools.singledispatch
    def f(what):
        return "anything"

    @f.register
    def _(what: int):
        return "a number"

    assert [f("x"), f(1)] == ["anything", "a number"]
    found = hits_by_function(lined, "r")
    assert found.pop("f") == {'return "anything"': 1}  # what is registered is decorated by itself
    assert list(found) == ["wrapper"]  # of functools, as line_profiler has it


def test_methods_and_properties(lined):
    class C:
        @lined.profile("class")
        @classmethod
        def c(cls):
            return "class"

        @staticmethod
        @lined.profile("static")
        def s():
            return "static"

        @property
        @lined.profile("property")
        def p(self):
            return "property"

        @functools.cached_property
        @lined.profile("cached")
        def k(self):
            return "cached"

        @lined.profile("wrapped")
        @wrapping
        def m(self):
            return "wrapped"

    c = C()
    assert [C.c(), C.s(), c.p, c.k, c.k, c.m()] == [
        "class", "static", "property", "cached", "cached", "wrapped",
    ]
    for name, function in (("class", "c"), ("static", "s"), ("property", "p"), ("cached", "k")):
        assert hits_by_function(lined, name) == {function: {f'return "{name}"': 1}}
    assert hits_by_function(lined, "wrapped") == {"wrapper": WRAPPER, "m": {'return "wrapped"': 1}}


def test_what_has_no_call_of_its_own_is_refused(lined):
    for made in (property(len), functools.cached_property(len), functools.partialmethod(len)):
        with pytest.raises(TypeError, match="profile\\(\\) decorates"):
            lined.profile("r")(made)


def test_a_wrapper_that_runs_it_in_another_thread(lined):
    def elsewhere(function):
        @functools.wraps(function)
        def start():
            thread = threading.Thread(target=function)
            thread.start()
            thread.join()

        return start

    @lined.profile("r")
    @elsewhere
    def f():
        return 1

    f()
    assert "f" not in hits_by_function(lined, "r")  # the region is not open there


def test_before_setup_and_over_several_runs(lined):
    lined.reset()

    @lined.profile("r")
    @contextmanager
    def managed():
        yield

    for _ in range(2):
        with managed():
            pass
        lined.setup(use_line_profiler=True, deactivate_file_output=True)
        with managed():
            pass
        assert hits_by_function(lined, "r") == {"managed": {"yield": 1}}
        lined.finalize(verbose=False)
        lined.reset()


# ---- Every function's lines


@pytest.mark.parametrize("recursive", [True, False])
def test_lines_of_a_script_without_instrumentation(tmp_path, recursive):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent("""
        def square(n):
            return n * n

        def numbers(n):
            for i in range(n):
                yield square(i)

        print(sum(numbers(3)))
    """))
    options = ["--recursive"] * recursive
    done = subprocess.run(
        [sys.executable, "-m", "scope_profiler", "run", "--no-output", "--line-profile", *options,
         str(script)], capture_output=True, text=True, cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5\n")
    found = {line.split(maxsplit=5)[-1]: line.split()[1] for line in done.stdout.splitlines()
             if line[:6].strip().isdigit() and len(line.split()) > 5}
    if recursive:
        assert "No line was counted" not in done.stdout
        assert found == {
            "def square(n):": "1", "def numbers(n):": "1", "print(sum(numbers(3)))": "1",
            "return n * n": "3", "for i in range(n):": "4", "yield square(i)": "3",
        }
    else:
        assert "No line was counted" in done.stdout and "--recursive" in done.stdout


def test_lines_of_traced_functions_end_with_the_tracing(lined):
    def f():
        return 1

    for _ in range(2):
        with calls.tracing(lined):
            f()
        f()
    (name,) = lined.recorded_regions()
    assert list(hits_by_function(lined, name).values()) == [{"return 1": 2}]


# ---- What a region tells


def test_statistics_print_and_go_to_a_file(lined, tmp_path):
    @lined.profile("r")
    def f():
        return 1

    f()
    stats = lined.get_region("r").get_stats()
    printed, of_region = io.StringIO(), io.StringIO()
    stats.print(printed)
    lined.get_region("r").print_stats(of_region)
    assert printed.getvalue() == of_region.getvalue()
    assert "return 1" in printed.getvalue()
    stats.to_file(tmp_path / "r.lprof")

    class LineStats:
        """In the place of line_profiler's, which need not be here."""

    class Unpickler(pickle.Unpickler):
        def find_class(self, module, name):
            assert (module, name) == ("line_profiler.line_profiler", "LineStats")
            return LineStats

    read = Unpickler(io.BytesIO((tmp_path / "r.lprof").read_bytes())).load()
    assert type(read) is LineStats
    assert vars(read) == {"timings": stats.timings, "unit": 1e-9}


def test_no_file_without_lines(manager, tmp_path):
    stats = manager.region("r").get_stats()
    with pytest.raises(RuntimeError, match="use_line_profiler"):
        stats.to_file(tmp_path / "r.lprof")
    assert list(tmp_path.iterdir()) == []
    printed = io.StringIO()
    stats.print(printed)
    assert "r" in printed.getvalue()
