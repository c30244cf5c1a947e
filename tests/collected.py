"""What Manager._collect() gives, by name: a row that has become longer is refused, not misread."""

from typing import NamedTuple


class Row(NamedTuple):
    parent: int
    region: object
    calls: int
    errors: int
    open_calls: int
    total: int
    every: int
    exclusive: int
    minimum: int
    maximum: int
    deviation: float
    percentiles: tuple
    inside: int
    added_to_exclusive: bytes
    added_to_total: bytes
    waiting: "int | None"  # None: not measured
    open_total: int
    open_exclusive: int
    memory: "tuple | None"
    work: "dict | None"
    first: int
    throttled: int


def name_of(region):
    return "(other paths)" if region is None else region.name


def tree(manager, rows=None):
    """(path, Row) of each node of the merged tree, parents before children; rows: as collected before."""
    paths = []
    for row in map(Row._make, manager._collect(None) if rows is None else rows):
        paths.append((*(paths[row.parent] if row.parent >= 0 else ()), name_of(row.region)))
        yield paths[-1], row
