"""The numbers of a chart as a file: CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from .._base.arguments import path as checked_path, text
from ..io.safe_file import written
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
    if format == "parquet":
        content = _parquet(data)
    else:
        content = (_json(data) if format == "json" else _csv(data)).encode("utf-8", "surrogatepass")
    with written(path) as file:
        file.write(content)


def _csv(data: ChartData) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*data.columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows(data.rows())
    return stream.getvalue()


def _json(data: ChartData) -> str:
    document = {
        "format": "scope-profiler-plot-data", "format_version": 1, "plot": data.kind,
        data.unit_name: [{name: _finite(value) for name, value in row.items()} for row in data.rows()],
        **data.facts,
    }
    return json.dumps(document, indent=1) + "\n"


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _parquet(data: ChartData) -> bytes:
    import pyarrow
    from pyarrow import parquet

    stream = io.BytesIO()
    columns = {name: list(values) for name, values in data.columns.items()}
    parquet.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()
