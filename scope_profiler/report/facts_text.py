"""What results know beside their regions, as text: the facts of the run, threads, tasks, source."""

from .._base.shown import cut, shown
from .grid import print_grid
from .style import format_count, format_time, many
from .table_columns import UNKNOWN

_MOST = 20  # rows of threads or tasks, where no number is given


def show_metadata(results, out, whole=False):
    """Print the facts of the run, a line each. whole: also what does not fit."""
    metadata = results.metadata
    if not metadata:
        return
    out.line()
    out.head("Metadata")
    width = max(map(len, metadata))
    room = (out.width or 120) - width - 2
    is_cut = False
    for name, value in sorted(metadata.items()):
        value = value_text(value)
        is_cut |= not whole and len(value) > room
        out.line(f"{shown(name):<{width}}  {value if whole else cut(value, room)}".rstrip())
    if is_cut:
        out.note("Values that are longer: --full")


def value_text(value):
    """The text of a value of the metadata."""
    return shown(", ".join(map(str, value)) if isinstance(value, list) else value)


def show_processes(results, out, ranks=None, most=None):
    """Print the processes of a program, in the order in which they began, where there are several."""
    facts = results.metadata
    numbers = facts.get("process_ids", ())
    if len(numbers) < 2 or len(numbers) != results.num_ranks:
        return
    chosen = [rank for rank in range(len(numbers)) if ranks is None or rank in ranks]
    out.line()
    out.head(f"Processes: {format_count(len(chosen))}")
    names, parents, regions = (facts.get(name) or [""] * len(numbers) for name in (
        "process_names", "parent_process_ids", "parent_regions"))
    walls = [results.recorded[rank].wall_ns if rank in results.recorded else None for rank in chosen]
    calls = [sum(region[rank].num_calls for region in results if rank in region) for rank in chosen]
    print_grid(out, ["Process", "Rank", "Parent", "Started in", "Wall", "Calls"], [
        (shown(f"{numbers[rank]} {names[rank]}".strip()), str(rank), shown(parents[rank] or UNKNOWN),
         shown(regions[rank] or UNKNOWN), UNKNOWN if wall is None else format_time(wall),
         format_count(count))
        for rank, wall, count in [*zip(chosen, walls, calls)][:most or _MOST]
    ], (0, 3))
    if len(chosen) > (most or _MOST):
        out.note(f"… and {format_count(len(chosen) - (most or _MOST))} more: --top {len(chosen)}")


def show_threads(results, out, ranks=None, most=None):
    """Print the threads that recorded calls, those first that took most processor time."""
    _show(out, thread_columns(results, ranks), most, "Threads")


def show_tasks(results, out, ranks=None, most=None):
    """Print the tasks that recorded calls, those first that ran longest."""
    _show(out, task_columns(results, ranks), most, "Tasks", left=("Task", "Thread"))


def thread_columns(results, ranks=None):
    """{heading: texts, one for each thread that recorded calls}, those first that took most processor
    time; empty where there is none."""
    rows = []
    for rank in sorted(results.threads):
        if ranks is None or rank in ranks:
            rows += [(rank, row) for row in results.thread_summary(rank)]
    rows.sort(key=lambda each: -(each[1]["cpu_time"] or 0))
    return _columns({
        "Thread": [shown(row["name"]) for _, row in rows],
        "Rank": [str(rank) for rank, _ in rows],
        "Processor": [_seconds(row["cpu_time"]) for _, row in rows],
        "Wall": ["alive" if row["alive"] else _seconds(row["wall_time"]) for _, row in rows],
        "In regions": [_seconds(row["region_time"]) for _, row in rows],
        "Calls": [_count(row["num_calls"]) for _, row in rows],
    })


def task_columns(results, ranks=None):
    """The same of tasks, those first that ran longest."""
    rows = [task for rank in sorted(results.tasks) if ranks is None or rank in ranks
            for task in results.tasks[rank]]
    rows.sort(key=lambda task: -(task.running_ns or 0))
    return _columns({
        "Task": [shown(f"{task.name} ({task.coro_name})") for task in rows],
        "Rank": [str(task.rank) for task in rows],
        "Running": [_seconds(task.running_time) for task in rows],
        "Waiting": [_seconds(task.awaiting_time) for task in rows],
        "Steps": [_count(task.steps) for task in rows],
        "Wall": [_seconds(task.wall_time) if task.done else "not done" for task in rows],
        "Thread": [UNKNOWN if task.thread_index is None
                   else shown(results.lane_label(-2 - task.thread_index, task.rank)) for task in rows],
    })


def _columns(columns):
    """Without that of the rank where there is one alone."""
    ranks = {*columns["Rank"]}
    if not ranks:
        return {}
    return {name: texts for name, texts in columns.items() if name != "Rank" or len(ranks) > 1}


def _show(out, columns, most, what, left=("Thread",)):
    if not columns:
        return
    rows = [*zip(*columns.values())]
    out.line()
    out.head(f"{what}: {format_count(len(rows))}")
    most = most or _MOST
    print_grid(out, [*columns], rows[:most], [place for place, name in enumerate(columns) if name in left])
    if len(rows) > most:
        out.note(f"… and {many(len(rows) - most, what[:-1].lower())} not shown: --top {len(rows)}")


def show_source(region, out):
    """Print the source of a region, as far as it was kept."""
    out.line()
    out.head(f"{shown(region.name)}: {shown(region.source_file or 'its place is not known')}"
             + (f", line {region.source_lineno}" if region.source_lineno else ""))
    if region.source_text is None:
        out.note("Its source was not kept: that takes setup(capture_region_source=True).")
    for line in (region.source_text or "").splitlines():
        out.line(shown(line.expandtabs()))


def _seconds(value):
    return UNKNOWN if value is None else format_time(round(value * 1e9))


def _count(value):
    return UNKNOWN if value is None else format_count(value)
