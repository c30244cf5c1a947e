"""Who sends to whom, and who waits for whom, of results made by hand."""

import pytest

from results_support import region
import scope_profiler as sp
from scope_profiler import MPIRegion, ProfilingResults

BARRIER = sp.format_mpi_region("barrier", communicator=0)
BCAST = sp.format_mpi_region("bcast", communicator=0, bytes=8, root=0)


def results(**regions):
    named = {"barrier": BARRIER, "bcast": BCAST}
    return ProfilingResults({
        named[name]: MPIRegion(named[name], {
            rank: region(*calls)
            for rank, calls in by_rank.items()})
        for name, by_rank in regions.items()})


def test_who_comes_late_does_not_wait():
    rows = sp.collective_waits(results(
        barrier={0: [(0, 100), (1000, 1010)], 1: [(80, 101), (900, 1012)]},
        bcast={0: [(200, 230)], 1: [(210, 240)]}))
    barrier, bcast = rows
    assert barrier["waiting"] == pytest.approx({0: 80e-9, 1: 100e-9})
    assert barrier["transfer"] == pytest.approx({0: 30e-9, 1: 33e-9})
    assert barrier["last"] == {0: 1, 1: 1} and barrier["num_calls"] == 2
    assert bcast["waiting"] == pytest.approx({0: 10e-9, 1: 0}) and bcast["last"] == {0: 0, 1: 1}


def test_who_leaves_before_the_last_comes_has_waited_for_its_call_alone():
    bcast, = sp.collective_waits(results(bcast={0: [(0, 5)], 1: [(100, 110)]}))
    assert bcast["waiting"] == pytest.approx({0: 5e-9, 1: 0})


@pytest.mark.parametrize("second", [[(0, 1)], [(0, 1), (2, 3), (4, 5)], []])
def test_ranks_with_other_numbers_of_calls_cannot_be_compared(second):
    row, = sp.collective_waits(results(barrier={0: [(0, 1), (2, 3)], 1: second}))
    assert row["waiting"] is None and row["transfer"] is None and row["last"] is None
    assert row["total"][0] == pytest.approx(2e-9)


def test_regions_of_the_program_are_not_of_mpi():
    none = ProfilingResults({"a": MPIRegion("a", {0: region((0, 1))})})
    assert sp.collective_waits(none) == [] and sp.communication_matrix(none).messages.tolist() == [[0]]
    for function in (sp.collective_waits, sp.communication_matrix):
        with pytest.raises(TypeError, match="results takes"):
            function(3)
