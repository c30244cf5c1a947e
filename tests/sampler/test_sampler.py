"""The sampler: what it counts, ticked by hand, and that no program is hurt by it."""

import asyncio
import gc
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from conftest import examples
import scope_profiler as sp
from scope_profiler._instrument.sampler import RunSampler
from scope_profiler._model.samples import FUNCTION, REGION, TASK, THREAD


@pytest.fixture
def manager():
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False)
    yield manager
    manager.finalize(verbose=False)


@pytest.fixture
def sampler(manager):
    """One of that run that is ticked by hand."""
    return by_hand(manager)


class ByHand(RunSampler):
    """A sampler whose ticks are those of the test."""

    def parts(self, start_over=False):
        return super().parts(self.manager, start_over)


def by_hand(manager, clock="wall"):
    sampler = ByHand(1000, clock)
    sampler.manager = manager
    sampler.start(manager, by_hand=True)
    return sampler


def stacks_of(sampler):
    """Without threads of others that wait for work: pytest's workers listen in one, and some libraries
    leave those of their pools."""
    found = {}
    for stack, count in sampler.samples(sampler.parts()).stacks():
        files = [place.file for place in stack if place.kind == FUNCTION]
        if not (files and ("execnet" in files[-1] or files[-1].endswith("concurrent/futures/thread.py"))):
            found[stack] = count
    return found


def functions(stack):
    return [place.name for place in stack if place.kind == FUNCTION]


def names(stack, kind):
    return [place.name for place in stack if place.kind == kind]


def line_of(function, offset):
    return function.__code__.co_firstlineno + offset


def here(stacks):
    """The stack of this thread with its count; there is one."""
    [found] = [(stack, count) for stack, count in stacks.items()
               if names(stack, THREAD) == [threading.current_thread().name]]
    return found


class Waiting:
    """A thread that waits in a function until it is let go."""

    def __init__(self, function=None, daemon=False):
        self.ready, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=function or self.wait_here, name="waits", daemon=daemon)

    def wait_here(self):
        self.ready.set()
        self.go.wait()

    def __enter__(self):
        self.thread.start()
        self.ready.wait()
        return self

    def __exit__(self, *_):
        self.go.set()
        self.thread.join()


def tick_until_it_waits(sampler):
    """Without the GIL a thread that says it is ready may still be on its way to the wait. Returns how many
    samples it has there."""
    while True:
        sampler.tick()
        for stack, count in stacks_of(sampler).items():
            if names(stack, THREAD) == ["waits"] and functions(stack)[-1].endswith("Condition.wait"):
                return count


def inner(sampler):
    sampler.tick()


def outer(sampler):
    inner(sampler)
    inner(sampler)


def test_a_stack_with_its_lines(sampler):
    outer(sampler)
    stacks = {stack[-2:]: count for stack, count in stacks_of(sampler).items()
              if functions(stack)[-1:] == ["inner"]}
    assert {(above.line, place.line): count for (above, place), count in stacks.items()} == {
        (line_of(outer, 1), line_of(inner, 1)): 1, (line_of(outer, 2), line_of(inner, 1)): 1}
    for above, place in stacks:
        assert (above.name, place.name) == ("outer", "inner")
        assert place.file == __file__ and place.first_line == inner.__code__.co_firstlineno


def test_stacks_that_are_alike_count_together(sampler):
    for _ in range(3):
        inner(sampler)
    stack, count = here(stacks_of(sampler))
    assert functions(stack)[-1] == "inner" and count == 3


def test_what_is_in_c_shows_the_line_that_called_it(sampler):
    def calls_c():
        return sorted(
            [1, 2],
            key=lambda one: sampler.tick() or one)

    calls_c()
    stack, count = here(stacks_of(sampler))
    *_, caller, called = (place for place in stack if place.kind == FUNCTION)
    assert caller.line == line_of(calls_c, 1) and called.name.endswith("<lambda>") and count == 2


def test_a_thread_that_waits_stays_where_it_is(sampler):
    with Waiting():
        before = tick_until_it_waits(sampler)
        for _ in range(5):
            sampler.tick()
        [(stack, count)] = [(stack, count) for stack, count in stacks_of(sampler).items()
                            if functions(stack)[-1].endswith("Condition.wait")]
    assert count - before == 5
    assert names(stack, THREAD) == ["waits"] and "Waiting.wait_here" in functions(stack)


def test_looks_count_by_the_time_that_they_stand_for(sampler):
    for intervals in (1, 1, 1, 9):
        sampler._sampler.tick(intervals)
    samples = sampler.samples(sampler.parts())
    assert samples.ticks == 4 and samples.instants == round(12**2 / (3 + 9**2))


def test_a_thread_that_has_moved_is_read_again(sampler):
    first, second = threading.Event(), threading.Event()
    waiting = Waiting()

    def two_places():
        waiting.ready.set()
        first.wait()
        second.wait()

    waiting.thread = threading.Thread(target=two_places, name="waits")
    waiting.thread.start()
    waiting.ready.wait()
    lines = set()

    def look():
        sampler.tick()
        for stack in stacks_of(sampler):
            lines.update(place.line for place in stack if place.name.endswith("two_places"))

    while line_of(two_places, 2) not in lines:
        look()
    first.set()
    while line_of(two_places, 3) not in lines:
        look()
    second.set()
    waiting.thread.join()


def test_the_open_regions(sampler, manager):
    with manager.profile_region("outside"), manager.profile_region("inside"):
        inner(sampler)
    inner(sampler)
    found = {tuple(names(stack, REGION)): count for stack, count in stacks_of(sampler).items()}
    assert found == {("outside", "inside"): 1, (): 1}


def test_the_open_region_of_another_thread(sampler, manager):
    waiting = Waiting()

    def in_region():
        with manager.profile_region("theirs"):
            waiting.wait_here()

    waiting.thread = threading.Thread(target=in_region, name="waits")
    with waiting:
        tick_until_it_waits(sampler)
        sampler.tick()
        stacks = stacks_of(sampler)
    by_thread = {names(stack, THREAD)[0]: names(stack, REGION) for stack in stacks}
    assert by_thread["waits"] == ["theirs"]
    assert by_thread[threading.current_thread().name] == []


def test_a_region_around_other_contexts(sampler, manager):
    async def main():
        inner(sampler)

    with manager.profile_region("around"):
        asyncio.run(main())
    stack, _ = here(stacks_of(sampler))
    assert names(stack, REGION) == ["around"]


def test_tasks():
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False, track_async=True)
    sampler = by_hand(manager)

    async def task(name):
        with manager.profile_region(name):
            inner(sampler)
            await asyncio.sleep(0)
            inner(sampler)

    async def main():
        await asyncio.gather(task("one"), task("two"))

    asyncio.run(main())
    found = {}
    for stack, count in stacks_of(sampler).items():
        key = tuple(names(stack, REGION)), len(names(stack, TASK))
        found[key] = found.get(key, 0) + count
    manager.finalize(verbose=False)
    assert found == {(("one",), 1): 2, (("two",), 1): 2}


def test_deep_stacks_have_their_innermost_frames(sampler):
    def deep(depth):
        if depth:
            deep(depth - 1)
        else:
            sampler.tick()

    deep(700)
    stack, count = here(stacks_of(sampler))
    assert len(functions(stack)) > 500 and "(outer frames)" in names(stack, "other")


def test_a_generator_in_the_stack(sampler):
    def generator():
        sampler.tick()
        yield

    def runs_it():
        for _ in generator():
            pass

    runs_it()
    stack, _ = here(stacks_of(sampler))
    assert [name.rpartition(".")[2] for name in functions(stack)[-2:]] == ["runs_it", "generator"]


def test_code_that_takes_the_place_of_other_code(sampler):
    for number in range(50):
        scope = {"tick": sampler.tick}
        exec(f"def made_{number}():\n    tick()\n", scope)
        scope[f"made_{number}"]()
        del scope
        gc.collect()
    found = {functions(stack)[-1] for stack in stacks_of(sampler)}
    assert found == {f"made_{number}" for number in range(50)}


def test_names_in_any_alphabet(sampler):
    for name in ("größe", "функция", "𝒻"):
        scope = {"tick": sampler.tick}
        exec(f"def {name}():\n    tick()\n", scope)
        [function] = (value for key, value in scope.items() if key not in ("tick", "__builtins__"))
        function()
        assert any(functions(stack)[-1] == function.__qualname__ for stack in stacks_of(sampler))


def test_lines_are_those_of_python(sampler):
    """Every line of a function that goes through all that a line table can say."""
    def long_way():
        sampler.tick(); x = (
            1,

            sampler.tick())
        for _ in range(2):
            try:
                sampler.tick(); raise ValueError
            except ValueError:
                sampler.tick()
            finally:
                sampler.tick()
        return [
            sampler.tick()
            for _ in "ab"], x

    expected = []

    class Noting:
        def tick(self):
            frame = sys._getframe(1)
            expected.append((frame.f_code.co_qualname.rpartition(".")[2], frame.f_lineno))
            real.tick()

    real, sampler = sampler, Noting()
    long_way()
    found = []
    for stack, count in stacks_of(real).items():
        place = [place for place in stack if place.name.rpartition(".")[2] != "tick"
                 and place.kind == FUNCTION][-1]
        found += [(place.name.rpartition(".")[2], place.line)] * count
    assert sorted(found) == sorted(expected)


def test_what_is_taken_before_and_after(sampler):
    inner(sampler)
    assert sampler.samples(sampler.parts(start_over=True)).total >= 1
    outer(sampler)
    samples = sampler.samples(sampler.parts())
    assert samples.ticks == 2 and samples.missed == samples.unreadable == 0


def test_processor_time_leaves_out_who_waits(manager):
    sampler = by_hand(manager, "cpu")
    with Waiting():
        sampler.tick()
        sampler.parts(start_over=True)
        until = sys.maxsize
        for _ in range(until):
            sum(range(100_000))  # more than a thousandth of a second, soon
            sampler.tick()
            found = stacks_of(sampler)
            if found:
                break
    assert {names(stack, THREAD)[0] for stack in found} == {threading.current_thread().name}


def test_the_setting(tmp_path):
    """All of it together: the thread of the sampler, results, file."""
    manager = sp.ProfileManager()
    manager.setup(sample=1000, output=tmp_path / "run.h5", verbose=False)
    waiting = Waiting()
    with waiting:
        while manager.snapshot().recorded[0].samples.total < 20:
            sum(range(1000))
    results = manager.finalize(return_results=True, verbose=False)
    samples = results.recorded[0].samples
    assert samples.hz == 1000 and samples.clock == "wall"
    assert "Waiting.wait_here" in {one.place.name for one in samples.functions()}
    assert sp.load(tmp_path / "run.h5").recorded[0].samples == samples


def test_without_it_there_are_none():
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False)
    assert manager.finalize(return_results=True, verbose=False).recorded[0].samples is None


@pytest.mark.parametrize("value", [0, -1, 10_001, float("nan"), float("inf")])
def test_rates_that_there_are_not(value):
    with pytest.raises(ValueError, match="sample takes"):
        sp.ProfileManager().setup(sample=value, output=None)


def test_many_samplers_after_each_other():
    before = os.listdir("/proc/self/task")
    for _ in range(100):
        manager = sp.ProfileManager()
        manager.setup(sample=5000, output=None, verbose=False)
        with manager.profile_region("region"):
            pass
        manager.finalize(verbose=False)
        del manager
        gc.collect()
    assert len(os.listdir("/proc/self/task")) <= len(before)


# ---- Programs ------------------------------------------------------------------------------------


def run_program(text, *more, ends=0):
    """Its output."""
    program = subprocess.run([sys.executable, "-X", "faulthandler", *more, "-c", textwrap.dedent(text)],
                             capture_output=True, text=True, timeout=300)
    assert program.returncode == ends, program.stderr[-3000:]
    return program.stdout


def test_threads_that_begin_and_end():
    """Ten thousand of them, each with regions of its own, while all is sampled as often as can be."""
    assert run_program(f"""
        import sys, threading
        import scope_profiler as sp
        sp.setup(sample=10_000, output=None, verbose=False)
        def work(number):
            with sp.region("work"):
                return sum(range(number % 100))
        for number in range({examples(2500)}):
            threads = [threading.Thread(target=work, args=(number,)) for _ in range(4)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
        samples = sp.finalize(return_results=True, verbose=False).recorded[0].samples
        print(samples.total > 0, samples.ticks > 0)
    """) == "True True\n"


def test_generators_greenlets_and_exceptions_while_it_samples():
    assert run_program("""
        import itertools, time
        import scope_profiler as sp
        sp.setup(sample=10_000, output=None, verbose=False)
        def deep(n):
            return 0 if not n else 1 + deep(n - 1)
        def numbers(n):
            for i in range(n):
                yield from ([i] if i % 3 else numbers(i % 2))
        def fails(n):
            try:
                if n: fails(n - 1)
                else: raise ValueError
            except ValueError:
                deep(30)
                raise
        try:
            import greenlet
        except ImportError:
            greenlet = None
        end = time.perf_counter() + 1
        while time.perf_counter() < end:
            deep(200); sum(numbers(50))
            try: fails(20)
            except ValueError: pass
            exec("def f():\\n return sum(range(100))\\nf()")
            if greenlet:
                main = greenlet.getcurrent()
                greenlet.greenlet(lambda: (deep(20), main.switch(), deep(50))).switch()
        samples = sp.finalize(return_results=True, verbose=False).recorded[0].samples
        found = {one.place.name for one in samples.functions()}
        print({"deep", "numbers", "<module>"} <= found, samples.unreadable <= samples.total // 10)
    """) == "True True\n"


def test_in_the_child_of_a_fork():
    assert run_program("""
        import os, sys
        import scope_profiler as sp
        sp.setup(sample=2000, output=None, verbose=False)
        def spin():
            while sp.snapshot().recorded[0].samples.total < 20:
                sum(range(1000))
        for _ in range(5):
            child = os.fork()
            if not child:
                spin()
                os._exit(7)
            _, status = os.waitpid(child, 0)
            assert os.waitstatus_to_exitcode(status) == 7, status
        spin()
        sp.finalize(verbose=False)
        print("whole")
    """, "-W", "ignore") == "whole\n"


@pytest.mark.parametrize("end", ["", "sys.exit(0)", "os._exit(0)", "sp.finalize(verbose=False)"])
def test_the_end_of_the_process(end):
    run_program(f"""
        import os, sys, threading, time
        import scope_profiler as sp
        sp.setup(sample=10_000, output=None, verbose=False)
        def for_ever():
            while True: sum(range(1000))
        threading.Thread(target=for_ever, daemon=True).start()
        threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
        sum(range(300_000))
        {end}
    """)


def test_other_interpreters_are_left_out():
    out = run_program("""
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        import scope_profiler as sp
        sp.setup(sample=10_000, output=None, verbose=False)
        def runs_another():
            for _ in range(20):
                other = interpreters.create()
                run = getattr(interpreters, "run_string", None) or interpreters.exec
                run(other, "def theirs():\\n return sum(range(100_000))\\ntheirs()")
                interpreters.destroy(other)
        runs_another()
        samples = sp.finalize(return_results=True, verbose=False).recorded[0].samples
        found = {one.place.name for one in samples.functions()}
        print("runs_another" in found, "theirs" in found)
    """, "-W", "ignore")
    assert out == "True False\n"


def test_signals_of_the_program_go_to_its_own_threads():
    assert run_program("""
        import os, signal, threading
        import scope_profiler as sp
        heard = []
        signal.signal(signal.SIGUSR1, lambda *_: heard.append(threading.current_thread().name))
        sp.setup(sample=10_000, output=None, verbose=False)
        for number in range(200):
            os.kill(os.getpid(), signal.SIGUSR1)
            while len(heard) <= number: pass
        sp.finalize(verbose=False)
        print({*heard})
    """) == "{'MainThread'}\n"
