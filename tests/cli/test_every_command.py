"""Every command as a process: piped, and on terminals of 80 and 120 columns. With WRITE_GOLDEN=1 what it
prints is written to the golden files.

The processes are forked, as that starts no interpreter; `python -m scope_profiler` is tested beside each
command. Programs run under the fake clock.
"""

from contextlib import suppress
import fcntl
from functools import partial
from importlib import import_module
from itertools import chain, repeat
import json
import os
from pathlib import Path
import re
import signal
import struct
import sys
from tempfile import TemporaryDirectory
import termios
import traceback

import pytest
from conftest import NEEDS_H5PY
from profiles import GOLDEN, a_run, cells
from results_support import region, results
from test_line_profile import a_file as lines_file
from test_mpi_calls import a_file as mpi_file

import scope_profiler as sp
from scope_profiler import _core
from scope_profiler._run import moment, runs
from scope_profiler.cli import group, main
from scope_profiler.io import progress_bar

pytestmark = NEEDS_H5PY

PROGRAM = """
import scope_profiler as sp
from scope_profiler import _core

now = 1_000

def work(ms):
    global now
    now += 1_000_000 * ms
    _core._fake_clock(now)

for number in range(3):
    with sp.metadata(number=number), sp.region("request"):
        work(number)
        with sp.region("look up"):
            work(1)
"""

#: Of rank 1, with a region of two calls: see spt_reader.py.
TRACE = b"SCOPEPRF" + struct.pack("<iiqi1sq4q", 1, 1, 1, 1, b"a", 2, 10, 12, 20, 15)

SERIES = {"name": "x", "label": "y", "threshold_pct": 2.0, "runs": ["after.json", "after.json"]}

REPORT = "<!doctype html><title>Monday</title>"

#: {command: its words, and what it needs besides run.json}
COMMANDS = {
    "run": ["run", "-o", "out.json", "program.py"],
    "kernprof": ["kernprof", "-l", "program.py"],
    "inspect": ["inspect", "run.json"],
    "convert": ["convert", "run.json", "run.h5"],
    "import-native": ["import-native", "run_rank00001.spt", "-o", "native.json"],
    "line-profile": ["line-profile", "lines.json", "--skip-zero", "--function", "solve"],
    "report": ["report", "run.json"],
    "plot": ["plot", "list"],
    "export": ["export", "run.json", "-o", "run.collapsed"],
    "diff": ["diff", "run.json", "run.json"],
    "check": ["check", "run.json", "after.json", "--fail-on-new"],
    "benchmark": ["benchmark", "compare", "series.json", "series.json"],
    "mpi": ["mpi", "mpi.json"],
    "merge": ["merge", "run.json", "other.json", "-o", "all.json"],
    "recover": ["recover", "killed.journal", "-o", "recovered.json"],
    "top": ["top", "killed.journal", "--once"],
    "catalogue": ["catalogue", "monday.html"],
}


#: Where other tests have the same in golden files of their own.
GOLDEN_OF = {"inspect": "inspect", "line-profile": "lines-skip-zero", "plot": "plot-list"}

#: What differs from time to time, and what stands for it: of all commands, and of some.
MASKS = [(r"/tmp/scope-\w{8}", "/tmp/scope-________"), (r"\([\d.]+ KB\)", "(size)")]
MASKS_OF = {
    "kernprof": [(re.escape(sys.executable), "python")],
    "top": [(r"\d+(\.\d+)?( (ns|us|µs|ms|s|min)\b)?", "#"), (" +", " "), ("─+", "─")],
}


@pytest.fixture(scope="module")
def folder():
    """What the commands are given, once for all; and what they need is imported."""
    for module in group.COMMANDS.values():
        import_module("scope_profiler.cli." + module.partition(".")[0])
    before = os.getcwd()
    with TemporaryDirectory(prefix="scope-", dir="/tmp") as folder:
        os.chdir(folder)
        try:
            make_files(Path(folder))
        finally:
            os.chdir(before)
        yield folder


def make_files(folder):
    a_run()
    sp.write_profile(sp.load("run.json"), "other.json")
    lines_file()
    (folder / "run_rank00001.spt").write_bytes(TRACE)
    calls = [(i * 10, i * 10 + 5) for i in range(64)]
    sp.write_profile(results(solve=region(*calls), new=region(*calls)), "after.json")
    mpi_file()
    (folder / "program.py").write_text(PROGRAM)
    (folder / "series.json").write_text(json.dumps(SERIES))
    (folder / "monday.html").write_text(REPORT)
    forked(leave_a_journal, None)
    [journal] = folder.glob("*.journal")
    journal.rename("killed.journal")


def leave_a_journal():
    _core._fake_clock(1_000)
    sp.setup(output="killed.h5", journal=True, verbose=False)
    for step in range(5):
        with sp.region("step"):
            _core._fake_clock(1_000 + 1_000_000 * (step + 1))
    os._exit(0)  # as killed: nothing is finalized


def forked(function, columns):
    """What a process that calls the function prints, piped or on a terminal with so many columns; and its
    exit status."""
    ours, theirs = os.pipe() if columns is None else os.openpty()
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            os.dup2(theirs, 1), os.dup2(theirs, 2)
            if columns is not None:
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
            os.environ.pop("COLUMNS", None)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
            status = function() or 0
            sys.stdout.flush()
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(theirs)
    pieces = []
    try:
        while piece := os.read(ours, 1 << 16):
            pieces.append(piece)
    except OSError:  # the other end of a terminal is closed
        pass
    os.close(ours)
    _, status = os.waitpid(pid, 0)
    return b"".join(pieces).decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(status)


def test_there_is_every_command():
    assert COMMANDS.keys() == group.COMMANDS.keys()


@pytest.mark.parametrize("command", COMMANDS)
def test_what_it_prints(command, folder, monkeypatch):
    if command == "report":
        pytest.importorskip("jinja2"), pytest.importorskip("plotly")
        import_module("scope_profiler.html.page")._plotly()  # once for all processes
    monkeypatch.chdir(folder)
    monkeypatch.delenv("NO_COLOR", raising=False)

    def called():
        _core._fake_clock(1_000)
        times = chain([1_000], repeat(10_001_000))  # a run takes 10 ms
        runs.perf_counter_ns = moment.perf_counter_ns = partial(next, times)
        progress_bar._PATIENCE = float("inf")  # however slow the machine is
        return main(COMMANDS[command])

    for columns in (None, 80, 120):
        Path(folder, "out.json").unlink(missing_ok=True)  # that of a run which began at the same time stays
        text, status = forked(called, columns)
        for pattern, stands_for in MASKS + MASKS_OF.get(command, []):
            text = re.sub(pattern, stands_for, text)
        name = GOLDEN_OF.get(command, f"processes/{command}")
        path = GOLDEN / f"{name}-{columns or 'piped'}.txt"
        if os.environ.get("WRITE_GOLDEN"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), path.name
        assert status == (1 if command == "check" else 0)
        if columns is not None:  # but for commands to copy
            lines = [line for line in text.splitlines() if "scope-profiler " not in line]
            assert command == "kernprof" or max(map(cells, lines)) <= columns


@pytest.mark.parametrize("words", [
    ["inspect", "run.json"], ["report", "run.json"], ["export", "run.json", "-o", "x.prof"],
    ["diff", "run.json", "after.json"], ["check", "run.json", "after.json"],
])
@pytest.mark.parametrize("choice, message", [
    (["-i", "inne.", "-i", "sole"], None), (["-e", "."], "no region that was called matches"),
    (["-i", "sole"], "no region that was called matches; there are 'solve',"),
    (["-r", "7"], "ranks must be among those of the runs (0"),
])
def test_a_choice_of_nothing_is_an_error(words, choice, message, folder, monkeypatch, capsys):
    if words[0] == "report":
        pytest.importorskip("jinja2"), pytest.importorskip("plotly")
    monkeypatch.chdir(folder)
    assert (main([*words, *choice]) == 2) is (message is not None)
    error = capsys.readouterr().err
    assert "Error" not in error if message is None else message in error


@pytest.mark.parametrize("words", [
    ["inspect", "run.json"], ["inspect", "run.json", "--json"], ["inspect", "run.json", "--csv"],
    ["line-profile", "lines.json"], ["diff", "run.json", "run.json"], ["plot", "list"], ["--help"],
])
def test_a_pipe_that_is_closed(words, folder, monkeypatch, capfd):
    """As by `| head`; the other end is closed before anything is written."""
    monkeypatch.chdir(folder)
    reading, writing = os.pipe()
    os.close(reading)
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            os.dup2(writing, 1)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
            status = main(words) or 0
            with suppress(BrokenPipeError):
                sys.stdout.flush()
        except SystemExit as end:
            status = end.code
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    _, status = os.waitpid(pid, 0)
    assert capfd.readouterr().err == "" and os.waitstatus_to_exitcode(status) in (
        0, 1 if words == ["--help"] else 128 + signal.SIGPIPE)  # help is printed by click
