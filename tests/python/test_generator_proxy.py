"""src/python/generator_proxy.c: decorated generators, coroutines and async generators."""

import asyncio
import gc
import inspect
import types

import pytest

from conftest import calls_of, events_of


def stats(manager, name):
    s = manager.get_region(name).get_stats()
    return s.num_calls, s.total_ns, s.exclusive_ns, s.errors


def run(coroutine):
    """Drive a coroutine that never waits for anything but bare yields."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


@types.coroutine
def pause():
    yield


def test_the_kind_of_function_is_kept(manager):
    @manager.profile("g")
    def generator(a, b=1):
        yield a

    @manager.profile("c")
    async def coroutine():
        pass

    @manager.profile("a")
    async def async_generator():
        yield

    assert inspect.isgeneratorfunction(generator) and inspect.isgenerator(generator(1))
    assert inspect.iscoroutinefunction(coroutine)
    assert inspect.isasyncgenfunction(async_generator)
    assert str(inspect.signature(generator)) == "(a, b=1)"
    assert generator.__name__ == "generator"
    made = coroutine()
    assert inspect.iscoroutine(made)
    made.close()


def test_a_generator_is_one_call_of_what_ran_in_it(manager, clock):
    @manager.profile("g")
    def count(n):
        for i in range(n):
            clock.tick(10)
            yield i

    for _ in count(3):
        clock.tick(1000)  # between the steps: nobody's in the generator
    assert stats(manager, "g") == (1, 3030, 30, 0)
    assert events_of(manager, "g") == [(1000, 3030)]


def test_values_exceptions_and_results_pass_through(manager):
    @manager.profile("g")
    def talk():
        received = []
        while True:
            try:
                received.append((yield len(received)))
            except KeyError as error:
                received.append(error)
            if len(received) == 3:
                return received

    g = talk()
    assert next(g) == 0 and g.send("a") == 1
    error = KeyError("k")
    assert g.throw(error) == 2
    with pytest.raises(StopIteration) as stop:
        g.send("c")
    assert stop.value.value == ["a", error, "c"]
    assert stats(manager, "g")[0] == 1

    def delegate():
        return (yield from talk())

    outer = delegate()
    next(outer), outer.send(1), outer.send(2)
    with pytest.raises(StopIteration) as stop:
        outer.send(3)
    assert stop.value.value == [1, 2, 3]


@pytest.mark.parametrize("value", [(1, 2), ValueError("a value"), None, StopIteration(3)])
def test_results_that_look_like_exception_arguments(manager, value):
    @manager.profile("g")
    def g():
        yield
        return value

    made = g()
    next(made)
    with pytest.raises(StopIteration) as stop:
        next(made)
    assert stop.value.value is value


def test_errors_and_closing(manager):
    cleaned = []

    @manager.profile("g")
    def g():
        try:
            yield 1
            raise ValueError("theirs")
        finally:
            cleaned.append(1)

    made = g()
    next(made)
    with pytest.raises(ValueError, match="theirs"):
        next(made)
    assert stats(manager, "g")[0] == 1 and stats(manager, "g")[3] == 1
    made = g()
    next(made)
    made.close()
    assert cleaned == [1, 1]
    assert stats(manager, "g")[0] == 2 and stats(manager, "g")[3] == 1
    made = g()
    next(made)
    del made
    gc.collect()
    assert cleaned == [1, 1, 1] and stats(manager, "g")[0] == 3
    g().close()
    assert cleaned == [1, 1, 1] and stats(manager, "g")[0] == 3, "it never began"


@pytest.mark.parametrize("kind", ["generator", "coroutine"])
def test_what_is_inside_may_be_closed_first(manager, clock, capfd, kind):
    """As the garbage collector does where it has no GIL."""
    if kind == "generator":
        @manager.profile("f")
        def decorated():
            clock.tick(5)
            yield

        outer = decorated()
        next(outer)
    else:
        @manager.profile("f")
        async def decorated():
            clock.tick(5)
            await pause()

        outer = decorated()
        outer.send(None)
    kinds = types.GeneratorType, types.CoroutineType
    inner, = (one for one in gc.get_objects()
              if isinstance(one, kinds) and one.__qualname__ == outer.__qualname__ and one is not outer)
    inner.close()
    outer.close()
    assert stats(manager, "f") == (1, 5, 5, 0)
    assert capfd.readouterr().err == ""


def test_interleaved_coroutines_have_their_own_times(manager, clock):
    @manager.profile("c")
    async def work(ns):
        clock.tick(ns)
        await pause()
        with manager.profile_region("inner"):
            clock.tick(ns)
        return ns

    first, second = work(1), work(100)
    first.send(None), second.send(None)
    for coroutine, ns in ((first, 1), (second, 100)):
        with pytest.raises(StopIteration) as stop:
            coroutine.send(None)
        assert stop.value.value == ns
    assert sorted(events_of(manager, "c")) == [(1000, 102), (1001, 201)]
    assert calls_of(manager) == {"c": (2, 303, 101), "c>inner": (2, 101, 101)}


def test_await_of_a_decorated_coroutine_nests(manager, clock):
    @manager.profile("inner")
    async def inner():
        clock.tick(5)
        await pause()
        clock.tick(5)
        return "value"

    @manager.profile("outer")
    async def outer():
        clock.tick(1)
        return await inner()

    assert run(outer()) == "value"
    assert calls_of(manager) == {"outer": (1, 11, 1), "outer>inner": (1, 10, 10)}


def test_async_generator(manager, clock):
    @manager.profile("a")
    async def numbers(n):
        for i in range(n):
            clock.tick(1)
            await pause()
            try:
                got = yield i
            except KeyError:
                got = "caught"
            if got:
                yield got

    async def program():
        assert [x async for x in numbers(3)] == [0, 1, 2]
        talk = numbers(2)
        assert await talk.__anext__() == 0
        assert await talk.asend("hello") == "hello"
        assert await talk.__anext__() == 1
        assert await talk.athrow(KeyError) == "caught"
        await talk.aclose()
        with pytest.raises(StopAsyncIteration):
            await talk.__anext__()

    run(program())
    calls, _, exclusive, errors = stats(manager, "a")
    assert (calls, exclusive, errors) == (2, 5, 0)


def test_cancellation_is_seen(manager):
    @manager.profile("c")
    async def forever():
        await asyncio.Event().wait()

    async def program():
        task = asyncio.ensure_future(forever())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(program())
    assert stats(manager, "c")[0] == 1 and stats(manager, "c")[3] == 1


def test_recursive_generators(manager, clock):
    @manager.profile("walk")
    def walk(depth):
        clock.tick(1)
        yield depth
        if depth:
            yield from walk(depth - 1)

    assert list(walk(3)) == [3, 2, 1, 0]
    assert stats(manager, "walk") == (4, 4, 4, 0)


def test_methods(manager):
    class Thing:
        @manager.profile("method")
        def numbers(self, n):
            yield from range(n)

        @manager.profile("static")
        @staticmethod
        async def give(x):
            return x

    assert list(Thing().numbers(3)) == [0, 1, 2]
    assert run(Thing.give(4)) == 4
    assert stats(manager, "method")[0] == stats(manager, "static")[0] == 1


def test_without_a_run_nothing_is_measured_and_all_works(manager):
    @manager.profile("g")
    def g():
        yield 1
        return 2

    manager.reset()
    assert list(g()) == [1]
    made = g()
    next(made)
    manager.setup(deactivate_file_output=True)
    assert list(made) == []
    assert stats(manager, "g")[0] <= 1
    assert list(g()) == [1]


def test_a_run_that_begins_between_steps(manager, clock):
    @manager.profile("g")
    def g():
        for _ in range(3):
            clock.tick(1)
            yield

    made = g()
    next(made)
    manager.setup(replace=True, deactivate_file_output=True)
    assert len(list(made)) == 2
    assert manager.get_region("g").get_stats().num_calls == 0, "it began in an earlier run"
    assert manager._counters()["open"] == 0
    assert len(list(g())) == 3
    assert stats(manager, "g")[0] == 1


def test_lines_of_a_generator(clock):
    from scope_profiler import ProfileManager

    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)

    @manager.profile("g")
    def g(n):
        for i in range(n):
            clock.tick(1)
            got = yield i
            clock.tick(10)

    try:
        for _ in g(3):
            clock.tick(1000)
        [rows] = manager.get_region("g").get_stats().timings.values()
        first = g.__wrapped__.__code__.co_firstlineno
        assert [(line - first, hits, ns) for line, hits, ns in rows] == [
            (2, 4, 0), (3, 3, 3), (4, 3, 0), (5, 3, 30)]
    finally:
        manager.reset()
