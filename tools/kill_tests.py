"""kill_tests.py [RUNS]: programs that are killed at random, by SIGKILL, os._exit() and a segmentation fault;
what their journals have is compared with what they did (tests/journal_checks.py)."""

import collections
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ["PYTHONPATH"] = str(ROOT)

from journal_checks import random_kill  # noqa: E402


def main(runs=200):
    calls, missing, kinds = [], collections.Counter(), collections.Counter()
    for seed in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            how, recovered, told = random_kill(folder, seed)
        calls.append(recovered)
        kinds[how] += 1
        missing.update(sentence.partition(": ")[2] or sentence for sentence in told)
    print(f"{runs} runs: {dict(kinds)}; "
          f"{min(calls)} to {max(calls)} calls, {sum(calls)} in all; each the "
          "begin of what its threads did, and none that was over is missing. Told of: "
          f"{dict(missing) or 'nothing'}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
