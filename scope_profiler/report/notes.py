"""The lines below the tables: our own cost, what was missed, where it was written."""

import os

from ..overhead import measure, measure_line
from ..processes import beside
from .style import format_count, format_time


def notes(summary):
    """The lines to print, in order."""
    yield ""
    yield _overhead(summary)
    yield from _missed(summary)
    if summary.file_path is not None and os.path.exists(summary.file_path):
        yield f"Written: {summary.file_path} ({_size(os.path.getsize(summary.file_path))})"
        yield from _of_children(summary)


def _of_children(summary):
    """Files of earlier runs may lie there, too."""
    number = sum(os.path.getmtime(path) >= summary.begun for path in beside(summary.file_path))
    if number:
        files = "1 file" if number == 1 else f"{number} files"
        yield (f"Child processes wrote {files} beside it: "
               f"load_processes({summary.file_path!r}) reads all.")


def _overhead(summary):
    cost = measure()
    spent = cost.total_ns * summary.counters["calls"]
    per_line = ""
    if summary.line_mode:
        events = sum(hits for _, rows in summary.line_records for _, hits, _ in rows)
        line_ns = measure_line()
        spent += line_ns * events
        per_line = f", {line_ns:.0f} ns per line"
    share = f", {100 * spent / summary.wall_ns:.1f} % of the run" if summary.wall_ns > 0 else ""
    return (
        f"Own overhead: {cost.total_ns:.0f} ns per call ({cost.inside_ns:.0f} ns of them inside "
        f"the measured time){per_line}; {format_time(round(spent))} in total{share}. "
        "Net: own time less that."
    )


def _missed(summary):
    counters = summary.counters
    messages = (
        ("open", "still open: in the next report, not in this one"),
        ("moved", "left by another thread than entered it: counted in the one that did"),
        ("unmatched", "left without having been entered in this run: not counted"),
        ("lost", "not recorded: no memory was left"),
        ("dropped", "kept in the statistics without start and end: no memory was left"),
    )
    for key, text in messages:
        if counters[key]:
            calls = "call" if counters[key] == 1 else "calls"
            yield f"{format_count(counters[key])} {calls} {text}."
    lost, reason = summary.metadata_lost
    if lost:
        yield f"{format_count(lost)} times metadata could not be noted; the first time: {reason}."
    if counters["lines_lost"]:
        yield f"{format_count(counters['lines_lost'])} times lines could not be recorded."


def _size(size):
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
