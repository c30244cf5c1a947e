"""Call graph: boxes for regions or calls, and lines to those that they call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
import os
from typing import Any

import numpy as np

from .._base.arguments import boolean, instance, integer
from ..results.chart_data import ChartData
from ..results.chart_trees import Graph, graph_calls, graph_regions
from ..results.profiling_results import ProfilingResults
from .picture import ROWS, Picture, check_output, duration_text, finished, short, titled

#: More calls are not told apart in a picture.
_CALLS = 150


def plot_callgraph(
    profiling_data: ProfilingResults,
    rank: int = 0,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    filepath: str | os.PathLike[str] | None = None,
    show: bool = False,
    verbose: bool = True,
    cmap: str = "tab20",
    data_filepath: str | os.PathLike[str] | None = None,
    data_format: str = "csv",
    backend: str = "matplotlib",
    return_fig: bool = False,
    compact: bool = False,
    fluid: bool = False,
) -> Any:
    """Draw which call is inside which, or with `compact` which region calls which.

    compact: Whether there is one box for each region, with its calls and time; the path from root to
        leaf that took longest has a thick edge.
    fluid: Whether the boxes of a compact graph lie as if the lines were springs, and not in levels.

    Other arguments, what is raised and returned: see `plot_durations`; None without `return_fig`.
    """
    check_output(filepath, data_filepath, data_format, backend)
    run: ProfilingResults = instance(ProfilingResults)("profiling_data", profiling_data)
    rank = integer("rank", rank, 0)
    if boolean("compact", compact) or boolean("fluid", fluid):
        graph = graph_regions(run, rank, include, exclude)
        data = ChartData("callgraph", "regions", graph.regions.columns, {"edges": [*graph.edges.rows()]})

        def draw(picture: Picture) -> Any:
            return _draw_regions(picture, graph, fluid, run.display_label, rank)
    else:
        data = graph_calls(run, rank, include, exclude)

        def draw(picture: Picture) -> Any:
            return _draw_calls(picture, data, run.display_label, rank)

    names = list(dict.fromkeys(data["name"]))
    return finished(data, draw, filepath, show, verbose, data_filepath, data_format, return_fig, names, cmap)


def _draw_regions(picture: Picture, graph: Graph, fluid: bool, label: str, rank: int) -> Any:
    every = sorted(graph.regions.rows(), key=lambda row: -row["total_duration"])
    rows = {row["name"]: row for row in every[:ROWS]}
    edges = [
        (edge["parent"], edge["child"], edge["calls"]) for edge in graph.edges.rows()
        if edge["parent"] in rows and edge["child"] in rows
    ]
    levels = _levels([*rows], edges)
    places = _by_springs([*rows], edges) if fluid else _in_levels(levels, edges)
    wide = max((list(levels.values()).count(level) for level in set(levels.values())), default=1)
    width = 9.0 if fluid else max(7.0, 1.9 * wide)
    height = 7.0 if fluid else max(1.0, 1.0 * (max(levels.values()) + 1))
    [axes] = picture.panels(1, height, width)
    boxes = {}
    for name, row in rows.items():
        text = (f"{short(name, 26)}\n{duration_text(row['total_duration'])}, own "
                f"{duration_text(row['exclusive_duration'])}\n"
                f"{row['calls']:,} call{'s' * (row['calls'] != 1)}")
        boxes[name] = _box(axes, places[name], text, picture.color[name], 1.8 if row["critical"] else 0.6)
    for parent, child, calls in edges:
        critical = rows[parent]["critical"] and rows[child]["critical"]
        axes.annotate(
            "", places[child], places[parent], arrowprops={
                "arrowstyle": "-|>", "patchA": boxes[parent], "patchB": boxes[child], "shrinkB": 1,
                "linewidth": 1.8 if critical else 0.8,
                "color": "#333333" if critical else "#999999"})
        middle = [(one + other) / 2 for one, other in zip(places[parent], places[child])]
        axes.text(*middle, f"{calls:,}×", fontsize=6.5, color="#666666", ha="center", va="center",
                  bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    _frame(axes, [*places.values()])
    titled(axes, f"Which region calls which, rank {rank}", label)
    if len(every) > len(rows):
        picture.note(f"{len(rows)} of {len(every):,} regions, those with the most time; choose by --include")
    return axes


def _draw_calls(picture: Picture, data: ChartData, label: str, rank: int) -> Any:
    rows = [row for _, row in zip(range(_CALLS), data.rows())]
    shown = {row["call_id"] for row in rows}
    edges = [(row["parent_id"], row["call_id"], 1) for row in rows if row["parent_id"] in shown]
    levels = {row["call_id"]: row["depth"] for row in rows}
    places = _as_tree(rows)
    [axes] = picture.panels(1, max(1.0, 0.24 * len(rows)), 2.6 + 2.0 * max(levels.values()))
    for parent, child, _ in edges:
        (x, y), (further, below) = places[parent], places[child]
        axes.plot([x, x, further], [y, below, below], color="#aaaaaa", linewidth=0.8, zorder=0)
    for row in rows:
        x, y = places[row["call_id"]]
        axes.annotate(short(row["name"], 30), (x, y), (4, 0), textcoords="offset points", va="center",
                      fontsize=7.5, annotation_clip=False)
        axes.plot(x, y, "o", color=picture.color[row["name"]], markersize=5)
    axes.set_xlim(-0.3, max(levels.values()) + 1.4)
    axes.set_ylim(len(rows) - 0.5, -0.8)
    axes.set_axis_off()
    titled(axes, f"Calls inside calls, rank {rank}", label)
    if len(rows) < len(data):
        picture.note(f"the first {len(rows)} of {len(data):,} calls; with compact one box for each region")
    return axes


def _as_tree(rows: Sequence[Mapping[str, Any]]) -> dict[Any, tuple[float, float]]:
    """Each call on a line of its own, below the one that it is inside of."""
    below: dict[Any, list[Any]] = {}
    known = {row["call_id"] for row in rows}
    for row in rows:
        below.setdefault(row["parent_id"] if row["parent_id"] in known else None, []).append(row)
    places: dict[Any, tuple[float, float]] = {}
    ahead = [*reversed(below.get(None, []))]
    while ahead:
        row = ahead.pop()
        places[row["call_id"]] = float(row["depth"]), float(len(places))
        ahead.extend(reversed(below.get(row["call_id"], [])))
    return places


def _levels(names: Sequence[str], edges: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """How many regions each is below, by the longest way; by the shortest, where regions call each other
    in a circle."""
    callers = dict.fromkeys(names, 0)
    for parent, child, _ in edges:
        callers[child] += parent != child
    levels = dict.fromkeys((name for name in names if not callers[name]), 0)
    ahead = [*levels]
    while ahead:
        name = ahead.pop()
        for parent, child, _ in edges:
            if parent == name != child:
                levels[child] = max(levels.get(child, 0), levels[name] + 1)
                callers[child] -= 1
                if not callers[child]:
                    ahead.append(child)
    return _nearest(names, edges) if any(callers.values()) else levels


def _nearest(names: Sequence[str], edges: Sequence[tuple[str, str, int]]) -> dict[str, int]:
    """The same by the shortest way, where regions call each other in circles."""
    called = {child for parent, child, _ in edges if child != parent}
    levels = dict.fromkeys((name for name in names if name not in called), 0) or {names[0]: 0}
    while True:
        found = {
            child: levels[parent] + 1 for parent, child, _ in edges
            if parent in levels and child not in levels
        }
        if not found:
            return {name: levels.get(name, 0) for name in names}
        levels.update(found)


def _in_levels(
    levels: Mapping[str, int], edges: Sequence[tuple[str, str, int]]
) -> dict[str, tuple[float, float]]:
    """Level below level, each sorted so that lines cross little."""
    rows = [[name for name in levels if levels[name] == level] for level in range(max(levels.values()) + 1)]
    widest = max(map(len, rows))
    across: dict[str, float] = {}
    for row in rows:
        above = {
            name: [across[parent] for parent, child, _ in edges if child == name and parent in across]
            for name in row
        }
        row.sort(key=lambda name: sum(above[name]) / len(above[name]) if above[name] else 0.0)
        for at, name in enumerate(row):
            across[name] = (at + 0.5) * widest / len(row)
    return {name: (across[name], float(-levels[name])) for name in levels}


def _by_springs(
    names: Sequence[str], edges: Sequence[tuple[str, str, int]]
) -> dict[str, tuple[float, float]]:
    """Where the boxes come to rest when lines pull and boxes push (Fruchterman and Reingold, 1991)."""
    number = len(names)
    angle = 2 * np.pi * np.arange(number) / number
    at = np.stack([np.cos(angle), np.sin(angle)], 1) * number**0.5
    index = {name: place for place, name in enumerate(names)}
    pairs = [(index[one], index[other]) for one, other, _ in edges if one != other]
    pulled = np.array(pairs, np.int64).reshape(-1, 2)
    for step in range(300):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 0.01)
        moved = (apart / distance[..., None] ** 2).sum(1)
        along = at[pulled[:, 0]] - at[pulled[:, 1]]
        pull = along * np.hypot(along[:, 0], along[:, 1])[:, None]
        np.add.at(moved, pulled[:, 0], -pull)
        np.add.at(moved, pulled[:, 1], pull)
        length = np.maximum(np.hypot(moved[:, 0], moved[:, 1]), 1e-9)
        at += moved / length[:, None] * np.minimum(length, 0.5 * (1 - step / 300))[:, None]
    return {name: (float(x), float(y)) for name, (x, y) in zip(names, at)}


def _box(axes: Any, place: tuple[float, float], text: str, color: Any, edge: float) -> Any:
    light = tuple(part + (1 - part) * 0.65 for part in color[:3])
    drawn = axes.text(*place, text, ha="center", va="center", fontsize=7, linespacing=1.25, bbox={
        "boxstyle": "round,pad=0.35", "facecolor": light, "edgecolor": "#333333", "linewidth": edge})
    return drawn.get_bbox_patch()


def _frame(axes: Any, places: Sequence[tuple[float, float]]) -> None:
    x, y = zip(*places)
    axes.set_xlim(min(x) - 0.7, max(x) + 0.7)
    axes.set_ylim(min(y) - 0.45, max(y) + 0.45)
    axes.set_axis_off()
