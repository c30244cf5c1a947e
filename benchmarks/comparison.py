"""How often `scope-profiler check` is wrong: false alarms on runs of the same program, and a region that is
10 % slower that is not found. For instance:

    python benchmarks/comparison.py make runs 60      # 60 runs of the program and of its slower version
    python benchmarks/comparison.py judge runs 5      # 50 comparisons of 5 runs on each side
"""

import json
from pathlib import Path
import subprocess
import sys

import scope_profiler as sp
from scope_profiler._compare.comparison import compare

TRIES = 50
SLOWER = 1.1
LIMIT = 0.02  # the default of --max-regression


def assemble(n):
    return [i * i % 7 for i in range(n)]


def solve(n):
    total = 0.0
    for i in range(n):
        total += i * 0.5
    return total


def program(path, slower):
    """A run, whose region solve takes so many times as long."""
    data = {str(i): list(range(20)) for i in range(60)}
    sp.setup(output=path)
    with sp.region("all"):
        for _ in range(300):
            with sp.region("step"):
                with sp.region("assemble"):
                    assemble(1500)
                for _ in range(3):
                    with sp.region("solve"):
                        solve(round(2000 * slower))
                with sp.region("save"):
                    json.dumps(data)
    sp.finalize(verbose=False)


def make(folder, number):
    """Runs of both, each in a process, in turn."""
    Path(folder).mkdir(exist_ok=True)
    for run in range(number):
        for kind, slower in (("same", 1.0), ("slow", SLOWER)):
            path = f"{folder}/{kind}-{run:03}.h5"
            subprocess.run([sys.executable, __file__, "run", path, str(slower)], check=True)


def judge(folder, runs):
    """Print how many of TRIES comparisons were wrong, with so many runs on each side."""
    same, slow = ([sp.load(path) for path in sorted(Path(folder).glob(f"{kind}-*.h5"))]
                  for kind in ("same", "slow"))
    alarms = found = 0
    for number in range(TRIES):
        first = number % (len(same) - 2 * runs + 1)
        one = (same, slow)[number % 2][first:first + 2 * runs]
        alarms += bool(slower_regions(one[::2], one[1::2]))
        first = number % (len(same) - runs + 1)
        found += "solve" in slower_regions(same[first:first + runs], slow[first:first + runs])
    print(f"{runs} runs on each side: {alarms} false alarms and {found} found, of {TRIES} each")


def slower_regions(before, after):
    return [each.name for each in compare(before, after) if each.verdict(LIMIT) == "slower"]


if __name__ == "__main__":
    command, where, number = sys.argv[1:]
    if command == "run":
        program(where, float(number))
    else:
        {"make": make, "judge": judge}[command](where, int(number))
