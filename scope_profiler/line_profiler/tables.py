"""The table of lines for other programs: JSON, CSV, data frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import json
from os import PathLike
from typing import IO, TYPE_CHECKING, Any

from .._model import buckets
from .._model.counted_lines import EXTRAS, CountedLine
from ..io import CorruptProfileError, replacing
from .lprof import is_number

if TYPE_CHECKING:
    from .stats import Key, LineStats

_FORMAT = "scope-profiler lines"
_VERSION = 1
#: How long hits took: [[nanoseconds for a unit of the buckets, number of the bucket, hits], ...].
_SKETCH = "sketch"


# ---- One row for each line


def columns(stats: LineStats) -> list[str]:
    """Of the rows, in order."""
    return ["file", "function", "first_line", "line", "hits", "time", "per_hit", "percent",
            *_extras(stats), "source"]


def _extras(stats: LineStats) -> list[str]:
    """What is known of lines besides hits and times."""
    rows = [row for lines in stats.lines.values() for row in lines]
    return [name for name in (*EXTRAS, "net_ns") if any(is_number(getattr(row, name)) for row in rows)]


def rows(stats: LineStats, all_lines: bool) -> list[dict[str, Any]]:
    """A dict for each line: see LineStats.to_dataframe()."""
    sources, extras = stats.known_sources(), _extras(stats)
    return [row for key in stats.timings
            for row in _rows_of(key, stats, sources.get(key, []), all_lines, extras)]


def _rows_of(
    key: Key, stats: LineStats, source: list[str], all_lines: bool, extras: list[str]
) -> Iterator[dict[str, Any]]:
    file, first, name = key
    counted = {row["line"]: row for row in _lines(stats, key, extras)}
    texts = {line: text.rstrip("\r\n") for line, text in enumerate(source, first)}
    for line in sorted({*counted, *(texts if all_lines else ())}):
        row = counted.get(line, {})
        hits, time = row.get("hits"), row.get("time")
        seconds = None if time is None else time * stats.unit
        yield {
            "file": file, "function": name, "first_line": first, "line": line, "hits": hits,
            "time": seconds, "per_hit": seconds / hits if hits else None,
            "percent": row.get("percent"), **{extra: row.get(extra) for extra in extras},
            "source": texts.get(line),
        }


def _lines(stats: LineStats, key: Key, extras: list[str]) -> Iterator[dict[str, Any]]:
    """A dict for each line of a function, with what is known of it. Times are in units."""
    total = sum(time for _, _, time in stats.timings[key])
    for (line, hits, time), counted in zip(stats.timings[key], stats.counted(key)):
        values = {name: getattr(counted, name) for name in extras}
        yield {
            "line": line, "hits": hits, "time": time, "percent": 100 * time / total if total else None,
            **{name: value for name, value in values.items() if is_number(value)},
            **({} if counted.sketch is None else {_SKETCH: buckets.rows(counted.sketch)}),
        }


def csv_text(stats: LineStats, all_lines: bool) -> str:
    """The rows, with a line of headings."""
    import csv
    import io

    stream = io.StringIO()
    # Texts are always quoted, as those with a carriage return are not by themselves before Python 3.13.
    writer = csv.DictWriter(stream, columns(stats), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    stream.write(",".join(columns(stats)) + "\n")
    writer.writerows(rows(stats, all_lines))
    return stream.getvalue()


# ---- JSON


def json_text(stats: LineStats) -> str:
    """All that is known, the text of functions included."""
    sources, extras = stats.known_sources(), _extras(stats)
    functions = [
        {"file": file, "first_line": first, "name": name,
         "source": sources.get((file, first, name)),
         "lines": [*_lines(stats, (file, first, name), extras)]}
        for file, first, name in stats.timings
    ]
    content = {"format": _FORMAT, "version": _VERSION, "unit": stats.unit, "functions": functions}
    if stats.calls:
        content["calls"] = [{"name": name, "calls": count, "time": time}
                            for name, (count, time) in stats.calls.items()]
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def from_json(path: str | PathLike[str], data: bytes) -> dict[str, Any]:
    """The arguments for LineStats of what a JSON file has. Raises CorruptProfileError when it is
    damaged, or something else."""
    try:
        content = json.loads(data)
        if content["format"] != _FORMAT or content["version"] != _VERSION:
            raise ValueError(f"its format is {content['format']!a}, version {content['version']!a}")
        unit = _checked(content["unit"], is_number)
        if unit <= 0:
            raise ValueError(f"its unit is {unit}")
        found: dict[str, Any] = {"timings": {}, "unit": unit, "sources": {}, "lines": {}}
        for function in content["functions"]:
            _add_function(function, **found)
        found["calls"] = {
            _checked(row["name"], _is_text):
                (_checked(row["calls"], _is_whole), _checked(row["time"], is_number))
            for row in content.get("calls", ())}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CorruptProfileError(path, "it holds no lines of scope-profiler") from error
    except (ValueError, OverflowError) as error:
        raise CorruptProfileError(path, f"it is damaged: {error}") from error
    return found


def _add_function(
    function: dict[str, Any], timings: dict[Any, Any], unit: float, sources: dict[Any, Any],
    lines: dict[Any, Any],
) -> None:
    key = (_checked(function["file"], _is_text), _checked(function["first_line"], _is_whole),
           _checked(function["name"], _is_text))
    timings[key] = [
        (_checked(row["line"], _is_whole), _checked(row["hits"], _is_whole),
         _checked(row["time"], is_number)) for row in function["lines"]
    ]
    if function["source"] is not None:
        sources[key] = [_checked(text, _is_text) for text in function["source"]]
    lines[key] = [
        CountedLine(row["line"], row["hits"], round(row["time"] * unit / 1e-9), **{
            name: _checked(row[name], is_number) for name in EXTRAS if name in row
        }, sketch=buckets.of_rows(row[_SKETCH]) if _SKETCH in row else None) for row in function["lines"]
    ]


def _is_text(value: Any) -> bool:
    return type(value) is str


def _is_whole(value: Any) -> bool:
    return type(value) is int and is_number(value)


def _checked(value: Any, is_right: Callable[[Any], bool]) -> Any:
    if not is_right(value):
        raise ValueError(f"{value!a} is not in its place")
    return value


def delivered(text: str, file: str | PathLike[str] | IO[str] | None) -> str | None:
    """The text, or None when it was written to a file: a path, which is replaced whole, or a stream."""
    if file is None:
        return text
    if hasattr(file, "write"):
        file.write(text)
    else:
        with replacing(file) as opened:
            opened.write(text.encode("utf-8", "surrogatepass"))
    return None
