"""max_memory, max_events and on_full: what is kept of single calls, with statistics of all."""

import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from conftest import NEEDS_H5PY
from results_support import programs

from scope_profiler import ProfileManager, _core, load


def bounded(**settings):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, **settings)
    return manager


def call(manager, clock, number, name="a"):
    for i in range(number):
        with manager.profile_region(name):
            clock.tick(i % 50 + 1)


def starts(results, name="a"):
    return results[name].durations_ns.tolist()


@pytest.mark.parametrize("on_full", ["ring", "stop", "aggregate"])
def test_statistics_are_of_all_calls(clock, on_full):
    manager = bounded(max_events=1_000, on_full=on_full)
    call(manager, clock, 5_000)
    results = manager.snapshot()
    region = results["a"][0]
    assert (region.num_calls, region.total_duration_ns) == (5_000, 100 * sum(range(1, 51)))
    assert region.max_duration_ns == 50 and region.percentile_duration(50) * 1e9 == pytest.approx(25, abs=1)
    assert 800 <= region.num_events <= 1_000
    assert region.dropped_events == 5_000 - region.num_events
    assert results.dropped == {"a": region.dropped_events}
    assert results.recorded[0].facts["dropped_events"] == region.dropped_events
    manager.reset()


def test_a_ring_has_the_last_calls(clock):
    manager = bounded(max_events=1_000)
    call(manager, clock, 5_000)
    first = manager.snapshot()["a"][0]
    assert first.end_times_ns[-1] == clock.now
    gaps = first.start_times_ns[1:] - first.end_times_ns[:-1]
    assert not gaps.any()
    call(manager, clock, 10_000)
    assert manager.snapshot()["a"][0].end_times_ns[-1] == clock.now
    manager.reset()


@pytest.mark.parametrize("on_full", ["stop", "aggregate"])
def test_what_was_first_stays(clock, on_full):
    manager = bounded(max_events=1_000, on_full=on_full)
    begun = clock.now
    call(manager, clock, 5_000)
    region = manager.snapshot()["a"][0]
    assert region.num_events == 1_000
    assert region.start_times_ns[0] == begun
    assert (region.end_times_ns[:-1] == region.start_times_ns[1:]).all()
    manager.finalize(verbose=False, start_over=True)
    call(manager, clock, 10)
    assert manager.snapshot()["a"].num_events == (10 if on_full == "stop" else 0)
    assert manager.snapshot()["a"].num_calls == 10
    manager.reset()


def test_memory_is_bounded(clock):
    manager = bounded(max_memory="64 KB")
    most = 0
    for _ in range(30):
        call(manager, clock, 1_000)
        most = max(most, manager._counters()["log_bytes"])
    assert 50_000 < most < 70_000
    assert 3_000 < manager.snapshot()["a"].num_events <= 4_000
    manager.reset()


def test_contexts_waits_and_threads_are_said_in_each_block(clock):
    manager = bounded(max_events=200, track_threads=True)

    def work():
        with manager.metadata(who=threading.current_thread().name):
            call(manager, clock, 1_000, "b")

    call(manager, clock, 1_000)
    for number in range(3):
        thread = threading.Thread(target=work, name=f"thread {number}")
        thread.start()
        thread.join()
    results = manager.snapshot()
    assert results["a"].num_events <= 25  # the block that the thread would write on
    assert 125 <= results["b"].num_events <= 200
    names = {row.index: row.name for row in results.threads[0]}
    known = [names[index] for index in results["b"][0].thread_ids.tolist()]
    assert [entry["who"] for entry in results["b"][0].event_metadata] == known
    assert known[-1] == "thread 2"
    manager.reset()


def test_the_bound_is_of_all_threads(clock):
    manager = bounded(max_events=4_000)
    ready, go = threading.Barrier(9), threading.Event()

    def work(number):
        ready.wait()
        for _ in range(2_000):
            with manager.profile_region(f"r{number}"):
                with manager.profile_region("all"):
                    pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    ready.wait()
    go.set()
    for thread in threads:
        thread.join()
    results = manager.snapshot()
    assert results["all"].num_calls == 16_000
    assert [results[f"r{number}"].num_calls for number in range(8)] == [2_000] * 8
    kept = sum(region.num_events for region in results)
    # The blocks that were begun last may be empty: the n-th thread gets no more than limit / 8n for one.
    assert 2_500 <= kept <= 4_000
    assert sum(results.dropped.values()) == 32_000 - kept
    manager.reset()


def test_a_thread_takes_what_an_idle_one_has(clock):
    manager = bounded(max_events=500)
    call(manager, clock, 600)
    thread = threading.Thread(target=call, args=(manager, clock, 2_000, "b"))
    thread.start()
    thread.join()
    results = manager.snapshot()
    assert results["b"].num_events > 300
    assert sum(region.num_events for region in results) <= 500
    manager.reset()


@given(programs, st.sampled_from(["ring", "stop", "aggregate"]))
@settings(max_examples=30)
def test_the_tree_is_that_of_an_unbounded_run(program, on_full):
    def execute(manager, calls):
        nonlocal now
        for name, work, inside, _ in calls:
            with manager.profile_region(name):
                now += work
                _core._fake_clock(now)
                execute(manager, inside)

    found = []
    for how in ({}, {"max_events": 64, "on_full": on_full}):
        now = 1_000
        _core._fake_clock(now)
        manager = bounded(**how)
        for _ in range(30):
            execute(manager, program)
        results = manager.snapshot()
        found.append([(node.parent, node.statistics) for node in results.recorded[0].nodes])
        manager.reset()
    _core._fake_clock(None)
    assert found[0] == found[1]


def test_calls_that_took_long(clock):
    """They take two records, which stay together."""
    manager = bounded(max_events=100)
    for number in range(1_000):
        with manager.profile_region("a"):
            clock.tick((1 << 40) + number if number % 3 else 5)
    region = manager.snapshot()["a"][0]
    expected = [(1 << 40) + number if number % 3 else 5 for number in range(1_000)]
    assert region.durations_ns.tolist() == expected[-region.num_events:]
    assert region.num_events >= 40
    manager.reset()


@pytest.mark.parametrize("form", [pytest.param("h5", marks=NEEDS_H5PY), "json"])
def test_in_files_and_reports(clock, tmp_path, capsys, form):
    manager = ProfileManager()
    manager.setup(file_path=tmp_path / f"run.{form}", max_events=100)
    call(manager, clock, 1_000)
    call(manager, clock, 3, "b")
    manager.finalize()
    printed = capsys.readouterr().out
    results = load(tmp_path / f"run.{form}")
    dropped = results["a"].dropped_events
    assert results.dropped == {"a": dropped} and dropped >= 900
    results.print_summary()
    for text in (printed, capsys.readouterr().out):
        text = " ".join(text.replace(",", " ").split())
        assert f"{1000 - dropped} of 1 000" in text
        assert 'on_full="ring"' in text
    manager.reset()


def test_in_a_report_alone(clock, capsys):
    manager = bounded(max_events=100)
    call(manager, clock, 1_000)
    manager.finalize()
    assert "Single calls:" in capsys.readouterr().out
    manager.reset()


def test_of_results_without_calls_it_is_not_known(clock):
    manager = bounded(aggregation_mode=True, max_events=100)
    call(manager, clock, 10)
    assert manager.snapshot()["a"].dropped_events is None
    manager.reset()


def test_windows(clock):
    manager = bounded(max_events=100)
    call(manager, clock, 1_000)
    earlier = manager.snapshot()
    call(manager, clock, 30)
    window = manager.snapshot() - earlier
    assert (window["a"].num_calls, window["a"].num_events) == (30, 30)
    assert window["a"].dropped_events == 0
    manager.reset()


@pytest.mark.parametrize("text,size", [
    ("200 MB", 200_000_000), ("1.5GiB", 3 << 29), ("64kb", 64_000), (1 << 20, 1 << 20),
    (np.int64(5_000), 5_000), ("5000", 5_000),
])
def test_units(text, size):
    manager = bounded(max_memory=text)
    assert manager.get_config().max_memory == size
    manager.reset()


@pytest.mark.parametrize("name,value,error", [
    ("max_memory", "much", ValueError), ("max_memory", "12 apples", ValueError),
    ("max_memory", 5, ValueError), ("max_memory", 1.5, TypeError), ("max_memory", "-5 MB", ValueError),
    ("max_events", 3, ValueError), ("max_events", "many", TypeError), ("on_full", "cry", ValueError),
])
def test_bad_values(name, value, error):
    with pytest.raises(error, match=name):
        ProfileManager().setup(output=None, **{name: value})
