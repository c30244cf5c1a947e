"""The table of drift: by how much a region takes longer from step to step, on each rank."""

import numpy as np

from .._base.shown import shown
from .grid import print_grid
from .style import format_count, format_time, many

_MOST = 10


def drifting(series):
    """(rank, StepSeries, Drift) of a region, {rank: StepSeries}; those that drift most come first, and
    those with too few steps are left out."""
    known = [(rank, each, each.drift) for rank, each in series.items()]
    return sorted((row for row in known if row[2] is not None), key=lambda row: -abs(row[2].relative))


def show(name, key, rows, out, whole=False):
    """Print what `drifting` gives; nothing where that is nothing."""
    if not rows:
        return
    out.line()
    out.title(f"Drift of {shown(name)} by {shown(key)}")
    out.line()
    print_grid(
        out, ("Rank", "Steps", "Median", "A step", "99 % interval", "Over all", ""),
        [(str(rank), format_count(len(series.steps)), format_time(round(np.median(series.durations_ns))),
          _signed(drift.per_step_ns), f"{_signed(drift.low_ns)} … {_signed(drift.high_ns)}",
          f"{100 * drift.relative:+.1f} %", _verdict(drift))
         for rank, series, drift in (rows if whole else rows[:_MOST])],
        left=(0, 6))
    if len(rows) > _MOST and not whole:
        out.note(f"… and {many(len(rows) - _MOST, 'rank')} that drift less: --all")
    out.note("A step: the median of the slopes between all pairs of steps (Theil–Sen), so that outliers do "
             "not count.")


def _signed(ns):
    sign = "+" if ns >= 0 else "-"
    return sign + format_time(round(abs(ns)) if abs(ns) >= 100 else float(f"{abs(ns):.2g}"))


def _verdict(drift):
    if not drift.is_sure:
        return "steady"
    return "longer" if drift.per_step_ns > 0 else "shorter"


def as_objects(rows):
    """The same for machines, in nanoseconds."""
    return [{"rank": rank, "steps": len(series.steps), "median_ns": float(np.median(series.durations_ns)),
             **drift._asdict(), "verdict": _verdict(drift)} for rank, series, drift in rows]
