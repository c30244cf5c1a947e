"""Exceptions, generators, coroutines and async generators: a decorated one is, from outside, what it
is without us. Each test runs a program twice, with and without, and compares all that can be seen.
"""

import asyncio
import contextlib
import gc
import inspect
import sys
import threading
import traceback
import types
import warnings
import weakref

from hypothesis import given, settings, strategies as st
import pytest

from conftest import events_of, examples
from scope_profiler import ProfileManager

MODES = {
    "default": {},
    "lines": {"use_line_profiler": True},
    "recursive": {"recursive_profile": True},
    "tasks": {"track_async": True},
    "outcomes": {},
}


def undecorated(function):
    return function


@contextlib.contextmanager
def recording(mode):
    """A manager in that mode, and its decorator; what is decorated is named after the function."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, **MODES[mode])
    try:
        yield manager, lambda function: manager.profile(record_outcome=mode == "outcomes")(function)
    finally:
        manager.reset()


def stats(manager, name):
    found = manager.get_region(name).get_stats()
    return found.num_calls, found.errors


# ---- Programs that end in an exception


@types.coroutine
def give(value):
    return (yield value)


class Mine(Exception):
    pass


KINDS = [Mine, SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError,
         StopIteration, StopAsyncIteration, asyncio.CancelledError, BaseException]
# A generator or coroutine that ends with one of these has not failed.
TELL_OF_AN_END = [GeneratorExit, StopIteration, StopAsyncIteration]


def in_function(decorate, region, error):
    @decorate
    def f(depth):
        if depth:
            return f(depth - 1)
        with region:
            with region:
                raise error

    f(3)


def in_nested_handlers(decorate, region, error):
    @decorate
    def f():
        try:
            with region:
                raise error
        except BaseException as caught:
            assert caught is error and sys.exc_info()[1] is error
            caught.add_note("seen")
            try:
                with region:
                    raise LookupError("second")
            except LookupError as second:
                assert second.__context__ is error
            assert sys.exc_info()[1] is error
            raise

    try:
        f()
    finally:
        assert sys.exc_info()[1] is error


def in_generator(decorate, region, error):
    @decorate
    def f():
        with region:
            yield 1
            raise error

    for _ in f():
        pass


def thrown_into_generator(decorate, region, error):
    @decorate
    def f():
        try:
            with region:
                yield 1
        except BaseException as caught:
            assert caught is error and sys.exc_info()[1] is error
            raise

    generator = f()
    next(generator)
    try:
        raise LookupError("around")
    except LookupError:
        generator.throw(error)


def in_chained_generators(decorate, region, error):
    @decorate
    def inner():
        with region:
            yield 1
            raise error from LookupError("cause")

    @decorate
    def f():
        yield from inner()

    list(f())


def in_coroutine(decorate, region, error):
    @decorate
    async def inner():
        with region:
            await give(1)
            raise error

    @decorate
    async def f():
        await inner()

    coroutine = f()
    while True:
        coroutine.send(None)


def in_async_generator(decorate, region, error):
    @decorate
    async def inner():
        with region:
            yield 1
            await give(2)
            raise error

    @decorate
    async def f():
        async for _ in inner():
            pass

    coroutine = f()
    while True:
        coroutine.send(None)


def thrown_into_async_generator(decorate, region, error):
    @decorate
    async def f():
        try:
            with region:
                yield 1
        except BaseException as caught:
            assert caught is error and caught.__context__ is None
            raise

    generator = f()
    for step in (generator.__anext__(), generator.athrow(error)):
        with contextlib.suppress(StopIteration):
            step.send(None)


def in_callback(decorate, region, error):
    @decorate
    def f(_):
        with region:
            raise error

    sorted([1, 2], key=f)


def in_exit_stack(decorate, region, error):
    @decorate
    def f():
        with contextlib.ExitStack() as stack:
            stack.enter_context(region)
            raise error

    f()


PLACES = [in_function, in_nested_handlers, in_generator, thrown_into_generator,
          in_chained_generators, in_coroutine, in_async_generator, thrown_into_async_generator,
          in_callback, in_exit_stack]


def new(kind):
    error = kind("mine")
    error.__suppress_context__ = False  # a MemoryError is used again as it was left, until 3.12
    return error


def told(place, decorate, region, error):
    """The formatted exception that comes out, and how it is connected."""
    try:
        place(decorate, region, error)
    except BaseException as caught:
        text = "".join(traceback.format_exception(caught))
        return text, caught is error, caught.__suppress_context__, getattr(caught, "__notes__", None)
    return None


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
@pytest.mark.parametrize("mode", MODES)
def test_exceptions_come_out_as_they_are(place, mode):
    for kind in KINDS:
        expected = told(place, undecorated, threading.RLock(), new(kind))
        assert expected is not None
        with recording(mode) as (manager, decorate):
            assert told(place, decorate, manager.region("r"), new(kind)) == expected
            calls, errors = stats(manager, "r")
            assert errors == calls > 0  # closed, and counted
            calls, errors = stats(manager, "f")
            assert calls == (4 if place is in_function else 1)
            assert errors == calls or kind in TELL_OF_AN_END


@pytest.mark.parametrize("mode", MODES)
def test_groups_threads_and_cancelled_tasks(mode):
    def seen(decorate, region):
        shown = []

        @decorate
        async def fails(n):
            with region:
                await asyncio.sleep(0)
                raise Mine(n)

        @decorate
        async def waits():
            with region:
                await asyncio.sleep(100)

        async def group():
            async with asyncio.TaskGroup() as group:
                group.create_task(fails(1))
                group.create_task(fails(2))
                group.create_task(waits())

        async def cancelled():
            task = asyncio.create_task(waits())
            await asyncio.sleep(0)
            task.cancel("because")
            await task

        async def too_slow():
            await asyncio.wait_for(waits(), 0.001)

        for program in (group, cancelled, too_slow):
            try:
                asyncio.run(program())
            except BaseException as error:
                shown.append("".join(traceback.format_exception(error)))

        @decorate
        def target():
            with region:
                raise Mine("thread")

        hook, threading.excepthook = threading.excepthook, lambda told: shown.append(
            "".join(traceback.format_exception(told.exc_value)))
        try:
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
        finally:
            threading.excepthook = hook
        return shown

    expected = seen(undecorated, threading.RLock())
    assert len(expected) == 4
    with recording(mode) as (manager, decorate):
        assert seen(decorate, manager.region("r")) == expected
        assert [stats(manager, name) for name in ("r", "fails", "waits", "target")] == [
            (6, 6), (2, 2), (3, 3), (1, 1)]


@pytest.mark.parametrize("mode", ["default", "lines", "tasks"])
@pytest.mark.parametrize("kind", ["function", "block", "generator"])
def test_recursion_errors_come_at_any_depth(mode, kind):
    """Wherever the limit strikes, in the user's code or on the way there, every call is closed."""
    with recording(mode) as (manager, decorate):
        region = manager.region("r")

        @decorate
        def function(n):
            return n and function(n - 1)

        def block(n):
            with region:
                return n and block(n - 1)

        @decorate
        def generator(n):
            if n:
                yield from generator(n - 1)

        def descend(n, do):
            return descend(n - 1, do) if n else do()

        programs = {"function": lambda: function(40), "block": lambda: block(40),
                    "generator": lambda: list(generator(40))}
        program, name = programs[kind], "r" if kind == "block" else kind
        program()
        before = sys.getrecursionlimit()
        raised = 0
        sys.setrecursionlimit(400)
        try:
            for depth in range(200, 390, 3):
                try:
                    descend(depth, program)
                except RecursionError as error:
                    raised += 1
                    assert "maximum recursion depth exceeded" in str(error)
        finally:
            sys.setrecursionlimit(before)
        assert raised > 5
        program()
        rows = [row for row in manager._collect(None) if row[1].name == name]
        calls, errors = stats(manager, name)
        assert 0 < errors < calls
        with manager.region("after"):  # nothing is left open: it is at the top
            pass
        [parent] = [row[0] for row in manager._collect(None) if row[1].name == "after"]
        assert parent == -1 and rows


# ---- The protocols


def bodies(log):
    """One of each kind that does what `mood` says; log tells what happens inside."""

    def handled(error):
        log.append((repr(error), type(error.__context__), traceback.extract_tb(error.__traceback__)))

    def generator(n, mood):
        try:
            for i in range(n):
                try:
                    log.append((yield (i, sys.exc_info()[0])))
                except KeyError as error:
                    handled(error)
                    if mood == "raise from":
                        raise ValueError("from") from error
                except GeneratorExit as error:
                    handled(error)
                    if mood == "swallow":
                        return "swallowed"
                    raise
            if mood == "fail":
                raise Mine("end")
            if mood == "stop":
                raise StopIteration("x")
            return "result", n
        finally:
            log.append(("finally", repr(sys.exc_info()[1])))

    async def coroutine(n, mood):
        try:
            for i in range(n):
                try:
                    log.append(await give((i, sys.exc_info()[0])))
                except KeyError as error:
                    handled(error)
                    if mood == "raise from":
                        raise ValueError("from") from error
                except GeneratorExit as error:
                    handled(error)
                    if mood == "swallow":
                        return "swallowed"
                    raise
            if mood == "fail":
                raise Mine("end")
            if mood == "stop":
                raise StopIteration("x")
            return "result", n
        finally:
            log.append(("finally", repr(sys.exc_info()[1])))

    async def async_generator(n, mood):
        try:
            for i in range(n):
                try:
                    if i % 2:
                        log.append(await give(("awaits", i)))
                    log.append((yield (i, sys.exc_info()[0])))
                except KeyError as error:
                    handled(error)
                    if mood == "raise from":
                        raise ValueError("from") from error
                except GeneratorExit as error:
                    handled(error)
                    if mood == "swallow":
                        return
                    if mood == "ignore":
                        yield "ignored"
                    if mood == "wait":
                        log.append(await give("slow"))
                    raise
            if mood == "fail":
                raise Mine("end")
            if mood == "stop":
                raise StopAsyncIteration("x")
        finally:
            log.append(("finally", repr(sys.exc_info()[1])))

    return {"generator": generator, "coroutine": coroutine, "async generator": async_generator}


def described(error, depth=3):
    """All of an exception; a frame of ours may stand for the function's that has not begun."""
    if error is None or not depth:
        return None
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    if names[-1:] == ["profiled"]:
        names[-1] = BEGINS
    return (type(error), error.args, names, error.__suppress_context__,
            described(error.__cause__, depth - 1), described(error.__context__, depth - 1))


BEGINS = "not begun"


def one_step(kind, made, action, value):
    """Do it, to the end of what it gives; what was seen on the way."""
    if kind != "async generator":
        if action == "next":
            return made.send(None) if kind == "coroutine" else next(made)
        if action == "throw":
            return made.throw(KeyError(value))
        if action == "exit":
            return made.throw(GeneratorExit("mine"))
        if action == "state":
            get = inspect.getgeneratorstate if kind == "generator" else inspect.getcoroutinestate
            return get(made)
        if action == "iterate":
            return iter(made) is made if kind == "generator" else next(made.__await__())
        return made.send(value) if action == "send" else made.close()
    makes = {
        "next": made.__anext__, "close": made.aclose,
        "send": lambda: made.asend(value), "throw": lambda: made.athrow(KeyError(value)),
        "exit": lambda: made.athrow(GeneratorExit("mine")),
        "state": lambda: give(made.ag_running), "iterate": made.__aiter__().__anext__,
    }
    awaited, seen = makes[action](), []
    try:
        for answer in range(5):
            seen.append(awaited.send(answer or None))
            if action == "iterate":  # into what it waits for
                seen.append(awaited.throw(KeyError("in await")))
    except StopIteration as stop:
        seen.append(("item", stop.value))
    return seen


def played(decorate, kind, n, mood, actions):
    log, seen, told = [], [], []
    function = decorate(bodies(log)[kind])
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(lambda made: told.append("first"), lambda made: told.append("last"))
    made = None
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            for action, value in [("begin", 0), *actions]:
                try:
                    if action == "begin":
                        made = None
                        gc.collect(0)
                        made = function(n, mood)
                    else:
                        seen.append(one_step(kind, made, action, value))
                except BaseException as error:
                    seen.append(described(error))
            made = None
            gc.collect(0)
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return seen, log, told, sorted(str(warning.message).split("\n")[0] for warning in warned)


def with_user_frames(seen):
    """Where a function had not begun, which line its frame would show."""
    return [
        (*row[:2], [BEGINS if name in ("generator", "coroutine", "async_generator") else name
                    for name in row[2]], *row[3:])
        if isinstance(row, tuple) and len(row) == 6 else row
        for row in seen
    ]


@settings(max_examples=examples(300), deadline=None)
@given(
    st.sampled_from(["generator", "coroutine", "async generator"]), st.integers(0, 4),
    st.sampled_from(["", "raise from", "swallow", "ignore", "wait", "fail", "stop"]),
    st.lists(st.tuples(st.sampled_from(
        ["next", "next", "next", "send", "throw", "exit", "close", "begin", "state", "iterate"]),
        st.integers(0, 3)), max_size=7),
)
def test_random_use(kind, n, mood, actions):
    """Values, exceptions and what they are connected with, finalizer hooks, warnings, and what the
    function itself sees."""
    expected = played(undecorated, kind, n, mood, actions)
    for mode in ("default", "lines", "outcomes"):
        with recording(mode) as (_, decorate):
            found = played(decorate, kind, n, mood, actions)
        assert with_user_frames(found[0]) == with_user_frames(expected[0])
        assert found[1:] == expected[1:]


@pytest.mark.parametrize("mode", MODES)
def test_entered_again_while_it_runs(mode):
    def seen(decorate):
        made = []

        @decorate
        def generator():
            yield made[0].gi_running
            next(made[0])

        @decorate
        async def coroutine():
            made[1].send(None)

        made[:] = [generator(), coroutine()]
        texts = [next(made[0])]
        for step in (lambda: next(made[0]), lambda: made[1].send(None)):
            with pytest.raises(ValueError) as caught:
                step()
            texts.append("".join(traceback.format_exception(caught.value)))
        return texts

    with recording(mode) as (_, decorate):
        assert seen(decorate) == seen(undecorated)


def test_what_the_event_loop_sees():
    """One async generator to close at the end; none of its own inside."""

    def seen(decorate):
        log = []

        @decorate
        async def numbers():
            try:
                yield 1
            finally:
                await asyncio.sleep(0)
                log.append("closed")

        async def main():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: log.append(context["message"]))
            kept.append(numbers())
            await kept[0].__anext__()
            async for _ in numbers():
                break
            for _ in range(3):  # in which the loop closes it
                await asyncio.sleep(0)
            log.append(len(loop._asyncgens))

        kept = []
        asyncio.run(main(), debug=True)
        return log

    with recording("default") as (manager, decorate):
        assert seen(decorate) == seen(undecorated) and seen(undecorated).count("closed") == 2
        assert stats(manager, "numbers") == (2, 0)


def test_what_is_sent_and_yielded_is_let_go():
    """Nothing of ours holds on to what the user gave or got."""

    class Thing:
        pass

    with recording("default") as (_, decorate):

        @decorate
        async def echo():
            while True:
                weak.append(weakref.ref((yield Thing())))

        weak = []
        generator = echo()
        for sent in (None, Thing(), Thing()):
            with pytest.raises(StopIteration) as stop:
                generator.asend(sent).send(None)
            weak.append(weakref.ref(stop.value.value))
            del stop, sent
        gc.collect()
        assert [reference() for reference in weak] == [None] * 5


def test_a_types_coroutine():
    with recording("default") as (manager, decorate):

        @types.coroutine
        @decorate
        def waits():
            return (yield "waits") + 1

        async def main():
            return await waits()

        coroutine = main()
        assert coroutine.send(None) == "waits"
        with pytest.raises(StopIteration) as stop:
            coroutine.send(1)
        assert stop.value.value == 2 and stats(manager, "waits") == (1, 0)


def test_kinds_of_functions():
    async def coroutine():
        pass

    def generator():
        yield

    async def async_generator():
        yield

    for function in (coroutine, generator, async_generator):
        with recording("default") as (_, decorate):
            decorated = decorate(function)
        for tells in (inspect.iscoroutinefunction, inspect.isgeneratorfunction,
                      inspect.isasyncgenfunction, asyncio.iscoroutinefunction):
            assert tells(decorated) == tells(function), (tells, function)


# ---- Other frameworks


async def of_a_framework(library, decorate, region):
    """Tasks, cancellation and generators of anyio or trio; returns what came of them."""
    log = []

    @decorate
    async def work(n):
        with region:
            await library.sleep(n)
        return n

    @decorate
    async def numbers(n):
        for i in range(n):
            await library.sleep(0)
            yield i

    group = getattr(library, "open_nursery", None) or library.create_task_group
    async with group() as tasks:
        for _ in range(3):
            tasks.start_soon(work, 0)
    log.append([number async for number in numbers(3)])
    with library.move_on_after(0.001) as scope:
        await work(100)
    log.append(scope.cancelled_caught)
    try:
        async with group() as tasks:
            tasks.start_soon(work, 100)
            await library.sleep(0)
            raise Mine("in the group")
    except BaseExceptionGroup as error:
        log.append([repr(each) for each in error.exceptions])
    async for number in numbers(3):
        break
    return log


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("framework", ["trio", "anyio on asyncio", "anyio on trio", "uvloop"])
def test_frameworks(framework, mode):
    module = pytest.importorskip(framework.split()[0])
    if framework.endswith("trio"):
        pytest.importorskip("trio")
    anyio = pytest.importorskip("anyio")

    def run(*arguments):
        if framework == "trio":
            return module.run(of_a_framework, module, *arguments)
        if framework == "uvloop":
            with asyncio.Runner(loop_factory=module.new_event_loop) as runner:
                return runner.run(of_a_framework(anyio, *arguments))
        return anyio.run(of_a_framework, module, *arguments, backend=framework.split()[-1])

    expected = run(undecorated, threading.RLock())
    assert expected == [[0, 1, 2], True, ["Mine('in the group')"]]
    with recording(mode) as (manager, decorate):
        assert run(decorate, manager.region("r")) == expected
        assert (stats(manager, "r"), stats(manager, "work")) == ((5, 2), (5, 2))
        assert stats(manager, "numbers")[0] == 2
        if mode == "tasks":
            results = manager.finalize(verbose=False, return_results=True)
            tasks = {row.index: row for row in results.tasks[0]}
            of_calls = [tasks[index] for index in results["r"][0].task_ids]
            assert len({row.index for row in of_calls}) == 5  # one is of the main task
            assert all(row.done for row in of_calls)
            assert manager.get_region("r").get_stats().waiting > 0
    if framework == "trio":
        assert not hasattr(module.run, "__wrapped__")


@pytest.mark.parametrize("mode", ["default", "tasks"])
@pytest.mark.parametrize("kind", ["decorated", "called from Python", "block"])
def test_greenlets_that_end_in_another_order(kind, mode, clock):
    """They take turns on one piece of C stack; each call has its own interval all the same."""
    greenlet = pytest.importorskip("greenlet")
    main = greenlet.getcurrent()
    with recording(mode) as (manager, decorate):

        @decorate
        def f(n):
            clock.tick(n)
            main.switch()
            clock.tick(n)

        def called(n):
            f(n)

        def block(n):
            with manager.region("f"):
                clock.tick(n)
                main.switch()
                clock.tick(n)

        do = {"decorated": f, "called from Python": called, "block": block}[kind]
        first, second = greenlet.greenlet(do), greenlet.greenlet(do)
        first.switch(1), second.switch(10)
        first.switch(), clock.tick(100), second.switch()
        assert [row[1] for row in events_of(manager, "f")] == [12, 121]
