"""_runtime/record_while.py: a file that switches recording on and off, in all processes."""

import os
from pathlib import Path
import time

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler._runtime import record_while

PATIENCE = 100


def call(manager):
    with manager.profile_region("r"):
        pass


def test_calls_count_while_there_is_the_file(monkeypatch, tmp_path):
    monkeypatch.setattr(record_while, "_watch", lambda *args: None)  # the test looks itself
    monkeypatch.chdir(tmp_path)
    manager = ProfileManager()
    run = manager.setup(output=None, record_while="on")
    path = str(tmp_path / "on")
    assert run._settings["record_while"] == path
    os.mkdir("elsewhere"), os.chdir("elsewhere")  # it is the same file, wherever the program goes
    assert run.is_paused
    call(manager)
    Path(path).touch()
    record_while.look(run, path)
    call(manager)
    manager.pause()
    os.unlink(path)
    record_while.look(run, path), record_while.look(run, path)
    manager.resume()
    assert run.is_paused  # the file is not there
    call(manager)
    Path(path).touch()
    record_while.look(run, path)
    assert not run.is_paused
    call(manager)
    assert manager.finalize(verbose=False, return_results=True)["r"].num_calls == 2
    os.unlink(path)
    manager.setup(output=None, replace=True)
    record_while.look(run, path)  # of a run that was replaced
    call(manager)
    assert manager.finalize(verbose=False, return_results=True)["r"].num_calls == 1
    manager.reset()


def waited_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_all_processes_are_switched(monkeypatch, tmp_path):
    monkeypatch.setattr(record_while, "PERIOD", 0.01)
    manager, switch = ProfileManager(), tmp_path / "on"
    run = manager.setup(output=None, record_while=switch, verbose=False)
    children = []
    for _ in range(3):
        told, tells = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                for state in (True, False, True):
                    assert waited_for(lambda: manager._run.is_paused == state)
                    call(manager)
                    os.write(tells, b"x")
                status = manager.finalize(return_results=True)["r"].num_calls + 10
            finally:
                os._exit(status)
        children.append((child, told))

    def all_said():
        assert [os.read(told, 1) for _, told in children] == [b"x"] * len(children)

    assert run.is_paused
    all_said()
    switch.touch()
    all_said()
    assert waited_for(lambda: not run.is_paused)
    switch.unlink()
    all_said()
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child, _ in children] == [11] * 3
    assert waited_for(lambda: run.is_paused)
    manager.reset()


def test_what_it_takes():
    with pytest.raises(TypeError, match="record_while takes a path"):
        sp.setup(record_while=3)
