"""src/record/node.c: the statistics of the calling-context tree, and its sketch."""

from collections import Counter
import math
import random
import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from scope_profiler import _core

from conftest import Clock, calls_of, examples

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


def test_tree_by_nesting(clock, core):
    a, b = core.profile_region("a"), core.profile_region("b")
    with a:
        clock.tick(1)
        with b:
            clock.tick(10)
    with b:
        clock.tick(100)
        with a:
            clock.tick(1000)
    assert calls_of(core) == {
        "a": (1, 11, 1), "a>b": (1, 10, 10), "b": (1, 1100, 100), "b>a": (1, 1000, 1000)
    }
    row = core._collect(b)
    assert row[2] == 2 and row[5] == 1110 and row[7] == 110


def test_recursion_is_folded_and_counts_outermost_time(clock, core):
    a, b = core.profile_region("a"), core.profile_region("b")

    def down(depth):
        with a:
            clock.tick(1)
            with b:
                clock.tick(10)
                if depth:
                    down(depth - 1)

    down(4)
    assert calls_of(core) == {"a": (5, 55, 5), "a>b": (5, 54, 50)}


def test_deep_recursion_is_one_node(clock, core):
    region = core.profile_region("deep")
    for _ in range(5_000):
        region.__enter__()
        clock.tick(1)
    for _ in range(5_000):
        region.__exit__(None, None, None)
    assert calls_of(core) == {"deep": (5_000, 5_000, 5_000)}
    assert core._counters()["unmatched"] == 0


def test_many_children_of_one_parent(clock, core):
    """Walked again and again."""
    children = [core.profile_region(f"child {i}") for i in range(1000)]
    with core.profile_region("parent"):
        for _ in range(3):
            for i, child in enumerate(children):
                with child:
                    clock.tick(i)
    found = calls_of(core)
    assert all(found[f"parent>child {i}"] == (3, 3 * i, 3 * i) for i in range(1000))
    assert found["parent"] == (1, 3 * sum(range(1000)), 0)


def test_thousands_of_paths_in_any_order(clock, core):
    """The table of edges grows with the tree, and they are walked anew when it starts over."""
    chosen = random.Random(3)
    regions = [core.profile_region(f"{i}") for i in range(40)]

    def walk(rounds):
        found = Counter()
        for _ in range(rounds):
            path = [chosen.randrange(40) for _ in range(3)]
            first, second, third = (regions[i] for i in path)
            with first, second, third:
                clock.tick(1)
            if len({*path}) == 3:  # no recursion, which is folded
                found[">".join(map(str, path))] += 1
        return found

    for rounds in (30_000, 5_000):
        expected = walk(rounds)
        calls = calls_of(core)
        assert {path: calls[path][0] for path in expected} == expected
        core._snapshot(False, True)
    assert len(expected) > 3_000 and not any(calls for calls, *_ in calls_of(core).values())


def any_order(core, rounds, regions=10, seed=7):
    """Functions that call each other in any order: more paths than there is memory for."""
    import random

    chosen = random.Random(seed)
    functions = [core._wrap(core.profile_region(f"f{number}"), lambda depth, go: go(depth))
                 for number in range(regions)]

    def go(depth):
        if depth:
            chosen.choice(functions)(depth - 1, go)

    for _ in range(rounds):
        go(regions + 4)


def test_the_number_of_paths_is_bounded(clock, few_paths):
    core = _core.Manager()
    core._begin(False, False)
    with core.profile_region("main"):
        any_order(core, 1_000)
    for name in range(20):
        with core.profile_region(f"new {name}"):
            clock.tick(1)
    rows = core._collect(None)
    assert few_paths < len(rows) < few_paths + 100
    others = [number for number, row in enumerate(rows) if row[1] is None]
    assert [rows[rows[number][0]][1].name for number in others] == ["main"]
    assert {row[1].name for row in rows if row[0] in others} <= {f"f{n}" for n in range(10)}
    # Nothing is lost: by region the numbers are what they were.
    by_region = {}
    for row in rows:
        if row[1] is not None:
            by_region[row[1].name] = by_region.get(row[1].name, 0) + row[2]
    assert by_region == {row[1].name: row[2] for row in core._collect_regions()}
    assert sum(by_region[f"f{number}"] for number in range(10)) == 1_000 * 14
    assert by_region["new 3"] == 1
    core._record(False)


def test_other_paths_from_the_root_are_in_one_place(clock, few_paths):
    """In the thread's tree and in the one of all threads: other paths are not below other paths."""
    core = _core.Manager()
    core._begin(False, False)
    any_order(core, 1_000)
    late, known = core.profile_region("late"), core.profile_region("f0")
    with known, late:
        pass
    with late, known:
        pass
    rows = core._collect(None)
    [others] = [number for number, row in enumerate(rows) if row[1] is None and row[0] < 0]
    assert {row[1].name: row[2] for row in rows if row[0] == others} == {"late": 1, "f0": 1}
    core._record(False)


def test_totals_on_other_paths_count_recursion_once(clock, few_paths):
    core = _core.Manager()
    core._begin(True, False)
    any_order(core, 1_000)

    def tick(depth, go):
        clock.tick(1)
        go(depth)

    a, b, c = (core._wrap(core.profile_region(name), tick) for name in "abc")
    order = []

    def go(depth):
        if order:
            order.pop()(0, go)

    before = {row[1].name: row[5] for row in core._collect_regions()}
    with core.profile_region("f0"), core.profile_region("f1"), core.profile_region("f3"):
        order = [b, a, core._wrap(core.profile_region("f0"), tick), b, a]
        go(0)
    after = {row[1].name: row[5] for row in core._collect_regions()}
    assert after["a"] == 5 and after["b"] == 4
    assert after["f0"] - before["f0"] == 5  # the one inside is inside the one around
    core._record(False)


def test_other_paths_of_threads_merge(clock):
    import threading

    core = _core.Manager()
    core._begin(False, False)
    threads = [threading.Thread(target=any_order, args=(core, 10_000, 10, seed)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = core._collect(None)
    assert sum(row[2] for row in rows) == 2 * 10_000 * 14 == core._counters()["calls"]
    core._record(False)


@pytest.mark.parametrize("here, there", [(3, 4), (15, 1), (3, 40), (40, 3), (16, 16)])
def test_percentiles_of_several_threads(core, clock, here, there):
    region, durations = core.profile_region("r"), [2**at for at in range(here + there)]

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
