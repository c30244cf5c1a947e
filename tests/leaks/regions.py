"""References and memory stay flat over a million region calls, ten thousand regions and a thousand
rounds of setup and finalize. Run by `make leaks`; exits non-zero when something grows."""

import asyncio
import gc
import io
import os
import sys
import tempfile
import threading
from contextlib import redirect_stdout
from typing import NamedTuple

from scope_profiler import ProfileManager


class Growth(NamedTuple):
    """What a round leaves behind."""

    memory: int  # bytes
    references: "int | None"  # None where only a debug build would tell


def resident():
    """Resident memory of this process, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def grows(step, rounds=5, with_numpy=False):
    """The least that a round leaves, after two to warm up: 0 for what does not leak. References are
    not known where numpy takes part: as it is installed, a debug build does not see those it gives up."""
    counted = hasattr(sys, "gettotalrefcount") and not with_numpy
    references = sys.gettotalrefcount if counted else int
    for _ in range(2):
        step()
    memory, counts = [], []
    for _ in range(rounds):
        gc.collect()
        before = resident(), references()
        step()
        gc.collect()
        counts.append(references() - before[1])
        memory.append(resident() - before[0])
    return Growth(max(0, min(memory)),
                  max(0, min(counts)) if counted else None)


def calls(manager, function, region, n=50_000):
    for _ in range(n):
        with region:
            pass
        with manager.profile_region("by name"):
            pass
        function()


def a_million_calls():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)
    function = manager.profile("decorated")(lambda: None)
    region = manager.profile_region("region")
    objects = [manager, region, function, None, "by name"]
    before = [sys.getrefcount(o) for o in objects]
    calls(manager, function, region, 350_000)
    after = [sys.getrefcount(o) for o in objects]
    assert all(b <= a + 3 for a, b in zip(before, after)), (before, after)
    return grows(lambda: calls(manager, function, region))


def errors_and_generators():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)

    @manager.profile("fails")
    def fails():
        raise ValueError

    @manager.profile("counts")
    def counts(n):
        for i in range(n):
            yield i

    def step():
        for _ in range(20_000):
            try:
                with manager.profile_region("x"):
                    fails()
            except ValueError:
                pass
            list(counts(3))
            unfinished = counts(3)
            next(unfinished)
            try:
                manager.profile_region(3)
            except TypeError:
                pass

    return grows(step)


def ten_thousand_regions():
    def step():
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)
        for i in range(10_000):
            with manager.profile_region(f"region {i}"):
                pass
        manager.last_results()

    return grows(step)


def names_until_reset():
    """What 100 000 names took comes back with reset(): all but 4 bytes a name, for what allocators
    keep."""
    if hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled():
        return Growth(0, None)  # regions stay
    names = 100_000
    manager = ProfileManager()
    held = manager.region("held")

    def step():
        manager.setup(deactivate_file_output=True, aggregation_mode=True)
        for i in range(names):
            with manager.profile_region(f"region {i}"):
                pass
        manager.reset()
        assert manager.registered_regions() == ("held",) and manager.region("held") is held

    before = sys.getallocatedblocks()
    growth = grows(step)
    blocks = sys.getallocatedblocks() - before
    assert growth.memory < 4 * names and blocks < names / 10, (growth, blocks)
    return growth


def rounds_with_results():
    return rounds_of_setup_and_finalize(True)


def rounds_without_results():
    return rounds_of_setup_and_finalize(False)


def rounds_of_setup_and_finalize(results):
    manager = ProfileManager()

    @manager.profile("f")
    def f(n):
        total = 0
        for i in range(n):
            total += i
        return total

    def step():
        for i in range(340):
            manager.setup(replace=True, file_path="leak.h5", use_line_profiler=i % 2 == 0,
                          deactivate_file_output=not results or i % 34 != 0)
            for _ in range(20):
                f(10)
            with manager.profile_region("block"):
                f(3)
            with redirect_stdout(io.StringIO()):
                manager.finalize(verbose=i % 10 == 0, return_results=results and i % 5 == 0)
            manager.get_region("f").get_stats()

    return grows(step, rounds=3, with_numpy=results)


def closures_and_managers():
    def step():
        for i in range(300):
            manager = ProfileManager()
            for _ in range(10):
                f = manager.profile("closure")(lambda: i)
                f()
            manager.setup(deactivate_file_output=True, use_line_profiler=i % 3 == 0)
            f()
            with manager.profile_region("block"):
                f()
            manager.reset()

    return grows(step)


def metadata_and_tags():
    manager = ProfileManager()
    factory = manager.region_factory("factory", tags=["tag"])

    @manager.profile("noted", metadata=lambda i: {"i": i}, record_outcome=True)
    def noted(i):
        if i % 3 == 0:
            raise ValueError

    @manager.profile("steps", metadata={"a": 1}, record_outcome=True)
    def steps():
        yield 1

    def step():
        manager.setup(deactivate_file_output=True, replace=True, region_tags=["tag"])
        for i in range(3_000):
            with manager.metadata(step=i, text="x" * 100), factory(i=i):
                with manager.profile_region("tagged", tags=("tag",)):
                    list(steps())
        manager.setup(deactivate_file_output=True, replace=True)
        for i in range(3_000):
            try:
                noted(i)
            except ValueError:
                pass
            list(steps())
        manager.finalize(verbose=False, return_results=True)

    return grows(step, with_numpy=True)


def managers_with_metadata():
    """Each leaves nothing, not even in the contexts that its metadata was in force in."""
    async def noted(manager, factory):
        with manager.metadata(in_task=True), factory(i=1):
            await asyncio.sleep(0)

    async def tasks(manager, factory):
        await asyncio.gather(*(noted(manager, factory) for _ in range(2)))

    def step():
        for i in range(3_000):
            manager = ProfileManager()
            if i % 2:
                manager.setup(deactivate_file_output=True, track_async=True)
            factory = manager.region_factory("factory", tags=["tag"])
            function = manager.profile("f", metadata={"a": 1}, tags=["tag"])(lambda: None)
            with manager.metadata(step=i), factory(i=i):
                with manager.profile_region("tagged", tags=["tag"]):
                    function()
            if i % 10 == 1:
                asyncio.run(tasks(manager, factory))
            manager.reset()

    return grows(step)


def threads_and_tasks():
    manager = ProfileManager()

    async def work():
        with manager.profile_region("task"):
            await asyncio.sleep(0)

    async def many():
        await asyncio.gather(*(work() for _ in range(20)))
        cancelled = asyncio.create_task(work())
        await asyncio.sleep(0)
        cancelled.cancel()

    def step():
        manager.setup(deactivate_file_output=True, replace=True, track_async=True)
        for _ in range(50):
            thread = threading.Thread(target=asyncio.run, args=(many(),))
            thread.start()
            thread.join()
        manager.finalize(verbose=False, return_results=True)
        manager.reset()

    return grows(step, with_numpy=True)


def main(*checks):
    """Run the checks in a folder of their own, print what they found, and exit."""
    # In a round: allocators keep some pages to themselves, and measuring takes a reference. What
    # leaks does so hundreds of times.
    allowed = Growth(memory=100_000, references=10)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for check in checks:
            growth = check()
            leaks = growth.memory > allowed.memory or (growth.references or 0) > allowed.references
            failed |= leaks
            counted = "" if growth.references is None else f" and {growth.references} references"
            print(f"{check.__name__:<32} grows by {growth.memory:>9} bytes{counted} a round"
                  f"{'   LEAK' if leaks else ''}", flush=True)
        os.chdir("/")
    sys.exit(failed)


if __name__ == "__main__":
    main(a_million_calls, errors_and_generators, ten_thousand_regions, names_until_reset,
         rounds_with_results, rounds_without_results, closures_and_managers, metadata_and_tags,
         managers_with_metadata, threads_and_tasks)
