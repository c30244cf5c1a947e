"""src/base/thread_guard.c, and what the module says of threads and interpreters."""

import os
import subprocess
import sys
import threading

import pytest

from conftest import NO_GIL, examples
from scope_profiler import ProfileManager


def test_importing_leaves_the_gil_as_it_is():
    if not NO_GIL:
        pytest.skip("this Python has a GIL in any case")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHON_GIL"}
    program = "import sys, scope_profiler; print(sys._is_gil_enabled())"
    done = subprocess.run([sys.executable, "-W", "error", "-X", "gil=1", "-c", program],
                          capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("True\n", "")
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True,
                          text=True, env=environment)
    assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("isolated", [False, True])
def test_a_subinterpreter_is_refused(isolated):
    """It is told so, and the main interpreter goes on."""
    program = f"""
import sys
sys.path[:] = {sys.path!r}
from scope_profiler import ProfileManager
ProfileManager.setup(deactivate_file_output=True)
try:
    import _interpreters as interpreters
    kind = "isolated" if {isolated} else "legacy"
    make = lambda: interpreters.create(kind)
except ImportError:
    import _xxsubinterpreters as interpreters
    make = lambda: interpreters.create(isolated={isolated})
other = make()
source = f'''
import sys
sys.path[:] = {{sys.path!r}}
try:
    import scope_profiler
except ImportError as error:
    message = str(error)
assert "subinterpreter" in message, message
'''
try:
    print(interpreters.run_string(other, source))
except interpreters.RunFailedError as error:
    print(error)
interpreters.destroy(other)
with ProfileManager.profile_region("x"):
    pass
print(ProfileManager.get_region("x").get_stats().num_calls)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n1\n", "")


def test_runs_begin_and_end_while_threads_record():
    """Every call goes to one run or to none; nothing is freed under a thread's feet."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    done = threading.Event()

    @manager.profile("decorated")
    def decorated():
        pass

    @manager.profile("steps")
    def steps():
        with manager.profile_region("open"):
            yield

    def work(number):
        i = 0
        while not done.is_set():
            i += 1
            with manager.profile_region(f"new {i % 100}"), manager.metadata(number=number):
                decorated()
                list(steps())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        for i in range(examples(60)):
            manager.setup(deactivate_file_output=True, replace=True, aggregation_mode=i % 3 == 0,
                          use_line_profiler=i % 4 == 0)
            results = manager.finalize(verbose=False, return_results=True)
            for region in (results[name][0] for name in results.region_names):
                assert region.num_calls > 0 and region.min_duration_ns >= 0
    finally:
        done.set()
        for thread in threads:
            thread.join()
        manager.reset()
