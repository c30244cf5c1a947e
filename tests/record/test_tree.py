"""src/record/tree.c: the calling-context tree."""

from collections import Counter
import random


from scope_profiler import _core

from conftest import calls_of

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
