"""The stress test: threads that go in and out of regions in every way, against an oracle.

    python tests/stress.py [--threads 8] [--calls 1000000] [--regions 50] [--seed N] [--mode MODE]

Every thread makes that many calls: nested at random, in `with` blocks, functions, generators,
coroutines and async generators, with exceptions and recursion; meanwhile others take results. Then
every count, every path and the order of all entries and exits must be what stress_oracle.py says.
Exits with 1, and prints the first differences, when they are not. The full size takes about a
minute and 3 GB for each mode.

`make stress` runs every mode on every Python that is found. On a free-threaded one, with
setuptools and numpy, it runs without the GIL:

    python3.13t setup.py build_ext --inplace
    PYTHONPATH=. python3.13t -X gil=0 tests/stress.py --mode all
"""

import argparse
from pathlib import Path
import sys
import tempfile
import threading
import time

from scope_profiler import ProfileManager, _core

from stress_checks import check_events, check_journal, check_sums, check_tree
from stress_oracle import BOUND
from stress_watcher import Watcher
from stress_work import Ways, Worker

MODES = {
    "default": {},
    "aggregation": {"aggregation_mode": True},
    "lines": {"use_line_profiler": True},
    "track_threads": {"track_threads": True},
    "track_async": {"track_async": True},
    "journal": {"journal": True},
}


def run(threads=8, calls=1_000_000, regions=50, seed=1, mode="default", watchers=2, tell=None):
    """What is wrong, a list of str. tell: called with a line of text now and then."""
    told_apart = _core._tree_bound(BOUND)
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _run(threads, calls, regions, seed, mode, watchers, tell or (lambda text: None),
                        Path(folder))
    finally:
        _core._tree_bound(told_apart)


def _run(threads, calls, regions, seed, mode, watchers, tell, folder):
    journalled = mode == "journal"
    manager = ProfileManager()
    manager.setup(file_path=str(folder / "out.json"), deactivate_file_output=not journalled, **MODES[mode])
    ways = Ways(manager, regions)
    for index in range(threads):
        manager.profile_region(f"thread {index}")
    workers = [Worker(ways, calls, f"{seed} {index}", mode == "track_async")
               for index in range(threads)]
    events = mode != "aggregation"
    # Two that take all results would hand out each other's.
    looking = [Watcher(manager, seed + index, events, index == 0 and not journalled)
               for index in range(watchers)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(2e-4)
    try:
        bad = _work(workers, looking, tell)
    finally:
        sys.setswitchinterval(before)
    oracles = [worker.oracle for worker in workers]
    tell("checking")
    bad += check_tree(manager, oracles)
    if events:
        bad += check_events(manager, oracles)
    if journalled:
        bad += check_journal(*folder.glob("*.journal"), manager, oracles)
    bad += check_sums(manager, events)
    manager.reset()
    return bad


def _work(workers, looking, tell):
    """Have all done; what was wrong meanwhile."""
    failures = []

    def work(index):
        try:
            workers[index].run(index)
        except BaseException as error:
            import traceback

            traceback.print_exc()
            failures.append(f"thread {index} failed: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(index,), name=f"stress {index}")
               for index in range(len(workers))]
    begin = told = time.monotonic()
    for thread in (*looking, *threads):
        thread.start()

    def progress():
        done, took = sum(worker.oracle.begun for worker in workers), time.monotonic() - begin
        looks = sum(watcher.looks for watcher in looking)
        tell(f"{done:,} calls in {took:.1f} s, {done / took:,.0f} a second; {looks} looks")

    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)
            if time.monotonic() - told > 2:
                progress()
                told = time.monotonic()
    for watcher in looking:
        watcher.stop()
    progress()
    return failures + [text for watcher in looking for text in watcher.bad]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--calls", type=int, default=1_000_000, help="of each thread")
    parser.add_argument("--regions", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mode", choices=(*MODES, "all"), default="default")
    parser.add_argument("--watchers", type=int, default=2, help="threads that take results")
    chosen = vars(parser.parse_args(arguments))
    modes = list(MODES) if chosen["mode"] == "all" else [chosen["mode"]]
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    print(f"Python {sys.version.split()[0]}, {'with' if gil else 'without'} the GIL, "
          f"clock {_core.clock_info()['source']}", flush=True)
    failed = False
    for mode in modes:
        if _is_wrong({**chosen, "mode": mode}):
            failed = True
    return int(failed)


def _is_wrong(chosen):
    mode = chosen["mode"]
    begin = time.monotonic()
    bad = run(**chosen, tell=lambda text: print(f"{mode}: {text}", flush=True))
    took = time.monotonic() - begin
    for text in bad[:20]:
        print(f"{mode}: {text}")
    print(f"{mode}: {f'{len(bad)} DIFFERENCES' if bad else 'OK'} after {took:.1f} s", flush=True)
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
