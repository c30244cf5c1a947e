"""Random programs over regions: what they are made of, and what runs them.

A program is a list of steps, tuples whose first item is the name of a method of Interpreter. The
same program runs with the profiler (Real) and with its model in Python (region_model.Model), and
has to give the same facts.
"""

from contextlib import ExitStack, suppress
import gc
import os
import pickle
import threading
import types
import warnings

from hypothesis import strategies as st

from collected import tree
from conftest import NO_GIL
from region_model import leave_by_hand
from scope_profiler import ProfileManager, _core


class Planned(Exception):
    """Is raised on purpose."""


class Real:
    """The profiler under the fake clock, with the interface of the model."""

    def __init__(self):
        self.now = 1_000
        _core._fake_clock(self.now)
        self.manager = ProfileManager()
        self.profile_region = self.manager.profile_region
        self.profile = self.manager.profile

    def tick(self, ns):
        self.now += ns
        _core._fake_clock(self.now)

    def setup(self):
        self.manager.setup(deactivate_file_output=True, replace=True)

    def forked(self):
        pass  # it finds out by itself

    def pause(self):
        self.manager.pause()

    def resume(self):
        self.manager.resume()

    def facts(self):
        """({path: (calls, errors, open, total, sum of all calls, exclusive, minimum, maximum,
        waiting)}, {(region's name, thread): [(start, duration, path), ...] in the order of ends},
        {counter: value})."""
        nodes = {
            path: (row.calls, row.errors, row.open_calls, row.total, row.every, row.exclusive,
                   row.minimum, row.maximum, row.waiting)
            for path, row in tree(self.manager) if row.calls or row.open_calls
        }
        counters = self.manager._counters()
        known = ("calls", "open", "unmatched", "moved", "threads")
        return nodes, self._events(), {name: counters[name] for name in known}

    def _events(self):
        rows, _, _, _, (ends, starts, durations, threads, *_, nodes), *_ = (
            self.manager._snapshot(True))
        paths = [path for path, _ in tree(self.manager, rows)]
        numbers = memoryview(threads).cast("q") if threads else [0] * (len(starts) // 8)
        rows = list(zip(numbers, memoryview(starts).cast("q"), memoryview(durations).cast("q"),
                        (paths[node] for node in memoryview(nodes).cast("h"))))
        found = {}
        begin = 0
        for region, end in zip(self.manager._regions(), ends):
            for thread, *call in rows[begin:end]:
                found.setdefault((region.name, thread), []).append(tuple(call))
            begin = end
        return found

    def finalize(self):
        """{region's name: (calls, errors, sum of their durations)}, of the results."""
        results = self.manager.finalize(verbose=False, return_results=True)
        return {name: (results[name].num_calls, results[name].errors,
                       int(results[name].durations_ns.sum())) for name in results.region_names}

    def close(self):
        self.manager.reset()
        _core._fake_clock(None)


def same_threads(facts):
    """When one thread made all calls, the core does not say which."""
    nodes, events, counters = facts
    if len({thread for _, thread in events}) == 1:
        events = {(name, 0): calls for (name, _), calls in events.items()}
    return nodes, events, counters


@types.coroutine
def suspend():
    yield


class Interpreter:
    """Runs a program with the profiler or its model; `reports` is what that told on the way."""

    def __init__(self, backend):
        self.backend = backend
        self.reports = []
        self._suspended = []

    def run_program(self, steps):
        """All of it; gives the reports, the facts at the end last."""
        gc.disable()  # a collection of its own accord would end what is in a circle at any instant
        try:
            self.backend.setup()
            with suppress(Planned):
                self.run(steps)
            self.reports.append(same_threads(self.backend.facts()))
            self._suspended.clear()
            return self.reports
        finally:
            gc.enable()

    def run(self, steps):
        for what, *arguments in steps:
            getattr(self, what)(*arguments)

    # ---- What a program does anywhere

    def tick(self, ns):
        self.backend.tick(ns)

    def within(self, name, steps):
        with self.backend.profile_region(name):
            self.run(steps)

    def stacked(self, names, steps):
        """Entered in one frame, left in another."""
        with ExitStack() as stack:
            for name in names:
                stack.enter_context(self.backend.profile_region(name))
                self.tick(1)
            self.run(steps)

    def by_hand(self, name, steps):
        """Left whatever happens, but not as by an exception."""
        region = self.backend.profile_region(name)
        region.__enter__()
        try:
            self.run(steps)
        finally:
            leave_by_hand(region)

    def call(self, name, steps):
        self.backend.profile(name)(self.run)(steps)

    def recurse(self, name, depth, steps):
        @self.backend.profile(name)
        def down(depth):
            self.tick(1)
            if depth:
                down(depth - 1)
            else:
                self.run(steps)
            self.tick(1)

        down(depth)

    def fail(self):
        raise Planned

    def catch(self, steps):
        try:
            self.run(steps)
        except Planned:
            pass

    def hop(self, steps):
        """In a thread of its own."""
        thread = threading.Thread(target=self.catch, args=(steps,))
        thread.start()
        thread.join()

    def pause(self):
        self.backend.pause()

    def go_on(self):
        self.backend.resume()

    def set_up(self):
        self.backend.setup()

    def snapshot(self):
        self.reports.append(same_threads(self.backend.facts()))

    def finalize(self):
        self.reports.append(self.backend.finalize())

    def fork(self, steps):
        """In a forked child, which tells what came of it."""
        reading, writing = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads: those of the tests
            child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                told = self._in_child(steps)
                with open(writing, "wb") as pipe:
                    pickle.dump(told, pipe)
            finally:
                os._exit(0)
        os.close(writing)
        with open(reading, "rb") as pipe:
            self.reports.append(pickle.load(pipe))
        os.waitpid(child, 0)

    def _in_child(self, steps):
        try:
            self.backend.forked()
            self.reports = []
            self.catch(steps)
            return self.reports, same_threads(self.backend.facts())
        except BaseException as error:
            return f"{type(error).__name__}: {error}"

    # ---- Generators

    def make(self, kind, name, steps):
        """Begin one that runs `steps`, which may yield. kind: "plain" is not decorated; the others
        are functions under the region `name`."""
        function = {"plain": self._plain, "generator": self._generator,
                    "coroutine": self._coroutine, "async_generator": self._async_generator}[kind]
        if kind != "plain":
            function = self.backend.profile(name)(function)
        made = function(steps)
        self._advance(_Asynchronous(made) if kind == "async_generator" else made, "send", None)

    def resume(self, number, how):
        """One that is suspended, if any: "send", "throw", "close", "drop"; or "lose": the garbage
        collector drops it."""
        self.tick(1)
        if not self._suspended:
            return
        made = self._suspended.pop(number % len(self._suspended))
        if how == "send":
            self._advance(made, "send", None)
        elif how == "throw":
            self._advance(made, "throw", Planned())
        elif how == "close":
            made.close()
        elif how == "lose":
            circle = [made]
            circle.append(circle)
            del made, circle
            gc.collect()

    def resume_in_thread(self, number, how):
        self.hop([("resume", number, how)])

    def _advance(self, made, how, value):
        try:
            getattr(made, how)(value)
        except StopIteration:
            return
        self._suspended.append(made)

    def _plain(self, steps):
        for what, *arguments in steps:
            if what == "give":
                yield
            elif what == "within":
                name, inner = arguments
                with self.backend.profile_region(name):
                    yield from self._plain(inner)
            elif what == "call":
                name, inner = arguments
                yield from self.backend.profile(name)(self._generator)(inner)
            elif what == "catch":
                try:
                    yield from self._plain(*arguments)
                except Planned:
                    pass
            else:
                getattr(self, what)(*arguments)

    def _generator(self, steps):
        yield from self._plain(steps)

    async def _coroutine(self, steps):
        for what, *arguments in steps:
            if what == "give":
                await suspend()
            elif what == "within":
                name, inner = arguments
                with self.backend.profile_region(name):
                    await self._coroutine(inner)
            elif what == "call":
                name, inner = arguments
                await self.backend.profile(name)(self._coroutine)(inner)
            elif what == "catch":
                try:
                    await self._coroutine(*arguments)
                except Planned:
                    pass
            else:
                getattr(self, what)(*arguments)

    async def _async_generator(self, steps):
        for what, *arguments in steps:
            if what == "give":
                yield
            elif what == "within":
                name, inner = arguments
                with self.backend.profile_region(name):
                    for step in inner:
                        if step[0] == "give":
                            yield
                        else:
                            self.run([step])
            else:
                getattr(self, what)(*arguments)

    def give(self):
        """Outside of generators there is nobody to give to."""


class _Asynchronous:
    """An async generator that waits for nothing, with the methods of a generator."""

    def __init__(self, made):
        self._made = made

    def send(self, value):
        self._step(self._made.asend(value))

    def throw(self, error):
        self._step(self._made.athrow(error))

    def close(self):
        try:
            self._made.aclose().send(None)
        except StopIteration:
            pass

    @staticmethod
    def _step(awaitable):
        try:
            awaitable.send(None)
        except StopIteration:
            return  # a value was yielded
        except StopAsyncIteration:
            raise StopIteration from None


# ---- Programs

NAMES = st.sampled_from("abc")
HOW = ["send", "send", "send", "send", "throw", "close", "drop", "lose"]
# Without the GIL, what another thread has made may end some time after it has been dropped.
IN_THREADS = HOW[:-2] if NO_GIL else HOW
KINDS = st.sampled_from(["plain", "plain", "generator", "coroutine", "async_generator"])
TICKS = st.tuples(st.just("tick"), st.integers(1, 50))
GIVE = ("give",)
TURNS = [st.just(("pause",)), st.just(("go_on",)), st.just(("set_up",)), st.just(("snapshot",))]


def resuming(what, how):
    return st.tuples(st.just(what), st.integers(0, 4), st.sampled_from(how))


THREADS = [resuming("resume_in_thread", IN_THREADS)] * 3


def giving(steps):
    """Bodies of generators: some steps, time, a yield, several times; half of them in a region."""
    parts = st.lists(st.tuples(steps, TICKS), min_size=1, max_size=3)
    bodies = parts.map(lambda drawn: [
        step for inner, tick in drawn for step in (*inner, tick, GIVE, tick)
    ])
    return bodies | st.tuples(NAMES, bodies).map(lambda drawn: [("within", *drawn)])


def containing(steps):
    """Steps that have others inside."""
    failing = steps.map(lambda steps: [*steps, ("fail",)])
    make = st.tuples(st.just("make"), KINDS, NAMES, giving(steps))
    return [
        *[make] * 6,
        st.tuples(st.just("within"), NAMES, steps),
        st.tuples(st.just("within"), NAMES, steps),
        st.tuples(st.just("call"), NAMES, steps | giving(steps)),
        st.tuples(st.just("catch"), steps | failing),
        st.tuples(st.just("catch"), st.tuples(NAMES, failing).map(lambda x: [("within", *x)])),
        st.tuples(st.just("recurse"), NAMES, st.integers(0, 3), steps),
        st.tuples(st.just("stacked"), st.lists(NAMES, min_size=1, max_size=3), steps),
        st.tuples(st.just("by_hand"), NAMES, steps),
    ]


def programs(*more, threads=False, forks=False):
    """Strategy of programs. more: strategies of steps, beside the usual ones."""
    resume = resuming("resume", IN_THREADS if threads else HOW)
    single = st.one_of(TICKS, *[resume] * (3 + 2 * len(more)), *more)

    def deeper(inner):
        steps = st.lists(inner, max_size=5)
        kinds = containing(steps)
        if threads:
            kinds += [st.tuples(st.just("hop"), steps)]
        if forks:
            kinds += [st.tuples(st.just("fork"), steps)] * 4
        return st.one_of(single, *kinds)

    return st.lists(st.recursive(single, deeper, max_leaves=20), min_size=3, max_size=14)
