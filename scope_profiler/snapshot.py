"""Taking a run's results out of the core: what reports, files and users see from then on is
plain data and does not touch the C module again."""

from dataclasses import dataclass
from time import perf_counter_ns, time

from . import _core
from .source import shown_path
from .lines import line_records, line_records_by_region
from .statistics import RegionStatistics


@dataclass(frozen=True, slots=True)
class TreeRow:
    """One node of the calling-context tree: a region where it was entered."""

    depth: int
    statistics: RegionStatistics


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What the report shows of a run."""

    label: "str | None"
    file_path: "str | None"
    begun: float  # seconds since the epoch
    wall_ns: int
    tree: "list[TreeRow]"  # depth first, the longest first among siblings
    line_records: list  # as lines.line_records()
    line_mode: bool
    counters: "dict[str, int]"
    metadata_lost: "tuple[int, str | None]"  # how often, and why at first
    clock: "dict[str, object]"


def summarize(manager):
    """The RunSummary of the manager's current run, as of now."""
    run = manager._run
    return RunSummary(
        label=run.label,
        file_path=run.file_path,
        begun=time() - (perf_counter_ns() - run.start_time_ns) / 1e9,
        wall_ns=(run.finalize_time_ns or perf_counter_ns()) - run.start_time_ns,
        tree=_tree(manager._collect(None)),
        line_records=line_records(manager) if manager._line_mode else [],
        line_mode=manager._line_mode,
        counters=manager._counters(),
        metadata_lost=manager._annotations()[1:],
        clock=_core.clock_info(),
    )


def _tree(rows):
    children = {}
    for index, row in enumerate(rows):
        children.setdefault(row[0], []).append(index)
    ordered = []
    pending = [(0, index) for index in _longest_last(children.get(-1, ()), rows)]
    while pending:
        depth, index = pending.pop()
        ordered.append(TreeRow(depth, RegionStatistics.from_row(rows[index])))
        below = _longest_last(children.get(index, ()), rows)
        pending.extend((depth + 1, child) for child in below)
    return ordered


def _longest_last(indices, rows):
    return sorted(indices, key=lambda index: rows[index][5])


def take(manager):
    """The ProfilingResults of the manager's current run, as of now."""
    from .run_metadata import collect_metadata
    from .results import MPIRegion, ProfilingResults

    run = manager._run
    metadata = collect_metadata(
        label=run.label,
        detail=run._settings["metadata_detail"],
        start_time_ns=run.start_time_ns,
        finalize_time_ns=run.finalize_time_ns or perf_counter_ns(),
    )
    metadata["clock_source"] = _core.clock_info()["source"]
    with_text = run._settings["capture_region_source"]
    return ProfilingResults(
        {name: MPIRegion(name, {0: region}) for name, region in _regions(manager, with_text)},
        metadata=metadata,
        line_profile=_line_profile(manager),
        file_path=run.file_path,
        threads=_threads(manager),
        tasks=_tasks(manager),
    )


def _threads(manager):
    """By rank, the ThreadInfo of each thread that recorded; None when they are not tracked."""
    watch = manager._on_thread
    if watch is None:
        return None
    return {0: watch.rows(manager._run.start_time_ns, manager._counters()["threads"])}


def _tasks(manager):
    """By rank, the TaskInfo of each task that ran; None when they are not tracked."""
    watch = manager._tasks
    return None if watch is None else {0: watch.rows(manager._run.start_time_ns)}


def _regions(manager, with_text):
    """(name, results.Region) of every region with a finished call."""
    from .results import EventMetadata, Region

    _, _, _, rows, (ends, *columns), _ = manager._snapshot(True)
    columns = _arrays(columns)
    if manager._on_thread is not None and "thread_ids" not in columns:
        columns["thread_ids"] = columns["start_times_ns"] * 0
    table = _metadata_table(manager)
    begin = 0
    for row, end in zip(rows, ends):
        calls = slice(begin, end)
        begin = end
        if row[2] == 0:
            continue
        stats = RegionStatistics.from_row(row)
        known = _sorted({name: column[calls] for name, column in columns.items()})
        notes = known.pop("annotations", None)
        yield stats.name, Region(
            **known,
            **_place(row[1], with_text),
            event_metadata=None if notes is None else EventMetadata(notes, table),
            tags=row[1].tags,
            exclusive_total_ns=stats.exclusive_ns,
            inclusive_total_ns=_inclusive_ns(row, known["durations_ns"]),
            corrected_exclusive_ns=stats.corrected_exclusive_ns,
            corrected_total_ns=stats.corrected_total_ns,
            errors=stats.errors,
            statistics=_aggregates(stats, row, known["durations_ns"]),
        )


def _inclusive_ns(row, durations):
    """Wall time in the region. Without recursion the sum of its calls: of the very nanoseconds that
    go into the file, which differ from those of the ticks' sum by what is rounded."""
    _, _, calls, _, _, total, every, *_ = row
    return int(durations.sum()) if total == every and len(durations) == calls else total


def _aggregates(stats, row, durations):
    """What is known of all calls where not each has its interval: without, that says it better."""
    if len(durations) == stats.num_calls:
        return None
    return {
        "count": stats.num_calls,
        "total": row[6],
        "minimum": stats.minimum_ns,
        "maximum": stats.maximum_ns,
        "mean": row[6] / stats.num_calls,
        "std": row[10],
        "p50": stats.p50_ns,
        "p90": stats.p90_ns,
        "p95": stats.p95_ns,
        "p99": stats.p99_ns,
        "p999": stats.p999_ns,
    }


def calls_of(region):
    """Starts and durations of the region's finished calls, sorted by start: two int64 arrays,
    ns on the perf_counter_ns() axis."""
    calls = _sorted(_arrays(region.manager._events(region)[1:]))
    return calls["start_times_ns"], calls["durations_ns"]


_COLUMNS = ("start_times_ns", "durations_ns", "thread_ids", "annotations", "task_ids", "await_ns")


def _arrays(columns):
    """The columns that there are: {name: int64 array}."""
    import numpy as np

    return {
        name: np.frombuffer(column, np.int64)
        for name, column in zip(_COLUMNS, columns)
        if column is not None
    }


def _sorted(columns):
    """Calls in the order in which they began, of those that began together the longest first; they
    are recorded in the order of their ends."""
    starts = columns["start_times_ns"]
    if len(starts) > 1 and not (starts[1:] > starts[:-1]).all():
        import numpy as np

        order = np.lexsort((-columns["durations_ns"], starts))
        return {name: column[order] for name, column in columns.items()}
    return columns


def _metadata_table(manager):
    """The metadata of the run, by number: dicts of their own, as users may go on to change theirs."""
    table = []
    for entry in manager._annotations()[0]:
        if isinstance(entry, tuple):
            values, exception = entry
            entry = dict(values or (), status="ok" if exception is None else "error")
            if exception is not None:
                entry["exception"] = exception
        table.append(dict(entry))
    return table


def _place(region, with_text):
    """Where a region stands, as arguments of results.Region."""
    return {
        "source_file": region.has_source and shown_path(region.source_file) or None,
        "source_lineno": region.source_lineno,
        "source_text": region.source_text if with_text else None,
    }


def _line_profile(manager):
    """What line mode counted, as ProfilingResults.line_profile has it, for rank 0."""
    if not manager._line_mode:
        return None
    import numpy as np

    records = []
    for name, code, rows in line_records_by_region(manager):
        lines, hits, times = zip(*rows)
        records.append({
            "region": name,
            "filename": code.co_filename,
            "function": code.co_qualname,
            "first_lineno": code.co_firstlineno,
            "line_numbers": np.array(lines, np.int64),
            "hits": np.array(hits, np.int64),
            "times": np.array(times, np.float64),
            "unit": 1e-9,
        })
    return {0: records}
