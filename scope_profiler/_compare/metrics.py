"""The numbers that runs are compared by: of a block of calls, and of all blocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..results import MPIRegion
from .change import Location, blocks_of


class Metric(NamedTuple):
    """of_block: of the durations of a block, ns; None where a run has one number alone, which `of_run`
    gives of an MPIRegion, None where it is unknown. location: of the numbers of all blocks."""

    location: Location
    of_run: Callable[[MPIRegion], float | None]
    of_block: Callable[[np.ndarray], Any] | None = None
    is_time: bool = True

    def units(self, region: MPIRegion) -> np.ndarray:
        """float64 [units], in the order of time on each rank; empty where it is not known."""
        if self.of_block is not None and region.num_calls == region.num_events > 0:
            ranks = (region[rank].durations_ns for rank in region)
            return np.array([self.of_block(block) for durations in ranks if len(durations)
                             for block in blocks_of(durations)], float)
        value = self.of_run(region) if region.num_calls else None
        return np.array([] if value is None else [value], float)


def _quiet(units: np.ndarray) -> Any:
    return np.percentile(units, 10, axis=-1)


def _mean(units: np.ndarray) -> Any:
    return units.mean(axis=-1)


def _median(units: np.ndarray) -> Any:
    return np.median(units, axis=-1)


def _least(units: np.ndarray) -> Any:
    return units.min(axis=-1)


def _ns(name: str) -> Callable[[MPIRegion], float | None]:
    def of_run(region: MPIRegion) -> float | None:
        seconds = getattr(region, f"{name}_duration")
        return None if seconds is None else seconds * 1e9

    return of_run


def _percentile(percent: float) -> Callable[[np.ndarray], Any]:
    return lambda block: np.percentile(block, percent)


METRICS = {
    "typical": Metric(_quiet, _ns("p50"), _percentile(5)),
    "avg": Metric(_mean, _ns("average"), np.mean),
    "min": Metric(_least, _ns("min"), np.min),
    "p50": Metric(_median, _ns("p50"), np.median),
    "p95": Metric(_median, _ns("p95"), _percentile(95)),
    "p99": Metric(_median, _ns("p99"), _percentile(99)),
    "max": Metric(_median, _ns("max"), np.max),
    "total": Metric(_mean, _ns("total")),
    "calls": Metric(_median, lambda region: float(region.num_calls), is_time=False),
    "imbalance": Metric(_median, lambda region: region.rank_imbalance or None, is_time=False),
}
