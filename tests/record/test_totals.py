"""src/record/totals.c and sketch.c: what calls have come to, and of which a node keeps the ticks first."""

import math
import random
import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from scope_profiler import ProfileManager, _core

from conftest import Clock, examples

QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


def record(durations, reads=()):
    """The row of a region that ran for each of these durations, and was read after so many of them."""
    clock = Clock()
    try:
        manager = _core.Manager()
        manager._begin(False, False)
        region = manager.profile_region("x")
        for number, duration in enumerate(durations, 1):
            with region:
                clock.tick(duration)
            if number in reads:
                manager._collect(region)
        return manager._collect(region)
    finally:
        _core._fake_clock(None)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=60))
@settings(max_examples=examples(150), deadline=None)
def test_statistics_are_exact(durations):
    row = record(durations)
    assert row[2] == len(durations)
    assert row[5] == row[6] == row[7] == sum(durations)
    assert (row[8], row[9]) == (min(durations), max(durations))
    mean = sum(durations) / len(durations)
    exact = math.sqrt(
        (len(durations) * sum(d * d for d in durations) - sum(durations) ** 2)
    ) / len(durations)
    assert row[10] == pytest.approx(exact, rel=1e-9, abs=1e-6 * max(1.0, mean * 1e-9))


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=300), st.sets(st.integers(1, 300), max_size=20))
@settings(max_examples=examples(150), deadline=None)
def test_percentiles_are_within_one_percent(durations, reads):
    percentiles = record(durations, reads)[11]
    ordered = sorted(durations)
    for q, got in zip(QUANTILES, percentiles):
        position = q * (len(ordered) - 1)
        low, high = ordered[math.floor(position)], ordered[math.ceil(position)]
        assert low * 0.99 - 1 <= got <= high * 1.01 + 1


def test_percentiles_of_a_known_distribution():
    generator = random.Random(4)
    durations = [int(generator.lognormvariate(8, 2)) for _ in range(20_000)]
    percentiles = record(durations)[11]
    expected = np.quantile(durations, QUANTILES)
    assert percentiles == pytest.approx(expected, rel=0.01)


def test_deviation_does_not_cancel():
    """A small spread on a large mean: the textbook one-pass formula in floats gives nonsense."""
    row = record([10**12 + i % 2 for i in range(1000)])
    assert row[10] == pytest.approx(0.5, rel=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0, 1, 7, 2**32 - 1, 2**32, 10**12])), max_size=70))
@settings(max_examples=examples(100), deadline=None)
def test_blocks_and_decorated_calls_of_one_region(steps):
    """Those that wait for their totals together were made in the same way, and fit into 32 bits."""
    clock = Clock()
    try:
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True)
        region = manager.profile_region("x")

        @manager.profile("x")
        def tick(duration):
            clock.tick(duration)

        for is_block, duration in steps:
            if is_block:
                with region:
                    clock.tick(duration)
            else:
                tick(duration)
        row = manager._collect(region)
        costs = manager._counters()["costs"]
    finally:
        _core._fake_clock(None)
    durations = [duration for _, duration in steps]
    assert (row[2], row[5], row[9]) == (len(steps), sum(durations), max(durations, default=0))
    blocks = sum(is_block for is_block, _ in steps)
    assert costs[:2] == (blocks, len(steps) - blocks)


def test_errors_and_recursion_among_few_calls(core, clock):
    region = core.profile_region("r")
    for number in range(5):
        try:
            with region, region:
                clock.tick(10)
                1 // (number % 2)
        except ZeroDivisionError:
            pass
    row = core._collect(region)
    assert (row[2], row[3], row[5], row[6]) == (10, 6, 50, 100)  # calls, errors, of the outermost, of all


@pytest.mark.parametrize("before", [0, 14])
def test_calls_that_find_no_memory_for_their_totals_are_lost_and_counted(core, clock, before):
    testcapi = pytest.importorskip("_testcapi")
    region = core.profile_region("r")
    for _ in range(before):
        with region:
            clock.tick(1)
    leave = region.__exit__
    region.__enter__()
    clock.tick(2**33)  # waits for nothing
    testcapi.set_nomemory(0)
    try:
        leave(None, None, None)
    finally:
        testcapi.remove_mem_hooks()
    with region:
        clock.tick(1)
    assert core._counters()["lost"] == 1
    assert core._collect(region)[2] == before + 1


@pytest.mark.parametrize("here, there", [(3, 4), (14, 1), (3, 40), (40, 3), (16, 16), (63, 1), (70, 30)])
def test_percentiles_of_several_threads(core, clock, here, there):
    region, durations = core.profile_region("r"), [2 ** (at % 43) for at in range(here + there)]

    def record_some(some):
        for duration in some:
            with region:
                clock.tick(duration)

    thread = threading.Thread(target=record_some, args=(durations[:there],))
    thread.start()
    thread.join()
    record_some(durations[there:])
    percentiles = core._collect(None)[0][11]
    assert percentiles == pytest.approx(np.quantile(durations, QUANTILES), rel=0.01, abs=1)
    assert core._collect(None)[0][11] == percentiles  # nothing is counted twice
