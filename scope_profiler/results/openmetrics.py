"""Regions as text in the format of OpenMetrics, which Prometheus and others read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .mpi_region import MPIRegion
    from .region import Region

#: Upper bounds of the buckets, seconds: the same in every text, so that they can be added up.
BOUNDS = tuple(
    float(f"{digits}e{power}") for power in range(-6, 3) for digits in (1, 2.5, 5)
)
_NAME = "scope_profiler_region"


def openmetrics(regions: Iterable[MPIRegion]) -> str:
    """The text: of each region on each rank a histogram of its calls, their errors and own time."""
    chosen = [(f'region="{_escaped(region.name)}",rank="{rank}"', region[rank])
              for region in regions for rank in region if region[rank].num_calls]
    lines = [
        f"# TYPE {_NAME}_duration_seconds histogram",
        f"# UNIT {_NAME}_duration_seconds seconds",
        f"# HELP {_NAME}_duration_seconds How long the finished calls of regions took.",
        *(line for labels, region in chosen for line in _histogram(labels, region)),
        f"# TYPE {_NAME}_errors counter",
        f"# HELP {_NAME}_errors Calls that an exception left.",
        *(f"{_NAME}_errors_total{{{labels}}} {region.errors}" for labels, region in chosen),
        f"# TYPE {_NAME}_own_seconds counter",
        f"# UNIT {_NAME}_own_seconds seconds",
        f"# HELP {_NAME}_own_seconds Time in regions and in none inside them.",
        *(f"{_NAME}_own_seconds_total{{{labels}}} {region.exclusive_duration_ns / 1e9!r}"
          for labels, region in chosen if region.exclusive_duration_ns is not None),
        *_work(chosen),
        "# EOF",
    ]
    return "\n".join(lines) + "\n"


def _work(chosen: Iterable[tuple[str, Region]]) -> list[str]:
    lines = [f'{_NAME}_work_total{{{labels},quantity="{_escaped(quantity)}"}} {amount!r}'
             for labels, region in chosen for quantity, amount in (region.work or {}).items()]
    heading = [f"# TYPE {_NAME}_work counter", f"# HELP {_NAME}_work What was added to the calls of regions."]
    return [*heading, *lines] if lines else []


def _histogram(labels: str, region: Region) -> Iterator[str]:
    name = f"{_NAME}_duration_seconds"
    for bound, count in zip(BOUNDS, _below(region)):
        yield f'{name}_bucket{{{labels},le="{bound!r}"}} {count}'
    yield f'{name}_bucket{{{labels},le="+Inf"}} {region.num_calls}'
    yield f"{name}_count{{{labels}}} {region.num_calls}"
    yield f"{name}_sum{{{labels}}} {region.total_duration_ns / 1e9!r}"


def _below(region: Region) -> list[int]:
    """How many calls took no longer than each of the bounds; nothing where that is not known."""
    bounds = np.array(BOUNDS) * 1e9
    if region.sketch is not None and int(region.sketch.counts.sum()) == region.num_calls:
        ends = np.concatenate([[0], np.cumsum(region.sketch.counts)])
        values = region.sketch.values * region.sketch.unit
        return ends[np.searchsorted(values, bounds, side="right")].tolist()
    if region.num_events == region.num_calls:
        return np.searchsorted(np.sort(region.durations_ns), bounds, side="right").tolist()
    return []


def _escaped(text: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
