"""Children of a program: forked, or started by multiprocessing."""

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

from conftest import NEEDS_H5PY, NO_GIL
import scope_profiler as sp

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")

BEGIN = """
import os, signal, sys, threading, time
import scope_profiler as sp
sp.setup(file_path="x.json", auto_finalize=True)
def record(name, number=None):
    with sp.region(name): pass
    return os.getpid()
def wait(child): assert os.waitpid(child, 0)[1] == 0
record("parent")
"""


def run(program, *arguments, begin=BEGIN):
    """What the program, from a file, prints."""
    Path("program.py").write_text(begin + program)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "program.py", *arguments],
        capture_output=True, text=True, timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def calls(path):
    return {region.name: region.num_calls for region in sp.load(path)}


def written():
    """{process, 0 for the main one: calls} of the files of x.json."""
    return {int(path.suffixes[0][1:]) if len(path.suffixes) == 2 else 0: calls(path)
            for path in Path().glob("x*.json")}


# ---- os.fork


@pytest.mark.parametrize("end", ["sys.exit()", "sys.exit(0)", "pass"])
def test_a_child_that_exits_leaves_a_file_of_its_own_and_no_report(end):
    out = run(f"""
with sp.region("around"):
    child = os.fork()
    if child == 0:
        assert sp.get_region("parent").num_calls == 0
        record("child")
if child == 0:
    {end}
else:
    wait(child)
    print(child)
""")
    child = int(out.splitlines()[0])
    assert written() == {0: {"parent": 1, "around": 1}, child: {"child": 1}}
    assert out.count("Written: x.json") == 1 and f"x.{child}.json" not in out
    assert "Child processes wrote 1 file beside it: load_processes('x.json') reads all." in out


def test_what_a_child_finalizes_itself():
    """In the region that it was forked in, and in HDF5."""
    pytest.importorskip("h5py")
    out = run("""
sp.setup(file_path="x.h5", auto_finalize=True, replace=True)
record("parent")
with sp.region("around"):
    if (child := os.fork()) == 0:
        record("child")
        sp.finalize(verbose=False)
        os._exit(0)
    wait(child)
print(child)
""")
    child = int(out.splitlines()[0])
    assert {path.name for path in Path().glob("x.*")} == {"x.h5", f"x.{child}.h5"}
    assert calls("x.h5") == {"parent": 1, "around": 1} and calls(f"x.{child}.h5") == {"child": 1}


def test_children_of_children_are_named_by_their_own_numbers():
    out = run("""
if (child := os.fork()) == 0:
    record("child")
    if (grandchild := os.fork()) == 0:
        record("grandchild")
        os._exit(0) if sys.argv[1:] else sys.exit()
    wait(grandchild)
    print(grandchild, flush=True)
    sys.exit()
wait(child)
print(child)
""")
    grandchild, child = map(int, out.split("\n")[:2])
    assert written() == {0: {"parent": 1}, child: {"child": 1}, grandchild: {"grandchild": 1}}
    results = sp.load_processes("x.json")
    assert results.metadata["process_ids"][1:] == [str(child), str(grandchild)]


def test_a_child_that_records_nothing_or_ends_at_once_leaves_nothing():
    run("""
for end in (sys.exit, os._exit):
    if (child := os.fork()) == 0:
        end is os._exit and record("lost")
        end(0)
    wait(child)
""")
    assert written() == {0: {"parent": 1}}


def test_without_auto_finalize_the_child_finalizes_if_it_wants():
    run("""
sp.setup(file_path="x.json", replace=True)
for n in range(2):
    if (child := os.fork()) == 0:
        record("child")
        if n: sp.finalize(verbose=False)
        sys.exit()
    wait(child)
""")
    assert list(written().values()) == [{"child": 1}]


def test_a_child_goes_on_as_its_parent_did():
    run("""
paused, over, off, none = (sp.ProfileManager() for _ in range(4))
paused.setup(output=None); paused.pause()
off.setup(deactivate_profiling=True)
with over.session(output=None, verbose=False): pass
if (child := os.fork()) == 0:
    assert paused.is_active() and paused._run.is_paused
    assert not over.is_active() and over.is_configured()
    assert not off.is_active() and not none.is_configured()
    for manager in (paused, over, off, none):
        with manager.region("r"): pass
        assert manager.get_region("r").num_calls == 0
    paused.resume()
    with paused.region("r"): pass
    assert paused.get_region("r").num_calls == 1
    assert sp.get_config().file_path == f"x.{os.getpid()}.json"
    os._exit(0)
wait(child)
""")


def test_sessions():
    """A child that leaves it has its file then; one that does not, at its end."""
    out = run("""
import multiprocessing as mp
sp.reset()
children = []
with sp.session(file_path="x.json"):
    process = mp.get_context("fork").Process(target=record, args=("worker",))
    process.start(); process.join()
    if (child := os.fork()) == 0:
        record("child")
        sys.exit()
    wait(child)
print(process.pid, child)
""")
    worker, child = map(int, out.splitlines()[-1].split())
    assert written() == {
        0: {"scope_profiler.session": 1}, worker: {"worker": 1}, child: {"child": 1}}
    assert out.count("Written: ") == 1


@NEEDS_H5PY
def test_runs_that_a_child_begins():
    run("""
if (child := os.fork()) == 0:
    pid = os.getpid()
    for path in ("y.json", f"x_{pid}.json", "y.JSON.gz", "a.b/y", "a/x.json"):
        assert sp.setup(file_path=path, replace=True).file_path == path
        sp.ProfileManager.set_config(sp.get_config())
        assert sp.ProfileManager._default._run.file_path == path
    for path in ("x.json", os.path.abspath("x.json")):      # that of the parent's run
        path = sp.setup(file_path=path, replace=True).file_path
        assert os.path.basename(path) == f"x.{pid}.json"
        sp.ProfileManager.set_config(sp.get_config())
        assert sp.ProfileManager._default._run.file_path == path
    assert sp.setup(file_path="{pid}-{run}.h5", replace=True).file_path.startswith(f"{pid}-")
    with sp.session(file_path="own.json", replace=True, verbose=False): pass
    assert os.path.exists("own.json")
    os._exit(0)
wait(child)
""")


def test_a_fork_before_the_first_run_makes_a_program_of_its_own():
    """As that of a daemon."""
    run("""
import os, sys, scope_profiler as sp
child = os.fork()
if child == 0:
    sp.setup(file_path="x.json", auto_finalize=True)
    with sp.region("daemon"): pass
else:
    os.waitpid(child, 0)
""", begin="")
    assert written() == {0: {"daemon": 1}}


STORM = """
import asyncio, os, signal, sys, threading
import scope_profiler as sp
with sp.ProfileManager().session(file_path="before.json", verbose=False): pass  # loads what finalize() needs
sp.setup(file_path="s.json", verbose=False, SETTINGS)
ready, stop = threading.Barrier(4), False

@sp.profile("decorated", metadata=lambda n: {"n": n}, record_outcome=True)
def decorated(n):
    return [i for i in range(n)]

@sp.profile("steps")
def steps(n):
    for i in range(n):
        yield decorated(i)

async def task():
    with sp.region("task"):
        await asyncio.sleep(0)

def busy():
    ready.wait()
    n = 0
    while not stop:
        n += 1
        with sp.metadata(n=n), sp.region("busy"), sp.region(f"name {n % 700}"):
            list(steps(3))

def in_child(opened):
    signal.alarm(60)
    list(opened)        # begun before the fork
    for n in range(50):
        with sp.metadata(n=n), sp.region("child"):
            list(steps(2))
    asyncio.run(task())
    results = sp.finalize(verbose=False, return_results=True)
    counts = {region.name: region.num_calls for region in results}
    assert counts.get("child") == 50 and counts["task"] == 1, counts
    assert not counts.keys() & {"busy", "around", "forking"}, counts
    if (grandchild := os.fork()) == 0:
        with sp.region("grandchild"): pass
        sp.finalize(verbose=False)
        assert sp.get_region("child").num_calls == 0
        os._exit(0)
    assert os.waitpid(grandchild, 0)[1] == 0

@sp.profile("forking")
def fork():
    return os.fork()

def parent(failed):
    ready.wait()
    for _ in range(2):
        opened = steps(3)
        next(opened)
        with sp.metadata(around=1), sp.region("around"):
            child = fork()
        if child == 0:
            try:
                in_child(opened)
                os._exit(0)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
        failed.append(os.waitpid(child, 0)[1])
        list(opened)

sys.setswitchinterval(1e-4)
failed = []
threads = [threading.Thread(target=busy) for _ in range(2)]
threads += [threading.Thread(target=parent, args=(failed,)) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads[2:]: thread.join()
stop = True
for thread in threads: thread.join()
assert failed == [0] * 4, failed
counters = sp.ProfileManager._default._counters()
assert not (counters["unmatched"] or counters["lost"] or counters["open"]), counters
of = {name: sp.get_region(name).num_calls for name in sp.recorded_regions()}
assert of["around"] == of["forking"] == 4, of
assert of["steps"] == of["busy"] + 4 and of["decorated"] == 3 * of["steps"], of
"""


@pytest.mark.parametrize("settings", [
    "", "use_line_profiler=True", "track_async=True", "recursive_profile=True",
    "track_threads=True, aggregation_mode=True, use_line_profiler=True, recursive_profile=True",
])
def test_forks_in_threads_while_others_record(settings):
    """In children of whatever thread, only what they did themselves; in the parent, as if there
    had been no fork; and no one waits for who is not there."""
    if NO_GIL and ("line" in settings or "recursive" in settings):
        pytest.skip("a fork while another thread collects garbage leaves a child of the free-threaded "
                    "3.13 that waits for ever when it sets events of sys.monitoring")
    run(STORM.replace("SETTINGS", settings), begin="")
    assert len(list(Path().glob("s.*.json"))) == 8


def test_a_fork_waits_while_another_thread_loads_modules():
    run("""
from scope_profiler._runtime import processes
entered, left = threading.Event(), False
def load():
    global left
    with processes.unforked():
        entered.set()
        time.sleep(0.2)
        left = True
threading.Thread(target=load).start()
entered.wait()
if (child := os.fork()) == 0:
    assert left
    with processes.unforked(): pass
    os._exit(0)
wait(child)
processes._PATIENCE = 0.01
left = False
entered.clear()
threading.Thread(target=load).start()
entered.wait()
if (child := os.fork()) == 0:       # it need not wait for ever
    assert not left
    with processes.unforked(): pass
    os._exit(0)
wait(child)
""")


# ---- multiprocessing

WORKERS = """
import multiprocessing as mp, os, sys, time
import scope_profiler as sp
sp.setup(file_path="x.json", auto_finalize=True)

@sp.profile("work")
def work(n=0):
    time.sleep(0.002)
    return os.getpid()

if __name__ == "__main__":
    sp.region("parent").__enter__()
    context = mp.get_context(sys.argv[1])
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_keep_what_they_record(method):
    out = run(WORKERS + """
    from concurrent.futures import ProcessPoolExecutor
    process = context.Process(target=work)
    process.start(); process.join()
    with context.Pool(1) as pool:           # which terminates them
        of_pool = pool.map(work, range(5))
    pool = context.Pool(1)
    of_pool += pool.map(work, range(7)); pool.close(); pool.join()
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        of_pool += pool.map(work, range(9))
    print(process.pid, *of_pool)
""", method, begin="")
    first, *rest = map(int, out.splitlines()[0].split())
    expected = {first: {"work": 1}, **{pid: {"work": rest.count(pid)} for pid in rest}}
    assert written() == {0: {}, **expected} and len(expected) == 4
    results = sp.load_processes("x.json")
    assert results["work"].num_calls == 22 and results.num_ranks == 5
    assert {int(pid) for pid in results.metadata["process_ids"][1:]} == {*expected}
    assert all(results.metadata["process_names"][1:])
    assert out.count("Written:") == 1 and "Child processes wrote 4 files" in out


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_runs_that_workers_begin(method):
    """All processes of a pool set up with one path, and the main one does not record: the path is
    of who writes first."""
    out = run("""
import multiprocessing as mp, os, sys
import scope_profiler as sp
def begin():
    sp.setup(file_path="x.json", auto_finalize=True)
def work(n):
    with sp.region("work"): pass
    with sp.ProfileManager().session(file_path="task.json", verbose=False) as session:
        pass
    return os.getpid(), session.file_path
if __name__ == "__main__":
    with mp.get_context(sys.argv[1]).Pool(2, begin, maxtasksperchild=3) as pool:
        for line in pool.map(work, range(9), chunksize=1): print(*line)
""", method, begin="")
    lines = [line.split() for line in out.splitlines()]
    assert len({pid for pid, _ in lines}) == len({name for _, name in lines})
    assert {name for pid, name in lines if name != f"task.{pid}.json"} == {"task.json"}
    assert sum(of["work"] for of in written().values()) == 9 and 0 in written()
    assert sp.load_processes("x.json")["work"].num_calls == 9


def test_workers_of_workers_and_threads_that_outlive_the_target():
    out = run("""
import multiprocessing as mp
def late():
    time.sleep(0.05)
    record("late")
def outer():
    record("outer")
    process = mp.Process(target=record, args=("inner",))
    process.start(); process.join()
    print(process.pid, flush=True)
    threading.Thread(target=late).start()
process = mp.get_context("fork").Process(target=outer)
process.start(); process.join()
print(process.pid)
""")
    inner, outer = map(int, out.splitlines()[:2])
    assert written() == {0: {"parent": 1}, outer: {"outer": 1, "late": 1}, inner: {"inner": 1}}


def test_how_workers_are_ended():
    """SIGTERM, in whatever number, leaves the file; SIGKILL and os._exit() do not. A handler of
    the program's own is left in its place."""
    out = run("""
import multiprocessing as mp
mp.set_start_method("fork")
def begins(ready, handles=False):
    if handles: signal.signal(signal.SIGTERM, lambda *_: os._exit(5))
    record("worker")
    ready.set()
    while True: time.sleep(0.001)
def leaves():
    record("worker")
    os._exit(0)
def ended(end, **settings):
    ready = mp.Event()
    process = mp.Process(target=begins, args=(ready,), kwargs=settings, daemon=True)
    process.start(); ready.wait(); end(process); process.join()
    print(process.pid, process.exitcode)
def often(process):
    for _ in range(20): process.terminate(); time.sleep(0.001)
ended(mp.Process.terminate)
ended(often)
ended(mp.Process.kill)
ended(mp.Process.terminate, handles=True)
process = mp.Process(target=leaves); process.start(); process.join()
ready = mp.Event()
daemon = mp.Process(target=begins, args=(ready,), daemon=True); daemon.start(); ready.wait()
print(daemon.pid)
""")
    rows = [list(map(int, line.split())) for line in out.splitlines()[:5]]
    assert [row[1] for row in rows[:4]] == [-signal.SIGTERM, -signal.SIGTERM, -signal.SIGKILL, 5]
    kept = {rows[0][0], rows[1][0], rows[4][0]}
    assert written() == {0: {"parent": 1}, **{pid: {"worker": 1} for pid in kept}}


def test_a_signal_before_a_child_has_runs_of_its_own():
    """The file of the parent is not the child's to write."""
    out = run("""
wait_for = lambda child: os.waitpid(child, 0)[1]
print(wait_for(os.fork() or os._exit(0)))
child = os.fork()
if child == 0: time.sleep(9)
print(wait_for(child))
print(os.listdir().count("x.json"))
ends = False
child = os.fork()
if child == 0:
    record("child")
    os.kill(os.getpid(), signal.SIGTERM)
print(child, wait_for(child))
""", begin="""
import os, signal
ends = True
# Called before what was registered later.
os.register_at_fork(after_in_child=lambda: ends and os.kill(os.getpid(), signal.SIGTERM))
""" + BEGIN)
    first, second, files, third = out.splitlines()[:4]
    assert (int(first), int(second), int(files)) == (signal.SIGTERM, signal.SIGTERM, 0)
    pid, status = map(int, third.split())
    assert status == signal.SIGTERM
    assert written() == {0: {"parent": 1}, pid: {"child": 1}}


def test_a_signal_while_a_worker_writes():
    out = run("""
import multiprocessing as mp
def works(ready):
    record("worker")
    sync = os.fsync
    def fsync(file):
        ready.set()
        time.sleep(0.2)
        sync(file)
    os.fsync = fsync
    sp.finalize(verbose=False)
    time.sleep(9)
context = mp.get_context("fork")
ready = context.Event()
process = context.Process(target=works, args=(ready,), daemon=True)
process.start(); ready.wait(); process.terminate(); process.join()
print(process.pid, process.exitcode)
""")
    pid, status = map(int, out.splitlines()[0].split())
    assert status == -signal.SIGTERM and written() == {0: {"parent": 1}, pid: {"worker": 1}}


@NEEDS_H5PY
@pytest.mark.parametrize("detail", ["'minimal'", "'full'"])
def test_finalize_starts_no_process(detail):
    """Which gevent's subprocess would wait for in a process that ends, where nobody tells it of the end."""
    run("", begin="""
import subprocess
def starts(*arguments, **settings):
    raise SystemExit("a process was started")
subprocess.Popen = starts
""" + BEGIN.replace("x.json", "x.h5").replace("sp.setup(", "sp.setup(metadata_detail=" + detail + ", "))
    assert calls("x.h5") == {"parent": 1}


def test_processes_that_subprocess_starts_are_programs_of_their_own():
    run("""
import subprocess
program = "import scope_profiler as sp; sp.setup(file_path='z.json', auto_finalize=True)"
subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
""")
    assert not list(Path().glob("z.*.json"))
    one, other = (sp.load(path).metadata for path in ("x.json", "z.json"))
    assert one["program_id"] != other["program_id"] and "parent_process_id" not in other


def test_multiprocessing_is_not_loaded_for_it():
    out = run("""
if (child := os.fork()) == 0:
    record("child")
    sys.exit()
wait(child)
sp.finalize(verbose=False)
print(any(name.startswith("multiprocessing") for name in sys.modules))
""")
    assert out.splitlines()[0] == "False"
