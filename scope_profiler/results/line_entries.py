"""The entries of `ProfilingResults.line_profile`, as which files have the lines of each function.

Beside the columns that 0.7.5 knows too, an entry has one for each number of `EXTRAS` that was measured,
by its name: float64, NaN where a line has none. Where it was kept how long hits took, ``sketches`` has a row
for each line and bucket: float64 [n, 4], the line, nanoseconds for a unit of the buckets, the number of the
bucket, the hits in it. ``again_`` and the name of a column is what of it was counted for another region
already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .._model import buckets
from .._model.buckets import Buckets
from .._model.counted_code import CountedCode
from .._model.counted_lines import EXTRAS, SUMS, CountedLine, CountedLines
from .checks import plain_value
from .columns import column, read_only

_AGAIN = "again_"
_KNOWN = ("line_numbers", "hits", "times")
#: What there may be besides.
EXTRA_COLUMNS = (*EXTRAS, *(_AGAIN + name for name in SUMS))
_SKETCHES = "sketches"
#: The columns in files.
LINE_COLUMNS = (*_KNOWN, *EXTRA_COLUMNS, _SKETCHES, _AGAIN + _SKETCHES)

_ENTRIES = {"region", "filename", "function", "first_lineno", "unit", *_KNOWN}


def entry_of(lines: CountedLines) -> dict[str, Any]:
    """The entry of a function."""
    numbers, hits, times, *_ = zip(*lines.rows)
    entry = {
        "region": lines.region,
        "filename": lines.code.co_filename,
        "function": lines.code.co_qualname,
        "first_lineno": lines.code.co_firstlineno,
        "line_numbers": np.array(numbers, np.int64),
        "hits": np.array(hits, np.int64),
        "times": np.array(times, np.float64),
        "unit": 1e-9,
    }
    if lines.source is not None:
        entry["source"] = lines.source
    for name in EXTRAS:
        _add(entry, name, [getattr(row, name) for row in lines.rows])
    _add_sketches(entry, _SKETCHES, lines.rows)
    again = {row.line: row for row in lines.again}
    for name in SUMS if again else ():
        _add(entry, _AGAIN + name, [getattr(again.get(line), name, None) for line in numbers])
    _add_sketches(entry, _AGAIN + _SKETCHES, lines.again)
    return entry


def _add(entry: dict[str, Any], name: str, values: list[int | None]) -> None:
    if any(value is not None for value in values):
        entry[name] = np.array(values, np.float64)


def _add_sketches(entry: dict[str, Any], name: str, rows: Iterable[CountedLine]) -> None:
    known = [(row.line, row.sketch) for row in rows if row.sketch is not None]  # all of a run, or none
    if known:
        entry[name] = np.array(
            [(line, *of_bucket) for line, sketch in known for of_bucket in buckets.rows(sketch)], np.float64
        ).reshape(-1, 4)


def _sketches_of(entry: Mapping[str, Any], name: str) -> Mapping[int, Buckets | None]:
    """Of each line."""
    if name not in entry:
        return defaultdict(lambda: None)
    rows: defaultdict[int, list[Any]] = defaultdict(list)
    for line, *of_bucket in entry[name].tolist():
        rows[int(line)].append(of_bucket)
    return defaultdict(dict, {line: buckets.of_rows(of_line) for line, of_line in rows.items()})


def lines_of(entry: Mapping[str, Any]) -> CountedLines:
    """What the entry was made of."""
    unit = entry["unit"] * 1e9
    times = np.round(np.nan_to_num(entry["times"]) * unit).astype(np.int64).tolist()
    known = {
        name: [None if value != value else round(value) for value in entry[name].tolist()]
        for name in EXTRA_COLUMNS if name in entry
    }
    sketches, repeatedly = (_sketches_of(entry, prefix + _SKETCHES) for prefix in ("", _AGAIN))
    rows, again = [], []
    for place, line in enumerate(entry["line_numbers"].tolist()):
        extras = {name: known[name][place] for name in EXTRAS if name in known}
        rows.append(CountedLine(line, int(entry["hits"][place]), times[place], **extras,
                                sketch=sketches[line]))
        repeated: dict[str, Any] = {
            name: known[_AGAIN + name][place] for name in SUMS if _AGAIN + name in known
        }
        if repeated.get("hits") is not None:
            again.append(CountedLine(line, **repeated, sketch=repeatedly[line]))
    code = CountedCode(str(entry["filename"]), int(entry["first_lineno"]), str(entry["function"]))
    source = entry.get("source")
    return CountedLines(str(entry["region"]), code, rows, again, source if isinstance(source, str) else None)


def all_lines(
    line_profile: Mapping[int, Iterable[Mapping[str, Any]]], ranks: set[int] | None = None
) -> list[CountedLines]:
    """Those of all entries of `ProfilingResults.line_profile`; of these ranks, None for all."""
    return [
        lines_of(entry) for rank, entries in line_profile.items() for entry in entries
        if ranks is None or rank in ranks
    ]


def normal_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """One function of a line profile, its columns as arrays."""
    if not isinstance(entry, Mapping):
        raise TypeError(f"line_profile entries must be mappings; got {entry!r}")
    missing = _ENTRIES - set(entry)
    if missing:
        raise ValueError(
            f"line_profile entries need {', '.join(sorted(missing))}; got {sorted(entry)}"
        )
    normal = {
        name: plain_value(value)
        for name, value in entry.items()
        if value is not None and name not in LINE_COLUMNS
    }
    normal["line_numbers"] = column("line_numbers", entry["line_numbers"], None, np.int64)
    lines = len(normal["line_numbers"])
    normal["hits"] = column("hits", entry["hits"], lines, np.int64)
    for name in ("times", *EXTRA_COLUMNS):
        if entry.get(name) is not None:
            normal[name] = _numbers(name, entry[name], lines)
    for name in (_SKETCHES, _AGAIN + _SKETCHES):
        if entry.get(name) is not None:
            normal[name] = _normal_sketches(name, entry[name])
    return normal


def _normal_sketches(name: str, values: Any) -> np.ndarray:
    array = np.asarray(values, np.float64)
    array = array.reshape(-1, 4) if array.size == 0 else array
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"{name} must have rows of 4 numbers; got shape {array.shape}")
    buckets.of_rows(array[:, 1:].tolist())
    return read_only(array)


def _numbers(name: str, values: Any, lines: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.shape != (lines,):
        raise ValueError(f"{name} must have one value per line, {lines}; got shape {array.shape}")
    return read_only(array)
