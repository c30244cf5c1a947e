"""The journal that a run has without asking for one: which have it, and what is left of it."""

import gc
import os
from pathlib import Path
import signal
import subprocess
import sys

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager

NAME = "*.journal"


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """begin(**settings): the manager, after a call. It writes to tmp_path, unless they say otherwise."""
    managers = []

    def begin(**settings):
        manager = ProfileManager()
        managers.append(manager)
        manager.setup(**{"output": tmp_path / "out.json", "verbose": False, **settings})
        with manager.profile_region("r"):
            pass
        return manager

    yield begin
    for manager in managers:
        manager.reset()


@pytest.mark.parametrize("settings, count", [
    ({}, 1), ({"journal": None}, 1), ({"journal": True}, 1), ({"journal": False}, 0), ({"output": None}, 0),
    ({"output": None, "journal": True}, 0), ({"deactivate_profiling": True}, 0),
])
def test_a_run_that_writes_a_file_has_one(begin, tmp_path, settings, count):
    manager = begin(**settings)
    assert len([*tmp_path.glob(NAME)]) == count
    manager.finalize()
    assert not [*tmp_path.glob(NAME)]


def test_it_goes_with_its_manager(begin, tmp_path):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.json")
    with manager.profile_region("r"):
        pass
    assert len([*tmp_path.glob(NAME)]) == 1
    del manager
    gc.collect()
    assert not [*tmp_path.glob(NAME)]


def test_where_there_can_be_none_a_line_says_so(begin, tmp_path, capsys):
    """As on a disk that has no room, where results may go a minute later."""
    manager = begin(output=tmp_path / "folder" / "out.json")
    (tmp_path / "folder").mkdir()
    manager.finalize(verbose=True)
    said = [line for line in capsys.readouterr().out.splitlines() if "journal" in line]
    assert len(said) == 1 and "No such file" in said[0]
    assert sp.load(tmp_path / "folder" / "out.json")["r"].num_calls == 1


# ---- The end of a program

BEGIN = """
import os, signal, sys
import scope_profiler as sp
sp.setup(file_path="x.json", verbose=False)
with sp.region("r"): pass
"""

LEFT = "scope-profiler: the run was not written; for its results: scope-profiler recover "

ENDS = {
    "by itself": ("", 0, 0),
    "by sys.exit()": ("sys.exit(2)", 2, 0),
    "after an exception that was caught, as pytest tells of it": ("""
def test():
    try:
        1 / 0
    except ZeroDivisionError as error:
        sys.last_traceback = error.__traceback__
test()
""", 0, 0),
    "by an exception": ("1 / 0", 1, 1),
    "by os._exit()": ("os._exit(3)", 3, 1),
    "by SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, 1),
    "after finalize() and one more call": ("sp.finalize()\nwith sp.region('r'): pass", 0, 0),
    "finalized at the end": ("import atexit\natexit.register(sp.finalize)", 0, 0),
    "finalized after a failure": ("import atexit\natexit.register(sp.finalize)\n1 / 0", 1, 0),
    "with a file that cannot be written": ("""
os.mkdir("x.json")
sp.finalize()
""", 1, 1),
}


@pytest.fixture
def run(tmp_path):
    """run(program): how it ended, what it said, and which journals are left."""

    def run(program):
        done = subprocess.run([sys.executable, "-X", "faulthandler=0", "-c", BEGIN + program], cwd=tmp_path,
                              capture_output=True, text=True, timeout=120)
        return done.returncode, done.stderr, sorted(tmp_path.glob(NAME))

    return run


@pytest.mark.parametrize("program, status, count", ENDS.values(), ids=ENDS)
def test_a_program_that_is_not_killed_leaves_none(run, program, status, count):
    returned, said, left = run(program)
    assert (returned, len(left)) == (status, count), said
    assert (LEFT in said) == (status == count == 1)
    for path in left:
        assert sp.load(path)["r"].num_calls == 1
        assert status != 1 or LEFT + str(path) in said


@pytest.mark.parametrize("program, said", [
    ("", "2 calls not written, as nobody called finalize(); setup(auto_finalize=True) does so at the end"),
    ("sys.exit(2)", "2 calls not written, as nobody called finalize(); setup(auto_finalize=True) does so"),
    ("sp.finalize(verbose=False)\nwith sp.region('r'): pass", "1 call not written, as nobody"),
    ("sp.finalize(verbose=False)", ""),
    ("sp.finalize(verbose=False, start_over=True)", ""),
    ("import atexit\natexit.register(sp.finalize, verbose=False)", ""),
    ("sp.setup(file_path='x.json', verbose=False, replace=True)", ""),
    ("sp.setup(output=None, replace=True)\nwith sp.region('r'): pass\nsp.finalize(verbose=False)", ""),
])
def test_what_is_in_no_file_is_said_at_the_end(run, program, said):
    _, found, left = run("sp.setup(verbose=True, file_path='x.json', replace=True)\n"
                         "for _ in range(2):\n    with sp.region('r'): pass\n" + program)
    assert left == [] and (found.startswith(f"scope-profiler: {said}") if said else found == "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_children_leave_none_unless_they_are_finalized(run):
    """Many of them end by os._exit(), or by the SIGTERM of a pool."""
    _, said, left = run("""
def record(_=None):
    with sp.region("child"): pass
    return [name for name in os.listdir() if f".{os.getpid()}.journal" in name]

def child(function):
    if os.fork() == 0:
        function()
        os._exit(0)
    assert os.wait()[1] == 0

def none(): assert not record()
def one(): assert len(record()) == 1

child(none)
child(lambda: (sp.setup(journal=True, replace=True), one(), sp.finalize()))
from multiprocessing import get_context
with get_context("fork").Pool(2) as pool:
    assert not any(pool.map(record, range(8)))
sp.setup(file_path="x.json", verbose=False, auto_finalize=True, replace=True)
with get_context("fork").Pool(2) as pool:
    assert all(pool.map(record, range(8)))
    pool.close()
    pool.join()
child(one)
""")
    assert said == ""
    assert len(left) == 1  # of the child that ended by os._exit() before it could be finalized
    assert [region.name for region in sp.load(left[0])] == ["child"]
    assert len([*Path(left[0].parent).glob("x.*.json")]) >= 1
