"""The numbers of a chart as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterator
from textwrap import indent
from typing import Any

import numpy as np

from .._base.arguments import path as checked_path, text
from .._base.shown import shown
from ..io.progress_bar import progress
from ..io.safe_file import written
from ..results import blocks
from ..results.chart_data import ChartData

FORMATS = ("csv", "json", "parquet")


def check_format(data_filepath: Any, data_format: Any) -> None:
    """Raises TypeError or ValueError where there is no such format."""
    if data_filepath is not None:
        checked_path("data_filepath", data_filepath)
    if text("data_format", data_format) not in FORMATS:
        raise ValueError(f"data_format must be one of {', '.join(FORMATS)}; got {data_format!r}")


def write_data(data: ChartData, path: Any, format: str) -> None:
    """Write the rows of a chart. Raises OSError; the file is then as it was."""
    with written(path) as file, progress(f"Writing {shown(path)}", len(data)) as advance:
        if format == "parquet":
            file.write(_parquet(data))
            return
        for piece in _csv(data, advance) if format == "csv" else _json(data, advance):
            file.write(piece.encode("utf-8", "surrogatepass"))


def _csv(data: ChartData, advance: Callable[[int], None]) -> Iterator[str]:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*data.columns])
    yield stream.getvalue()
    for rows in blocks(len(data)):
        stream.seek(0), stream.truncate()
        writer.writerows(zip(*_plain(data, rows)))
        yield stream.getvalue()
        advance(rows.stop - rows.start)


def _json(data: ChartData, advance: Callable[[int], None]) -> Iterator[str]:
    """As json.dumps() of it all has it."""
    head = {"format": "scope-profiler-plot-data", "format_version": 1, "plot": data.kind, data.unit_name: []}
    begin, end = json.dumps({**head, **data.facts}, indent=1).split("[]", 1)
    names, before = [*data.columns], "[\n"
    yield begin + ("[]" if not len(data) else "")
    for rows in blocks(len(data)):
        items = [dict(zip(names, map(_finite, values))) for values in zip(*_plain(data, rows))]
        yield before + indent(json.dumps(items, indent=1)[2:-2], " ")
        before = ",\n"
        advance(rows.stop - rows.start)
    yield ("\n ]" if len(data) else "") + end + "\n"


def _plain(data: ChartData, rows: slice) -> list[list[Any]]:
    """Some rows of the columns, as plain Python."""
    pieces = [column[rows] for column in data.columns.values()]
    return [piece.tolist() if isinstance(piece, np.ndarray) else piece for piece in pieces]


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parquet(data: ChartData) -> bytes:
    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    columns = {name: list(values) for name, values in data.columns.items()}
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()
