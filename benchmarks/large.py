"""What takes a process of its own: importing the package, and finalize() after many calls.

    python large.py CALLS     record so many calls, finalize() with file and report, tell the cost
"""

from dataclasses import dataclass
import json
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from time import perf_counter

from environments import about, check
from rows import Least, Most

_IMPORT_ROUNDS = 15
_CALLS = 1_000_000


@dataclass(frozen=True)
class LargeRow:
    label: str
    unit: str
    target: "Least | Most | None"
    over: None = None

    def target_of(self, minor):
        return self.target


def large_rows(interpreter, only, full):
    """[(row, ours, peer), ...] for print_row() of run.py."""
    rows = []
    if only in "import scope_profiler":
        target = Most(15, " ms")
        rows.append((LargeRow("import scope_profiler", "ms", target), *import_times(interpreter)))
    if only in "finalize":
        rows.extend(finalize_rows(interpreter, _CALLS, "1 M", ("ours", "scope_profiler")))
        if full:
            rows.extend(finalize_rows(interpreter, 10 * _CALLS, "10 M", ("ours",)))
    return rows


# ---- Import ----------------------------------------------------------------------------------


def import_times(interpreter):
    """Milliseconds that the import adds to a bare python, ours and the peer's; of ours a text
    when it loads what it should not."""
    tools = ("ours", "scope_profiler")
    for tool in tools:
        check(tool, json.loads(_run(interpreter, tool, _TELL)))
    with_import = dict.fromkeys(tools, 1e9)
    bare = dict.fromkeys(tools, 1e9)
    for _ in range(_IMPORT_ROUNDS):
        for tool in tools:
            bare[tool] = min(bare[tool], _start(interpreter, tool, "pass"))
            with_import[tool] = min(with_import[tool],
                                    _start(interpreter, tool, "import scope_profiler"))
    loaded = "import scope_profiler, sys; sys.exit(bool({'numpy', 'h5py'} & set(sys.modules)))"
    ours, peer = (with_import[tool] - bare[tool] for tool in tools)
    try:
        _start(interpreter, "ours", loaded)
    except subprocess.CalledProcessError:
        ours = "numpy or h5py is loaded"
    return ours, peer


_TELL = f"""
import sys
sys.path.append({str(Path(__file__).parent)!r})
import json, environments
print(json.dumps(environments.about("scope_profiler")))
"""


def _run(interpreter, tool, code):
    """What the code prints. -P: the folder that we are called in has a scope_profiler, too."""
    (python, *_), environment = interpreter.command(tool, "large.py")
    done = subprocess.run([python, "-P", "-c", code], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout


def _start(interpreter, tool, code):
    """Milliseconds that a process takes to run the code."""
    start = perf_counter()
    _run(interpreter, tool, code)
    return (perf_counter() - start) * 1e3


# ---- Finalize --------------------------------------------------------------------------------


def finalize_rows(interpreter, calls, how_many, tools):
    """Time, memory and file size of finalize() with a report. The memory is the peak of the
    whole process, less that of one that does the same with 1 000 calls."""
    costs = {}
    for tool in ("ours", "scope_profiler"):
        if tool not in tools:
            costs[tool] = None
            continue
        few, many = (_finalize(interpreter, tool, n) for n in (1_000, calls))
        costs[tool] = few if isinstance(few, str) else many
        if not isinstance(costs[tool], str):
            many["rss"] -= few["rss"]
    first = tools[-1] == "scope_profiler"
    rows = [
        (LargeRow(f"finalize {how_many}: time", "ms", Least(20) if first else None), "ms", 1),
        (LargeRow(f"finalize {how_many}: peak per call", "B", Most(40, " B")), "rss", calls),
        (LargeRow(f"finalize {how_many}: file per call", "B", Least(1) if first else None),
         "bytes", calls),
    ]
    return [(row, *(_part(costs[tool], key, by) for tool in ("ours", "scope_profiler")))
            for row, key, by in rows]


def _part(cost, key, by):
    return cost if cost is None or isinstance(cost, str) else cost[key] / by


def _finalize(interpreter, tool, calls):
    command, environment = interpreter.command(tool, "large.py", calls)
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    cost = json.loads(done.stdout.splitlines()[-1])
    check(tool, cost)
    return cost


def finalize(calls):
    """Record the calls, ten to a step, and finalize; the cost as a dict."""
    import resource

    from scope_profiler import ProfileManager

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "profile.h5"
        ProfileManager.setup(file_path=str(path))
        for _ in range(calls // 10):
            with ProfileManager.profile_region("step"):
                for _ in range(9):
                    with ProfileManager.profile_region("work"):
                        pass
        start = perf_counter()
        ProfileManager.finalize(verbose=True)
        ms = (perf_counter() - start) * 1e3
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        size = path.stat().st_size
    return {**about("scope_profiler"), "ms": ms, "bytes": size,
            "rss": peak * (1 if sys.platform == "darwin" else 1024)}


if __name__ == "__main__":
    os.environ.setdefault("COLUMNS", "100")
    print(json.dumps(finalize(int(sys.argv[1]))))
