"""src/lines/lines_watch.c, line_codes.c and lines.watch: the lines of functions that a region watches."""

import asyncio
from contextlib import ExitStack, suppress
import functools
import gc
import linecache
import sys
import threading
import weakref

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from conftest import CODE_DIES, examples
import line_profiler_reference as reference
from scope_profiler import ProfileManager, _core
from scope_profiler._instrument.lines import counted_lines, watch
from scope_profiler._model.counted_lines import once
from test_lines import (  # noqa: F401 (fixtures)
    DIFFERENCES, MONITORING, VERSION, counted, from_3_12, hits, hits_by_function, line_manager,
    lined, live, nothing_left_behind, on_3_11, on_a_thread_of_its_own, run_python, tables, timed,
    times, written_down,
)


def watching(manager, name, *functions):
    """The region of that name, which watches the functions."""
    region = manager.region(name)
    watch(region, functions)
    return region


def lines(manager, region, function):
    """{text of the line: (hits, ns)} of the function in the region."""
    found = {}
    for (file, _, name), rows in manager.get_region(region).get_stats().timings.items():
        if name.rpartition(".")[2] == function:
            for line, count, ns in rows:
                found[linecache.getline(file, line).strip()] = (count, ns)
    return found


def hits_in(manager, region, function):
    """{text of the line: hits} of the function in the region."""
    return {text: count for text, (count, _) in lines(manager, region, function).items()}


# Each test that counts has functions of its own: events stay on in code for a while.


def make_double():
    def double(n):
        m = n
        return m + n

    return double


DOUBLE_ONCE = {"m = n": 1, "return m + n": 1}


def double_times(n):
    return {text: n for text in DOUBLE_ONCE}


# ---- As line_profiler counts ------------------------------------------------------------------

# CPython 3.12.1 reports a line once more in this case; test_lines.py says why not for a function
# that is decorated. One that is watched is called as ever, and line_profiler sees the same.
NO_DIFFERENCE = {"recursion_inside_an_expression"}


@pytest.mark.parametrize("case", reference.case_names())
def test_hits_equal_those_of_line_profiler(lined, counted, written_down, case):
    region = lined.region("r")

    def profile(function):
        watch(region, [function])
        return function

    run = reference.load(profile)[case]
    with region:
        run()
    timings = {key: rows for key, rows in region.get_stats().timings.items() if key[0] != __file__}
    expected = counted[case]
    if case not in NO_DIFFERENCE and case in DIFFERENCES and VERSION in DIFFERENCES[case][0]:
        expected = written_down["3.11"][case]
    assert reference.by_function(timings) == expected


def test_every_case_runs_as_without_a_profiler(lined):
    for name, plain in reference.load(lambda function: function).items():
        region = lined.region(name)

        def profile(function):
            watch(region, [function])
            return function

        watched = reference.load(profile)[name]
        results = []
        for case in (plain, watched):
            try:
                with region:
                    results.append(repr(case()))
            except Exception as error:
                results.append(repr(error))
        first, second = (result.partition(" at 0x")[0] for result in results)
        assert first == second, name


# ---- When it is counted -----------------------------------------------------------------------


def test_only_while_the_region_is_open(lined):
    double = make_double()
    region = watching(lined, "r", double)
    double(1)
    with lined.region("another"):
        double(2)
    assert hits(lined, "r") == {}
    with region:
        double(3)
    double(4)
    assert hits_in(lined, "r", "double") == DOUBLE_ONCE


def test_however_deep_it_is_called(lined):
    double = make_double()

    def deeper(depth):
        return double(depth) if depth == 0 else deeper(depth - 1)

    region = watching(lined, "r", double)
    with region:
        deeper(50)
        for _ in range(3):
            deeper(3)
    assert hits_in(lined, "r", "double") == double_times(4)
    assert set(hits_by_function(lined, "r")) == {"double", "test_however_deep_it_is_called"}


def test_several_functions(lined):
    double = make_double()

    def triple(n):
        return double(n) + n

    region = watching(lined, "r", double, triple)
    with region:
        triple(1)
        double(1)
    found = hits_by_function(lined, "r")
    assert found["double"] == double_times(2)
    assert found["triple"] == {"return double(n) + n": 1}


def test_called_by_c_code(lined):
    def key(n):
        return -n

    def add(a, b):
        return a + b

    class Index:
        def __index__(self):
            return 1

    region = watching(lined, "r", key, add, Index.__index__)
    with region:
        assert sorted([1, 2, 3], key=key) == [3, 2, 1]
        assert list(map(key, (1, 2))) == [-1, -2]
        assert functools.reduce(add, range(5)) == 10
        assert [0, 7][Index()] == 7
    found = hits_by_function(lined, "r")
    assert found["key"] == {"return -n": 5}
    assert found["add"] == {"return a + b": 4}
    assert found["__index__"] == {"return 1": 1}


def test_recursion(lined):
    def factorial(n):
        if n < 2:
            return 1
        return n * factorial(n - 1)

    with watching(lined, "r", factorial):
        assert factorial(6) == 720
    assert hits_in(lined, "r", "factorial") == {
        "if n < 2:": 6, "return 1": 1, "return n * factorial(n - 1)": 5}


def test_mutual_recursion_where_one_is_watched(lined):
    def even(n):
        if n == 0:
            return True
        return odd(n - 1)

    def odd(n):
        return even(n - 1)

    with watching(lined, "r", even):
        even(10)
    assert hits_in(lined, "r", "even") == {
        "if n == 0:": 6, "return True": 1, "return odd(n - 1)": 5}
    assert hits_in(lined, "r", "odd") == {}


def test_recursion_5_000_deep(lined):
    """On 3.11 the frames that lie deep are not seen by the hook around evaluation."""

    def descend(n):
        if n:
            return descend(n - 1)
        return 0

    region = watching(lined, "r", descend)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(12_000)
    try:
        for _ in range(2):
            with region:
                descend(5_000)
            descend(5_000)
    finally:
        sys.setrecursionlimit(limit)
    assert hits_in(lined, "r", "descend") == {
        "if n:": 2 * 5_001, "return descend(n - 1)": 2 * 5_000, "return 0": 2}


def test_a_generator_deep_in_a_recursion(lined):
    def count(n):
        for i in range(n):
            yield i

    def fail(n):
        raise LookupError(n)

    def descend(n):
        if n:
            return descend(n - 1)
        with suppress(LookupError):
            fail(n)
        return sum(count(3))

    region = watching(lined, "r", count, fail)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(12_000)
    try:
        with region:
            descend(5_000)
            descend(10)
    finally:
        sys.setrecursionlimit(limit)
    found = hits_by_function(lined, "r")
    assert found["count"] == {"for i in range(n):": 8, "yield i": 6}
    assert found["fail"] == {"raise LookupError(n)": 2}


def test_entered_by_hand_and_by_an_exit_stack(lined):
    double = make_double()
    region = watching(lined, "r", double)
    region.__enter__()
    double(1)
    region.__exit__(None, None, None)
    double(2)
    with ExitStack() as stack:
        stack.enter_context(region)
        double(3)
    double(4)
    assert hits(lined, "r") == double_times(2)


def test_entered_in_one_function_and_left_in_another(lined):
    double = make_double()
    region = watching(lined, "r", double)

    def enter():
        region.__enter__()

    def leave():
        region.__exit__(None, None, None)

    for _ in range(3):
        enter()
        double(1)
        leave()
        double(2)
    assert hits(lined, "r") == double_times(3)


def test_a_decorated_function_that_calls_it(lined):
    double = make_double()

    @lined.profile("r")
    def around(n):
        return double(n) + 1

    watching(lined, "r", double)
    double(1)
    around(2)
    around(3)
    double(4)
    assert hits_by_function(lined, "r") == {
        "around": {"return double(n) + 1": 2}, "double": double_times(2)}


def test_a_decorated_callable_of_c_that_calls_it(lined):
    """It has no lines itself."""

    def key(n):
        return -n

    watching(lined, "r", key)
    order = lined.profile("r")(functools.partial(sorted, key=key))
    assert order([1, 2]) == [2, 1]
    key(0)
    assert order([]) == []
    assert hits(lined, "r") == {"return -n": 2}


def test_a_decorated_generator_that_calls_it(lined):
    """Between its steps its region is not open."""
    double = make_double()

    @lined.profile("r")
    def generate():
        yield double(1)
        yield double(2)

    watching(lined, "r", double)
    for _ in generate():
        double(0)
    assert hits_in(lined, "r", "double") == double_times(2)


def test_a_decorated_coroutine_that_calls_it(lined):
    double = make_double()

    @lined.profile("r")
    async def work():
        double(1)
        await asyncio.sleep(0)
        double(2)

    async def main():
        await asyncio.gather(work(), elsewhere())

    async def elsewhere():
        for _ in range(5):
            double(0)
            await asyncio.sleep(0)

    watching(lined, "r", double)
    asyncio.run(main())
    assert hits_in(lined, "r", "double") == double_times(2)


# ---- What is counted --------------------------------------------------------------------------


class Kinds:
    """One method of each kind; `call` has how each is called."""

    def method(self):
        return "method"

    @staticmethod
    def static():
        return "static"

    @classmethod
    def of_class(cls):
        return "class"

    @property
    def attribute(self):
        return "property"

    @attribute.setter
    def attribute(self, value):
        self.set = value

    @functools.cached_property
    def cached(self):
        return "cached"

    def __call__(self):
        return "call"

    bound = functools.partialmethod(lambda self, n: "partial" + n, "method")


KINDS = {
    "method": (lambda: Kinds.method, lambda: Kinds().method()),
    "bound method": (lambda: Kinds().method, lambda: Kinds().method()),
    "static method": (lambda: Kinds.static, Kinds.static),
    "staticmethod object": (lambda: vars(Kinds)["static"], Kinds.static),
    "class method": (lambda: Kinds.of_class, Kinds.of_class),
    "classmethod object": (lambda: vars(Kinds)["of_class"], Kinds.of_class),
    "property": (lambda: Kinds.attribute, lambda: Kinds().attribute),
    "property that is set": (lambda: Kinds.attribute, lambda: setattr(Kinds(), "attribute", 1)),
    "cached_property": (lambda: vars(Kinds)["cached"], lambda: Kinds().cached),
    "partialmethod": (lambda: vars(Kinds)["bound"], lambda: Kinds().bound()),
    "object that can be called": (Kinds, lambda: Kinds()()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_methods(lined, kind):
    get, call = KINDS[kind]
    region = watching(lined, "r", get())
    call()
    with region:
        call()
        call()
    first = {"property that is set": "self.set = value"}.get(kind)
    found = [
        (linecache.getline(key[0], row[0]).strip(), row[1])
        for key, rows in region.get_stats().timings.items() for row in rows
        if key[2].startswith("Kinds.")
    ]
    [(text, count)] = found
    assert count == 2
    assert first is None or text == first


def dressed(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)

    return wrapper


WRAPPERS = {
    "a partial": lambda f: functools.partial(f, 1),
    "a partial of a partial": lambda f: functools.partial(functools.partial(f), 1),
    "a cache": lambda f: functools.partial(functools.lru_cache(f), 1),
    "a decorator": lambda f: functools.partial(dressed(f), 1),
    "two decorators": lambda f: functools.partial(dressed(dressed(f)), 1),
    "singledispatch": lambda f: functools.partial(functools.singledispatch(f), 1),
}


@pytest.mark.parametrize("way", WRAPPERS)
def test_what_wraps_a_function_stands_for_it(lined, way):
    double = make_double()
    wrapped = WRAPPERS[way](double)
    with watching(lined, "r", wrapped):
        wrapped()
    found = hits_by_function(lined, "r")
    assert found["double"] == DOUBLE_ONCE
    assert "wrapper" not in found


def test_lambdas(lined):
    square = lambda n: n * n
    cube = lambda n: n ** 3
    with watching(lined, "r", square, cube):
        square(1)
        square(2)
        cube(3)
    rows = lined.get_region("r").get_stats().timings.items()
    counts = [table[0][1] for key, table in sorted(rows) if key[2].endswith("<lambda>")]
    assert counts == [2, 1]


@pytest.mark.parametrize("form", ["function", "generator", "coroutine"])
def test_a_function_that_is_decorated_elsewhere_counts_for_both(lined, form):
    if form == "function":
        @lined.profile("own")
        def work():
            return 1

        run = work
    elif form == "generator":
        @lined.profile("own")
        def work():
            yield 1

        def run():
            return list(work())
    else:
        @lined.profile("own")
        async def work():
            return 1

        def run():
            return asyncio.run(work())

    region = watching(lined, "r", work)
    run()
    with region:
        run()
    line = "yield 1" if form == "generator" else "return 1"
    assert hits(lined, "own") == {line: 2}
    assert hits_in(lined, "r", "work") == {line: 1}


def test_the_decorated_function_itself(lined):
    """Its lines count once for the region, however many ways they have to it."""
    @lined.profile("r")
    def countdown(n):
        if n:
            countdown(n - 1)

    watching(lined, "r", countdown)
    countdown(2)
    assert hits(lined, "r") == {"if n:": 3, "countdown(n - 1)": 2}


def test_two_regions_that_watch_the_same(lined):
    double = make_double()
    outer, inner = watching(lined, "outer", double), watching(lined, "inner", double)
    with outer:
        double(1)
        with inner:
            double(2)
        double(3)
    with inner:
        double(4)
    assert hits_in(lined, "outer", "double") == double_times(3)
    assert hits_in(lined, "inner", "double") == double_times(2)
    [total] = [rows for code, rows in once(counted_lines(lined)) if code.co_name == "double"]
    assert [row[1] for row in total] == [4, 4]


def test_a_region_inside_itself(lined):
    double = make_double()
    region = watching(lined, "r", double)
    with region:
        with region:
            double(1)
        double(2)
    double(3)
    assert hits_in(lined, "r", "double") == double_times(2)


def test_the_same_function_in_two_managers(lined):
    other = line_manager()
    double = make_double()
    mine, its = watching(lined, "mine", double), watching(other, "its", double)
    with mine:
        with its:
            double(1)
        double(2)
    assert hits_in(lined, "mine", "double") == double_times(2)
    assert hits_in(other, "its", "double") == double_times(1)
    other.reset()
    with mine, its:
        double(3)
    assert hits_in(lined, "mine", "double") == double_times(3)


def test_a_block_in_the_watched_function(lined):
    def work(region):
        a = 1
        with region:
            b = 2
        return a + b

    block = lined.region("block")
    with watching(lined, "r", work):
        work(block)
    work(block)
    assert hits_in(lined, "r", "work") == {
        "a = 1": 1, "with region:": 2, "b = 2": 1, "return a + b": 1}
    assert hits(lined, "block") == {"with region:": 2, "b = 2": 2}


def test_a_block_of_the_region_itself_in_the_watched_function(lined):
    def work(n):
        a = n
        with region:
            if n:
                work(n - 1)
        return a

    region = watching(lined, "r", work)
    work(2)
    # The outer call has the lines of its block, the two inside all of theirs.
    assert hits(lined, "r") == {
        "a = n": 2, "with region:": 5, "if n:": 3, "work(n - 1)": 2, "return a": 2}


def test_a_function_that_calls_itself_in_a_block_counts_for_outer_blocks_too(lined):
    double = make_double()

    @lined.profile("decorated")
    def around():
        with block:
            double(1)
        double(2)

    block = watching(lined, "block", double)
    watching(lined, "decorated", double)
    around()
    assert hits_in(lined, "decorated", "double") == double_times(2)
    assert hits_in(lined, "block", "double") == double_times(1)


def test_a_function_whose_code_is_replaced_goes_its_own_way(lined):
    """What is watched is the code it had."""
    double, other = make_double(), lambda n: 0
    region = watching(lined, "r", double)
    double.__code__, kept = other.__code__, double.__code__
    with region:
        double(1)
    assert hits_in(lined, "r", "double") == {}
    double.__code__ = kept
    with region:
        double(1)
    assert hits_in(lined, "r", "double") == DOUBLE_ONCE


def test_the_function_stays_what_it_is(lined):
    double = make_double()
    code, attributes = double.__code__, dict(vars(double))
    with watching(lined, "r", double):
        double(1)
    assert double.__code__ is code
    assert vars(double) == attributes
    assert code.co_code == make_double().__code__.co_code


# ---- Generators and coroutines ----------------------------------------------------------------


def test_a_generator_is_counted_while_the_region_is_open(lined):
    def generate():
        yield 1
        yield 2
        yield 3
        return 4

    region = watching(lined, "r", generate)
    outside, inside = generate(), None
    next(outside)
    with region:
        next(outside)
        inside = generate()
        next(inside)
    list(outside)
    next(inside)
    with region:
        list(inside)
    assert hits_in(lined, "r", "generate") == {
        "yield 1": 1, "yield 2": 1, "yield 3": 1, "return 4": 1}


@pytest.mark.parametrize("always", [False, True])
@pytest.mark.parametrize("thrown", [False, True])
def test_generators_go_on_in_the_lines_where_they_waited(timed, always, thrown):
    def generate():
        (yield 1), timed.tick(10)
        timed.tick(1)
        try:
            (yield 2), timed.tick(20)
        except ValueError:
            timed.tick(20)

    def end(generator):
        with suppress(StopIteration):
            generator.throw(ValueError) if thrown else next(generator)

    region = timed.region("r")
    _core.watch_lines(region, generate.__code__, always)
    with ExitStack() as stack:
        if not always:
            stack.enter_context(region)
        for _ in range(2):  # the second time its code is known
            first, second = generate(), generate()
            next(first)
            timed.tick(100)
            next(second)
            timed.tick(1000)
            next(first)
            timed.tick(5000)
            next(second)
            timed.tick(7)
            end(first)
            timed.tick(3)
            end(second)
    [counted] = counted_lines(timed, region)
    found = {linecache.getline(__file__, row.line).strip(): row[1:4] for row in counted.rows}
    assert found["(yield 1), timed.tick(10)"] == (4, 40, 2 * (1100 + 6011))
    assert found["timed.tick(1)"] == (4, 4, 0)
    assert found["(yield 2), timed.tick(20)"] == (4, 0 if thrown else 80, 2 * (5018 + 30))


def test_a_generator_that_is_thrown_into(lined):
    def generate():
        while True:
            try:
                yield 1
            except ValueError:
                a = 2
            except LookupError:
                b = 3
                raise

    region = watching(lined, "r", generate)
    generator = generate()
    next(generator)
    with region:
        generator.throw(ValueError())
    generator.throw(ValueError())
    with region:
        with suppress(LookupError):
            generator.throw(LookupError())
    assert hits_in(lined, "r", "generate") == {
        "except ValueError:": 2, "a = 2": 1, "while True:": 1, "try:": 1, "yield 1": 1,
        "except LookupError:": 1, "b = 3": 1, "raise": 1}


def test_a_generator_that_is_closed(lined):
    def generate():
        try:
            yield 1
        finally:
            a = 2

    region = watching(lined, "r", generate)
    generator = generate()
    next(generator)
    with region:
        generator.close()
    assert hits_in(lined, "r", "generate") == {"a = 2": 1}


def test_a_generator_with_a_block_inside(lined):
    def generate(block):
        a = 1
        with block:
            yield a
            yield 2
        yield 3

    region, block = watching(lined, "r", generate), lined.region("block")
    generator = generate(block)
    with region:
        next(generator)
    next(generator)
    with region:
        next(generator)
    list(generator)
    assert hits(lined, "block") == {"with block:": 1, "yield a": 1, "yield 2": 1}
    assert hits_in(lined, "r", "generate") == {
        "a = 1": 1, "with block:": 2, "yield a": 1, "yield 3": 1}


def test_a_decorated_generator_is_counted_while_the_region_is_open(lined):
    @lined.profile("own")
    def generate():
        yield 1
        yield 2
        yield 3

    region = watching(lined, "r", generate)
    generator = generate()
    next(generator)
    with region:
        next(generator)
    list(generator)
    assert hits(lined, "own") == {"yield 1": 1, "yield 2": 1, "yield 3": 1}
    assert hits_in(lined, "r", "generate") == {"yield 2": 1}


def test_a_region_that_a_sleeping_generator_has_open(lined):
    """What is called while it sleeps is not called inside its block."""
    double = make_double()

    def generate():
        with region:
            double(1)
            yield
            double(2)

    region = watching(lined, "r", double)
    generator = generate()
    double(0)
    next(generator)
    double(0)
    list(generator)
    double(0)
    assert hits_in(lined, "r", "double") == double_times(2)


def test_a_decorated_generator_that_sleeps_in_a_block(lined):
    double = make_double()

    @lined.profile("own")
    def generate():
        with region:
            double(1)
            yield
            double(2)

    region = watching(lined, "r", double)
    generator = generate()
    next(generator)
    double(0)
    list(generator)
    double(0)
    assert hits_in(lined, "r", "double") == double_times(2)


def test_a_block_that_wakes_in_another_thread(lined):
    double = make_double()

    def generate():
        with region:
            double(1)
            yield
            double(2)
        double(0)

    region = watching(lined, "r", double)
    generator = generate()
    next(generator)
    thread = threading.Thread(target=lambda: (double(0), list(generator), double(0)))
    thread.start()
    thread.join()
    double(0)
    assert hits_in(lined, "r", "double") == double_times(2)


def test_tasks(lined):
    """A block counts what is called inside it, not what other tasks do meanwhile."""
    double = make_double()

    async def compute(n):
        await asyncio.sleep(0)
        return double(n)

    async def inside():
        with region:
            for n in range(3):
                await compute(n)

    async def elsewhere():
        for n in range(10):
            await compute(n)

    async def main():
        await asyncio.gather(inside(), elsewhere(), inside())

    region = watching(lined, "r", double, compute)
    asyncio.run(main())
    found = hits_by_function(lined, "r")
    assert found["double"] == double_times(6)
    assert found["compute"] == {"await asyncio.sleep(0)": 6, "return double(n)": 6}


def test_async_generators(lined):
    async def count(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i

    async def main():
        async for _ in count(1):
            pass
        with region:
            return [i async for i in count(2)]

    region = watching(lined, "r", count)
    assert asyncio.run(main()) == [0, 1]
    assert hits_in(lined, "r", "count") == {
        "for i in range(n):": 3, "await asyncio.sleep(0)": 2, "yield i": 2}


def test_recursive_generators(lined):
    def walk(n):
        yield n
        if n:
            yield from walk(n - 1)

    with watching(lined, "r", walk):
        assert list(walk(4)) == [4, 3, 2, 1, 0]
    assert hits_in(lined, "r", "walk") == {
        "yield n": 5, "if n:": 5, "yield from walk(n - 1)": 4}


# ---- Threads ----------------------------------------------------------------------------------


def test_the_region_is_open_in_its_thread_alone(lined):
    double = make_double()
    region = watching(lined, "r", double)
    with region:
        thread = threading.Thread(target=double, args=(1,))
        thread.start()
        thread.join()
    assert hits_in(lined, "r", "double") == {}


def test_threads_add_up(lined):
    double = make_double()
    region = watching(lined, "r", double)

    def work():
        for _ in range(1_000):
            with region:
                double(1)
            double(2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hits_in(lined, "r", "double") == double_times(4_000)


def test_a_thread_that_ends_with_the_region_open(lined):
    """The next thread does not go on where it was."""
    double = make_double()
    region = watching(lined, "r", double)
    for target in (region.__enter__, lambda: double(1), lambda: double(2)):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    assert hits(lined, "r") == {}


def test_threads_that_watch_and_call_while_runs_begin_and_end():
    """No number is wrong in the end: the last run is left alone."""
    manager = line_manager()
    double = make_double()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    stop = threading.Event()
    errors = []

    def work():
        try:
            while not stop.is_set():
                region = watching(manager, "r", double, made_anew())
                with region:
                    double(1)
                    list(map(double, range(3)))
                double(2)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for i in range(60):
            lines_on = i % 3 != 0
            manager.setup(use_line_profiler=lines_on, deactivate_file_output=True, replace=True)
            if i % 7 == 0:
                manager.reset()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert errors == []
    manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    with manager.region("r"):
        double(1)
    double(2)
    assert hits_in(manager, "r", "double") == DOUBLE_ONCE
    manager.reset()


# ---- Times ------------------------------------------------------------------------------------


def test_times_are_exact(timed):
    def work(n):
        timed.tick(n)
        timed.tick(2 * n)
        return n

    with watching(timed, "r", work):
        work(10)
        work(100)
    assert lines(timed, "r", "work") == {
        "timed.tick(n)": (2, 110), "timed.tick(2 * n)": (2, 220), "return n": (2, 0)}


def test_a_line_takes_as_long_as_what_it_calls(timed):
    def inner():
        timed.tick(5)

    def outer():
        timed.tick(1)
        inner()

    with watching(timed, "r", inner, outer):
        outer()
    assert lines(timed, "r", "outer") == {"timed.tick(1)": (1, 1), "inner()": (1, 5)}
    assert lines(timed, "r", "inner") == {"timed.tick(5)": (1, 5)}


def test_an_exception_ends_the_last_line(timed):
    def fail():
        timed.tick(3)
        raise LookupError

    def let_pass():
        try:
            fail()
        finally:
            timed.tick(20)

    with watching(timed, "r", fail, let_pass):
        with suppress(LookupError):
            let_pass()
        timed.tick(1_000)
        with suppress(LookupError):
            fail()
        timed.tick(1_000)
    assert lines(timed, "r", "fail") == {"timed.tick(3)": (2, 6), "raise LookupError": (2, 0)}
    assert lines(timed, "r", "let_pass") == {
        "try:": (1, 0), "fail()": (1, 3), "timed.tick(20)": (1, 20)}


def test_time_stands_while_a_generator_sleeps(timed):
    def generate():
        timed.tick(1)
        a = [(yield), timed.tick(10)]
        b = [(yield), timed.tick(100)]
        return a, b

    region = watching(timed, "r", generate)
    with region:
        generator = generate()
        next(generator)
        timed.tick(5_000)
        next(generator)
    timed.tick(5_000)
    with suppress(StopIteration):
        next(generator)
    assert lines(timed, "r", "generate") == {
        "timed.tick(1)": (1, 1), "a = [(yield), timed.tick(10)]": (1, 10),
        "b = [(yield), timed.tick(100)]": (1, 0)}


def test_a_line_goes_on_where_the_generator_wakes(timed):
    """Its time counts where the region is open then, and its hit where it was open when the line
    began."""
    def generate():
        a = [(yield), timed.tick(10)]
        return a

    region = watching(timed, "r", generate)
    generator = generate()
    next(generator)
    with region:
        with suppress(StopIteration):
            next(generator)
    assert lines(timed, "r", "generate") == {"return a": (1, 0)}
    generator = generate()
    with region:
        next(generator)
        with suppress(StopIteration):
            next(generator)
    assert lines(timed, "r", "generate") == {
        "a = [(yield), timed.tick(10)]": (1, 20), "return a": (2, 0)}


def test_recursive_calls_count_in_every_frame(timed):
    def descend(n):
        timed.tick(1)
        if n:
            descend(n - 1)

    with watching(timed, "r", descend):
        descend(2)
    assert lines(timed, "r", "descend") == {
        "timed.tick(1)": (3, 3), "if n:": (3, 0), "descend(n - 1)": (2, 3)}


# ---- When it is said --------------------------------------------------------------------------


def test_said_before_setup_and_for_later_runs():
    manager = ProfileManager()
    double = make_double()
    region = watching(manager, "r", double)
    with region:
        double(1)
    for _ in range(3):
        manager.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        double(2)
        with region:
            double(3)
        assert hits_in(manager, "r", "double") == DOUBLE_ONCE
    manager.setup(deactivate_file_output=True, replace=True)
    with region:
        double(4)
    assert not region.get_stats().timings
    manager.reset()


def test_said_again(lined):
    double = make_double()
    for _ in range(5):
        with watching(lined, "r", double, double):
            double(1)
    assert hits_in(lined, "r", "double") == double_times(5)


@on_a_thread_of_its_own
def test_said_while_the_region_is_open(lined):
    double = make_double()

    @lined.profile("decorated")
    def around():
        double(1)
        watch(lined.region("decorated"), [double])
        double(2)

    with lined.region("r") as region:
        double(0)
        with region:
            watch(region, [double])
            double(1)
        double(2)
    double(0)
    around()
    double(0)
    assert hits_in(lined, "r", "double") == double_times(2)
    assert hits_in(lined, "decorated", "double") == double_times(1)


def test_the_argument_of_region():
    manager = line_manager()
    double = make_double()
    for _ in range(3):
        with manager.region("r", functions=[double]):
            double(1)
    manager.region("r").add_function(double)
    assert hits_in(manager, "r", "double") == double_times(3)
    manager.reset()


@pytest.mark.parametrize("functions, shown", [
    (5, r"got int: 5$"),
    (len, r"got builtin_function_or_method: <built-in function len>$"),
    (make_double, r"got function: <function make_double at .*>$"),
    ([len], r"got one of builtin_function_or_method: <built-in function len>$"),
    ([make_double, 3], r"got one of int: 3$"),
    ([Kinds], r"got one of type: <class .*Kinds'>$"),
    (["f"], r"got one of str: 'f'$"),
    ("f", r"got one of str: 'f'$"),
    ([None], r"got one of NoneType: None$"),
    ([functools.partial(len)], r"got one of partial: functools.partial\(<built-in .*len>\)$"),
])
def test_bad_functions(lined, functions, shown):
    takes = r"^functions takes an iterable of Python functions, methods or what wraps them, "
    with pytest.raises(TypeError, match=takes + shown):
        watch(lined.region("r"), functions)


def test_bad_functions_change_nothing(lined):
    double = make_double()
    region = lined.region("r")
    with pytest.raises(TypeError):
        watch(region, [double, 3])
    with region:
        double(1)
    assert hits_in(lined, "r", "double") == {}


def test_an_object_that_has_every_attribute(lined):
    class Anything:
        def __getattr__(self, name):
            return Anything()

    with pytest.raises(TypeError, match="got one of Anything"):
        watch(lined.region("r"), [Anything()])


def test_any_iterable_of_functions(lined):
    double = make_double()
    region = lined.region("r")
    watch(region, iter([double]))
    watch(region, ())
    with region:
        double(1)
    assert hits_in(lined, "r", "double") == DOUBLE_ONCE


def test_before_setup_it_loads_nothing_large():
    output = run_python("""
        ProfileManager.region("r", functions=[lambda: 1])
        print(sorted({"dis", "inspect", "numpy"} & set(sys.modules)))
        """)
    assert output.strip() == "[]"


# ---- Runs that begin and end meanwhile --------------------------------------------------------


@pytest.mark.parametrize("what", ["reset", "setup", "pause", "stop"])
@on_a_thread_of_its_own
def test_a_run_that_ends_inside_the_function(lined, what):
    end = {
        "reset": lined.reset,
        "setup": lambda: lined.setup(use_line_profiler=True, deactivate_file_output=True,
                                     replace=True),
        "pause": lambda: lined._record(False),
        "stop": lined._stop,
    }[what]
    once = [end]

    def work():
        a = 1
        if once:
            once.pop()()
        return a

    region = watching(lined, "r", work)
    with region:
        work()
        work()
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    for _ in range(3):
        work()
        with region:
            work()
    assert hits_in(lined, "r", "work") == {"a = 1": 3, "if once:": 3, "return a": 3}


@on_a_thread_of_its_own
def test_line_mode_that_ends_inside_takes_no_time_along(timed):
    """The frame that was open is forgotten, though nobody has told of its end."""
    once = [timed.reset]

    def work():
        a = 1
        if once:
            once.pop()()
        return a

    region = watching(timed, "r", work)
    with region:
        work()
        timed.tick(1_000_000)
    for _ in range(3):
        timed.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
        with region:
            work()
    assert lines(timed, "r", "work") == {"a = 1": (1, 0), "if once:": (1, 0), "return a": (1, 0)}


@on_a_thread_of_its_own
def test_a_region_entered_by_hand_in_an_earlier_run_is_not_open(lined):
    double = make_double()
    region = watching(lined, "r", double)
    region.__enter__()
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    double(1)
    assert hits(lined, "r") == {}


def test_nothing_is_counted_while_recording_is_paused(lined):
    double = make_double()
    region = watching(lined, "r", double)
    lined.pause()
    with region:
        double(1)
    lined.resume()
    with region:
        double(2)
    assert hits_in(lined, "r", "double") == DOUBLE_ONCE


# ---- Cost -------------------------------------------------------------------------------------


def local_events(function):
    """The names of the events that are on in its code."""
    monitoring = sys.monitoring
    tools = [tool for tool in range(6) if monitoring.get_tool(tool) == "scope_profiler"]
    on = sum(monitoring.get_local_events(tool, function.__code__) for tool in tools)
    return {name for name, event in vars(monitoring.events).items() if event and on & event}


@from_3_12
def test_line_events_are_on_when_they_are_needed(lined):
    def loop(n):
        for _ in range(n):
            pass

    region = watching(lined, "r", loop)
    assert local_events(loop) == {"PY_START"}
    with region:
        loop(1)
    assert "LINE" in local_events(loop)
    loop(10)
    assert "LINE" in local_events(loop)  # for a while
    loop(2_000)
    assert local_events(loop) == {"PY_START"}
    with region:
        loop(3)
    found = hits_in(lined, "r", "loop")
    assert found == {"for _ in range(n):": 6, "pass": 4}


@from_3_12
def test_line_events_stay_on_while_a_frame_of_the_code_is_recorded(lined):
    def loop(n, then):
        for _ in range(n):
            then()
        return n

    region = watching(lined, "r", loop)
    ready, done = threading.Event(), threading.Event()

    def other():
        ready.wait(10)
        loop(2_000, int)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with region:
        loop(2, lambda: (ready.set(), done.wait(10)))
    thread.join()
    assert hits_in(lined, "r", "loop") == {
        "for _ in range(n):": 3, "then()": 2, "return n": 1}
    assert "LINE" in local_events(loop)


@pytest.mark.usefixtures("line_mode_is_over")
@from_3_12
def test_no_events_when_line_mode_is_over(lined):
    double = make_double()
    region = watching(lined, "r", double)
    with region:
        double(1)
    lined.reset()
    events = sys.monitoring
    assert all(events.get_tool(tool) is None for tool in range(6))
    lined.setup(use_line_profiler=True, deactivate_file_output=True)
    assert "PY_START" in local_events(double)


@from_3_12
def test_exceptions_are_heard_of_when_a_function_is_watched():
    output = run_python("""
        from scope_profiler._instrument.lines import watch

        def f():
            return 1

        def heard():
            [tool] = [i for i in range(6) if sys.monitoring.get_tool(i) == "scope_profiler"]
            return sys.monitoring.get_events(tool)

        manager = line_manager()
        print(heard())
        region = manager.region("r")
        watch(region, [f])
        both = sys.monitoring.events.PY_UNWIND | sys.monitoring.events.PY_THROW
        print(heard() == both)
        manager.reset()
        manager.setup(use_line_profiler=True, deactivate_file_output=True)
        print(heard() == both)
        """)
    assert output.split() == ["0", "True", "True"]


@from_3_12
def test_exceptions_of_others_with_frames_of_the_function_below(lined):
    def work(n):
        for _ in range(n):
            with suppress(LookupError):
                {}["missing"]
            with suppress(ValueError):
                deep(5)
        return n

    def deep(n):
        if n == 0:
            raise ValueError
        deep(n - 1)

    with watching(lined, "r", work):
        work(2)
    assert hits_in(lined, "r", "work")["deep(5)"] == 2
    assert hits_in(lined, "r", "work")["return n"] == 1


# ---- Beside other tools -----------------------------------------------------------------------


@on_3_11
def test_a_tracer_sees_the_same_events(lined):
    double = make_double()

    def run():
        with region:
            a = double(1)
            b = sorted([2, 1], key=double)
        return a, b

    def seen_by_a_tracer():
        seen = []

        def tracer(frame, event, argument):
            if frame.f_code.co_filename == __file__:
                seen.append((frame.f_code.co_name, event, frame.f_lineno))
            return tracer

        sys.settrace(tracer)
        try:
            run()
        finally:
            sys.settrace(None)
        return seen

    region = lined.region("r")
    plain = seen_by_a_tracer()
    watch(region, [double])
    assert seen_by_a_tracer() == plain
    assert hits_in(lined, "r", "double") == double_times(3)


def test_no_tracer_is_left(lined):
    double = make_double()
    with watching(lined, "r", double):
        double(1)
    assert sys.gettrace() is None
    double(2)
    assert sys.gettrace() is None


def test_cprofile_beside_it(lined):
    import cProfile
    import pstats

    double = make_double()
    region = watching(lined, "r", double)
    profiler = cProfile.Profile()
    profiler.enable()
    with region:
        for _ in range(5):
            double(1)
    profiler.disable()
    calls = {key[2]: row[0] for key, row in pstats.Stats(profiler).stats.items()}
    assert calls["double"] == 5
    assert hits_in(lined, "r", "double") == double_times(5)


# ---- Memory -----------------------------------------------------------------------------------


def made_anew(name="made"):
    """A function over code of its own."""
    names = {}
    exec(compile(f"def {name}(n):\n m = n\n return m\n", f"<{name}>", "exec"), names)
    return names[name]


def counted_in(region, name="made"):
    return {key[2]: [row[1] for row in rows] for key, rows in region.get_stats().timings.items()
            if key[2] == name}


@CODE_DIES
def test_neither_function_nor_code_is_kept_alive(lined):
    region = lined.region("r")
    function = made_anew()
    watch(region, [function])
    with region:
        function(1)
    dies = weakref.ref(function), weakref.ref(function.__code__)
    del function
    gc.collect()
    assert [reference() for reference in dies] == [None, None]
    assert counted_in(region) == {"made": [1, 1]}  # what was counted stays for the run
    lined.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    assert counted_in(region) == {}


@CODE_DIES
@pytest.mark.parametrize("how", ["decorated", "block"])
def test_code_of_other_kinds_is_not_kept_alive_either(lined, how):
    names = {"region": lined.region("r")}
    source = "def made(n):\n with region:\n  m = n\n return m\n" if how == "block" else (
        "def made(n):\n m = n\n return m\n")
    exec(compile(source, "<made>", "exec"), names)
    function = names.pop("made")
    call = lined.profile("r")(function) if how == "decorated" else function
    call(1)
    dies = weakref.ref(function), weakref.ref(function.__code__)
    before = counted_in(lined.region("r"))
    assert before
    del function, call, names
    gc.collect()
    assert [reference() for reference in dies] == [None, None]
    assert counted_in(lined.region("r")) == before


def test_many_functions_that_die_leave_nothing_in_each_others_place(lined):
    """Their addresses come again."""
    region = lined.region("r")
    with region:
        for i in range(300):
            function = made_anew(f"f{i % 7}")
            if i % 2:
                watch(region, [function])
            function(1)
            if i % 3 == 0:
                lined.profile("r")(function)(2)
    total = {f"f{k}": sum((i % 2) + (i % 3 == 0) for i in range(300) if i % 7 == k)
             for k in range(7)}
    found = {key[2]: rows[0][1] for key, rows in region.get_stats().timings.items()
             if key[2] in total}
    assert found == total


def test_regions_and_managers_that_die():
    """Functions may live longer than what watches them."""
    output = run_python("""
        from scope_profiler._instrument.lines import watch

        def f():
            return 1

        kept = line_manager()
        watch(kept.region("r"), [f])
        for i in range(50):
            manager = line_manager()
            for j in range(5):
                region = manager.region(f"r{j}")
                watch(region, [f])
                region.__enter__()
            f()
            manager.reset()
            del manager, region
            gc.collect()
            filling = [bytearray(64 + 16 * k) for k in range(200)]
            f()
        with kept.region("r"):
            f()
        print(hits(kept, "r")["f"])
        """)
    assert output.strip() == "[1]"


def test_a_manager_that_dies_inside_the_function():
    output = run_python("""
        from scope_profiler._instrument.lines import watch

        def f(n):
            a = 1
            if n:
                managers.pop().reset()
                gc.collect()
            return a

        def block(manager):
            with manager.region("r", functions=[f]):
                del manager
                f(1)
                f(0)

        for _ in range(20):
            managers = [line_manager()]
            block(managers[0])
        kept = line_manager()
        watch(kept.region("r"), [f])
        with kept.region("r"):
            f(0)
        print(hits(kept, "r")["f"])
        """)
    assert output.strip() == "[1, 1, 1]"


def test_a_block_whose_region_dies_inside_another():
    """Weird, but no reason to write where it was."""
    output = run_python("""
        kept = line_manager()
        other = kept.region("other")

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
                with other:
                    a = 1
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
        print(hits(kept, "other"), hits(kept, "g"))
        """)
    assert output.strip() == "{'generate': [30, 30]} {'generate': [60, 30, 30, 60, 30, 30]}"


def test_many_regions_that_watch_one_function(lined):
    double = make_double()
    for i in range(3_000):
        with watching(lined, f"r{i}", double):
            double(1)
    assert hits_in(lined, "r2999", "double") == DOUBLE_ONCE
    assert hits_in(lined, "r0", "double") == DOUBLE_ONCE


def test_a_region_that_watches_many_functions(lined):
    region = lined.region("r")
    functions = [made_anew(f"f{i}") for i in range(2_000)]
    watch(region, functions)
    with region:
        for function in functions:
            function(1)
    found = {key[2] for key in region.get_stats().timings}
    assert len(found & {function.__name__ for function in functions}) == 2_000


def test_collecting_garbage_at_every_allocation(lined):
    double = make_double()
    region = watching(lined, "r", double)
    threshold = gc.get_threshold()
    gc.callbacks.append(lambda phase, info: double(0))
    gc.set_threshold(1)
    try:
        for i in range(20):
            function = made_anew()
            watch(region, [function])
            with region:
                function(1)
            del function
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.pop()
    assert counted_in(region) == {"made": [20, 20]}


# ---- Random programs --------------------------------------------------------------------------

ACTIONS = st.recursive(
    st.sampled_from(["f", "g", "gen", "fail"]),
    lambda inner: st.tuples(st.sampled_from(["A", "B", "call", "try"]),
                            st.lists(inner, max_size=4)),
    max_leaves=25,
)


@given(st.lists(ACTIONS, max_size=6))
@settings(deadline=None, max_examples=examples(150),
          suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_programs_count_as_a_model_does(actions):
    """A watches f and gen, B watches f and g."""
    manager = line_manager()

    def f():
        return 1

    def g():
        return 2

    def gen():
        yield 3
        yield 4

    def fail():
        raise LookupError

    regions = {"A": watching(manager, "A", f, gen, fail), "B": watching(manager, "B", f, g)}
    watched = {"A": ("f", "gen", "fail"), "B": ("f", "g")}
    model = {}
    sleeping = []

    def note(name, opened):
        for region in set(opened):
            if name in watched[region]:
                model[region, name] = model.get((region, name), 0) + 1

    def run(action, opened):
        if isinstance(action, str):
            if action == "gen":
                sleeping.append(gen())
                next(sleeping[-1])
            note(action, opened)
            if action == "f":
                f()
            elif action == "g":
                g()
            elif action == "fail":
                fail()
            return
        kind, inner = action
        if kind in regions:
            with regions[kind]:
                for other in inner:
                    run(other, opened + [kind])
        elif kind == "try":
            with suppress(LookupError):
                for other in inner:
                    run(other, opened)
        else:
            if sleeping:
                note("gen", opened)
                next(sleeping.pop(0))
            for other in inner:
                run(other, opened)

    try:
        for action in actions:
            with suppress(LookupError):
                run(action, [])
        found = {}
        for region in regions:
            for name, table in hits_by_function(manager, region).items():
                if name in ("f", "g", "gen", "fail"):
                    found[region, name] = sum(table.values())
        assert found == model
    finally:
        manager.reset()
