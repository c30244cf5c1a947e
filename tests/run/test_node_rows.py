"""node_rows.py: the table of nodes is what is made of the core's rows one by one."""

import random

import pytest

from scope_profiler import ProfileManager
from scope_profiler._instrument import overhead
from scope_profiler._run import snapshot
from scope_profiler._run.moment import now


def record(manager, clock, chance, depth=0):
    """Calls of every kind, in more paths than are told apart."""
    for _ in range(chance.randint(1, 4)):
        region = manager.profile_region(f"region {chance.randrange(12)}")
        try:
            with region:
                clock.tick(chance.randrange(10**chance.randint(0, 9)))
                if chance.random() < 0.1:
                    region.add(flops=2.5)
                if depth < 6:
                    record(manager, clock, chance, depth + 1)
                if chance.random() < 0.1:
                    raise ValueError
        except ValueError:
            pass


@pytest.mark.parametrize("settings", [{}, {"memory": True}, {"track_async": True}])
def test_both_ways_are_the_same(clock, few_paths, settings):
    manager = ProfileManager()
    manager.setup(output=None, **settings)
    chance = random.Random(3)
    for _ in range(8):
        record(manager, clock, chance)
    with manager.profile_region("open"):
        clock.tick(7)
        moment, cost = now(manager, True), overhead.of(manager)
    table, nodes = (snapshot._nodes(moment, cost, cost.added_ns, results) for results in (True, False))
    assert list(table) == nodes and [node.std_ns for node in table] == [node.std_ns for node in nodes]
    assert len(nodes) > few_paths and table.names == [node.name for node in nodes]
    manager.reset()


def test_no_call_at_all(manager):
    assert len(manager.finalize(return_results=True).recorded[0].nodes) == 0
