"""process_end.py, termination.c: SIGTERM leaves the file, and ends the process; whoever else handles
it comes first. Processes signal themselves, or their own children by number."""

import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

import scope_profiler as sp
from scope_profiler import _core

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no SIGTERM that would arrive")

BEGIN = """
import asyncio, os, signal, sys, threading, time
import scope_profiler as sp
def end():
    os.kill(os.getpid(), signal.SIGTERM)
def other():
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
"""
SETUP = "sp.setup(file_path='x.json', auto_finalize=True, verbose=False)\n"
RECORD = "with sp.region('done'): pass\n"


def run(program, *flags, **how):
    Path("program.py").write_text(BEGIN + program)
    return subprocess.run([sys.executable, *flags, "program.py"], capture_output=True, text=True,
                          timeout=60, **how)


def calls(path="x.json"):
    return {region.name: region.num_calls for region in sp.load(path)}


STATES = {
    "sleeping": "end(); time.sleep(30)",
    "waiting for a lock": "lock = threading.Lock(); lock.acquire()\n"
                          "threading.Timer(0.05, end).start(); lock.acquire()",
    "waiting for a thread": "go = threading.Event(); threading.Thread(target=go.wait).start(); end()",
    "busy": "end()\nwhile True: pass",
    "in an event loop": "async def main(): end(); await asyncio.sleep(30)\nasyncio.run(main())",
    "in a region": "with sp.region('open'): end(); time.sleep(30)",
    "twice": "end(); end(); time.sleep(30)",
    "with threads that go on": "def busy():\n while True:\n  with sp.region('more'): pass\n"
                               "for _ in range(2): threading.Thread(target=busy).start()\nend()\n"
                               "time.sleep(30)",
    "in another thread": "threading.Thread(target=end).start(); time.sleep(30)",
    "at exit": "import atexit; atexit.register(end)",
    # What waits is not interrupted by a signal that came before, or to another thread, and goes on
    # waiting after every signal whose handler says so.
    "in a lock, heard by another thread": "threading.Timer(0.1, other).start()\n"
                                          "lock = threading.Lock(); lock.acquire(); lock.acquire()",
    "in a semaphore, heard by another thread":
        "import multiprocessing\nthreading.Timer(0.1, other).start()\n"
        "multiprocessing.Semaphore(0).acquire()",
    "reading, heard by another thread": "threading.Timer(0.1, other).start(); os.read(os.pipe()[0], 1)",
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_file_is_written_and_the_signal_ends_it(state):
    done = run(SETUP + RECORD + state)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert calls()["done"] == 1


@pytest.mark.parametrize("settings", [
    "use_line_profiler=True", "recursive_profile=True", "track_async=True, aggregation_mode=True",
])
def test_in_every_mode(settings):
    done = run(f"sp.setup(file_path='x.json', auto_finalize=True, verbose=False, {settings})\n" + RECORD
               + "@sp.profile\ndef call(): end(); time.sleep(30)\ncall()")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert calls()["done"] == 1


def test_the_report_comes_too_where_it_is_wanted():
    done = run(SETUP.replace(", verbose=False", "") + RECORD + "end()")
    assert done.returncode == -signal.SIGTERM and done.stderr == ""
    assert done.stdout.count("Written: x.json") == 1


def test_without_auto_finalize_it_ends_at_once():
    for program in ("sp.setup(file_path='x.json')\n" + RECORD,
                    "with sp.session(file_path='x.json'): end()\n"):
        done = run(program + "end(); time.sleep(30)")
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
        assert not os.path.exists("x.json")


OWN = "signal.signal(signal.SIGTERM, lambda *_: os._exit(5))\n"


@pytest.mark.parametrize("program, status", [
    (OWN + SETUP, 5),
    (SETUP + OWN, 5),
    ("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SETUP, 0),
    (SETUP + "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n", 0),
    (SETUP + "from signal import signal as set_handler\n"
     "set_handler(signal.SIGTERM, lambda *_: os._exit(5))\n", 5),
    (SETUP + "import faulthandler; faulthandler.enable()\n" + OWN, 5),
], ids=["before", "after", "ignored before", "ignored after", "imported by name", "in C beside"])
def test_a_handler_of_the_programs_own(program, status):
    done = run(program + "end(); time.sleep(0); os._exit(0)")
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    assert not os.path.exists("x.json")


@pytest.mark.parametrize("program", [
    "old = signal.signal(signal.SIGTERM, lambda *_: old(*_))\n" + RECORD,
    "old = signal.signal(signal.SIGTERM, id); signal.signal(signal.SIGTERM, old)\n" + RECORD,
    "old = signal.signal(signal.SIGTERM, id); signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
    + RECORD,
    "async def main():\n"
    " loop = asyncio.get_running_loop(); stop = asyncio.Event()\n"
    " loop.add_signal_handler(signal.SIGTERM, stop.set); end(); await stop.wait()\n"
    + " " + RECORD + " loop.remove_signal_handler(signal.SIGTERM)\nasyncio.run(main())\n",
    "def handler(*_):\n " + RECORD + " sys.exit(-15)\nsignal.signal(signal.SIGTERM, handler)\n",
], ids=["chained", "put back", "default", "event loop", "that exits"])
def test_handlers_that_come_and_go(program):
    done = run(SETUP + program + "end(); time.sleep(30)")
    assert done.returncode in (-signal.SIGTERM, 256 - signal.SIGTERM)
    assert (done.stdout, done.stderr) == ("", "") and calls() == {"done": 1}


def test_a_server_that_puts_the_default_back_and_signals_itself():
    """As uvicorn does, which imports the application while its own handler is there."""
    done = run("""
stopped = []
before = signal.signal(signal.SIGTERM, lambda *_: stopped.append(1))
""" + SETUP + "end()\nwhile not stopped: pass\n" + RECORD + """
signal.signal(signal.SIGTERM, before)
signal.raise_signal(signal.SIGTERM)
time.sleep(30)
""")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert calls() == {"done": 1}


@pytest.mark.parametrize("handler", ["signal.SIG_DFL", "before"])
def test_a_signal_that_is_only_made_up_does_nothing(handler):
    """As with the default: _thread.interrupt_main() calls what handles a signal in Python."""
    done = run(SETUP + """
import _thread
_thread.interrupt_main(signal.SIGTERM)
before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
_thread.interrupt_main(signal.SIGTERM)
signal.signal(signal.SIGTERM, """ + handler + """)
_thread.interrupt_main(signal.SIGTERM)
print("goes on", flush=True)
""" + RECORD + "end(); time.sleep(30)")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "goes on\n", "")
    assert calls() == {"done": 1}


def test_what_the_program_sees_of_it():
    """Other signals, bad arguments, and what is there when the run is over."""
    done = run("before = signal.signal\n" + SETUP + """
assert before is signal.signal
assert signal.signal(signal.SIGUSR1, signal.SIG_IGN) is signal.SIG_DFL
assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
for wrong in ((signal.SIGTERM, "no"), (-1, signal.SIG_DFL)):
    try: signal.signal(*wrong)
    except (TypeError, ValueError): pass
    else: raise AssertionError(wrong)
class Alarm(Exception): pass
def alarm(*_): raise Alarm
signal.signal(signal.SIGALRM, alarm)
signal.setitimer(signal.ITIMER_REAL, 0.01)
try: time.sleep(30)
except Alarm: print("alarm")
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "alarm\n", "")


def test_setup_in_another_thread_leaves_it_as_it_was():
    done = run("thread = threading.Thread(target=exec, args=(" + repr(SETUP) + ", globals()))\n"
               "thread.start(); thread.join()\n"
               "assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL\n" + RECORD + "end()")
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGTERM, "", "")
    assert not os.path.exists("x.json")
    done = run("thread = threading.Thread(target=exec, args=(" + repr(SETUP) + ", globals()))\n"
               "thread.start(); thread.join()\n" + RECORD)
    assert (done.returncode, done.stderr, calls()) == (0, "", {"done": 1})


def test_children():
    """Of a fork, and of multiprocessing, whether they are daemons or not."""
    done = run(SETUP + """
import multiprocessing as mp
ready = mp.get_context("fork").Event()
def waits():
    with sp.region("child"): pass
    ready.set()
    time.sleep(30)
def in_child():
    pid = os.fork()
    if not pid: waits(); os._exit(9)
    ready.wait(); ready.clear(); os.kill(pid, signal.SIGTERM)
    return pid, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(*in_child())
for daemon in (True, False):
    process = mp.get_context("fork").Process(target=waits, daemon=daemon)
    process.start(); ready.wait(); ready.clear(); process.terminate(); process.join()
    print(process.pid, process.exitcode)
thread = threading.Thread(target=lambda: print(*in_child()))   # its main thread is this one
thread.start(); thread.join()
""" + RECORD, "-W", "ignore::DeprecationWarning")  # of forks with threads
    assert (done.returncode, done.stderr) == (0, "")
    assert calls() == {"done": 1}
    for line in done.stdout.splitlines():
        pid, status = map(int, line.split())
        assert status == -signal.SIGTERM and calls(f"x.{pid}.json") == {"child": 1}


def test_a_program_that_subprocess_starts_has_the_default():
    done = run(SETUP + """
import subprocess
print(subprocess.run([sys.executable, "-c", "import _signal; print(_signal.getsignal(15))"],
                     capture_output=True, text=True).stdout)
pid = os.posix_spawn(sys.executable, [sys.executable, "-c", "import time; time.sleep(30)"], os.environ)
os.kill(pid, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""")
    assert done.stdout.split() == ["0", "-15"] and done.stderr == ""


def test_it_is_sent_until_it_is_heard():
    """A signal that arrives right before a wait is handled after it."""
    done = run("""
from scope_profiler import _core
came = []
def handler(*_):
    came.append(1)
    if len(came) == 3: _core.heard()
signal.signal(signal.SIGTERM, handler)
_core.send_until_heard(signal.SIGTERM)
end()
while len(came) < 3: time.sleep(0.01)
_core.send_until_heard(signal.SIGTERM)   # another time changes nothing
end()
while len(came) < 4: time.sleep(0.01)
_core.heard()
print(len(came))
""")
    assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")


@pytest.mark.parametrize("function", ["send_until_heard", "ends_process"])
def test_the_core_checks_what_it_is_given(function):
    with pytest.raises(TypeError):
        getattr(_core, function)("no")
    with pytest.raises(OSError):
        getattr(_core, function)(100_000)
    assert _core.ends_process(signal.SIGUSR1) and not _core.ends_process(signal.SIGINT)
