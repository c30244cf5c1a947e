from dataclasses import dataclass
from typing import Any, Self

TIMES: tuple[str, ...]

@dataclass(frozen=True, slots=True)
class RegionStatistics:
    name: str
    num_calls: int
    errors: int
    open_calls: int
    total_ns: int
    exclusive_ns: int
    average_ns: int
    minimum_ns: int
    maximum_ns: int
    std_ns: int
    p50_ns: int
    p90_ns: int
    p95_ns: int
    p99_ns: int
    p999_ns: int
    corrected_total_ns: int
    corrected_exclusive_ns: int
    running_ns: int
    waiting_ns: int
    sum_ns: int
    open_total_ns: int
    open_exclusive_ns: int
    timings: dict[tuple[str, int, str], list[tuple[int, int, int]]] | None = None
    unit: float = ...
    @classmethod
    def from_row(cls, row: tuple[Any, ...], timings: dict[Any, Any] | None = None) -> Self: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def total(self) -> float: ...
    @property
    def exclusive(self) -> float: ...
    @property
    def average(self) -> float: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...
    @property
    def std(self) -> float: ...
    @property
    def p50(self) -> float: ...
    @property
    def p90(self) -> float: ...
    @property
    def p95(self) -> float: ...
    @property
    def p99(self) -> float: ...
    @property
    def p999(self) -> float: ...
    @property
    def corrected_total(self) -> float: ...
    @property
    def corrected_exclusive(self) -> float: ...
    @property
    def running(self) -> float: ...
    @property
    def waiting(self) -> float: ...
    @property
    def sum(self) -> float: ...
    @property
    def open_total(self) -> float: ...
    @property
    def open_exclusive(self) -> float: ...
