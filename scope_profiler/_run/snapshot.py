"""Taking a run's results out of the core: what reports, files and users see from then on is
plain data and does not touch the C module again."""

from dataclasses import dataclass
from functools import cache, partial
from time import perf_counter_ns, time
from typing import TYPE_CHECKING

from .. import _core
from .._instrument import overhead
from .._instrument.lines import counted_lines
from .._instrument.source import shown_path
from .._model.counted_lines import CountedLines
from .._model.recorded import OTHER_PATHS, Node, Recorded
from .._model.statistics import RegionStatistics
from . import kept
from .moment import now

if TYPE_CHECKING:
    from ..results import ProfilingResults


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there is to tell of a run, all of one moment."""

    label: "str | None"
    file_path: "str | None"
    paths: "list[str]"  # where it is written: there, and for a program that has a host, elsewhere
    begun: float  # seconds since the epoch
    recorded: Recorded
    regions: "list[RegionStatistics]"  # that were entered, in the order in which they were first
    lines: "list[CountedLines] | None"  # None when not in line mode
    dropped: "list[tuple[str, int, int]]"  # (region, calls kept, calls), of those that keep not all
    results: "ProfilingResults | None"  # where that was asked for


def take_snapshot(manager, results=True, moment=None):
    """What the manager's current run has come to; results: also as ProfilingResults, with every call
    that the moment has. moment: when the run was finalized; None for now."""
    run = manager._run
    end = moment.taken_ns if moment else run.finalize_time_ns or perf_counter_ns()
    moment = moment or now(manager, results)
    cost = overhead.of(manager)
    facts = {**moment.counters, **cost.facts(moment.counters["costs"])}
    del facts["costs"]
    of_kept, dropped = kept.facts(run._settings, moment.kept, moment.regions)
    facts.update(of_kept)
    facts["metadata_lost"], reason = moment.annotations[1:]
    facts["metadata_error"] = reason or ""
    if run._slow_calls is not None:
        facts.update(run._slow_calls.facts())
    if run._journal_error:
        facts["journal_error"] = run._journal_error
    counters = _counters(moment.values) if moment.values[0] else {}
    facts["counter_values_lost"] = facts["counter_values"] - sum(map(len, counters.values()))
    added_ns = cache(cost.added_ns)  # of very many regions, most have the same load
    recorded = Recorded(_nodes(moment, cost, added_ns, results), end - run.start_time_ns, facts,
                        None if moment.samples is None else run._sampler.samples(moment.samples), counters)
    lines = _lines(manager, moment) if manager._line_mode else None
    known = [RegionStatistics.from_row(row, added_ns) if row[2] or row[4] else None for row in moment.regions]
    return Snapshot(
        label=run.label,
        file_path=run.file_path,
        paths=[each.file_path for each in run._destinations()],
        begun=time() - (perf_counter_ns() - run.start_time_ns) / 1e9,
        recorded=recorded,
        regions=[stats for _, stats in sorted(zip(moment.regions, known), key=_first) if stats],
        lines=lines,
        dropped=dropped,
        results=_results(manager, end, moment, recorded, known, lines) if results else None,
    )


def _lines(manager, moment):
    from .._instrument import line_overhead

    return counted_lines(manager, tables=moment.lines, overhead=line_overhead.of(manager))


_FIRST = 20  # in a row of Manager._collect(): when the first call began


def _first(row_and_more):
    return row_and_more[0][_FIRST]


def _nodes(moment, cost, added_ns, results):
    if results:
        from .node_rows import node_table

        return node_table(moment, cost)
    return [
        Node(row[0], _statistics(row, added_ns), None if row[_FIRST] < 0 else row[_FIRST], std_ns=row[10])
        for row in moment.tree
    ]


def _statistics(row, added_ns):
    if row[1] is None:
        return RegionStatistics.nothing_of(OTHER_PATHS)
    return RegionStatistics.from_row(row, added_ns)


def _counters(columns):
    """The CounterValues of each counter, by name."""
    import numpy as np

    from .._model.counter_values import by_counter

    names, numbers, threads, times, values = columns
    return by_counter(names, *(np.frombuffer(column, np.int64) for column in (numbers, threads, times)),
                      np.frombuffer(values, np.float64))


def _results(manager, end, moment, recorded, known, lines):
    from .run_metadata import collect_metadata
    from ..results import ProfilingResults

    run = manager._run
    metadata = collect_metadata(
        label=run.label,
        detail=run._settings["metadata_detail"],
        start_time_ns=run.start_time_ns,
        finalize_time_ns=end,
        members=run._settings["comm"],
    )
    metadata["clock_source"] = _core.clock_info()["source"]
    return ProfilingResults(
        _regions(manager, moment, recorded, known),
        metadata=metadata,
        line_profile=_line_profile(lines),
        file_path=run.file_path,
        threads=_threads(manager, moment),
        tasks=_tasks(manager),
        recorded={0: recorded},
    )


def _threads(manager, moment):
    """By rank, the ThreadInfo of each thread that recorded; None when they are not tracked."""
    watch = manager._on_thread
    if watch is None:
        return None
    return {0: watch.rows(manager._run.start_time_ns, moment.counters["threads"])}


def _tasks(manager):
    """By rank, the TaskInfo of each task that ran; None when they are not tracked."""
    watch = manager._tasks
    return None if watch is None else {0: watch.rows(manager._run.start_time_ns)}


def _regions(manager, moment, recorded, known):
    """Every region with a finished call; known: the statistics of each. Each is made when it is first
    looked at."""
    from ..results import EventMetadata, StoredRegions
    from ..results.columns import read_only
    from ..results.stored_regions import region_of_checked

    ends, *columns = moment.calls or ([0] * len(moment.regions), b"", b"")
    begins = [0, *ends]
    columns = _arrays(columns, begins[-1], len(moment.tree))
    if manager._on_thread is not None and "thread_ids" not in columns:
        columns["thread_ids"] = columns["start_times_ns"] * 0
    _sort(columns, begins)
    columns = {name: read_only(column) for name, column in columns.items()}
    starts, durations = columns.pop("start_times_ns"), columns.pop("durations_ns")
    notes, table = columns.pop("annotations", None), _metadata_table(moment.annotations[0])
    with_text, shown = manager._run._settings["capture_region_source"], cache(shown_path)
    nodes = recorded.nodes
    called = [(place, known[place], _told(row[1], shown, with_text))
              for place, row in enumerate(moment.regions) if row[2]]

    def make(rows):
        for row in rows:
            place, stats, told = called[row]
            calls = slice(begins[place], begins[place + 1])
            has_calls = calls.start < calls.stop
            yield region_of_checked(
                starts[calls], durations[calls],
                {name: column[calls] for name, column in columns.items()} if has_calls else {},
                EventMetadata(notes[calls], table) if has_calls and notes is not None else None,
                {**told, **_facts(stats), "sketch": partial(nodes.sketch, nodes.by_name.get(stats.name, ()))},
            )

    names = [stats.name for _, stats, _ in called]
    return StoredRegions(names, range(len(names)), [0] * len(names), make, {0: recorded})


def _told(region, shown, with_text):
    """What a region says of itself, as arguments of results.Region. shown: gives its path as it is shown."""
    return {
        "source_file": region.has_source and shown(region.source_file) or None,
        "source_lineno": region.source_lineno,
        "source_text": region.source_text if with_text else None,
        "tags": region.tags,
    }


def _facts(stats):
    """The statistics, as arguments of results.Region."""
    return {
        "exclusive_total_ns": stats.exclusive_ns,
        "inclusive_total_ns": stats.total_ns,
        "corrected_exclusive_ns": stats.corrected_exclusive_ns,
        "corrected_total_ns": stats.corrected_total_ns,
        "errors": stats.errors,
        "statistics": _aggregates(stats),
        "of_calls": {},
        "work": stats.work,
        "throttled_calls": stats.throttled_calls,
    }


def _aggregates(stats):
    """The statistics of all calls, by the names of results."""
    return {
        "count": stats.num_calls,
        "total": stats.sum_ns,
        "minimum": stats.minimum_ns,
        "maximum": stats.maximum_ns,
        "mean": stats.sum_ns / stats.num_calls,
        "std": float(stats.std_ns),
        "p50": float(stats.p50_ns),
        "p90": float(stats.p90_ns),
        "p95": float(stats.p95_ns),
        "p99": float(stats.p99_ns),
        "p999": float(stats.p999_ns),
    }


def calls_of(region):
    """Starts and durations of the region's finished calls, sorted by start: two int64 arrays,
    ns on the perf_counter_ns() axis."""
    ends, *columns = region.manager._events(region)
    calls = _arrays(columns, ends[-1])
    _sort(calls, [0, *ends])
    return calls["start_times_ns"], calls["durations_ns"]


_COLUMNS = ("start_times_ns", "durations_ns", "thread_ids", "annotations", "task_ids", "await_ns",
            "node_ids")


def _arrays(columns, calls, nodes=0):
    """The columns that there are, of so many calls: {name: array}, of int64 but for those of the nodes,
    of which there are so many. A column that was put into a room may be longer."""
    import numpy as np

    widths = {"node_ids": 2 if nodes < 1 << 15 else 4}
    return {
        name: np.frombuffer(column, f"i{widths.get(name, 8)}", calls)
        for name, column in zip(_COLUMNS, columns)
        if column is not None
    }


def _sort(columns, begins):
    """Put the calls of each region in the order in which they began, of those that began together the
    longest first; they are recorded in the order of their ends. begins: where those of each region begin in
    the columns, and where all end."""
    import numpy as np

    from .._base.room import rest
    from ..results import blocks

    starts, firsts = columns["start_times_ns"], np.array(begins)
    unsorted = set()
    for rows in blocks(len(starts) - 1):
        behind = np.flatnonzero(starts[rows.start + 1 : rows.stop + 1] <= starts[rows]) + rows.start + 1
        region = np.searchsorted(firsts, behind, "right") - 1
        unsorted.update(region[firsts[region] != behind].tolist())
        rest(starts[rows])
    for region in unsorted:
        calls = slice(begins[region], begins[region + 1])
        order = np.lexsort((-columns["durations_ns"][calls], starts[calls]))
        for column in columns.values():
            column[calls] = column[calls][order]


def _metadata_table(annotations):
    """The metadata of the run, by number: dicts of their own, as users may go on to change theirs."""
    table = []
    for entry in annotations:
        if isinstance(entry, tuple):
            values, exception = entry
            entry = dict(values or (), status="ok" if exception is None else "error")
            if exception is not None:
                entry["exception"] = exception
        table.append(dict(entry or ()))
    return table


def _line_profile(counted):
    """What line mode counted, as ProfilingResults.line_profile has it, for rank 0."""
    if counted is None:
        return None
    from .._base import source_lines
    from ..results.line_entries import entry_of

    def with_source(lines):
        last = max(row.line for row in lines.rows)
        return lines._replace(source=source_lines.text_of(lines.code, last))

    return {0: [entry_of(with_source(lines)) for lines in counted]}
