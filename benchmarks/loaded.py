"""What a file of many calls costs once it is loaded: time, processor time and the peak of memory.

    python benchmarks/loaded.py             10 million calls
    python benchmarks/loaded.py CALLS

Each row is a process of its own that loads the file and does one thing with it; the time is the smallest
of three, without that of load(), the memory all that the process had.
"""

import json
from pathlib import Path
import subprocess
import sys
import tempfile

_ROUNDS = 3

#: Of each row what is done, and the seconds that it may take for ten million calls.
_ROWS = {
    "load": ("results = load()", None),
    "print_summary": ("results.print_summary(stream=io.StringIO())", 0.3),
    "print_summary, no calls read": ("summary().print_summary(stream=io.StringIO())", 0.3),
    "call_graph, columns": ("results.call_graph()", 0.5),
    "call_stack, columns": ("results.call_stack().columns", 2.0),
    "  and a row of it": ("results.call_stack()[1_000]", 2.0),
}

_RECORD = """
import sys
from scope_profiler import ProfileManager

calls, path = int(sys.argv[1]), sys.argv[2]
ProfileManager.setup(file_path=path)
region = ProfileManager.profile_region
with region("main"):
    for _ in range(calls // 10):
        with region("step"):
            for _ in range(3):
                with region("solve"):
                    with region("mul"):
                        pass
                    with region("add"):
                        pass
ProfileManager.finalize(verbose=False)
"""

_MEASURE = """
import io, json, resource, sys
from time import perf_counter, process_time
import h5py, numpy
import scope_profiler
from scope_profiler.io import read_h5_summary
import scope_profiler.report.results_table

load = lambda: scope_profiler.load(sys.argv[1], max_bytes=1 << 40)
summary = lambda: read_h5_summary(sys.argv[1])
what = sys.argv[2]
results = None if "load()" in what or "summary()." in what else load()
wall, cpu = perf_counter(), process_time()
exec(what)
print(json.dumps([perf_counter() - wall, process_time() - cpu,
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def main(calls):
    with tempfile.TemporaryDirectory() as directory:
        path = str(Path(directory) / "run.h5")
        subprocess.run([sys.executable, "-c", _RECORD, str(calls), path], check=True)
        size = Path(path).stat().st_size
        print(f"{calls:,} calls, {size / calls:.2f} bytes of file for each\n")
        print(f"{'':32}{'wall':>8}{'CPU':>10}{'peak':>10}")
        for name, (what, limit) in _ROWS.items():
            rounds = [_measure(path, what) for _ in range(_ROUNDS)]
            wall, cpu, peak = (min(column) for column in zip(*rounds))
            wanted = "" if limit is None else f"   <= {limit * calls / 1e7:g} s"
            print(f"{name:32}{wall:6.2f} s{cpu:8.2f} s{peak:7.0f} MB{wanted}")


def _measure(path, what):
    command = [sys.executable, "-c", _MEASURE, path, what]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
