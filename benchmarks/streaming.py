"""A run larger than memory: its calls lie in the journal, and finalize() writes them to the file in pieces.

    python benchmarks/streaming.py [--calls 2e8] [--folder .]

Prints the most private memory of the process, as another one sees it, while it records and while it writes.
"""

import argparse
from collections import deque
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
import os
import tempfile
import time

import scope_profiler as sp


def private(process):
    """Its private memory, pages of mapped files too, in MB."""
    with open(f"/proc/{process}/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


def watch(process, most, stop):
    while not stop.wait(0.05):
        most.value = max(most.value, private(process))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=float, default=2e8)
    parser.add_argument("--folder", type=Path, help="where the files go")
    options = parser.parse_args()
    calls = int(options.calls)
    context = get_context("spawn")
    most, stop = context.Value("d"), context.Event()
    watcher = context.Process(target=watch, args=(os.getpid(), most, stop))
    watcher.start()
    try:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            path = Path(folder) / "large.h5"
            sp.setup(file_path=path, journal=True, verbose=False)
            work = sp.profile("work")(abs)
            begun = time.perf_counter()
            deque(map(work, repeat(-1, calls)), 0)
            print(f"{calls:,} calls: {time.perf_counter() - begun:.0f} s, {most.value:.0f} MB", flush=True)
            most.value, begun = 0.0, time.perf_counter()
            sp.finalize()
            print(f"finalize(): {time.perf_counter() - begun:.0f} s, {most.value:.0f} MB, "
                  f"{path.stat().st_size / 1e9:.1f} GB written", flush=True)
            begun = time.perf_counter()
            assert sp.load(path)["work"].num_calls == calls
            print(f"load() and one region: {time.perf_counter() - begun:.2f} s")
    finally:
        stop.set()
        watcher.join()


if __name__ == "__main__":
    main()
