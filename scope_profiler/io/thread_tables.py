"""Threads and tasks as files have them: rows of plain values, in both formats alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ..results import TaskInfo, ThreadInfo

#: What stands for an integer that is not known.
UNKNOWN = -1

Info = TypeVar("Info", ThreadInfo, TaskInfo)


def columns_of(kind: type[Info]) -> dict[str, type]:
    """The columns of a table of threads or of tasks, and the type that each has."""
    types: dict[Any, type] = {"str": str, "bool": bool}
    return {
        field.name: types.get(field.type, int) for field in fields(kind) if field.name != "rank"
    }


def row_of(info: Info) -> dict[str, Any]:
    """The values of the columns, of which the rank is none."""
    row = {name: getattr(info, name) for name in columns_of(type(info))}
    return {name: UNKNOWN if value is None else value for name, value in row.items()}


def from_row(kind: type[Info], rank: int, row: Mapping[str, Any]) -> Info:
    """The thread or task of a row. Columns that it lacks are unknown."""
    known: dict[str, Any] = {name: column() for name, column in columns_of(kind).items()}
    for name, empty in known.items():
        value = row.get(name)
        if isinstance(empty, int) and not isinstance(empty, bool):
            known[name] = None if value == UNKNOWN else value
        elif value is not None:
            known[name] = type(empty)(value)
    return kind(rank=rank, **known)
