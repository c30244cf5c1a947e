"""cli/top: scope-profiler top, as a shell sees it, of programs that run."""

import io
import os
import signal
import subprocess
import sys

import pytest
from conftest import NEEDS_H5PY
from profiles import check_golden

from scope_profiler import ProfileManager
from scope_profiler.io import journal_follower
from scope_profiler.report.live_table import print_live
from scope_profiler.report.output import Output

pytestmark = NEEDS_H5PY


class Terminal(io.StringIO):
    def isatty(self):
        return True


PROGRAM = """
import sys
import scope_profiler as sp
sp.setup(output="out.h5", journal=JOURNAL, verbose=False)
with sp.region("main"):
    for _ in range(100):
        with sp.region("step"):
            pass
    print("ready", flush=True)
    sys.stdin.readline()
sp.finalize(verbose=False)
"""


@pytest.fixture
def program():
    """Starts programs that make calls, say so, and wait for a line."""
    started = []

    def start(journal=True):
        process = subprocess.Popen([sys.executable, "-c", PROGRAM.replace("JOURNAL", str(journal))],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def top(*words, **settings):
    return subprocess.run([sys.executable, "-m", "scope_profiler", "top", *map(str, words)],
                          capture_output=True, text=True, encoding="utf-8", **settings)


def test_one_table_of_a_process_by_its_number_its_file_and_its_journal(program):
    process = program()
    (journal,) = [name for name in os.listdir() if name.endswith(".journal")]
    for target in (process.pid, "out.h5", journal):
        done = top(target, "--once")
        assert done.returncode == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[0].endswith(f"/out.h5, process {process.pid}") and "100 calls in" in lines[1]
        assert {"step  100", "thread 0: main"} <= {" ".join(line.split()[:2]).replace("step 100", "step  100")
                                                  for line in lines} | {
            line.strip()[:14] for line in lines}
    process.communicate("\n")


def follow(*words):
    return subprocess.Popen([sys.executable, "-m", "scope_profiler", "top", *map(str, words), "--interval",
                             "0.1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_it_ends_when_the_run_does(program):
    process = program()
    following = follow(process.pid)
    assert "process" in following.stdout.readline()
    process.communicate("\n")
    out, err = following.communicate(timeout=60)
    assert following.returncode == 0 and err == ""
    assert out.splitlines()[-1].startswith("The run is over: its results are in ")


def test_it_ends_when_the_process_is_killed(program):
    process = program()
    following = follow("out.h5")
    assert "process" in following.stdout.readline()
    process.kill()
    out, err = following.communicate(timeout=60)
    assert following.returncode == 0 and err == ""
    assert f"scope-profiler recover out.h5.{process.pid}.journal" in out.splitlines()[-1]


def test_it_ends_by_an_interrupt_and_the_program_goes_on(program):
    process = program()
    following = follow(process.pid)
    assert "process" in following.stdout.readline()
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=60)
    assert following.returncode == 0 and err == "" and process.poll() is None
    process.communicate("\n")
    assert process.returncode == 0


@pytest.mark.parametrize("target, message", [
    ("missing/x.h5", "missing/x.h5: there is no such file"),
    ("x.h5", "x.h5: there is no journal of a program that runs: a run has one from its first call on"),
    (2**22 + 1, "there is no process 4194305"),
    ("this process", "writes no journal: a run has one from its first call on"),
])
def test_without_a_journal_it_says_what_to_set(target, message):
    done = top(os.getpid() if target == "this process" else target, "--once")
    assert done.returncode == 2 and message in " ".join(done.stderr.split()) and done.stdout == ""


def test_the_table(tmp_path, clock, monkeypatch):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False, label="night")
    with manager.profile_region("main"):
        for number in range(50):
            with manager.profile_region("a region with a name that is quite long, as they are"):
                clock.tick(1000 * number)
                with manager.profile_region("inner"):
                    clock.tick(70_000)
        (journal,) = tmp_path.glob("*.journal")
        update = journal_follower.JournalFollower.update

        def two_seconds_later(self, now_ns=None):  # by the fake clock, which facts do not know of
            begin = self.journal.first[1]
            self.journal.facts["metadata"]["start_time_ns"] = begin
            return update(self, begin + 2 * 10**9)

        monkeypatch.setattr(journal_follower.JournalFollower, "update", two_seconds_later)
        monkeypatch.setattr("scope_profiler.cli.top._title", lambda *about: "scope-profiler: out.h5")
        check_golden(monkeypatch, "top", "top", str(journal), "--once")
    manager.reset()


@pytest.mark.parametrize("columns, expected", [("80", ["flops/s"]), ("120", ["flops/s", "bytes/s"])])
def test_rates_of_work(monkeypatch, columns, expected):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    region = journal_follower.LiveRegion("solve", 3, 1.0, 2.0, 0.5, [1.5], None, {"flops": 2.5e6, "bytes": 7})
    idle = region._replace(name="idle", own=0.5, work_rates={})
    stream = Terminal()
    out = Output(stream)
    print_live(out, "title", journal_follower.Live(10.0, 1, 6, [region, idle], []))
    out.deliver()
    heads, _, first, second = [line.split() for line in stream.getvalue().splitlines()[3:]]
    assert heads[heads.index("Trend") + 1:] == expected
    assert "2.500" in first and second[-1] == "█"


def test_several_processes_and_the_last_minute(program):
    for name in ("w1", "w2"):
        os.mkdir(name), os.chdir(name)
        program()
        os.chdir("..")
        [journal] = [each for each in os.listdir(name) if each.endswith(".journal")]
        os.makedirs("all.h5.children", exist_ok=True)
        os.link(f"{name}/{journal}", f"all.h5.children/{journal}")
    for target in (".", "all.h5", "all*.h5", "w?/*.journal"):
        done = top(target, "--once", "--last", "60")
        assert done.returncode == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[0] == f"scope-profiler: {target}, 2 of 2 processes are running"
        assert "200 calls in" in lines[1] and "2 threads" in lines[1]
        assert lines[2] == "Calls that ended in the last 60 s."
