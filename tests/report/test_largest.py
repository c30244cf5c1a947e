"""largest.py: a table of the rows worth showing is the same whether the others are made or not."""

import random

import pytest

from scope_profiler import report
from scope_profiler._model.node_table import NodeTable
from scope_profiler.report import results_table


def record(manager, clock, regions, chance, depth=0):
    """A tree of so many names, in which calls take any time."""
    for _ in range(chance.randint(1, 5)):
        with manager.profile_region(f"region {chance.randrange(regions)}"):
            clock.tick(chance.randrange(1, 10**chance.randint(1, 7)))
            if depth < 4:
                record(manager, clock, regions, chance, depth + 1)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("regions", [3, 40, 500])
def test_the_same_is_printed(manager, clock, monkeypatch, capsys, seed, regions):
    record(manager, clock, regions, random.Random(seed))
    with manager.profile_region("open"):
        results = manager.finalize(return_results=True, verbose=False)
    results.print_summary()
    printed = capsys.readouterr().out
    monkeypatch.setattr(results_table, "rows_worth_showing", lambda *_: None)
    results.print_summary()
    assert capsys.readouterr().out == printed and printed.count("region ") > 3


def test_only_what_is_printed_is_made(manager, clock, monkeypatch, capsys):
    record(manager, clock, 500, random.Random(1))
    made = []
    several = NodeTable.several

    def noted(nodes, places):
        made.extend(places)
        return several(nodes, places)

    monkeypatch.setattr(NodeTable, "several", noted)
    monkeypatch.setattr(NodeTable, "__iter__", lambda nodes: pytest.fail("all were made"))
    manager.finalize(return_results=True)
    assert len(made) < report.region_table.MOST_ROWS + 20
    assert "rows not shown" in capsys.readouterr().out
