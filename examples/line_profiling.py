"""Which line takes the time? Two decorated functions and a `with` block, in line mode.

    python examples/line_profiling.py
"""

import math
import random

from scope_profiler import ProfileManager


@ProfileManager.profile("compute")
def compute(N=50_000):
    s = 0.0
    for _ in range(N):
        x = random.random()
        s += math.sin(x) * math.sqrt(x + 1.0)
    return s


@ProfileManager.profile("allocate")
def allocate(N=100_000):
    a = [i * i for i in range(N)]
    b = []
    for i in range(N):
        b.append(i * i)
    return a, b


def run_scope_only():
    with ProfileManager.profile_region("scope_only"):
        total = sum(range(100_000))
    return total


if __name__ == "__main__":
    ProfileManager.setup(use_line_profiler=True, deactivate_file_output=True)
    compute()
    allocate()
    run_scope_only()
    ProfileManager.finalize()

    ProfileManager.get_region("compute").print_stats()
