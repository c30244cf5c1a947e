"""process_end.py, and what the core does when the process ends: no crash, and data kept."""

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp

BEGIN = """
import os, signal, sys, threading, time
import scope_profiler as sp
sp.setup(file_path="x.json", auto_finalize=True)
with sp.region("done"): pass
"""


def run(program, *flags, begin=BEGIN, timeout=60, **how):
    """The program, from a file."""
    Path("program.py").write_text(begin + program)
    return python(*flags, "program.py", timeout=timeout, **how)


def python(*arguments, **how):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **how)


def calls(path="x.json"):
    return {region.name: region.num_calls for region in sp.load(path)}


# ---- How programs end

ENDS = {
    "sys.exit in a block": ("with sp.region('block'): sys.exit(3)", 3, "", {"block": 1}),
    "sys.exit in a call": ("@sp.profile\ndef call(): sys.exit('no')\ncall()", 1, "no", {"call": 1}),
    "an exception": ("with sp.region('block'): 1 / 0", 1, "ZeroDivisionError", {"block": 1}),
    "Ctrl-C": (
        "with sp.region('block'): os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
        -signal.SIGINT, "KeyboardInterrupt", {"block": 1}),
    "regions open": ("kept = sp.region('open'); kept.__enter__()", 0, "", {}),
    "a generator open": (
        "@sp.profile\ndef steps(): yield\nkept = steps(); next(kept)", 0, "", {}),
    "an exception in a thread": (
        "@sp.profile\ndef call(): 1 / 0\nthreading.Thread(target=call).start()",
        0, "ZeroDivisionError", {"call": 1}),
    "a thread that outlives the last line": (
        "@sp.profile\ndef late(): threading.main_thread().join()\n"
        "threading.Thread(target=late).start()", 0, "", {"late": 1}),
    "a pool that is not shut down": (
        "from concurrent.futures import ThreadPoolExecutor\n@sp.profile\ndef task(): pass\n"
        "pool = ThreadPoolExecutor(2); jobs = [pool.submit(task) for _ in range(20)]",
        0, "", {"task": 20}),
}


@pytest.mark.parametrize("program, status, message, more", ENDS.values(), ids=ENDS)
def test_what_has_ended_is_kept(program, status, message, more):
    done = run(program)
    assert done.returncode == status
    assert message in done.stderr if message else done.stderr == ""
    assert calls() == {"done": 1, **more}
    assert done.stdout.count("Written: x.json") == 1


def test_an_end_without_exit_handlers_loses_it():
    """As docs/differences.md says."""
    done = run("os._exit(4)")
    assert (done.returncode, done.stdout, done.stderr) == (4, "", "")
    assert not os.path.exists("x.json")


CALLED = """
from scope_profiler._runtime import process_end
process_end.call_at_exit(lambda: print("called", flush=True))
process_end.call_at_exit(lambda: 1 / 0)
"""


@pytest.mark.parametrize("program, status", [
    ("", 0), ("sys.exit(3)", 3), ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -signal.SIGTERM),
    ("if os.fork() == 0: sys.exit()\nos.wait()", 0),
    ("import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start(); p.join()", 0),
])
def test_functions_are_called_once(program, status):
    done = run(CALLED + program)
    assert done.returncode == status
    assert done.stdout.count("called") == 1 and calls() == {"done": 1}
    assert done.stderr.count("ZeroDivisionError") == 1 and "Traceback" not in done.stderr


def test_a_function_can_be_forgotten():
    done = run("from scope_profiler._runtime.process_end import call_at_exit, forget_call\n"
               "call_at_exit(print)\ncall_at_exit(sys.stderr.write)\nforget_call(sys.stderr.write)")
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_printed_at_the_end_can_be_silenced():
    again = "sp.setup(file_path='y.json', auto_finalize=True, replace=True, verbose={})\n"
    for more, lines in (("False", 0), ("None", 1), ("True", 1)):
        done = run(again.format(more))
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.count("Written: y.json") == lines and calls("y.json") == {}
    done = run("sp.setup_from_env(file_path='y.json', auto_finalize=True, replace=True)",
               env={**os.environ, "SCOPE_PROFILER_VERBOSE": "0"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_threads_that_go_on_record_nothing_any_more():
    """Else the last results grow while they are taken."""
    done = run("""
from scope_profiler._run import snapshot
def busy():
    while True:
        with sp.region("busy"): pass
for _ in range(3): threading.Thread(target=busy, daemon=True).start()
while not sp.get_region("busy").num_calls: pass
region, take = sp.get_region("busy"), snapshot.take_snapshot
def watched(manager, *how):
    before = region.num_calls
    time.sleep(0.05)
    print("more" if region.num_calls > before else "as many", manager._recording, flush=True)
    return take(manager, *how)
snapshot.take_snapshot = watched
sp.setup(file_path="x.json", auto_finalize=True, replace=True, verbose=False)
while not sp.get_region("busy").num_calls: pass
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "as many False\n", "")
    assert calls()["busy"] >= 1


@NEEDS_H5PY
@pytest.mark.parametrize("how", [[], ["-m", "scope_profiler", "run", "-q", "-o", "x.h5"]])
def test_the_run_ends_before_anything_is_loaded_for_its_file(how):
    Path("program.py").write_text("""
import sys, time
import scope_profiler as sp
class Watcher:
    def find_spec(name, path=None, target=None):
        if name in ("numpy", "h5py"): print(name, time.perf_counter_ns())
sys.meta_path.insert(0, Watcher)
if sys.argv[1:]: sp.setup(file_path="x.h5", auto_finalize=True, verbose=False)
with sp.region("r"): pass
""")
    done = python(*how, "program.py", *[] if how else ["alone"])
    assert done.returncode == 0, done.stderr
    looked_up = dict(line.split() for line in done.stdout.splitlines())  # the last time of each is the import
    assert sp.load("x.h5").metadata["finalize_time_ns"] < min(map(int, looked_up.values())), looked_up.keys()


def test_exit_handlers_of_the_program():
    """Those that it registered after setup() run before ours, and what they record is there."""
    done = run("""
import atexit, scope_profiler as sp
def record(name):
    with sp.region(name): pass
atexit.register(record, "after ours")
sp.setup(file_path="x.json", auto_finalize=True)
atexit.register(record, "before ours")
""", begin="")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls() == {"before ours": 1}


def test_regions_while_modules_are_torn_down():
    done = run("""
class Late:
    def __init__(self, name): self.name = name
    @sp.profile("method")
    def method(self): pass
    def __del__(self, region=sp.region):
        with region(self.name):
            self.method()
Late("early")
kept = Late("late")
sys.kept = Late("later still")
cycle = [Late("in a cycle")]; cycle.append(cycle)
""")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls() == {"done": 1, "early": 1, "method": 1}


@pytest.mark.parametrize("settings", [
    "", "use_line_profiler=True", "recursive_profile=True", "track_async=True",
    "track_threads=True, aggregation_mode=True",
])
def test_daemon_threads_inside_regions(settings):
    done = run(f"""
import asyncio, sys, threading, scope_profiler as sp
sys.setswitchinterval(1e-5)     # that the main thread gets its turn soon
sp.setup(file_path="x.json", auto_finalize=True, {settings})
ready = threading.Barrier(4)
@sp.profile("call")
def call(n):
    with sp.region("block"):
        return [i for i in range(n)]
@sp.profile("steps")
def steps():
    while True:
        yield call(3)
async def task():
    ready.wait()
    while True:
        with sp.region("task"):
            await asyncio.sleep(0)
def busy():
    kept = steps()
    ready.wait()
    while True:
        next(kept)
def waits():
    with sp.region("waits"):
        ready.wait()
        threading.Event().wait()
for target in (busy, waits, lambda: asyncio.run(task())):
    threading.Thread(target=target, daemon=True).start()
ready.wait()
while not sp.get_region("call").num_calls: pass
""", begin="")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls()["call"] >= 1 and "waits" not in calls()


# ---- Once, and whole


def test_who_finalizes_in_an_exit_handler_gets_one_report():
    done = run("import atexit; atexit.register(sp.finalize)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Written: x.json") == 1


def test_what_is_recorded_after_a_finalize_is_in_the_file():
    done = run("sp.finalize()\nwith sp.region('more'): pass")
    assert done.stdout.count("Written: x.json") == 1
    assert calls() == {"done": 1, "more": 1}


def test_nothing_is_written_after_the_last_finalize_without_need():
    done = run("sp.finalize(verbose=False)\nos.remove('x.json')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not os.path.exists("x.json")


def test_what_cannot_be_written_is_said_and_the_status_stays():
    os.mkdir("folder")
    done = run("""
sp.setup(file_path="folder/x.json", auto_finalize=True, replace=True)
other = sp.ProfileManager()
other.setup(file_path="y.json", auto_finalize=True)
os.rmdir("folder")
open("folder", "w").close()
sys.exit(7)
""")
    assert done.returncode == 7
    [line] = done.stderr.splitlines()
    assert line.startswith("scope-profiler: finalize() at the end of the process failed: FileEx")
    assert "folder" in line
    assert calls("y.json") == {}


@pytest.mark.parametrize("suffix", ["json", "h5"])
def test_an_interrupt_while_the_file_is_written(suffix):
    """The old file stays, whole, and the journal has what is new."""
    path = f"x.{suffix}"
    if suffix == "h5":
        pytest.importorskip("h5py")
    sp.setup(file_path=path)
    sp.finalize(verbose=False)
    done = run(f"""
sp.setup(file_path={path!r}, auto_finalize=True, replace=True)
with sp.region("new"): pass
os.fsync = lambda file: os.kill(os.getpid(), signal.SIGINT)
""")
    first, second = done.stderr.splitlines()
    assert first == ("scope-profiler: finalize() at the end of the process failed: "
                     "KeyboardInterrupt: interrupted")
    assert done.returncode == 0
    assert calls(path) == {}
    (journal,) = Path().glob("*.journal")
    assert second.endswith(f"scope-profiler recover {journal.absolute()}")
    assert calls(journal) == {"new": 1}
    assert sorted(os.listdir()) == sorted([path, "program.py", journal.name])


def test_streams_that_are_gone():
    done = run("sys.stdout = sys.stderr = None")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert calls() == {"done": 1}
    done = run("sys.stderr = None; manager = sp.ProfileManager(); "
               "manager.setup(auto_finalize=True, file_path='program.py/x.json')")
    assert (done.returncode, done.stderr) == (0, "")
    assert "program.py" not in done.stdout and calls() == {"done": 1}


# ---- Ways in which programs begin


@pytest.mark.parametrize("suffix", ["json", "h5"])
def test_development_mode_finds_nothing(suffix):
    if suffix == "h5":
        pytest.importorskip("h5py")
    done = run(f"sp.setup(file_path='y.{suffix}', auto_finalize=True, replace=True, "
               "use_line_profiler=True, track_async=True)\nwith sp.region('r'): x = 1",
               "-X", "dev", "-W", "error")
    assert (done.returncode, done.stderr) == (0, "")
    assert calls(f"y.{suffix}") == {"r": 1}


def test_programs_without_a_file():
    for arguments, text in ((["-c", BEGIN], None), (["-"], BEGIN), (["-i", "-q"], BEGIN)):
        done = python(*arguments, input=text)
        assert done.returncode == 0 and "Error" not in done.stderr
        assert calls() == {"done": 1} and "Written: x.json" in done.stdout
        os.remove("x.json")


# ---- HDF5, which had been written to before


@pytest.mark.parametrize("end", [
    "sp.setup(file_path='last.h5', auto_finalize=True)\nwith sp.region('work'): pass",
    "import os\nsp.setup(file_path='last.h5', auto_finalize=True)\n"
    "if (child := os.fork()): os.waitpid(child, 0); sp.reset()\n"
    "else:\n    with sp.region('work'): pass",
    "import multiprocessing\n"
    "def work():\n    with sp.region('work'): pass\n"
    "with sp.session(file_path='last.h5', verbose=False):\n"
    "    child = multiprocessing.get_context('fork').Process(target=work)\n"
    "    child.start()\n    child.join()\n",
], ids=["the process", "a fork", "a worker"])
def test_a_file_in_hdf5_after_another_run_had_one(tmp_path, monkeypatch, end):
    pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    done = run(end, begin="import scope_profiler as sp\n"
                          "with sp.session(file_path='first.h5', verbose=False):\n"
                          "    with sp.region('first'): pass\n")
    assert (done.returncode, done.stderr) == (0, "")
    written = [path for path in tmp_path.glob("last*.h5") if "work" in sp.load(path).region_names]
    assert len(written) == 1
