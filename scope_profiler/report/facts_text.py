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
        value = shown(", ".join(map(str, value)) if isinstance(value, list) else value)
        is_cut |= not whole and len(value) > room
        out.line(f"{shown(name):<{width}}  {value if whole else cut(value, room)}".rstrip())
    if is_cut:
        out.note("Values that are longer: --full")


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
    rows = []
    for rank in sorted(results.threads):
        if ranks is None or rank in ranks:
            rows += [(rank, row) for row in results.thread_summary(rank)]
    if not rows:
        return
    out.line()
    out.head(f"Threads: {format_count(len(rows))}")
    rows.sort(key=lambda each: -(each[1]["cpu_time"] or 0))
    columns = {
        "Thread": [shown(row["name"]) for _, row in rows],
        "Rank": [str(rank) for rank, _ in rows],
        "Processor": [_seconds(row["cpu_time"]) for _, row in rows],
        "Wall": ["alive" if row["alive"] else _seconds(row["wall_time"]) for _, row in rows],
        "In regions": [_seconds(row["region_time"]) for _, row in rows],
        "Calls": [_count(row["num_calls"]) for _, row in rows],
    }
    _show(out, columns, most, "threads")


def show_tasks(results, out, ranks=None, most=None):
    """Print the tasks that recorded calls, those first that ran longest."""
    rows = [task for rank in sorted(results.tasks) if ranks is None or rank in ranks
            for task in results.tasks[rank]]
    if not rows:
        return
    out.line()
    out.head(f"Tasks: {format_count(len(rows))}")
    rows.sort(key=lambda task: -(task.running_ns or 0))
    columns = {
        "Task": [shown(f"{task.name} ({task.coro_name})") for task in rows],
        "Rank": [str(task.rank) for task in rows],
        "Running": [_seconds(task.running_time) for task in rows],
        "Waiting": [_seconds(task.awaiting_time) for task in rows],
        "Steps": [_count(task.steps) for task in rows],
        "Wall": [_seconds(task.wall_time) if task.done else "not done" for task in rows],
        "Thread": [UNKNOWN if task.thread_index is None
                   else shown(results.lane_label(-2 - task.thread_index, task.rank)) for task in rows],
    }
    _show(out, columns, most, "tasks", left=(0, 6))


def _show(out, columns, most, what, left=(0,)):
    if len({*columns["Rank"]}) == 1:
        del columns["Rank"]
        left = tuple(place - (place > 0) for place in left)
    rows = [*zip(*columns.values())]
    most = most or _MOST
    print_grid(out, [*columns], rows[:most], left)
    if len(rows) > most:
        out.note(f"… and {many(len(rows) - most, what[:-1])} not shown: --top {len(rows)}")


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
