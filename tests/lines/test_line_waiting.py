"""How long generators, coroutines and async generators were suspended at a line (src/lines/line_columns.c,
line_rests.c), and that every place that has the lines has it."""

import asyncio
from contextlib import suppress
import linecache

import pytest

from scope_profiler import ProfileManager


@pytest.fixture
def timed(clock):
    """A manager in line mode, and the fake clock as its attribute `tick`."""
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    manager.tick = clock.tick
    yield manager
    manager.reset()


def lines(manager, name):
    """{text of the line: (hits, ns, waiting ns)} of a region with lines of one function, and of tests."""
    [(code, rows)] = [
        (code, rows) for code, rows in manager.get_region(name).get_stats().lines.items()
        if "<locals>" in code[2] or not code[2].startswith("test_")
    ]
    return {linecache.getline(code[0], row.line).strip(): tuple(row)[1:4] for row in rows}


def numbers(tick):
    tick(1)
    x = yield 1
    tick(10 if x is None else x)
    with suppress(KeyError):
        yield 2
    return 3


def drive(generator, tick):
    """10, 100 and 1000 ns pass while it is suspended."""
    next(generator)
    tick(10)
    with suppress(StopIteration):
        generator.send(5)
        tick(100)
        generator.throw(KeyError)


WAITED = {
    "tick(1)": (1, 1, 0),
    "x = yield 1": (1, 0, 10),
    "tick(10 if x is None else x)": (1, 5, 0),
    "yield 2": (1, 0, 100),
    "return 3": (1, 0, 0),
}


def without_with(found):
    """What CPython counts of the `with` statement when it is left differs."""
    return {text: numbers for text, numbers in found.items() if not text.startswith("with")}


def test_a_decorated_generator(timed):
    drive(timed.profile("r")(numbers)(timed.tick), timed.tick)
    assert without_with(lines(timed, "r")) == WAITED


def test_a_watched_generator(timed):
    with timed.profile_region("r", functions=[numbers]):
        drive(numbers(timed.tick), timed.tick)
    assert without_with(lines(timed, "r")) == WAITED


def test_a_watched_and_decorated_generator(timed):
    decorated = timed.profile("d")(numbers)
    with timed.profile_region("r", functions=[numbers]):
        drive(decorated(timed.tick), timed.tick)
    assert without_with(lines(timed, "r")) == without_with(lines(timed, "d")) == WAITED


def test_a_generator_in_a_block(timed):
    region = timed.profile_region("r")

    def blocked():
        with region:
            timed.tick(1)
            yield 1
            timed.tick(2)

    generator = blocked()
    for _ in generator:
        timed.tick(50)
    found = lines(timed, "r")
    assert found["yield 1"] == (1, 0, 50) and found["timed.tick(2)"] == (1, 2, 0)


def test_what_does_not_suspend_has_no_waiting(timed):
    @timed.profile("r")
    def plain():
        timed.tick(3)

    plain()
    assert lines(timed, "r") == {"timed.tick(3)": (1, 3, None)}


def test_coroutines_wait_where_they_await(timed):
    @timed.profile("inner")
    async def inner(event):
        await event.wait()
        timed.tick(2)

    @timed.profile("outer")
    async def outer(event):
        timed.tick(1)
        await inner(event)

    async def main():
        event = asyncio.Event()
        task = asyncio.create_task(outer(event))
        await asyncio.sleep(0)
        timed.tick(1000)
        event.set()
        await task

    asyncio.run(main())
    assert lines(timed, "outer") == {"timed.tick(1)": (1, 1, 0), "await inner(event)": (1, 2, 1000)}
    assert lines(timed, "inner") == {"await event.wait()": (1, 0, 1000), "timed.tick(2)": (1, 2, 0)}


def test_a_cancelled_coroutine_has_waited(timed):
    @timed.profile("r")
    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            timed.tick(7)

    async def main():
        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        timed.tick(300)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(main())
    found = lines(timed, "r")
    assert found["await asyncio.Event().wait()"][1:] == (0, 300)  # hits: 2 on 3.13
    assert found["timed.tick(7)"] == (1, 7, 0)


def test_async_generators_wait_where_they_yield(timed):
    @timed.profile("r")
    async def many():
        for i in range(3):
            yield i

    async def main():
        async for i in many():
            timed.tick(10)

    asyncio.run(main())
    assert lines(timed, "r")["yield i"] == (3, 0, 30)


def test_a_step_while_the_region_is_closed_is_no_waiting(timed):
    region = timed.profile_region("r", functions=[numbers])
    generator = numbers(timed.tick)
    with region:
        next(generator)
    timed.tick(10)
    with region:
        generator.send(5)
    assert lines(timed, "r")["x = yield 1"] == (1, 0, 10)


def test_it_starts_at_nothing_in_every_run(timed):
    generate = timed.profile("r")(numbers)
    drive(generate(timed.tick), timed.tick)
    timed.setup(use_line_profiler=True, deactivate_file_output=True, replace=True)
    drive(generate(timed.tick), timed.tick)
    assert without_with(lines(timed, "r")) == WAITED


def test_it_does_not_end_twice(timed):
    """A generator that is dropped while it is suspended, and the next one at its address."""
    generate = timed.profile("r")(numbers)
    for make in (generate, numbers):
        with timed.profile_region("r", functions=[numbers]):
            for _ in range(5):
                generator = make(timed.tick)
                next(generator)
                del generator
                timed.tick(100)
            drive(make(timed.tick), timed.tick)
    assert lines(timed, "r")["x = yield 1"] == (12, 0, 20)
