"""Charts of what calls what: flame chart, flame graph, call graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .call_stack import CallArrays, build_call_arrays
from .chart_data import ChartData, chosen_regions, table
from .functions import ranks_of, sums_of, trees_of

if TYPE_CHECKING:
    from .profiling_results import ProfilingResults

Runs = Mapping[str, "ProfilingResults"]
Chosen = Iterable[str] | str | None
_BETWEEN = " > "


def flame_calls(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
) -> ChartData:
    """Every call of one rank of each run (the first of those chosen) at its depth; see `plot_flame_chart`.

    Columns: file, rank, call_id, parent_call_id, region, call_path, source_file, source_lineno, depth,
    start_seconds and end_seconds on the axis of `perf_counter()`, inclusive_duration_seconds,
    exclusive_duration_seconds, and where there is more than one, lane: the name of the thread or task.
    """
    pieces: list[list[Any]] = []
    for label, regions in chosen_regions(runs, ranks, include, exclude).items():
        for rank in _first_ranks(runs[label], ranks):
            of_rank = [region for region in regions if rank in region]
            calls = build_call_arrays(of_rank, rank)
            length = len(calls)
            paths: list[str] = []
            for index, parent in zip(calls.region_index.tolist(), calls.parent.tolist()):
                name = calls.names[index]
                paths.append(name if parent < 0 else paths[parent] + _BETWEEN + name)
            parents = [None if parent < 0 else parent for parent in calls.parent.tolist()]

            def by_region(values: list[Any], index: np.ndarray = calls.region_index) -> np.ndarray:
                return np.array([*values, None], object)[index]

            pieces.append([
                np.full(length, label, object), np.full(length, rank), np.arange(length),
                np.array(parents, object), by_region(calls.names), np.array(paths, object),
                by_region(calls.source_files), by_region(calls.source_lines), calls.depth,
                calls.start_ns / 1e9, calls.end_ns / 1e9, (calls.end_ns - calls.start_ns) / 1e9,
                calls.exclusive_ns / 1e9, _lanes(runs[label], rank, calls),
            ])
    names = ("file rank call_id parent_call_id region call_path source_file source_lineno depth "
             "start_seconds end_seconds inclusive_duration_seconds exclusive_duration_seconds lane")
    columns = dict(zip(names.split(), map(np.concatenate, zip(*pieces))))
    if len(set(columns["lane"])) == 1:
        del columns["lane"]
    return ChartData("flame", "calls", columns, {
        "file_ranks": {label: run.num_ranks for label, run in runs.items()}})


def _lanes(run: ProfilingResults, rank: int, calls: CallArrays) -> np.ndarray:
    """The name of the thread or task of each call; "" where there is one alone, or that is unknown."""
    known, place = np.unique(calls.lane, return_inverse=True)
    if len(known) < 2:
        return np.full(len(calls), "", object)
    return np.array([run.lane_label(lane, rank) for lane in known.tolist()], object)[place]


def _first_ranks(run: ProfilingResults, ranks: Any) -> list[int]:
    return ranks_of(run, ranks)[:1]


def flame_nodes(
    runs: Runs, ranks: int | Iterable[int] | None = None, include: Chosen = None, exclude: Chosen = None,
) -> ChartData:
    """The paths of calls, each once, as wide as its calls took together, side by side; see
    `plot_flame_graph`. Of the ranks chosen; None for the first.

    Columns: file, rank, call_id, parent_call_id, region, call_path, depth, start_seconds and end_seconds
    (places in the picture), inclusive_duration_seconds, exclusive_duration_seconds.
    """
    chosen_regions(runs, ranks, include, exclude)  # says what there is not
    rows: list[tuple[Any, ...]] = []
    for label, run in runs.items():
        wanted = _first_ranks(run, ranks) if ranks is None else ranks_of(run, ranks)
        for rank, nodes in trees_of(run, wanted, include, exclude):
            paths: list[str] = []
            depths: list[int] = []
            free = [0] * (len(nodes) + 1)  # where the next child begins; the last is for roots
            for place, node in enumerate(nodes):
                sums = sums_of(node)
                inside = node.parent >= 0
                paths.append(paths[node.parent] + _BETWEEN + node.name if inside else node.name)
                depths.append(depths[node.parent] + 1 if inside else 0)
                begin = free[place] = free[node.parent]
                free[node.parent] = begin + sums.total_ns
                rows.append((
                    label, rank, place, node.parent if inside else None, node.name, paths[place],
                    depths[place], begin / 1e9, (begin + sums.total_ns) / 1e9, sums.total_ns / 1e9,
                    sums.own_ns / 1e9,
                ))
    names = ("file rank call_id parent_call_id region call_path depth start_seconds end_seconds "
             "inclusive_duration_seconds exclusive_duration_seconds")
    return table("flame_graph", "calls", names, rows)


def graph_calls(
    run: ProfilingResults, rank: int = 0, include: Chosen = None, exclude: Chosen = None
) -> ChartData:
    """Every call of a rank and its parent. Columns: call_id, parent_id, name, depth."""
    chosen_regions({"": run}, rank, include, exclude)
    calls = run.call_graph(rank, include, exclude)
    return table("callgraph", "calls", "call_id parent_id name depth", (
        (call["call_id"], call["parent_id"], call["name"], call["depth"]) for call in calls))


class Graph(NamedTuple):
    """Regions and who calls whom.

    regions: Columns name, depth (of the shortest path to it), calls, total_duration,
        exclusive_duration, average_duration (seconds), critical: whether it is on the path from root to
        leaf that always goes on with what took longest.
    edges: Columns parent, child, calls, total_duration.
    """

    regions: ChartData
    edges: ChartData


def graph_regions(
    run: ProfilingResults, ranks: int | Iterable[int] | None = 0, include: Chosen = None,
    exclude: Chosen = None,
) -> Graph:
    """The call graph of regions, those of several ranks together; see `plot_callgraph`."""
    chosen_regions({"": run}, ranks, include, exclude)
    depth: dict[str, int] = {}
    sums: dict[str, list[int]] = {}
    edges: dict[tuple[str, str], list[int]] = {}
    for _, nodes in trees_of(run, ranks, include, exclude):
        levels: list[int] = []
        for node in nodes:
            levels.append(levels[node.parent] + 1 if node.parent >= 0 else 0)
            depth[node.name] = min(depth.get(node.name, levels[-1]), levels[-1])
            one = sums_of(node)
            _add(sums, node.name, one.calls, one.total_ns, one.own_ns)
            if node.parent >= 0:
                _add(edges, (nodes[node.parent].name, node.name), one.calls, one.total_ns)
    critical = _longest_path(sums, edges, depth)
    regions = table(
        "callgraph", "regions",
        "name depth calls total_duration exclusive_duration average_duration critical",
        ((name, depth[name], calls, total / 1e9, own / 1e9, total / calls / 1e9 if calls else 0.0,
          name in critical) for name, (calls, total, own) in sums.items()),
    )
    return Graph(regions, table(
        "callgraph", "edges", "parent child calls total_duration",
        ((*pair, calls, total / 1e9) for pair, (calls, total) in sorted(edges.items())),
    ))


def _add(sums: dict[Any, list[int]], key: Any, *values: int) -> None:
    sums[key] = [mine + value for mine, value in zip(sums.get(key, [0] * len(values)), values)]


def _longest_path(
    sums: Mapping[str, list[int]], edges: Mapping[tuple[str, str], list[int]], depth: Mapping[str, int]
) -> set[str]:
    roots = [name for name in sums if not depth[name]]
    path: list[str] = []
    name = max(roots, key=lambda root: sums[root][1], default=None)
    while name is not None and name not in path:
        path.append(name)
        below = {child: total for (parent, child), (_, total) in edges.items() if parent == name}
        name = max(below, key=lambda child: below[child], default=None)
    return set(path)
