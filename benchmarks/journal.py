"""What a journal costs on the way of a call: the same loop, with and without one, in turns.

python benchmarks/journal.py [ROUNDS]: ns of processor time per decorated call, the least of the rounds.
"""

import sys
import tempfile
from pathlib import Path
from time import process_time_ns

from scope_profiler import _core

CALLS = 500_000


def main(rounds=20):
    manager = _core.Manager()
    function = manager._wrap(manager.profile_region("r"), lambda: None)
    best = {False: float("inf"), True: float("inf")}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for journal in best:
                path = bytes(Path(folder, "b.journal"))
                others = [*[False] * 5, 0.0]
                manager._begin(True, False, *others, (path, {}, True) if journal else None)
                begun = process_time_ns()
                for _ in range(CALLS):
                    function()
                best[journal] = min(best[journal], (process_time_ns() - begun) / CALLS)
                manager._journal_cut()
                manager._journal_remove()
    print(f"{sys.version.split()[0]}: {best[False]:.1f} ns in memory, {best[True]:.1f} with a journal, "
          f"{best[True] / best[False]:.3f} times")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
