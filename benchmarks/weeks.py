"""A run of weeks in constant memory: a billion calls, in parts of which each is written and given up.

    python benchmarks/weeks.py [--calls 1e9] [--parts 500] [--max-memory "50 MB"] [--on-full ring]

Prints the memory of the process at each tenth, and whether the parts together have every call.
"""

import argparse
from collections import deque
from itertools import repeat
from pathlib import Path
import tempfile
from time import perf_counter

import scope_profiler as sp


def resident():
    """Private memory of this process, MB."""
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=float, default=1e9)
    parser.add_argument("--parts", type=int, default=500)
    parser.add_argument("--max-memory", default="50 MB")
    parser.add_argument("--on-full", default="ring")
    parser.add_argument("--aggregated", action="store_true", help="no single calls at all")
    parser.add_argument("--requests", type=int, default=0, help="in each part, with metadata of their own")
    options = parser.parse_args()
    each = int(options.calls) // options.parts // 2
    work = sp.profile("work")(abs)
    ask = sp.profile("ask")(callable)
    serve = sp.profile("serve")(abs)
    counted, dropped, most = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        sp.setup(file_path=Path(folder) / "api.{time}.h5", verbose=False, max_memory=options.max_memory,
                 on_full=options.on_full, aggregation_mode=options.aggregated)
        begun = perf_counter()
        for part in range(options.parts):
            deque(map(work, repeat(1, each)), 0)
            deque(map(ask, repeat(1, each)), 0)
            for number in range(options.requests):
                with sp.metadata(request=f"{part}-{number}", path="/items"):
                    serve(1)
            results = sp.finalize(verbose=False, return_results=True, start_over=True)
            counted += sum(region.num_calls for region in results)
            dropped += sum(results.dropped.values())
            results = None
            for file in Path(folder).iterdir():
                file.unlink()
            if (part + 1) % max(options.parts // 10, 1) == 0:
                most = max(most, resident())
                print(f"{counted:>14,} calls, {resident():6.1f} MB, {perf_counter() - begun:6.1f} s",
                      flush=True)
        assert counted == (2 * each + options.requests) * options.parts, counted
        print(f"{counted:,} calls in {options.parts} parts, every one of them counted once; "
              f"{dropped:,} without start and end; at most {most:.1f} MB of memory")


if __name__ == "__main__":
    main()
