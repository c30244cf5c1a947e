"""Histograms of durations, and durations over time."""

import numpy as np
from results_support import region

from scope_profiler.results import MPIRegion
from scope_profiler.results.duration_summary import histogram, over_time


def test_each_call_is_in_a_bin():
    lengths = np.geomspace(100, 10**8, 500).astype(np.int64)
    one = MPIRegion("r", {0: region(*((at * 10**9, at * 10**9 + int(ns)) for at, ns in enumerate(lengths)))})
    found = histogram(one)
    assert found.calls.sum() == 500 and len(found.edges_ns) == len(found.calls) + 1 <= 61
    assert found.edges_ns[0] <= lengths.min() and found.edges_ns[-1] >= lengths.max()
    exact, _ = np.histogram(lengths, found.edges_ns)
    assert abs(np.cumsum(exact) - np.cumsum(found.calls)).max() <= 2  # a bucket across an edge


def test_calls_of_several_ranks_and_of_no_length():
    two = MPIRegion("r", {0: region((0, 0), (5, 9)), 3: region((2, 4))})
    assert histogram(two).calls.sum() == 3
    found = over_time(two)
    assert found.is_single and found.start_ns.tolist() == [0, 2, 5] and found.mean_ns.tolist() == [0, 2, 4]


def test_many_calls_become_stretches():
    calls = [(10 * at, 10 * at + at % 7 + 1) for at in range(5000)]
    found = over_time(MPIRegion("r", {0: region(*calls)}), most=100)
    assert not found.is_single and len(found.calls) <= 100 and found.calls.sum() == 5000
    assert (found.least_ns == 1).all() and (found.most_ns == 7).all()
    assert abs(np.average(found.mean_ns, weights=found.calls) - np.mean([b - a for a, b in calls])) < 1e-9


def test_nothing_is_known_of_aggregates():
    from results_support import AGGREGATES
    from scope_profiler.results import Region

    one = MPIRegion("r", {0: Region(statistics=AGGREGATES)})
    assert histogram(one) is None and over_time(one) is None
    assert histogram(MPIRegion("r", {0: region()})) is None


def test_stretches_of_ranks_are_those_of_all_calls_together():
    chance = np.random.default_rng(1)
    calls = {}
    for rank in range(4):
        starts = np.sort(chance.integers(10**15, 10**15 + 10**9 * (rank + 1), 3000))
        calls[rank] = [(int(start), int(start + length))
                       for start, length in zip(starts, chance.integers(0, 10**6, 3000))]
    together = sorted((call for of_rank in calls.values() for call in of_rank), key=lambda call: call[0])
    apart = over_time(MPIRegion("r", {rank: region(*of_rank) for rank, of_rank in calls.items()}))
    whole = over_time(MPIRegion("r", {0: region(*together)}))
    for found, expected in zip(apart[:-1], whole[:-1]):
        assert found.tolist() == expected.tolist()
    assert apart.calls.sum() == 12_000 and apart.start_ns[0] == together[0][0]
