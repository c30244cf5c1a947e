"""What tests of commands share: files of results with numbers that are known, and what commands print."""

import io
from pathlib import Path
import os

from results_support import region

from scope_profiler import write_profile
from scope_profiler.cli import main
from scope_profiler.results import MPIRegion, ProfilingResults, ThreadInfo, TaskInfo

GOLDEN = Path(__file__).parent / "cli" / "golden"
US = 1_000


class Terminal(io.StringIO):
    """What prints to it takes it for a terminal."""

    def isatty(self):
        return True


def printed(monkeypatch, *words, columns=None, NO_COLOR=""):
    """What a command prints, piped, or on a terminal with so many columns; and its exit status."""
    stream = io.StringIO() if columns is None else Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", stream)
        if columns is not None:
            patch.setenv("COLUMNS", str(columns))
        patch.setenv("NO_COLOR", NO_COLOR)
        status = main([*map(str, words)])
    return stream.getvalue(), status


def check_golden(monkeypatch, name, *words):
    """The command prints what is in the files of that name, piped and on terminals of 80 and 120
    columns; with WRITE_GOLDEN=1 it is written there."""
    for columns in (None, 80, 120):
        text, _ = printed(monkeypatch, *words, columns=columns)
        path = GOLDEN / f"{name}-{columns or 'piped'}.txt"
        if os.environ.get("WRITE_GOLDEN"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), path.name
        if columns:
            assert max(map(cells, text.splitlines())) <= columns


def cells(line):
    """How long a line is without its colours."""
    while "\x1b" in line:
        before, _, rest = line.partition("\x1b")
        line = before + rest.partition("m")[2]
    return len(line)


def a_run(path="run.json"):
    """A file with solve( inner inner ) and setup on two ranks, in a run of 100 µs, with threads, a task
    and metadata."""

    def at(*calls, **facts):
        return region(*((a * US, b * US) for a, b in calls), **facts)

    results = ProfilingResults(
        {
            "solve": MPIRegion("solve", {
                0: at((10, 60), thread_ids=[0], event_metadata=[{"step": 1, "kind": "first"}]),
                1: at((10, 40), thread_ids=[0], event_metadata=[{"step": 2}]),
            }),
            "inner": MPIRegion("inner", {0: at(
                (20, 30), (35, 55), thread_ids=[0, 0], event_metadata=[{"n": 5}, {}])}),
            "setup": MPIRegion("setup", {0: at((2, 4), thread_ids=[0]), 1: at((3, 5), thread_ids=[0])}),
        },
        {"start_time_ns": 0, "finalize_time_ns": 100 * US, "label": "night", "python_version": "3.13.0",
         "path": "/opt/" + "x" * 150},
        threads={rank: [ThreadInfo(0, rank, "MainThread", 1, 1, False, 0, None, 40 * US)]
                 for rank in (0, 1)},
        tasks={0: [TaskInfo(0, 0, "task", "Task-1", "main", 0, 0, 50 * US, 3, 20 * US, 30 * US)]},
    )
    write_profile(results, path)
    return path
