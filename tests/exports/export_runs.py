"""Results that every export is tried with: recorded, of threads, tasks, processes; aggregated; by hand."""

import asyncio
import threading

from results_support import region, results

from scope_profiler import ProfileManager, calls, merge_results
from scope_profiler.results import MPIRegion, ProfilingResults, ThreadInfo

#: A name that is text in none of the formats as it stands.
ODD = 'a;b "c" <d> & \\ \n\t\x1b ü'


def leaf(count):
    return sum(range(count))


def recursive(depth):
    leaf(3)
    return recursive(depth - 1) if depth else 0


class Shape:
    @property
    def side(self):
        return leaf(1)

    @side.setter
    def side(self, value):
        leaf(value)


def program():
    shape = Shape()
    for count in range(5):
        leaf(count)
        shape.side = shape.side
    recursive(3)
    return [leaf(number) for number in (1, 2)]


def functions(**settings):
    """Every function of the program above; with these settings."""
    manager = ProfileManager()
    manager.setup(output=None, label="functions", **settings)
    with calls.tracing(manager, include=["export_runs.*"]):
        program()
    return finished(manager)


def finished(manager):
    found = manager.finalize(verbose=False, return_results=True)
    manager.reset()
    return found


def regions():
    """Regions in two threads, with metadata."""
    manager = ProfileManager()
    manager.setup(output=None, track_threads=True)

    def work():
        with manager.region("work"), manager.metadata(step=1, name=ODD + '\ud800', ratio=float("nan")):
            with manager.region(ODD):
                pass

    thread = threading.Thread(target=work, name="worker <1>")
    work()
    thread.start()
    thread.join()
    return finished(manager)


def tasks(track_async=True):
    """Tasks that overlap; without track_async in one track."""
    manager = ProfileManager()
    manager.setup(output=None, track_async=track_async)

    async def job(number):
        with manager.region("job"):
            for _ in range(number):
                with manager.region("step"):
                    await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*(job(number) for number in range(1, 5)))

    asyncio.run(main())
    return finished(manager)


def by_hand():
    """Calls that overlap in part, of no length, and that touch; of no tree."""
    return results(
        a=region((0, 100), (100, 200), (150, 250)),
        b=region((0, 0), (10, 20), (20, 20), (20, 30), (100, 100), (200, 200)),
    )


def two_ranks():
    """Two processes, with threads of the same numbers."""
    of_ranks = []
    for rank in (0, 1):
        name = {"process_id": 100 + rank, "rank": rank, "start_time_ns": 0, "label": f"of {rank}"}
        threads = [ThreadInfo(0, 0, "MainThread", 1, 1, False, 0, None, None)]
        calls_of = region((10 + rank, 90), (95, 99), thread_ids=[0, 0])
        of_ranks.append(ProfilingResults({"main": MPIRegion("main", {0: calls_of})}, name,
                                         threads={0: threads}))
    return merge_results(*of_ranks, ranks=True)


RUNS = {
    "functions": functions,
    "aggregated": lambda: functions(aggregation_mode=True),
    "regions": regions,
    "tasks": tasks,
    "untracked tasks": lambda: tasks(False),
    "by hand": by_hand,
    "two ranks": two_ranks,
    "nothing": lambda: ProfilingResults({}),
}
