"""kill_tests.py [RUNS]: programs that are killed at random, by SIGKILL, os._exit() and a segmentation fault;
what their journals have is compared with what they did (tests/journal_checks.py). Then finalize() is killed
at every write, of which half is done, and at every other call that changes its files."""

import collections
import itertools
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ["PYTHONPATH"] = str(ROOT)

from journal_checks import FaultLibrary, finalize_killed, random_kill  # noqa: E402
from scope_profiler import ProfilingResults, write_profile  # noqa: E402


def main(runs=200):
    calls, missing, kinds = [], collections.Counter(), collections.Counter()
    for seed in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            how, recovered, told = random_kill(folder, seed)
        calls.append(recovered)
        kinds[how] += 1
        missing.update(sentence.partition(": ")[2] or sentence for sentence in told)
    if runs:
        print(f"{runs} runs: {dict(kinds)}; "
              f"{min(calls)} to {max(calls)} calls, {sum(calls)} in all; each the "
              "begin of what its threads did, and none that was over is missing. Told of: "
              f"{dict(missing) or 'nothing'}")
    for name, has_old in itertools.product(("out.json", "out.h5"), (False, True)):
        print(f"finalize() to {name}{' in the place of another' if has_old else ''}: killed at each of "
              f"{every_write(name, has_old)} calls; the file before, the new one or the journal is whole",
              flush=True)


def every_write(name, has_old):
    """How many there were."""
    with tempfile.TemporaryDirectory() as folder:
        faults = FaultLibrary(folder)
        old = write_profile(ProfilingResults({}), Path(folder, name)).read_bytes() if has_old else None
        for at in itertools.count(1):
            run = Path(folder, f"killed_run{at}")
            run.mkdir()
            if not finalize_killed(run, faults, at, name, old):
                return at - 1


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
