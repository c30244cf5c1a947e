"""Spans of time as they are drawn: no more of them than a picture has pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

#: How many pixels a timeline is wide, and from how many on a span has an edge of its own.
PIXELS = 1500
_WIDE = 4


def merged(starts: np.ndarray, ends: np.ndarray, pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Spans of one colour: wide ones as they are, narrow ones together with those that they touch.

    starts, ends: Seconds [n]. Returns the same of at most some spans for each pixel.
    """
    wide = ends - starts >= _WIDE * pixel
    low, high = starts[~wide], ends[~wide]
    if len(low):
        order = np.argsort(low, kind="stable")
        low, high = low[order], np.maximum.accumulate(high[order])
        first = np.flatnonzero(np.concatenate([[True], low[1:] > high[:-1] + pixel]))
        low = low[first]
        high = np.maximum(high[np.append(first[1:], len(high)) - 1], low + pixel)
    return np.concatenate([starts[wide], low]), np.concatenate([ends[wide], high])


def dominant(
    starts: np.ndarray, ends: np.ndarray, kinds: np.ndarray, pixel: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spans of several kinds in one row: wide ones as they are; of narrow ones, each pixel is of the
    kind that has most of it.

    starts, ends: Seconds [n]; kinds: integers [n] from 0 on. Returns starts, ends, kinds.
    """
    wide = ends - starts >= _WIDE * pixel
    low, time, kind = starts[~wide], (ends - starts)[~wide], kinds[~wide]
    if not len(low):
        return starts, ends, kinds
    column = ((low + time / 2) // pixel).astype(np.int64)
    number = int(kind.max()) + 1
    keys, place = np.unique(column * number + kind, return_inverse=True)
    spent = np.bincount(place, time)
    order = np.lexsort((-spent, keys // number))
    columns = (keys // number)[order]
    best = order[np.concatenate([[True], columns[1:] != columns[:-1]])]
    column, kind = keys[best] // number, keys[best] % number
    first = np.flatnonzero(np.concatenate([[True], (np.diff(column) > 1) | (np.diff(kind) != 0)]))
    last = np.append(first[1:], len(column)) - 1
    return (
        np.concatenate([starts[wide], column[first] * pixel]),
        np.concatenate([ends[wide], (column[last] + 1) * pixel]),
        np.concatenate([kinds[wide], kind[first]]),
    )


def draw(
    axes: Any, starts: np.ndarray, ends: np.ndarray, bottom: float, height: float, colors: Any,
    pixel: float,
) -> None:
    """Rectangles side by side, the wide ones with an edge. colors: one, or one for each."""
    from matplotlib.collections import PolyCollection

    if not len(starts):
        return
    top = np.full(len(starts), bottom + height)
    low = np.full(len(starts), bottom)
    corners = np.stack([
        np.stack([starts, low], 1), np.stack([starts, top], 1), np.stack([ends, top], 1),
        np.stack([ends, low], 1)], 1)
    widths = np.where(ends - starts >= _WIDE * pixel, 0.4, 0.0)
    shapes: Any = corners
    axes.add_collection(PolyCollection(
        shapes, facecolors=colors, edgecolors="white", linewidths=widths, rasterized=len(starts) > 5000))


def texts(
    axes: Any, starts: np.ndarray, ends: np.ndarray, middle: float, names: Sequence[str], pixel: float,
    size: float = 7,
) -> None:
    """The names in those of the spans that are wide enough to read some of it."""
    from .picture import short

    taken = -np.inf
    for at in np.argsort(starts, kind="stable"):
        start, end, name = starts[at], ends[at], names[at]
        if start < taken:  # what overlaps another has no text
            continue
        room = int((end - start) / pixel / 10 - 0.6)  # in characters
        if room >= min(len(name), 4):
            taken = end
            axes.text((start + end) / 2, middle, short(name, room), ha="center", va="center",
                      fontsize=size, clip_on=True)
