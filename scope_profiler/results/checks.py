"""Checks: the arguments of results, in the form in which they are kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .._base.arguments import finite, integer, mapping, mapping_or_none, number, text
from .._model.statistics import LONGEST_NS
from .columns import INT64
from .event_metadata import EventMetadata

#: What `Region(statistics=...)` may hold, in ns but for the count.
INTEGER_STATISTICS = (
    "count",
    "total",
    "minimum",
    "maximum",
    "first",
    "last",
    "first_start",
    "last_end",
)
FLOAT_STATISTICS = ("mean", "std", "p50", "p90", "p95", "p99", "p999")
_KINDS: dict[str, type] = {
    **dict.fromkeys(INTEGER_STATISTICS, int), **dict.fromkeys(FLOAT_STATISTICS, float)
}


def rows_of(name: str, tables: Any) -> dict[int, list[Any]]:
    """A mapping from rank to several rows, as lists."""
    normal = {}
    for rank, rows in mapping_or_none(name, tables).items():
        if isinstance(rows, (str, bytes)) or not isinstance(rows, Iterable):
            raise TypeError(f"{name} must map ranks to several rows; rank {rank!r} has {rows!r}")
        normal[integer(name, rank, minimum=0)] = list(rows)
    return normal


def normal_statistics(
    statistics: Mapping[str, Any] | None, length: int
) -> dict[str, float] | None:
    """Those statistics that are known, over at least `length` calls."""
    if statistics is None:
        return None
    known = {}
    for name, value in mapping("statistics", statistics).items():
        kind = _KINDS.get(name)
        if kind is None:
            raise ValueError(f"statistics takes {', '.join(_KINDS)}; got {name!r}")
        if value is None or value != value:
            continue
        if kind is float:
            value = value if type(value) is float else number(f"statistics[{name!r}]", value)
            if not -LONGEST_NS < value <= LONGEST_NS:
                raise ValueError(f"statistics[{name!r}] must be the length of a call in ns; got {value!r}")
        elif type(value) is not int or not INT64.min <= value <= INT64.max:
            value = integer(f"statistics[{name!r}]", value)
        known[name] = value
    if "count" not in known or "total" not in known:
        raise ValueError(f"statistics needs count and total; got {sorted(known)}")
    if known["count"] < length:
        raise ValueError(
            f"statistics['count'] must be at least the {length} calls given; got {known['count']}"
        )
    return known


def normal_work(work: Mapping[str, float] | None) -> dict[str, float] | None:
    """Numbers by name; None where there is none."""
    if not work:
        return None
    return {text("work", name): float(finite(f"work[{name!r}]", amount))
            for name, amount in mapping("work", work).items()}


def normal_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """The tags, of which a single str is taken to be a mistake."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise TypeError(f"tags must be several str, not one; got {tags!r}")
    normal = tuple(tags)
    for tag in normal:
        if not isinstance(tag, str):
            raise TypeError(f"tags must be str; got {tag!r}")
    return normal


def normal_event_metadata(
    entries: Sequence[Mapping[str, Any]] | None, length: int
) -> EventMetadata | None:
    """One mapping per call, or None where there is none."""
    if entries is None:
        return None
    if isinstance(entries, (str, bytes)) or not isinstance(entries, Sequence):
        raise TypeError(f"event_metadata must be a sequence of mappings; got {entries!r}")
    if not len(entries) and not length:
        return None
    if len(entries) != length:
        raise ValueError(
            f"event_metadata must have one mapping per call, {length}; got {len(entries)}"
        )
    return entries if isinstance(entries, EventMetadata) else EventMetadata.of(entries)


def plain_value(value: Any) -> Any:
    """`value` as a str, int, float, bool or list of str, which every file format knows."""
    if isinstance(value, np.generic):
        value = value.item()
    if (
        isinstance(value, (str, float))
        or isinstance(value, int)
        and INT64.min <= value <= INT64.max
    ):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return list(value)
    return json.dumps(value, default=str)
