"""Scalars: what is said of one region in single numbers, on one rank as on all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .._model.work import rates
from .columns import percentiles

#: The percentiles that have an attribute of their own, by what it begins with.
PERCENTILES = {"p50": 50, "p90": 90, "p95": 95, "p99": 99, "p999": 99.9}

_SUMMARY = (
    "num_calls",
    "total_duration",
    "inclusive_duration",
    "exclusive_duration",
    "average_duration",
    "min_duration",
    "max_duration",
    "first_duration",
    "last_duration",
    "std_duration",
)


def seconds(name: str, remark: str = "", unknown: float | None = None) -> Any:
    """A property: the attribute `name`, of nanoseconds, in seconds."""

    def seconds(self: Any) -> float | None:
        value = getattr(self, name)
        return unknown if value is None else value / 1e9

    return property(seconds, doc=f"`{name}` in seconds; {remark}".rstrip("; ") + ".")


def _percentile(name: str) -> Any:
    """A property: that one of `PERCENTILES`, in seconds."""
    percentile = PERCENTILES[name]
    return property(
        lambda self: self.percentile_duration(percentile),
        doc=f"The {percentile}th percentile of the durations in seconds; None when unknown.",
    )


class Scalars:
    """What `Region` and `MPIRegion` derive alike from their nanoseconds and counts."""

    if TYPE_CHECKING:  # what these add

        @property
        def num_calls(self) -> int: ...
        @property
        def num_events(self) -> int: ...
        @property
        def durations_ns(self) -> np.ndarray: ...
        @property
        def total_duration_ns(self) -> int: ...
        @property
        def inclusive_duration_ns(self) -> int: ...
        @property
        def work(self) -> dict[str, float] | None: ...
        def percentile_duration(self, percentile: float) -> float | None: ...

    total_duration: float = seconds("total_duration_ns")
    inclusive_duration: float = seconds("inclusive_duration_ns")
    exclusive_duration: float | None = seconds("exclusive_duration_ns", "None when unknown")
    min_duration: float = seconds("min_duration_ns")
    max_duration: float = seconds("max_duration_ns")
    first_start_time: float = seconds("first_start_time_ns", "0.0 when unknown", 0.0)
    last_end_time: float = seconds("last_end_time_ns", "0.0 when unknown", 0.0)
    p50_duration: float | None = _percentile("p50")
    p90_duration: float | None = _percentile("p90")
    p95_duration: float | None = _percentile("p95")
    p99_duration: float | None = _percentile("p99")
    p999_duration: float | None = _percentile("p999")

    # What 0.7.5 has of device timers, which this version does not read.
    has_gpu_timing = False
    gpu_durations = gpu_durations_ns = None
    gpu_total_duration = None
    gpu_average_duration = None

    @property
    def total_exclusive_duration(self) -> float | None:
        """`exclusive_duration`, by its other name of 0.7.5."""
        return self.exclusive_duration

    @property
    def average_duration(self) -> float:
        """Mean duration of a call, seconds; 0.0 when there was none."""
        return self.total_duration_ns / (self.num_calls * 10**9) if self.num_calls else 0.0

    @property
    def work_rates(self) -> dict[str, float] | None:
        """`work` for each second of the finished calls, of all ranks and threads together: a mean of
        their rates. None without work."""
        return rates(self.work, self.inclusive_duration_ns)

    @property
    def _complete(self) -> bool:
        """Whether every call has its interval, which then are the best source there is."""
        return self.num_events == self.num_calls

    @cached_property
    def _percentiles_ns(self) -> dict[float, float]:
        return percentiles(self.durations_ns, [*PERCENTILES.values()])

    def _percentile_of_events(self, percentile: float) -> float:
        """That percentile of the intervals, of which there is at least one, in seconds."""
        if percentile in PERCENTILES.values():
            return self._percentiles_ns[percentile] / 1e9
        return percentiles(self.durations_ns, (percentile,))[percentile] / 1e9

    def _summary(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _SUMMARY}

    def _description(self) -> str:
        return (
            f"{self.num_calls} call(s), {self.total_duration:.6g} s in total, "
            f"{self.average_duration:.3g} s on average"
        )


def percentile_scalars(region: Scalars) -> dict[str, float | None]:
    """The percentiles that summaries have, by name."""
    return {f"{name}_duration": getattr(region, f"{name}_duration") for name in PERCENTILES}


def known_values(regions: Iterable[Scalars], name: str) -> Iterator[int]:
    """That attribute of the regions in which it is known."""
    values = (getattr(region, name) for region in regions)
    return (value for value in values if value is not None)


def known_or(value: int | None, otherwise: int) -> int:
    """`value`, or what stands for it when it is unknown."""
    return otherwise if value is None else value
