"""scale.py [--ranks 10,100,1000] [--regions 30] [--calls 1000000] [--events 0] [--compression none]:
results of many ranks.

Makes the files of simulated ranks, puts them together as rank 0 does in finalize(), and looks at the whole
with `inspect`, `diff` and `report`. Prints a row for each step as it ends: its time, on the clock and of the
processor, its peak of memory, and how large the files are that it made. What the ranks made would go over the
wire if rank 0 did not see it. Each step is a process.

calls: of each rank; they are in the statistics. events: how many of them are single calls in the files.
compression: of the files of ranks, which take as much room as the one that is made of them.
"""

import argparse
import json
from pathlib import Path
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np

from scope_profiler import MPIRegion, ProfilingResults, Region
from scope_profiler.io import load, write_profile
from scope_profiler.results import Node, Recorded, Sketch, merge_processes

STEPS = ("make", "merge", "inspect", "report", "diff")


def main():
    options = _options()
    if options.step:
        _step(options)
        return
    print(f"{options.regions} regions, {options.calls:,} calls a rank, "
          f"{options.events:,} of them single calls; files of ranks: compression {options.compression}")
    print("| ranks | step | time | processor | peak | files |")
    print("|---|---|---|---|---|---|")
    for ranks in options.ranks:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            _print_rows(ranks, Path(folder), options)


def _options():
    does = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    does.add_argument("--ranks", type=lambda text: [int(word) for word in text.split(",")],
                      default=[10, 100, 1000])
    for name, default in (("regions", 30), ("calls", 1_000_000), ("events", 0)):
        does.add_argument(f"--{name}", type=int, default=default)
    does.add_argument("--compression", default="none", choices=("none", "auto", "gzip", "lzf"))
    does.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    does.add_argument("--folder", type=Path, help="where the files are made, in a folder that goes")
    return does.parse_args()


def _print_rows(ranks, folder, options):
    made = {"make": "run.rank*.h5", "merge": "all.h5", "report": "report.html"}
    for step in STEPS:
        done = subprocess.run(
            [sys.executable, __file__, "--step", step, "--folder", folder, "--ranks", str(ranks),
             "--regions", str(options.regions), "--calls", str(options.calls),
             "--events", str(options.events), "--compression", options.compression],
            check=True, stdout=subprocess.PIPE, text=True)
        facts = json.loads(done.stdout.splitlines()[-1])
        files = folder.glob(made[step]) if step in made else ()
        size = f"{sum(path.stat().st_size for path in files) / 1e6:.1f} MB" if files else ""
        print(f"| {ranks:,} | {step} | {facts['seconds']:.2f} s | {facts['processor']:.2f} s | "
              f"{facts['peak'] / 1e6:.0f} MB | {size} |", flush=True)
        if step == "merge":  # of many calls they take as much room as all of them together
            for path in folder.glob(made["make"]):
                path.unlink()


def _step(options):
    begun = time.perf_counter()
    ranks, = options.ranks
    all_of_them = options.folder / "all.h5"
    if options.step == "make":
        for rank in range(ranks):
            results = simulated(rank, ranks, options.regions, options.calls, options.events)
            write_profile(results, options.folder / f"run.rank{rank}.h5",
                          compression=options.compression)
    elif options.step == "merge":
        parts = [load(options.folder / f"run.rank{rank}.h5") for rank in range(ranks)]
        write_profile(merge_processes(parts), all_of_them)
    else:
        files = [str(all_of_them)] * (1 + (options.step == "diff"))
        if options.step == "report":
            files += ["-o", str(options.folder / "report.html")]
        from scope_profiler.cli import main as command

        sys.argv = ["scope-profiler", options.step, *files]
        try:
            command()
        except SystemExit as ended:
            assert not ended.code, ended.code
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": time.perf_counter() - begun, "peak": peak,
                      "processor": time.process_time()}))


def simulated(rank, ranks, regions, calls, events):
    """The results of one rank: a region around all, and others inside; one rank in a hundred is slow."""
    chance = np.random.default_rng(rank)
    slow = 1.5 if rank % 100 == 7 else 1.0
    each, kept = calls // regions, events // regions
    nodes, found = [], {}
    for number in range(regions):
        name = f"region {number:03}"
        mean = slow * 1000 * (1 + number)
        total, first = int(each * mean), 10**9 * number + 10**6
        sketch = Sketch.of_durations(chance.exponential(mean, 1000).astype(np.int64))
        statistics = {"count": each, "total": total, "minimum": 1, "maximum": int(20 * mean), "std": mean,
                      "mean": mean}
        columns = {}
        if kept:
            starts = first + np.arange(kept) * int(mean + 1)
            columns = {"start_times_ns": starts, "durations_ns": np.full(kept, int(mean))}
        found[name] = Region(statistics=statistics, sketch=sketch, exclusive_total_ns=total,
                             inclusive_total_ns=total, **columns)
        nodes.append(Node(-1, _row(name, each, total, mean), first, sketch, mean))
    metadata = {"rank": rank, "launched_ranks": ranks, "start_time_ns": 0, "process_id": 1000 + rank,
                "finalize_time_ns": 10**9 * (regions + 1), "program_id": f"{rank:016x}"}
    return ProfilingResults({name: MPIRegion(name, {0: one}) for name, one in found.items()}, metadata,
                            recorded={0: Recorded(nodes, 10**9 * regions, {})})


def _row(name, calls, total, mean):
    from dataclasses import replace

    from scope_profiler import RegionStatistics

    return replace(RegionStatistics.nothing_of(name), num_calls=calls, total_ns=total, exclusive_ns=total,
                   sum_ns=total, minimum_ns=1, maximum_ns=int(20 * mean), average_ns=round(mean),
                   std_ns=round(mean), corrected_total_ns=total, corrected_exclusive_ns=total)


if __name__ == "__main__":
    main()
