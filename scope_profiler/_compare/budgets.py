"""Budgets: what regions may take at most, from a TOML file.

    [regions."request"]
    max_p99 = "5 ms"
    max_calls = 1000
    max_memory = "10 MB"
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
import os
import re
import tomllib
from typing import Any, NamedTuple

from ..results import MPIRegion, ProfilingResults

_TIMES = {"total": "inclusive", "own": "exclusive", "avg": "average", "min": "min", "max": "max",
          "std": "std", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "p999": "p999"}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_SIZES = {"B": 1, **{f"{prefix}{unit}": base**power for power, prefix in enumerate("kMGT", 1)
                     for unit, base in (("B", 1000), ("iB", 1024))}}
_SIZES["KB"], _SIZES["KiB"] = 1000, 1024
#: What may be limited.
KEYS = tuple(f"max_{name}" for name in (*_TIMES, "calls", "errors", "memory"))


class Limit(NamedTuple):
    """What a region may have at most. kind: "time" (ns), "memory" (bytes) or "count"."""

    region: str
    key: str
    most: float
    kind: str


class Kept(NamedTuple):
    """A limit, and what the region has of it; None where that was not measured, or there was no call."""

    limit: Limit
    value: float | None
    is_kept: bool


def read_budgets(path: str | os.PathLike[str]) -> list[Limit]:
    """The limits in a file. Raises OSError, and ValueError with the path for what is no budget."""
    try:
        with open(path, "rb") as file:
            tables = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    regions = tables.get("regions")
    if not isinstance(regions, dict) or not regions:
        raise ValueError(f'{path}: there is no table such as [regions."name"] with max_p99 = "5 ms"')
    return [_limit(path, name, key, value) for name, table in regions.items()
            for key, value in _items(path, name, table)]


def _items(path: Any, name: str, table: Any) -> Any:
    if not isinstance(table, Mapping):
        raise ValueError(f"{path}: regions.{name} takes a table of limits, got {table!r}")
    return table.items()


def _limit(path: Any, name: str, key: str, value: Any) -> Limit:
    where = f"{path}: {key} of region {name!r}"
    if key not in KEYS:
        close = get_close_matches(key, KEYS, 1)
        raise ValueError(f"{where}: there is no such limit; "
                         + (f"did you mean {close[0]}?" if close else f"there are {', '.join(KEYS)}"))
    if key == "max_memory":
        return Limit(name, key, _number(where, value, _SIZES, "bytes, or a text such as '10 MB'"), "memory")
    if key in ("max_calls", "max_errors"):
        return Limit(name, key, _number(where, value, {}, "a number"), "count")
    return Limit(name, key, 1e9 * _number(where, value, _UNITS, "seconds, or a text such as '5 ms'"), "time")


def _number(where: str, value: Any, units: Mapping[str, float], takes: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return value
    found = re.fullmatch(r"\s*(\d+\.?\d*)\s*(\S+)\s*", value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        raise ValueError(f"{where} takes {takes}, got {value!r}")
    return float(found[1]) * units[found[2]]


def check_budgets(results: ProfilingResults, limits: list[Limit]) -> list[Kept]:
    """Each limit, and whether it is kept: not, where what it is about was not measured."""
    checked = []
    for limit in limits:
        region = results[limit.region] if limit.region in results else None
        value = None if region is None or not region.num_calls else _value(results, region, limit.key)
        checked.append(Kept(limit, value, value is not None and value <= limit.most))
    return checked


def _value(results: ProfilingResults, region: MPIRegion, key: str) -> float | None:
    name = key.removeprefix("max_")
    if name == "calls":
        return region.num_calls
    if name == "errors":
        return region.errors
    if name == "memory":
        peaks = [node.statistics.peak_bytes for tree in results.recorded.values() for node in tree.nodes
                 if node.name == region.name]
        known = [peak for peak in peaks if peak is not None]
        return max(known) if known else None
    seconds = getattr(region, f"{_TIMES[name]}_duration")
    return None if seconds is None else seconds * 1e9
