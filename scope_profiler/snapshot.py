"""Taking a run's results out of the core: what reports, files and users see from then on is
plain data and does not touch the C module again."""

from dataclasses import dataclass
from time import perf_counter_ns

from . import _core
from .lines import line_records
from .statistics import RegionStatistics


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One node of the calling-context tree: a region where it was entered."""

    depth: int
    statistics: RegionStatistics


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the report shows of a run."""

    label: "str | None"
    file_path: "str | None"
    wall_ns: int
    tree: "list[TreeRow]"  # depth first, the longest first among siblings
    line_records: list  # as lines.line_records()
    line_mode: bool
    counters: "dict[str, int]"
    clock: "dict[str, object]"


def summarize(manager):
    """The RunSummary of the manager's current run, as of now."""
    run = manager._run
    return RunSummary(
        label=run.label,
        file_path=run.file_path,
        wall_ns=(run.finalize_time_ns or perf_counter_ns()) - run.start_time_ns,
        tree=_tree(manager._collect(None)),
        line_records=line_records(manager) if manager._line_mode else [],
        line_mode=manager._line_mode,
        counters=manager._counters(),
        clock=_core.clock_info(),
    )


def _tree(rows):
    children = {}
    for index, row in enumerate(rows):
        children.setdefault(row[0], []).append(index)
    ordered = []
    pending = [(0, index) for index in _longest_last(children.get(-1, ()), rows)]
    while pending:
        depth, index = pending.pop()
        ordered.append(TreeRow(depth, RegionStatistics.from_row(rows[index])))
        below = _longest_last(children.get(index, ()), rows)
        pending.extend((depth + 1, child) for child in below)
    return ordered


def _longest_last(indices, rows):
    return sorted(indices, key=lambda index: rows[index][5])
