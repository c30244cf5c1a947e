"""_runtime/following.py, spawning.py, _launch/startup, _run/children.py: child processes that are
recorded with the program."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

from conftest import NEEDS_H5PY
import scope_profiler as sp

pytestmark = [NEEDS_H5PY, pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")]

CHILD = """
import scope_profiler as sp
with sp.region("child"): pass
"""


@pytest.fixture(autouse=True)
def child():
    Path("child.py").write_text(CHILD)


def run(program, *options, command=(), code=0, env=None):
    """What a program prints that runs under the command, with its children."""
    Path("program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "scope_profiler", "run", "--follow-children", "-q", "-o", "run.h5", *options,
         "program.py", *command],
        capture_output=True, text=True, timeout=120, env=env,
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def processes(path="run.h5"):
    """[(name, regions of the parent, {region: calls}), ...] of each process."""
    results = sp.load(path)
    facts = results.metadata
    return [
        (name, below, {region.name: region[rank].num_calls for region in results if rank in region})
        for rank, (name, below) in enumerate(zip(facts["process_names"], facts["parent_regions"]))
    ]


def left():
    """What is there besides the programs."""
    return sorted(path.name for path in Path().iterdir() if path.suffix != ".py")


STARTS = {
    "run": "subprocess.run([sys.executable, 'child.py'], check=True)",
    "without an environment": "subprocess.run([sys.executable, 'child.py'], check=True, env={})",
    "a shell": "subprocess.run(f'{sys.executable} child.py; true', shell=True, check=True)",
    "posix_spawn": "os.waitpid(os.posix_spawn(sys.executable, [sys.executable, 'child.py'], os.environ), 0)",
    "posix_spawn for subprocess": "subprocess.run([sys.executable, 'child.py'], check=True, close_fds=False)",
    "system": "os.system(f'{sys.executable} child.py')",
    "spawnv": "os.spawnv(os.P_WAIT, sys.executable, [sys.executable, 'child.py'])",
    "spawnve": "os.spawnve(os.P_WAIT, sys.executable, [sys.executable, 'child.py'], {'A': '1'})",
    "asyncio": "asyncio.run(started())",
}


def test_every_way_to_start_a_program():
    run(f"""
import asyncio, os, subprocess, sys
import scope_profiler as sp
async def started():
    await (await asyncio.create_subprocess_exec(sys.executable, "child.py")).wait()
with sp.region("all"):
    for name, start in {STARTS!r}.items():
        with sp.region(name):
            exec(start)
""")
    _, *children = processes()
    assert children == [("child.py", f"all > {name}", {"child": 1}) for name in STARTS]
    assert left() == ["run.h5"]
    facts = sp.load("run.h5").metadata
    assert {*facts["parent_process_ids"][1:]} == {facts["process_ids"][0]}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_of_multiprocessing(method):
    """With the setup() of the program itself, which is called in each of them again."""
    Path("program.py").write_text(f"""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import scope_profiler as sp

@sp.profile("task")
def task(n): return n

sp.setup(file_path="run.h5", follow_children=True, auto_finalize=True, verbose=False)
if __name__ == "__main__":
    start = multiprocessing.get_context({method!r})
    with sp.region("pool"), start.Pool(2) as pool:
        pool.map(task, range(10), chunksize=1)
    with sp.region("process"):
        one = start.Process(target=task, args=(1,))
        one.start()
        one.join()
    with sp.region("executor"), ProcessPoolExecutor(1, mp_context=start) as executor:
        [*executor.map(task, range(5))]
    late = start.Process(target=task, args=(1,))
    late.start()
""")
    subprocess.run([sys.executable, "-W", "ignore", "program.py"], check=True, timeout=120)
    found = processes()
    assert found[0] == ("", "", {"pool": 1, "process": 1, "executor": 1})
    below = {}
    for name, regions, calls in found[1:]:
        assert calls.keys() == {"task"} and "Process-" in name or "Worker-" in name
        below[regions] = below.get(regions, 0) + calls["task"]
    assert below == {"pool": 10, "process": 1, "executor": 5, "": 1}
    assert left() == ["run.h5"]


def test_children_of_children_and_functions():
    run("""
import os, subprocess, sys
def work(depth):
    if depth:
        subprocess.run([sys.executable, "program.py", str(depth - 1)], check=True)
work(int(sys.argv[1]))
""", "--functions", command=["2"])
    results = sp.load("run.h5")
    assert results["__main__.work"].num_calls_per_rank() == {0: 1, 1: 1, 2: 1}
    facts = results.metadata
    assert facts["parent_process_ids"] == ["", *facts["process_ids"][:2]]
    below = "__main__.<module> > __main__.work"
    assert facts["parent_regions"] == ["", f"program.py > {below}", below]


def test_lines_of_a_child():
    Path("child.py").write_text("def work():\n    return 1\nwork()\n")
    run("import subprocess, sys; subprocess.run([sys.executable, 'child.py'])", "--lines", "work")
    [entry] = sp.load("run.h5").line_profile[1]
    assert (entry["function"], list(entry["hits"])) == ("work", [1])


def test_a_process_that_becomes_another():
    run("""
import os, sys
import scope_profiler as sp
with sp.region("before"): pass
try:
    os.execv("/nowhere", ["x"])
except OSError:
    pass
os.execv(sys.executable, [sys.executable, "child.py"])
""")
    assert [calls for _, _, calls in processes()] == [{"child": 1}, {"before": 1}]
    assert {*sp.load("run.h5").metadata["process_ids"]} == {str(sp.load("run.h5").metadata["process_id"])}
    assert left() == ["run.h5"]


@pytest.mark.parametrize("options, known", [(("--no-journal",), 0), ((), 7)])
def test_a_child_that_is_killed(options, known):
    Path("child.py").write_text("""
import os, signal
import scope_profiler as sp
for _ in range(7):
    with sp.region("dies"): pass
os.kill(os.getpid(), signal.SIGKILL)
""")
    run("import subprocess, sys; subprocess.run([sys.executable, 'child.py'])", *options)
    results = sp.load("run.h5")
    assert ("dies" in results.region_names and results["dies"].num_calls) == known
    assert left() == ["run.h5"]


def test_a_child_that_is_terminated():
    Path("child.py").write_text("""
import scope_profiler as sp
with sp.region("child"): pass
print(flush=True)
input()
""")
    run("""
import subprocess, sys
with subprocess.Popen([sys.executable, "child.py"], stdout=subprocess.PIPE, stdin=subprocess.PIPE) as child:
    child.stdout.readline()
    child.terminate()
    assert child.wait() == -15
""")
    assert processes()[1] == ("child.py", "", {"child": 1})


def test_a_child_that_ends_after_the_program():
    Path("child.py").write_text("""
import sys
import scope_profiler as sp
with sp.region("child"): pass
sys.stdin.read()
""")
    held, ours = os.pipe()
    os.set_inheritable(held, True)
    Path("program.py").write_text(f"""
import subprocess, sys
subprocess.Popen([sys.executable, "child.py"], stdin={held})
""")
    done = subprocess.Popen([sys.executable, "-m", "scope_profiler", "run", "--follow-children", "-q", "-o",
                             "run.h5", "program.py"], pass_fds=[held], stdout=subprocess.PIPE)
    assert done.wait(120) == 0
    assert sp.load("run.h5").region_names == []
    os.close(held)
    os.close(ours)
    done.stdout.read()  # to its end, which is that of the child
    done.stdout.close()
    assert sp.load_processes("run.h5")["child"].num_calls_per_rank() == {1: 1}


def test_sitecustomize_of_the_user_and_flags_of_python():
    """Python starts as without us, in each way to start it."""
    Path("site").mkdir()
    Path("site", "sitecustomize.py").write_text("import builtins; builtins.customized = __name__")
    Path("child.py").write_text("""
import os, sys
print([os.path.basename(path) for path in sys.path if "startup" in path],
      getattr(__builtins__, "customized", None), "scope_profiler" in sys.modules)
""")
    out = run("""
import subprocess, sys
for flags in (), ("-I",), ("-E",), ("-S",), ("-P",):
    subprocess.run([sys.executable, *flags, "child.py"], check=True)
""", env={**os.environ, "PYTHONPATH": "site"})
    assert out.splitlines() == [
        "[] sitecustomize True", "[] None False", "[] None False", "['startup'] None False",
        "[] sitecustomize True"]


def test_a_child_without_the_package_in_its_path_or_that_cannot_be_recorded():
    out = run("""
import os, subprocess, sys
program = "import sys; print('scope_profiler' in sys.modules)"
subprocess.run([sys.executable, "-c", program], check=True)
told = dict(os.environ, SCOPE_PROFILER_FOLLOW="no json")
subprocess.run([sys.executable, "-c", "print('runs')"], check=True, env=told, stderr=subprocess.DEVNULL)
""")
    assert out.split()[0] == "True" and out.split()[-1] in ("runs", "True")


def test_a_child_with_a_run_of_its_own():
    """It has its own file, and its report, as ever; and is in the program's."""
    Path("child.py").write_text("""
import scope_profiler as sp
sp.setup(file_path="own.h5")
with sp.region("child"): pass
sp.finalize()
""")
    out = run("import subprocess, sys; subprocess.run([sys.executable, 'child.py'], check=True)")
    assert "Written: own.h5" in out and sp.load("own.h5").region_names == ["child"]
    assert processes()[1][2] == {"child": 1} and left() == ["own.h5", "run.h5"]


def test_in_memory_and_what_is_left_of_it():
    """What was merged once stays; afterwards the environment is as before."""
    program = """
import glob, os, subprocess, sys, tempfile
import scope_profiler as sp
before = {**os.environ}
sp.setup(output=None, follow_children=True)
def start():
    with sp.region("start"):
        subprocess.run([sys.executable, "child.py"], check=True)
    return {region.name: region.num_calls for region in sp.finalize(verbose=False, return_results=True)}
assert start() == {"start": 1, "child": 1}
assert start() == {"start": 2, "child": 2}
assert sp.last_results()["child"].num_calls == 2
[folder] = glob.glob(os.path.join(tempfile.gettempdir(), "scope-profiler-*"))
sp.setup(output=None, replace=True)
assert {**os.environ, "SCOPE_PROFILER_PATHS": ""} == {**before, "SCOPE_PROFILER_PATHS": ""}
assert subprocess._fork_exec.__name__ != "fork_exec" or subprocess._fork_exec.__module__ == "_posixsubprocess"
"""
    Path("program.py").write_text(program)
    Path("tmp").mkdir()
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120,
                   env={**os.environ, "TMPDIR": str(Path("tmp").absolute())})
    assert not [*Path("tmp").iterdir()]


def test_parts_have_each_child_once():
    program = """
import subprocess, sys
import scope_profiler as sp
sp.setup(file_path="run.h5", follow_children=True, verbose=False)
for _ in range(2):
    subprocess.run([sys.executable, "child.py"], check=True)
    part = sp.finalize(return_results=True, start_over=True)
    assert part["child"].num_calls == 1, part["child"].num_calls
"""
    Path("program.py").write_text(program)
    subprocess.run([sys.executable, "program.py"], check=True, timeout=120)
    assert left() == ["run-2.h5", "run.h5"]


def test_the_report_tells_the_processes():
    Path("program.py").write_text("""
import subprocess, sys
import scope_profiler as sp
with sp.region("launch"): subprocess.run([sys.executable, "child.py"], check=True)
""")
    for command in (["run", "--follow-children", "-o", "run.h5", "program.py"], ["inspect", "run.h5"]):
        done = subprocess.run([sys.executable, "-m", "scope_profiler", *command], capture_output=True,
                              text=True, timeout=120)
        assert done.returncode == 0 and "(2 processes)" in done.stdout
        assert "Processes: 2" in done.stdout
        [row] = [line for line in done.stdout.splitlines() if line[:1].isdigit() and "child.py" in line]
        assert row.split()[4] == "launch"


def test_without_the_setting_children_are_left_alone():
    out = subprocess.run(
        [sys.executable, "-m", "scope_profiler", "run", "-q", "--no-output", "-c",
         "import subprocess, sys\n"
         "subprocess.run([sys.executable, '-c', 'import sys; print(\"scope_profiler\" in sys.modules)'])"],
        capture_output=True, text=True, timeout=120)
    assert out.stdout == "False\n"


JOBLIB = """
import os, signal
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
import scope_profiler as sp

def inner(number):
    with sp.region("inner"):
        return number

def work(number):
    with sp.region("task"):
        return sum(Parallel(n_jobs=2)(delayed(inner)(each) for each in range(3)))

def killed():
    for _ in range(7):
        with sp.region("dies"): pass
    os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    for backend in "loky", "multiprocessing", "threading":
        with sp.region(backend):
            assert sum(Parallel(n_jobs=2, backend=backend)(delayed(work)(each) for each in range(5))) == 15
    with sp.region("killed"):
        try:
            Parallel(n_jobs=2)([delayed(killed)()])
        except TerminatedWorkerError:
            print("terminated")
    with sp.region("after"):
        assert sum(Parallel(n_jobs=2, return_as="generator")(delayed(work)(each) for each in range(5))) == 15
"""


def test_workers_of_joblib():
    """Of all its backends; one worker is killed, with which loky ends the others."""
    pytest.importorskip("joblib", reason="joblib is not installed")
    assert run(JOBLIB) == "terminated\n"
    results = sp.load("run.h5")
    assert {region.name: region.num_calls for region in results} == {
        "loky": 1, "multiprocessing": 1, "threading": 1, "killed": 1, "after": 1,
        "task": 20, "inner": 60, "dies": 7}
    assert results["task"].num_calls_per_rank()[0] == 5  # those of threads
    below = {regions for _, regions, calls in processes() if "task" in calls}
    assert below == {"", "loky", "multiprocessing", "after"}
    assert left() == ["run.h5"]


RAY = """
import logging, os, ray, signal
import scope_profiler as sp
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.CRITICAL)

@ray.remote
def work(number):
    with sp.region("task"):
        return number

@ray.remote(max_retries=0)
def killed():
    for _ in range(7):
        with sp.region("dies"): pass
    os.kill(os.getpid(), signal.SIGKILL)

@ray.remote
class Actor:
    def step(self, number):
        with sp.region("step"):
            return number

assert ray.get([work.remote(number) for number in range(20)]) == [*range(20)]
try:
    ray.get(killed.remote())
except ray.exceptions.WorkerCrashedError:
    print("crashed")
actor = Actor.remote()
with sp.region("actor"):
    assert ray.get([actor.step.remote(number) for number in range(5)]) == [*range(5)]
ray.shutdown()
"""


def test_workers_of_ray():
    """Of tasks and of an actor; one is killed."""
    pytest.importorskip("ray", reason="ray is not installed")
    Path("program.py").write_text(RAY)
    done = subprocess.run(
        [sys.executable, "-m", "scope_profiler", "run", "--follow-children", "-q", "-o", "run.h5",
         "program.py"],
        check=True, capture_output=True, text=True, timeout=120,
        env={**os.environ, "RAY_AUTH_MODE": "disabled"})
    assert "crashed" in done.stdout.splitlines()
    found = {region.name: region.num_calls for region in sp.load("run.h5")}
    assert found == {"actor": 1, "task": 20, "dies": 7, "step": 5}
    assert left() == ["run.h5"]
