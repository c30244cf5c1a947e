"""rooms.py: where the calls of a long run are while its file is written."""

import errno
import os
import threading

import numpy as np
import pytest

import scope_profiler as sp
from scope_profiler._run import rooms
from scope_profiler.io import load


@pytest.fixture(autouse=True)
def long(monkeypatch):
    """Every run is a long one."""
    monkeypatch.setattr(rooms, "_LONG", 0)


@pytest.fixture
def used(monkeypatch):
    """The rooms that were made."""
    made = []
    make = rooms.room
    monkeypatch.setattr(rooms, "room", lambda *place: made.append(make(*place)) or made[-1])
    return made


def record(manager):
    def f(depth):
        with manager.region("rec"):
            if depth:
                f(depth - 1)

    for step in range(50):
        with manager.metadata(step=step % 3), manager.region("outer"):
            f(3)
    threads = [threading.Thread(target=f, args=(2,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("options", [{}, {"track_threads": True}, {"track_async": True}])
def test_the_file_has_what_results_have(tmp_path, used, options):
    manager = sp.ProfileManager()
    manager.setup(file_path=str(tmp_path / "x.h5"), verbose=False, **options)
    record(manager)
    assert manager.finalize() is None
    assert used and all(used)
    assert os.listdir(tmp_path) == ["x.h5"]
    count = len(used)
    results = manager.finalize(return_results=True)
    assert len(used) == count  # results that stay are kept in memory
    read = load(tmp_path / "x.h5")
    for region in results:
        mine, theirs = read[region.name][0], region[0]
        for name in ("start_times_ns", "durations_ns", "node_ids", "thread_ids", "task_ids", "await_ns"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name), name)
        assert mine.event_metadata == theirs.event_metadata


def test_short_runs_have_none(tmp_path, used, monkeypatch):
    monkeypatch.setattr(rooms, "_LONG", 1 << 21)
    manager = sp.ProfileManager()
    manager.setup(file_path=str(tmp_path / "x.h5"), verbose=False)
    record(manager)
    manager.finalize()
    assert used == []


def test_without_room_on_the_disk_memory_is_taken(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "no space left on device")

    manager = sp.ProfileManager()
    manager.setup(file_path=str(tmp_path / "x.h5"), verbose=False)
    record(manager)
    monkeypatch.setattr(os, "posix_fallocate", full)
    manager.finalize()
    assert load(tmp_path / "x.h5")["outer"].num_calls == 50


def test_calls_for_which_a_room_is_too_small_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(rooms, "room", lambda folder, size: bytearray(8))
    manager = sp.ProfileManager()
    manager.setup(file_path=str(tmp_path / "x.h5"), verbose=False)
    record(manager)
    manager.finalize()
    assert load(tmp_path / "x.h5")["outer"].num_calls == 50


def test_rooms_are_checked():
    manager = sp.ProfileManager()
    manager.setup(output=None, verbose=False)
    for wrong in (1, (), (None,) * 6):
        with pytest.raises(TypeError, match="a room for each column"):
            manager._snapshot(True, False, wrong)
    with pytest.raises((TypeError, BufferError)):
        manager._snapshot(True, False, (bytearray(8), b"x" * 8, *(None,) * 5))
    with manager.region("a"):
        pass
    room = bytearray(100)  # of less than a page, which stays as it is
    assert manager._snapshot(True, False, (room, *(None,) * 6))[4][1] is room
    room.append(1)  # nobody has it any more
    manager.finalize(verbose=False)
