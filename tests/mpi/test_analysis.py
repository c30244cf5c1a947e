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


def test_the_critical_path_is_on_who_was_waited_for():
    """Rank 1 works up to the first barrier, rank 0 up to the second, and rank 1 ends last."""
    run = ProfilingResults({
        BARRIER: MPIRegion(BARRIER, {0: region((10, 52), (90, 95)), 1: region((50, 53), (70, 96))}),
        "work": MPIRegion("work", {0: region((0, 9), (52, 90)), 1: region((0, 40), (96, 120))}),
        "inner": MPIRegion("inner", {0: region((60, 80)), 1: region((10, 20))}),
    })
    path = sp.critical_path(run)
    assert path.pieces == [(1, 0, 50, None), (0, 50, 90, "barrier"), (1, 90, 120, "barrier")]
    assert path.by_rank == pytest.approx({1: 80e-9, 0: 40e-9}) and path.seconds == pytest.approx(120e-9)
    assert list(path.by_region) == ["work", "inner", BARRIER]
    # work: 30 and 24 on rank 1, 18 on rank 0; 8 ns in no region; the transfers of both barriers.
    assert path.by_region == pytest.approx({"work": 72e-9, "inner": 30e-9, BARRIER: 8e-9})


@pytest.mark.parametrize("operation, root, waited", [
    ("bcast", 0, []), ("bcast", 1, [1]), ("reduce", 0, [1]), ("reduce", 1, []), ("allreduce", -1, [1])])
def test_who_waits_depends_on_the_root(operation, root, waited):
    """Rank 1 arrives last; rank 0 ends last."""
    name = sp.format_mpi_region(operation, communicator=0, root=root)
    path = sp.critical_path(ProfilingResults({
        name: MPIRegion(name, {0: region((10, 60)), 1: region((50, 55))})}))
    assert [piece.rank for piece in path.pieces] == [*waited, 0]


def test_who_arrives_after_this_one_has_left_was_not_waited_for():
    path = sp.critical_path(results(barrier={0: [(0, 20), (900, 990)], 1: [(21, 22), (910, 912)]}))
    assert path.pieces == [(1, 21, 910, None), (0, 910, 990, "barrier")]


def test_without_collective_calls_there_is_no_critical_path():
    assert sp.critical_path(ProfilingResults({"a": MPIRegion("a", {0: region((0, 1))})})) is None
    assert sp.critical_path(results(barrier={0: [(0, 1), (2, 3)], 1: [(0, 1)]})) is None
    with pytest.raises(TypeError, match="results takes"):
        sp.critical_path(3)


def test_work_of_other_threads_is_not_on_the_path():
    def on(thread, *calls):
        return region(*calls, thread_ids=[thread] * len(calls))

    path = sp.critical_path(ProfilingResults({
        BARRIER: MPIRegion(BARRIER, {0: on(0, (10, 60)), 1: on(0, (50, 61))}),
        "io": MPIRegion("io", {1: on(1, (0, 61))}), "work": MPIRegion("work", {1: on(0, (0, 50))}),
    }))
    assert path.by_rank == pytest.approx({1: 61e-9})
    assert path.by_region == pytest.approx({"work": 50e-9, BARRIER: 11e-9})
