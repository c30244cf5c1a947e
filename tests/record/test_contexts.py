"""src/record/contexts.c: tasks are told apart by their contexts, without a switch."""

import asyncio
import contextlib
from contextvars import Context, ContextVar, copy_context
import gc
import threading
import weakref

from hypothesis import given, settings, strategies as st
import pytest

from scope_profiler import ProfileManager, _core

from conftest import Clock, calls_of, examples


def hold(region):
    """Open it, and leave it at the end of the generator."""
    with region:
        yield


# ---- Against a model ----------------------------------------------------------------------------


class Call:
    def __init__(self, name, around, start):
        path = around.path if around else ()
        self.path = path[: path.index(name) + 1] if name in path else (*path, name)
        self.start, self.end, self.inside, self.since = start, None, [], {}
        self.nested, above = False, around
        while above is not None:
            self.nested |= above.path[-1] == name and above.end is None
            above = above.around
        self.around = around
        if around is not None:
            around.inside.append(self)

    def adopt(self, call, now):
        self.inside.append(call)
        self.since[call] = now

    def finish(self, now):
        """How long it lasted, and how long without a call inside it."""
        self.end = now
        for call in self.inside:
            if call.end is None:  # it goes on in what was around
                call.around = self.around
                if self.around is not None:
                    self.around.adopt(call, now)
        free, until = 0, self.start
        spans = sorted(
            (max(begin, call.start), now if call.end is None else call.end)
            for call, begin in ((call, self.since.get(call, 0)) for call in self.inside)
        )
        for start, end in spans:
            free += max(0, start - until)
            until = max(until, end)
        return now - self.start, free + max(0, now - until)


class Program:
    """Tasks, the profiler in them, and what is expected of it. Task 0 is the thread's own context."""

    def __init__(self, tasks=4):
        self.clock = Clock()
        self.core = _core.Manager()
        self.core._begin(True, False)
        self.contexts = [None, *(Context() for _ in range(tasks))]
        self.open = [[] for _ in self.contexts]
        self.expected = {}

    def run(self, inside, function):
        for task in reversed(inside):
            function = (lambda context, call: lambda: context.run(call))(self.contexts[task], function)
        function()

    def around(self, inside):
        for task in (*reversed(inside), 0):
            if self.open[task]:
                return self.open[task][-1][0]
        return None

    def enter(self, inside, name):
        generator = hold(self.core.profile_region(name))
        self.run(inside, lambda: next(generator))
        task = inside[-1] if inside else 0
        call = Call(name, self.around(inside), self.clock.now)
        self.open[task].append((call, generator))

    def leave(self, inside):
        task = inside[-1] if inside else 0
        if self.open[task]:
            call, generator = self.open[task].pop()
            self.run(inside, generator.close)
            lasted, own = call.finish(self.clock.now)
            row = self.expected.setdefault(">".join(call.path), [0, 0, 0])
            row[0] += 1
            row[1] += 0 if call.nested else lasted
            row[2] += own

    def leave_all(self):
        for task, calls in enumerate(self.open):
            while calls:
                self.leave([task] if task else [])


steps = st.lists(
    st.tuples(
        st.lists(st.integers(1, 4), max_size=3, unique=True),
        st.sampled_from(["a", "b", "c", None, None]),
        st.integers(1, 100),  # no two calls begin at the same time
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=examples(300))
@given(steps)
def test_totals_paths_and_own_times_of_any_interleaving(program):
    running = Program()
    try:
        for inside, name, ticks in program:
            if name is None:
                running.leave(inside)
            else:
                running.enter(inside, name)
            running.clock.tick(ticks)
        running.leave_all()
        found = {path: list(row) for path, row in calls_of(running.core).items()}
        assert found == running.expected
        assert running.core._counters()["unmatched"] == running.core._counters()["open"] == 0
    finally:
        running.core._record(False)
        _core._fake_clock(None)


# ---- Cases --------------------------------------------------------------------------------------


def test_the_interpreter_keeps_the_outer_context_where_we_look(core, clock):
    """sp_outer_context() of compat.h."""
    inner, outer = Context(), Context()
    region = core.profile_region("outer"), core.profile_region("inner")

    def inside():
        with region[1]:
            pass

    def around():
        with region[0]:
            inner.run(inside)

    outer.run(around)
    inner.run(inside)
    assert {path: row[0] for path, row in calls_of(core).items()} == {
        "outer": 1, "outer>inner": 1, "inner": 1,
    }


def test_concurrent_requests_do_not_nest(clock, core):
    request, part = core.profile_region("request"), core.profile_region("part")

    async def handle():
        with request:
            clock.tick(1)
            await asyncio.sleep(0)
            clock.tick(1)
            with part:
                await asyncio.sleep(0)
                clock.tick(1)

    async def main():
        await asyncio.gather(*(handle() for _ in range(50)))

    with core.profile_region("main"):
        clock.tick(1000)
        asyncio.run(main())
    found = calls_of(core)
    assert set(found) == {"main", "main>request", "main>request>part"}
    assert found["main"] == (1, 1150, 1000)  # charged once for all the requests
    assert found["main>request"][0] == found["main>request>part"][0] == 50
    starts_and_ends = core._events(core._find("request"))
    durations = memoryview(starts_and_ends[2]).cast("q")
    assert found["main>request"][1] == sum(durations) > 1150  # they overlap, and all count


@pytest.mark.parametrize("library", ["trio", "anyio"])
def test_tasks_of_other_libraries(clock, core, library):
    trio = pytest.importorskip(library)
    region = core.profile_region("work")

    async def work(count):
        with region:
            clock.tick(1)
            for _ in range(count):
                await (trio.sleep(0) if library == "anyio" else trio.lowlevel.checkpoint())
            clock.tick(1)

    async def main():
        group = trio.create_task_group() if library == "anyio" else trio.open_nursery()
        async with group as tasks:
            for count in range(10):
                tasks.start_soon(work, count)

    trio.run(main)
    assert set(calls_of(core)) == {"work"}
    assert calls_of(core)["work"][0] == 10


def test_context_run_nests_where_it_is_called(clock, core):
    def inner():
        clock.tick(1)
        with core.profile_region("inner"):
            clock.tick(10)

    with core.profile_region("outer"):
        for _ in range(3):
            copy_context().run(inner)
            with core.profile_region("beside"):
                clock.tick(100)
    assert calls_of(core) == {
        "outer": (1, 333, 3), "outer>inner": (3, 30, 30), "outer>beside": (3, 300, 300),
    }


def test_a_context_that_begins_in_the_middle_of_a_call(clock, core):
    """Until a thread uses a context variable it is in none."""

    def work():
        with core.profile_region("outer"):
            with core.profile_region("before"):
                clock.tick(1)
            ContextVar("v").set(1)
            with core.profile_region("after"):
                clock.tick(10)
            clock.tick(100)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert calls_of(core) == {
        "outer": (1, 111, 100), "outer>before": (1, 1, 1), "outer>after": (1, 10, 10),
    }


def test_recursion_is_seen_through_tasks(clock, core):
    def inner():
        with core.profile_region("a"):
            clock.tick(1)

    with core.profile_region("a"):
        with core.profile_region("b"):
            copy_context().run(inner)
    assert calls_of(core) == {"a": (2, 1, 1), "a>b": (1, 1, 0)}


def test_a_task_that_is_thrown_away_leaves_what_it_had_open(clock, core):
    region = core.profile_region("lost")

    async def waits():
        with region:
            clock.tick(1)
            await asyncio.get_running_loop().create_future()

    async def main():
        tasks = [asyncio.get_running_loop().create_task(waits()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in tasks:
            task._log_destroy_pending = False
        tasks.clear()
        task = None
        gc.collect()

    with core.profile_region("main"):
        asyncio.run(main())
    assert calls_of(core)["main>lost"][0] == 5
    assert core._counters()["open"] == core._counters()["unmatched"] == 0


def test_what_outlives_the_call_around_it(clock, core):
    generator, context = hold(core.profile_region("task")), Context()
    with core.profile_region("main"):
        clock.tick(1)
        context.run(next, generator)
        clock.tick(10)
        with core.profile_region("direct"):
            clock.tick(100)
    clock.tick(1000)
    context.run(generator.close)
    assert calls_of(core) == {
        "main": (1, 111, 1), "main>task": (1, 1110, 1110), "main>direct": (1, 100, 100),
    }


def test_what_open_calls_have_come_to(clock, core):
    """At a checkpoint, those of tasks that wait too."""
    tasks = [hold(core.profile_region("task")) for _ in range(3)]
    with core.profile_region("main"):
        clock.tick(1)
        for task in tasks:
            Context().run(next, task)
            clock.tick(10)
        with core.profile_region("direct"):
            clock.tick(100)
            rows = {row[1].name: row for row in core._collect(None)}
    open_calls, elapsed, own = ({name: row[at] for name, row in rows.items()} for at in (4, 16, 17))
    assert open_calls == {"main": 1, "task": 3, "direct": 1}
    assert elapsed == {"main": 131, "task": 130 + 120 + 110, "direct": 100}
    assert own == {"main": 1, "task": 360, "direct": 100}


def test_contexts_are_let_go(clock, core):
    """A new one at the address of a dead one is not taken for it, and none is kept alive for long."""

    class Value:
        pass

    variable = ContextVar("variable")
    died = []

    def work(enter):
        value = Value()
        weakref.finalize(value, died.append, 1)
        variable.set(value)
        return enter()

    with core.profile_region("main"):
        for _ in range(10):
            with contextlib.suppress(StopIteration):
                copy_context().run(work, lambda: next(hold(core.profile_region("short")), None))
        assert len(died) == 10
        waiting = [hold(core.profile_region("long")) for _ in range(10)]
        for generator in waiting:
            copy_context().run(work, lambda: next(generator))
        for generator in waiting:
            generator.close()
        copy_context().run(lambda: next(hold(core.profile_region("short")), None))
        assert len(died) == 20
    assert {path: row[0] for path, row in calls_of(core).items()} == {
        "main": 1, "main>short": 11, "main>long": 10,
    }


def test_a_run_with_open_tasks_is_garbage_like_any_other(clock):
    class Value:
        pass

    def leave():
        manager = _core.Manager()
        manager._begin(True, False)
        context, generator, value = Context(), hold(manager.profile_region("r")), Value()
        context.run(next, generator)
        context.run(ContextVar("v").set, value)
        value.manager, value.generator = manager, generator
        return weakref.ref(value)

    reference = leave()
    gc.collect()
    assert reference() is None


def test_many_waiting_tasks(clock, core):
    """Their stacks are given back."""
    region = core.profile_region("r")
    for _ in range(3):
        tasks = [(hold(region), Context()) for _ in range(2000)]
        for generator, context in tasks:
            context.run(next, generator)
        clock.tick(1)
        for generator, context in tasks:
            context.run(generator.close)
    assert calls_of(core) == {"r": (6000, 6000, 6000)}


def test_decorated_and_traced_calls_of_tasks(clock):
    """Overlapping tasks under each way of recording."""
    ProfileManager.setup(deactivate_file_output=True)
    try:

        @ProfileManager.profile("step")
        def step():
            clock.tick(1)

        @ProfileManager.profile("task")
        async def task():
            with ProfileManager.profile_region("block"):
                step()
                await asyncio.sleep(0)
                step()

        async def main():
            await asyncio.gather(*(task() for _ in range(10)))

        asyncio.run(main())
        found = {name: ProfileManager.get_region(name).get_stats() for name in ("step", "task", "block")}
        assert [(s.num_calls, s.total_ns) for s in found.values()][0] == (20, 20)
        assert found["block"].num_calls == found["task"].num_calls == 10
        assert found["block"].total_ns == found["task"].total_ns
    finally:
        ProfileManager.finalize(verbose=False)
        ProfileManager.reset()
