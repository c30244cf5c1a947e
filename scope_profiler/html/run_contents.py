"""What the page shows of one run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from .._base.shown import shown
from ..report import counter_table, facts_text
from ..report.results_table import ResultsTable, table_of
from ..report.rows import in_order
from ..report.style import format_count, format_time, many
from ..report.table_columns import SORT_KEYS
from ..results import ProfilingResults
from .counter_data import counter_data, left_out
from .duration_data import duration_data, imbalance_data
from .flame_data import flame_data
from .line_tables import FunctionLines, line_tables
from .memory_table import MemoryRow, memory_rows
from .run_choice import Choice
from .slow_tables import SlowCalls, SlowRegion
from .table_cells import RegionTable, region_table
from .timeline_data import timeline_data


class Grid(NamedTuple):
    """A small table: its headings, its rows of text, and what to say of rows that are left out."""

    headings: list[str]
    rows: list[list[str]]
    left_out: str = ""


class RunContents(NamedTuple):
    """What the page shows of one run; a part is empty where there is nothing of the kind.

    data: For the scripts.
    """

    title: str
    key_facts: list[tuple[str, str]]
    remarks: list[str]
    regions: RegionTable
    tree: RegionTable
    threads: Grid
    tasks: Grid
    counters: Grid
    memory: list[MemoryRow]
    slow: list[SlowRegion]
    lines: list[FunctionLines]
    lines_left_out: str
    metadata: list[tuple[str, str]]
    data: dict[str, Any]


#: How often `contents_of` tells that some of it is done.
STEPS = 4


def contents_of(
    results: ProfilingResults, choice: Choice, advance: Callable[[int], None]
) -> RunContents:
    """What the page shows of the run. advance: told that so many more of STEPS are done."""
    how = (results, choice.include, choice.exclude, choice.ranks)
    tree = table_of(*how, sort=choice.sort)
    flat = table_of(*how, sort=choice.sort, flat=True)
    names = None if choice.include is choice.exclude is None else {
        region.name for region in results.get_regions(choice.include, choice.exclude)}
    by_total = in_order(flat.rows, SORT_KEYS["total"], nested=False)
    numbers = {row.name: number for number, row in enumerate(by_total)}
    for row in tree.rows:  # "(other paths)" is in the tree alone
        numbers.setdefault(row.name, len(numbers))
    slow = SlowCalls(results, choice, by_total)
    advance(1)
    timeline = timeline_data(results, choice, numbers, slow.look_at)
    advance(1)
    slowest = slow.tables()
    advance(1)
    durations = duration_data(results, choice, by_total, numbers)
    advance(1)
    lines, lines_left_out = line_tables(results, names, choice.ranks)
    with_imbalance = tree.processes > 1
    counters = results.counters(choice.ranks)
    headings, rows = counter_table.grid(counters)
    return RunContents(
        shown(results.default_title()), _key_facts(results, tree, flat), _remarks(tree),
        region_table(flat, with_imbalance, numbers), region_table(tree, with_imbalance, numbers),
        _grid(facts_text.thread_columns(results, choice.ranks), "thread"),
        _grid(facts_text.task_columns(results, choice.ranks), "task"),
        Grid(headings, rows, left_out(counters)),
        memory_rows(tree.rows), slowest, lines, lines_left_out,
        [(shown(name), facts_text.value_text(value)) for name, value in sorted(results.metadata.items())],
        {
            "names": [shown(name) for name in numbers],
            "flame": flame_data(tree.rows, numbers),
            "durations": durations,
            "imbalance": imbalance_data(by_total, numbers),
            "timeline": timeline,
            "counters": counter_data(results, counters),
        },
    )


def _key_facts(results: ProfilingResults, tree: ResultsTable, flat: ResultsTable) -> list[tuple[str, str]]:
    calls = sum(row.statistics.num_calls for row in tree.rows)
    facts = [("Time", format_time(tree.run_ns)), ("Regions", format_count(len(flat.rows))),
             ("Calls", format_count(calls))]
    if results.num_ranks > 1:
        what = "Processes" if "process_ids" in results.metadata else "Ranks"
        facts.append((what, format_count(results.num_ranks)))
    if results.num_nodes and results.num_nodes > 1:
        facts.append(("Machines", format_count(results.num_nodes)))
    metadata = results.metadata
    begun = metadata.get("timestamp")
    if isinstance(begun, str):
        facts.append(("Date", shown(begun[:19].replace("T", " ") + " UTC")))
    for name, key in (("Python", "python_version"), ("Processor", "chip_information"),
                      ("Cores", "total_cores"), ("System", "platform")):
        if metadata.get(key) not in (None, ""):
            facts.append((name, shown(metadata[key])))
    return facts


def _remarks(tree: ResultsTable) -> list[str]:
    """What is said below the printed table."""
    remarks = list(tree.remarks)
    if tree.processes > 1:
        remarks.insert(0, f"Percentages of the run are of the wall time of {tree.processes} processes "
                          f"together, {format_time(tree.wall_ns)}.")
    if any(0 < tree.wall_ns < row.total_ns for row in tree.rows):
        remarks.insert(
            0, "×: the calls of a row ran at the same time, and took so many times the run together.")
    if not tree.rows:
        remarks.append("No region was entered.")
    return remarks


#: Rows of threads and tasks.
_MOST = 200


def _grid(columns: dict[str, list[str]], what: str) -> Grid:
    rows = [list(row) for row in zip(*columns.values())]
    left = len(rows) - _MOST
    return Grid([*columns], rows[:_MOST],
                f"{many(left, what)} of those that took least are not shown" if left > 0 else "")
