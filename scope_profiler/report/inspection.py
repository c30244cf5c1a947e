"""What `scope-profiler inspect` shows of results: the table of regions, single calls, groups of calls,
threads, tasks and metadata; as text, JSON or CSV."""

import csv
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

from .._base.shown import shown
from .._base.arguments import boolean, name_filter, rank_set, strings
from ..io import load
from ..results.metadata_groups import grouped_by, metadata_keys
from ..results.slow_calls import slowest_calls
from . import counter_table, drift_table, facts_text, sample_tables, slow_text, table_columns as known
from .output import Output
from .region_table import first_rows
from .results_table import ResultsTable, check_choice, check_sort, chosen_columns, table_of
from .rows import in_order, region_row

#: The columns of groups of calls.
_OF_GROUPS = ("region", "calls", "percent", "total", "avg", "p50", "p95", "p99", "max")
#: What is not known of some of the calls of a region.
_NOT_OF_GROUPS = {"errors", "net_ns", "allocated_bytes", "freed_bytes", "peak_bytes", "allocations",
                  "frees", "parent_percent", "depth", "running_ns", "waiting_ns", "work", "rate"}


#: How what there may be in a file comes there.
_WHERE_FROM = {
    "regions": "a run has those that were entered", "metadata": "a run has facts of its machine and program",
    "samples": "a run has them with --sample", "counters": "a program sets them by counter()",
    "threads": "a run has them with setup(track_threads=True), and tasks with track_async=True",
}


@dataclass
class Chosen:
    """What to show; see the options of the command. Raises ValueError for what there is not."""

    include: "str | Iterable[str] | None" = None
    exclude: "str | Iterable[str] | None" = None
    ranks: "set | None" = None
    sort: str = "total"
    columns: "str | Iterable[str] | None" = None
    percentage_mode: str = "coverage"
    top: "int | None" = None
    flat: bool = False
    whole: bool = False
    names: tuple = ()
    slowest: "int | None" = None
    key: "str | None" = None
    source: tuple = ()
    full: bool = False
    only: "str | None" = None
    form: "str | None" = None

    def __post_init__(self):
        self.columns = chosen_columns(self.columns)
        check_sort("--sort", self.sort)
        self.include, self.exclude = self.include or None, self.exclude or None
        name_filter(self.include, self.exclude)

    def first(self, rows):
        """The rows to show; None for those that are worth it."""
        if self.top is not None:
            return first_rows(rows, self.top, known.sort_key(self.sort),
                              self.sort not in known.ASCENDING)
        return rows if self.whole or self.form else None


def inspect_file(
    file_path: "str | os.PathLike[str]",
    include: "str | Iterable[str] | None" = None,
    exclude: "str | Iterable[str] | None" = None,
    ranks: "int | Iterable[int] | None" = None,
    sort: str = "start",
    show_metadata: bool = True,
    show_regions: bool = True,
    full: bool = False,
    source: "str | Iterable[str] | None" = None,
    columns: "str | Iterable[str] | None" = None,
    percentage_mode: str = "coverage",
    stream: "TextIO | None" = None,
) -> None:
    """Print what is in a file of results, as `scope-profiler inspect` does.

    file_path: A file, which is read as by `load`.
    include, exclude, ranks, columns, percentage_mode: What the table of regions has; see `print_summary`.
    sort: By what those below the same parent are sorted: "start", "name", or one of the columns.
    show_metadata, show_regions: Whether to print the facts of the run, and the table. With both, threads,
        tasks, samples and counters are printed, too.
    full: Whether to print long values of the metadata in full.
    source: Names of regions whose source is printed at the end, where it was kept.
    stream: Where it goes; None for sys.stdout.

    Raises what `load` raises, KeyError where there is no region of a name in `source`, and TypeError or
    ValueError for other arguments that cannot be.
    """
    parts = [name for name, is_wanted in (("metadata", boolean("show_metadata", show_metadata)),
                                          ("regions", boolean("show_regions", show_regions))) if is_wanted]
    check_sort("sort", sort)
    check_choice("percentage_mode", percentage_mode, known.PERCENTAGE_MODES)
    names = () if source is None else strings("source", source)
    chosen = Chosen(include, exclude, rank_set(ranks), sort, columns, percentage_mode,
                    full=boolean("full", full), only=parts[0] if len(parts) == 1 else None)
    out = Output(sys.stdout if stream is None else stream)
    results = load(file_path)
    if parts:
        _show(results, chosen, out)
    for name in names:
        facts_text.show_source(results[name], out)
    out.deliver()


def show(every, chosen, stream):
    """Print several results to a stream. Raises KeyError, ValueError and EventDataUnavailableError for
    what they do not have."""
    if chosen.form == "csv":
        _write_csv([row for results in every for row in _machine_rows(results, chosen)], stream)
    elif chosen.form == "json":
        json.dump([_as_object(results, chosen) for results in every], stream, indent=2, default=str)
        stream.write("\n")
    else:
        out = Output(stream)
        for results in every:
            _show(results, chosen, out)
            out.deliver()


def _show(results, chosen, out):
    if chosen.source:
        for name in chosen.source:
            facts_text.show_source(results[name], out)
        return
    if chosen.slowest:
        for name in chosen.names:
            calls = slowest_calls(results, name, chosen.slowest, chosen.ranks)
            slow_text.show_slow_calls(results[name], calls, out, chosen.whole)
        return
    if chosen.only in (None, "regions"):
        columns = chosen.columns or (_OF_GROUPS if chosen.key else None)
        for title, table in _tables(results, chosen):
            table.show(
                out, title, "--all" if chosen.top is None else "without --top",
                columns=columns, percentage_mode=chosen.percentage_mode,
                first=chosen.first(table.rows), how_columns="--columns, or a wider terminal",
                what="value" if chosen.key else "region",
            )
        for name in chosen.names if chosen.key else ():
            drift_table.show(name, chosen.key, _drifting(results, name, chosen), out, chosen.whole)
    if chosen.only is None and not chosen.key:
        facts_text.show_processes(results, out, chosen.ranks, chosen.top)
    if chosen.only in (None, "samples") and not chosen.key:
        sample_tables.show_of(results, out, chosen.ranks, chosen.whole)
    if chosen.only in (None, "counters") and not chosen.key:
        counter_table.show(results.counters(chosen.ranks), out)
    if chosen.only in (None, "threads") and not chosen.key:
        facts_text.show_threads(results, out, chosen.ranks, chosen.top)
        facts_text.show_tasks(results, out, chosen.ranks, chosen.top)
    if chosen.only in (None, "metadata") and not chosen.key:
        facts_text.show_metadata(results, out, chosen.full)
    if chosen.only and out.is_empty:
        out.note(f"{shown(results.default_title())} has none: {_WHERE_FROM[chosen.only]}")


def _tables(results, chosen):
    """(title, table) of what is shown as tables of regions."""
    whole = table_of(results, chosen.include, chosen.exclude, chosen.ranks, sort=chosen.sort,
                     columns=chosen.columns, flat=chosen.flat)
    if not chosen.key:
        yield results.default_title(), whole
        return
    for name in chosen.names:
        groups = grouped_by(results, name, chosen.key, chosen.ranks)
        if not any(chosen.key in metadata_keys(group) for group in groups):
            raise KeyError(_no_key(results[name], chosen.key))
        rows = in_order([*map(region_row, groups)], known.sort_key(chosen.sort),
                        chosen.sort not in known.ASCENDING)
        title = f"{results.default_title()} – {name} by {chosen.key}"
        yield title, ResultsTable(rows, whole.wall_ns, whole.run_ns, whole.processes, [])


def _drifting(results, name, chosen):
    return drift_table.drifting(results.step_series(name, chosen.key, chosen.ranks))


def _no_key(region, key):
    keys = metadata_keys(region)
    there = f"there are {', '.join(map(repr, keys))}" if keys else "nothing was noted for its calls"
    return f"no call of region {region.name!r} has metadata {key!r}; {there}"


# ---- For machines


def _machine_rows(results, chosen):
    for _, table in _tables(results, chosen):
        for row in chosen.first(table.rows):
            values = {"file": str(results.file_path or ""), "path": _path(row),
                      **known.raw(row, table.wall_ns)}
            yield ({name: value for name, value in values.items() if name not in _NOT_OF_GROUPS}
                   if chosen.key else values)


def _path(row):
    path = []
    while row is not None:
        path.append(row.name)
        row = row.parent
    return path[::-1]


def _write_csv(rows, stream):
    rows = [_flat(row) for row in rows]
    if rows:
        writer = csv.DictWriter(stream, [*dict.fromkeys(name for row in rows for name in row)])
        writer.writeheader()
        writer.writerows(rows)


def _flat(row):
    """A row with a column for each quantity."""
    values = {**row, "path": " > ".join(row["path"])}
    for kind in ("work", "rate"):
        values.update({f"{kind}:{name}": amount for name, amount in (values.pop(kind, None) or {}).items()})
    return values


def _as_object(results, chosen):
    found = {"file": str(results.file_path or ""), "label": results.label}
    if chosen.slowest:
        found["slowest"] = {
            name: [_call(call) for call in
                   slowest_calls(results, name, chosen.slowest, chosen.ranks)]
            for name in chosen.names
        }
        return found
    found["regions"] = [
        {name: value for name, value in row.items() if name != "file"}
        for row in _machine_rows(results, chosen)
    ]
    if chosen.key:
        found["drift"] = {name: drift_table.as_objects(_drifting(results, name, chosen))
                          for name in chosen.names}
    else:
        ranks = [rank for rank in sorted({*results.threads, *results.tasks})
                 if chosen.ranks is None or rank in chosen.ranks]
        found["total_time_ns"] = None if results.total_time is None else round(results.total_time * 1e9)
        found["metadata"] = results.metadata
        found["counters"] = [
            {"name": name, "rank": rank, "times_ns": known.times_ns.tolist(),
             "values": [value if value - value == 0 else str(value) for value in known.values.tolist()],
             "threads": known.thread_ids.tolist()}
            for name, of_ranks in results.counters(chosen.ranks).items() for rank, known in of_ranks.items()
        ]
        found["threads"] = [{"rank": rank, **row} for rank in ranks
                            for row in results.thread_summary(rank)]
        found["tasks"] = [vars(task) for rank in ranks for task in results.tasks.get(rank, ())]
    return found


def _call(call):
    values = call._asdict()
    nodes = () if call.inside is None else call.inside.nodes
    values["inside"] = None if call.inside is None else [
        {"region": node.name, "parent": node.parent, "calls": node.statistics.num_calls,
         "total_ns": node.statistics.total_ns, "own_ns": node.statistics.exclusive_ns}
        for node in nodes
    ]
    return values
