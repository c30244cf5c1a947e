"""threads.py: rows of threads, with track_threads=True."""

import _thread
import gc
import threading
import time
import weakref

import pytest

from scope_profiler import ProfileManager
from scope_profiler._runtime.thread_watch import ThreadWatch


@pytest.fixture
def tracked():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_threads=True)
    yield manager
    manager.reset()


def results_of(manager):
    return manager.finalize(verbose=False, return_results=True)


def work(manager, calls=1):
    for _ in range(calls):
        with manager.profile_region("r"):
            pass


def run_threads(*threads):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_each_thread_has_a_row(tracked):
    work(tracked)
    run_threads(*(threading.Thread(target=work, args=(tracked, 2 + i), name=f"w{i}", daemon=i == 1)
                  for i in range(3)))
    results = results_of(tracked)
    rows = results.threads[0]
    assert [(row.index, row.name, row.daemon, row.alive) for row in rows] == [
        (0, "MainThread", False, True), (1, "w0", False, False), (2, "w1", True, False),
        (3, "w2", False, False),
    ]
    assert rows[0].ident == threading.get_ident() and rows[0].native_id == threading.get_native_id()
    for row in rows[1:]:
        assert 0 <= row.start_ns <= row.end_ns and row.cpu_ns >= 0
    region = results["r"][0]
    assert sorted(region.thread_ids.tolist()) == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3]


def test_processor_time_of_running_and_ended_threads(tracked):
    begun, go = threading.Event(), threading.Event()

    def burn():
        work(tracked)
        end = time.thread_time() + 0.02
        while time.thread_time() < end:
            pass

    def burn_and_wait():
        burn()
        begun.set()
        go.wait()

    waiting = threading.Thread(target=burn_and_wait)
    waiting.start()
    begun.wait()
    run_threads(threading.Thread(target=burn))
    alive, ended = results_of(tracked).threads[0]
    go.set()
    waiting.join()
    assert alive.alive and not ended.alive
    assert alive.cpu_ns is None or 20_000_000 <= alive.cpu_ns < 10**10
    assert 20_000_000 <= ended.cpu_ns < 10**10


def test_they_are_listed_as_they_were_started(tracked, monkeypatch):
    """Not as they began to record, nor as the system numbers them, which begins anew at times."""
    monkeypatch.setattr(threading, "get_native_id", iter(range(99, 0, -1)).__next__)
    turns = [threading.Event() for _ in range(4)]

    def after(turn):
        turn.wait()
        work(tracked)

    threads = [threading.Thread(target=after, args=(turn,), name=f"w{n}")
               for n, turn in enumerate(turns)]
    for thread in threads:
        thread.start()
    for n in (3, 0, 2, 1):
        turns[n].set()
        threads[n].join()
    work(tracked)
    rows = results_of(tracked).threads[0]
    assert [row.name for row in rows] == ["MainThread", "w0", "w1", "w2", "w3"]
    assert [row.index for row in rows] == [4, 1, 3, 2, 0]  # which thread_ids have


def test_a_name_given_later_counts(tracked):
    def rename():
        work(tracked)
        threading.current_thread().name = "late"

    thread = threading.Thread(target=rename, name="early")
    run_threads(thread)
    assert [row.name for row in results_of(tracked).threads[0]] == ["late"]


def test_a_thread_that_python_did_not_start(tracked):
    done = threading.Event()
    before = set(threading.enumerate())

    def foreign():
        work(tracked)
        done.set()

    _thread.start_new_thread(foreign, ())
    done.wait()
    [row] = results_of(tracked).threads[0]
    assert row.name == f"thread {row.ident}"
    assert set(threading.enumerate()) <= before


def test_one_thread_has_thread_ids_too(tracked):
    work(tracked, 2)
    assert results_of(tracked)["r"][0].thread_ids.tolist() == [0, 0]


def test_not_tracked_no_rows(manager):
    work(manager)
    assert not results_of(manager).threads


def test_a_failing_watch_hurts_nobody(tracked):
    tracked.setup(deactivate_file_output=True, track_threads=True, replace=True)
    tracked._on_thread._ends = None  # setting an attribute of it fails
    work(tracked)
    results = results_of(tracked)
    assert results["r"].num_calls == 1 and len(results.threads[0]) == 1


def test_a_missing_row_is_unknown():
    [row] = ThreadWatch().rows(0, 1)
    assert (row.name, row.ident, row.start_ns, row.cpu_ns) == ("unknown", None, None, None)


def test_a_second_run_begins_anew(tracked):
    run_threads(threading.Thread(target=work, args=(tracked,)))
    tracked.setup(deactivate_file_output=True, track_threads=True, replace=True)
    work(tracked)
    assert [row.name for row in results_of(tracked).threads[0]] == ["MainThread"]


def test_nothing_is_kept_by_threads_that_go_on(tracked):
    gone = weakref.ref(tracked._on_thread)
    work(tracked)
    tracked.reset()
    tracked.setup(deactivate_file_output=True, replace=True)
    gc.collect()
    assert gone() is None
