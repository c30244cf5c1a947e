"""Clocks of machines on one axis: the arithmetic, and ranks whose clocks were made to differ."""

from hypothesis import given, strategies as st
import numpy as np
import pytest

from conftest import NEEDS_H5PY
from mpi_support import NEEDS_MPI, mpiexec
from results_support import region, results
import scope_profiler as sp
from scope_profiler.io import write_profile
from scope_profiler.mpi.clocks import Alignment, Reading
from scope_profiler.results import at_times


def reading(at, offset, drift, there, back):
    """What rank 0 reads at a time of its own, of a clock that is `offset` behind at 0."""
    return Reading.of_answer(at, round((at + there) * (1 - drift)) - offset, at + there + back)


@given(st.integers(-10**15, 10**15), st.floats(-1e-4, 1e-4),
       st.lists(st.integers(1, 10**6), min_size=4, max_size=4),
       st.lists(st.integers(0, 10**12), min_size=1, max_size=9))
def test_times_are_within_the_stated_error(offset, drift, ways, times):
    end = 10**12
    clock = Alignment(reading(0, offset, drift, *ways[:2]), reading(end, offset, drift, *ways[2:]))
    there = np.array([round(at * (1 - drift)) - offset for at in sorted(times)], np.int64)
    wrong = np.abs(clock.to_root(there) - np.array(sorted(times)))
    # Between the readings, and a little on both sides of them, as messages take time.
    assert (wrong <= clock.error_ns * (1 + 1e-3) + 1 + 1e6 * abs(drift) * 2).all()
    assert clock.drift == pytest.approx(drift / (1 - drift), abs=2 * clock.error_ns / (end / 2))


def test_one_reading_tells_no_drift():
    once = Reading.of_answer(1000, 40, 1010)
    assert once == (40, 965, 5)
    clock = Alignment(once, once)
    assert clock.drift is None and clock.error_ns == 5
    assert clock.to_root(np.array([40, 41])).tolist() == [1005, 1006]


def test_calls_stay_inside_each_other():
    outer, inner = region((0, 10**9), (2 * 10**9, 3 * 10**9)), region((5, 10**9), (2 * 10**9, 3 * 10**9))
    clock = Alignment(Reading(0, 100, 1), Reading(10**9, 100 + 12_345, 1))
    moved = at_times(
        results({"start_time_ns": 0, "finalize_time_ns": 10**9}, o=outer, i=inner), clock.to_root)
    assert moved["o"][0].start_times_ns.tolist() == [100, 2 * 10**9 + 24_790]
    assert [call["depth"] for call in moved.call_stack(0)] == [0, 1, 0, 1]
    assert moved.metadata["finalize_time_ns"] == 10**9 + 12_445


@NEEDS_H5PY
def test_what_a_file_says_of_its_calls_is_moved_with_them():
    calls = [(at * 10, at * 10 + 3) for at in range(1 << 17)]  # so many stay in the file
    path = write_profile(results({}, r=region(*calls)), "run.h5")
    clock = Alignment(Reading(0, 10**9, 1), Reading(10**6, 10**9 + 1000, 1))
    moved = at_times(sp.load(path), clock.to_root)
    again = sp.load(write_profile(moved, "moved.h5"))
    for each in (moved["r"][0], again["r"][0]):
        starts = clock.to_root(np.array(calls))
        assert (each.start_times_ns == starts[:, 0]).all() and (each.end_times_ns == starts[:, 1]).all()
        assert each.first_start_time_ns == starts[0, 0] and each.last_end_time_ns == starts[-1, 1]
        assert each.total_duration_ns == (starts[:, 1] - starts[:, 0]).sum()


APART = """
import socket, sys, threading, time
from mpi4py import MPI
import numpy as np
import scope_profiler as sp
from scope_profiler._run import run_file
from scope_profiler._runtime import launcher
from scope_profiler.mpi import clocks, gather
from scope_profiler.results import at_times

def abort(kind, *exception):
    sys.__excepthook__(kind, *exception)
    MPI.COMM_WORLD.Abort(1)
sys.excepthook = abort
world = MPI.COMM_WORLD
rank = world.rank
launcher.is_on_several_machines = lambda: True
if rank % 2:  # on another machine, whose clock is elsewhere and runs too fast
    def there(ns):
        return ns + 10**15 * rank + np.rint((ns - begun) * 1e-3 * rank).astype(np.int64)
    begun = time.perf_counter_ns()
    socket.gethostname = lambda: f"machine{rank}"
    clocks.now_ns = lambda: int(there(np.int64(time.perf_counter_ns())))
    write = run_file.RunFile.write
    run_file.RunFile.write = lambda self, results: write(self, at_times(results, there))
sp.setup(file_path="run.h5")
before = time.perf_counter_ns()
with sp.region("r"):
    time.sleep(0.2)
np.save(f"true{rank}.npy", [before, time.perf_counter_ns()])
sp.finalize(verbose=rank == 0)
"""


@NEEDS_MPI
@NEEDS_H5PY
def test_ranks_with_different_clocks():
    said, _ = mpiexec(4, APART)
    results = sp.load("run.h5")
    errors = [int(error or 0) for error in results.metadata["clock_errors_ns"]]
    assert [error == 0 for error in errors] == [True, False, True, False]
    for rank, error in enumerate(errors):  # clocks 10**15 ns apart
        call, (before, after) = results["r"][rank], np.load(f"true{rank}.npy")
        assert before - error <= call.start_times_ns[0] < after
        assert call.start_times_ns[0] + call.durations_ns[0] <= after + error
    drifts = results.metadata["clock_drifts"]
    assert drifts[0] == drifts[2] == ""
    for rank, true in ((1, -1e-3), (3, -3e-3)):  # readings are at least as far apart as the sleep is long
        assert float(drifts[rank]) == pytest.approx(true, rel=0.01, abs=2 * errors[rank] / 0.2e9)
    assert results.metadata["nodes"] == ["0", "1", "0", "2"] and results.num_nodes == 3
    assert "Clocks of other machines: put on that of rank 0, within" in said
