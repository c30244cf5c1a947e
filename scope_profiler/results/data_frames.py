"""Data frames of pandas, polars and Arrow, none of which is imported before it is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import numpy as np

from .event_columns import EventColumns


def needed(method: str, package: str) -> Any:
    """The package. Raises ImportError, naming the method that needs it."""
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f"{method}() needs {package}, which is not installed: pip install {package}"
        ) from error


def pandas(method: str) -> Any:
    """The module pandas; raises as `needed`."""
    return needed(method, "pandas")


def arrow_table(method: str, rows: Iterable[Mapping[str, Any]]) -> Any:
    """A pyarrow.Table of dicts; tags are lists of str."""
    pyarrow = needed(method, "pyarrow")
    rows = [{**row, "tags": list(row["tags"])} if "tags" in row else row for row in rows]
    fields = {key: None for row in rows for key in row}
    columns = {}
    for key in fields:
        values = [_valid(row.get(key)) for row in rows]
        kind = pyarrow.list_(pyarrow.string()) if key == "tags" else None
        columns[key] = pyarrow.array(values, kind)
    return pyarrow.table(columns)


def _valid(value: Any) -> Any:
    """The value; Arrow has no text that UTF-8 has not."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    return [*map(_valid, value)] if isinstance(value, list) else value


def events_frame(method: str, columns: EventColumns) -> Any:
    """A pandas.DataFrame, which has the columns as they are; names are a categorical."""
    frames = pandas(method)
    data: dict[str, Any] = {"name": frames.Categorical.from_codes(columns.name, columns.regions)}
    data.update(columns.times())
    for key, values in columns.optional.items():
        missing = columns.missing.get(key)
        data[key] = values if missing is None else np.where(missing, np.nan, values)
    if columns.notes is not None:
        table = np.empty(len(columns.table) + 1, object)  # the last is for -1
        table[:-1] = [dict(entry) for entry in columns.table]
        table[-1] = np.nan
        data["metadata"] = table[columns.notes]
    return frames.DataFrame(data, copy=False)


def events_table(method: str, columns: EventColumns) -> Any:
    """A pyarrow.Table, which has the columns as they are; names are a dictionary, metadata too, as
    JSON."""
    pyarrow = needed(method, "pyarrow")
    data = {"name": dictionary(pyarrow, columns.name, [*map(_valid, columns.regions)])}
    data.update((key, pyarrow.array(values)) for key, values in columns.times().items())
    for key, values in columns.optional.items():
        data[key] = pyarrow.array(values, mask=columns.missing.get(key))
    if columns.notes is not None:
        notes = columns.notes.astype(np.int32)
        texts = [json.dumps(entry, default=repr) for entry in columns.table]
        data["metadata"] = dictionary(pyarrow, notes, texts, notes < 0)
    return pyarrow.table(data)


def dictionary(
    pyarrow: Any, codes: np.ndarray, values: list[str], missing: np.ndarray | None = None
) -> Any:
    """An array of texts, each of which is kept once."""
    return pyarrow.DictionaryArray.from_arrays(
        pyarrow.array(codes, mask=missing), pyarrow.array(values, pyarrow.string())
    )


def polars(method: str, table: Any) -> Any:
    """The table as a polars.DataFrame; a single one also where it is of no rows."""
    frame = needed(method, "polars").from_arrow(table)
    return frame
