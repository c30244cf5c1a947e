"""The comparison of the page: runs against the first, as `scope-profiler diff` prints it."""

from __future__ import annotations

from typing import NamedTuple

from .._base.arguments import name_filter
from .._base.shown import shown
from .._compare.comparison import Compared, common_change, compare
from .._compare.work_changes import work_changes
from ..report import changes_text
from ..report.style import format_time, many
from ..results import ProfilingResults
from .run_choice import Choice

_MOST = 300


class ComparedRow(NamedTuple):
    """A region: its texts, and before and after as per cent of the larger of all."""

    cells: tuple[str, ...]
    verdict: str
    before: float
    after: float


class ComparedRuns(NamedTuple):
    """A run against the first one. work: Of its rates the texts."""

    before: str
    after: str
    rows: list[ComparedRow]
    work: list[tuple[str, ...]]
    notes: list[str]
    left_out: str


def compared_runs(before: ProfilingResults, after: ProfilingResults, choice: Choice) -> ComparedRuns:
    """The regions of both, those of the largest change first."""
    found = compare([before], [after], wanted=name_filter(choice.include, choice.exclude), ranks=choice.ranks)
    values = [value for each in found for value in (each.change.before, each.change.after) if value]
    work = work_changes(found[:_MOST], [before], [after], choice.ranks)
    most = max(values, default=1.0)
    left = len(found) - _MOST
    return ComparedRuns(
        shown(before.default_title()), shown(after.default_title()),
        [_row(each, most) for each in found[:_MOST]],
        [changes_text.work_cells(each, 0.0)[:-1] for each in work],
        [*changes_text.notes(found, "typical", 0.0, (1, 1), common_change(found))],
        f"{many(left, 'region')} that changed least are not shown" if left > 0 else "",
    )


def _row(each: Compared, most: float) -> ComparedRow:
    before, after = ((value or 0.0) / most * 100 for value in (each.change.before, each.change.after))
    return ComparedRow(changes_text.change_cells(each, format_time, 0.0), each.verdict(0.0),
                       round(before, 2), round(after, 2))
