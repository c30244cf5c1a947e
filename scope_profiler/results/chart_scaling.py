"""Charts of several runs against their number of ranks, or another fact of theirs: strong and weak
scaling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._base.arguments import finite, text
from .chart_data import ChartData, chosen_regions, region_names, table

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

#: {kind: (the column of its values, what they are of the time of the first run t0, that of this run t,
#: and how many times as much this run has of what the runs differ in)}
KINDS: Mapping[str, tuple[str, Any]] = {
    "speedup": ("speedup", lambda t0, t, more: t0 / t),
    "scaling_efficiency": ("efficiency", lambda t0, t, more: t0 / t / more),
    "weak_scaling": ("normalized_runtime", lambda t0, t, more: t / t0),
    "weak_scaling_efficiency": ("efficiency", lambda t0, t, more: t0 / t),
}
_LABELS = {"num_ranks": "MPI ranks", "num_nodes": "nodes", "omp_num_threads": "OpenMP threads"}


def scaling(
    kind: str,
    runs: Mapping[str, ProfilingResults],
    x_field: str = "num_ranks",
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    work_per_rank: Sequence[float] | None = None,
) -> ChartData:
    """A point for each region and run: its time, the mean of the ranks, against that of the run with the
    smallest x_field. Where several runs have the same, that is the mean of theirs.

    Columns: region, the x_field, and speedup, efficiency or normalized_runtime.

    Raises ValueError with fewer than two runs, when one does not have the field as a positive number,
    and when work_per_rank is not the same for all runs.
    """
    if len(runs) < 2:
        raise ValueError(f"{kind} compares runs: give at least two files")
    _check_work(work_per_rank, len(runs))
    at = {label: _x_of(label, run, text("x_field", x_field)) for label, run in runs.items()}
    chosen = chosen_regions(runs, ranks, include, exclude)
    column, value = KINDS[kind]
    baseline = min(at.values())
    rows = []
    for name in region_names(chosen):
        times: dict[float, list[float]] = {}
        for label, regions in chosen.items():
            for region in regions:
                if region.name == name:
                    times.setdefault(at[label], []).append(region.total_duration / len(region))
        if baseline not in times or not all(map(sum, times.values())):
            continue
        means = {x: sum(of_x) / len(of_x) for x, of_x in times.items()}
        rows += [(name, x, value(means[baseline], means[x], x / baseline)) for x in sorted(means)]
    if not rows:
        raise ValueError(f"{kind}: no region was called in the run with the smallest {x_field}")
    options = {"x_field": x_field, "x_label": _LABELS.get(x_field, x_field), "baseline": baseline}
    if work_per_rank is not None:
        options["work_per_rank"] = finite("work_per_rank", work_per_rank[0])
    return table(kind, "points", f"region {x_field} {column}", rows, options=options)


def _x_of(label: str, run: ProfilingResults, field: str) -> float:
    facts = {**run.metadata, "num_ranks": run.num_ranks, "num_nodes": run.num_nodes}
    try:
        number = float(facts[field])
    except (KeyError, TypeError, ValueError):
        known = ", ".join(sorted(
            name for name, value in facts.items()
            if not isinstance(value, bool) and _is_number(value)))
        raise ValueError(f"x_field must be a number in the metadata of every run; {label} has no "
                         f"{field!r}, but {known}") from None
    if not 0 < number < float("inf"):
        raise ValueError(f"x_field must be a positive number; {field} of {label} is {facts[field]!r}")
    return int(number) if number == int(number) else number


def _is_number(value: Any) -> bool:
    try:
        return float(value) > 0
    except (TypeError, ValueError):
        return False


def _check_work(work: Sequence[float] | None, runs: int) -> None:
    if work is None:
        return
    given = [finite("work_per_rank", one) for one in work]
    if len(given) != runs:
        raise ValueError(f"work_per_rank must have one number for each of the {runs} runs; got {len(given)}")
    if max(given) - min(given) > 1e-9 * max(map(abs, given)):
        raise ValueError("work_per_rank must be the same for all runs, or else they do not show weak "
                         f"scaling; got {given}")
