"""src/record/counter_columns.c, src/python/counting.c: counters of the program over time."""

import io
import json
import math
import threading

import numpy as np
import pytest

from conftest import NEEDS_H5PY
import scope_profiler as sp
from scope_profiler import ProfileManager, load
from scope_profiler.io.journal_reader import recover
from scope_profiler.results import merge_results


def taken(manager):
    return manager.finalize(verbose=False, return_results=True)


def values(results, name, rank=0):
    return results.counters()[name][rank].values.tolist()


# ---- What is kept


def test_values_have_their_time_and_thread(manager, clock):
    begun = clock.now
    for value in (1, 0.5, np.float32(0.25), True):
        clock.tick(10)
        manager.counter("residual", value)
    thread = threading.Thread(target=manager.counter, args=("residual", -3))
    clock.tick(5)
    thread.start()
    thread.join()
    manager.counter("cells", 7)
    counters = taken(manager).counters()
    assert [*counters] == ["residual", "cells"]
    known = counters["residual"][0]
    assert known.values.tolist() == [1.0, 0.5, 0.25, 1.0, -3.0] and known.values.dtype == np.float64
    assert (known.times_ns - begun).tolist() == [10, 20, 30, 40, 45] and known.times_ns.dtype == np.int64
    assert known.thread_ids.tolist() == [0, 0, 0, 0, 1]
    assert counters["cells"][0].values.tolist() == [7.0]


def test_calls_are_as_they_were(manager, clock):
    for step in range(1000):
        with manager.metadata(step=step), manager.profile_region("step"):
            manager.counter("inside", step)
            clock.tick(3)
        manager.counter("outside", -step)
    results = taken(manager)
    assert results["step"].num_events == results["step"].num_calls == 1000
    assert results["step"][0].durations_ns.tolist() == [3] * 1000
    assert [entry["step"] for entry in results["step"][0].event_metadata] == [*range(1000)]
    assert values(results, "inside") == [*range(1000)]
    assert values(results, "outside") == [-step for step in range(1000)]
    assert manager._counters()["events"] == 1000


def test_calls_that_waited_and_long_ones(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)
    with manager.profile_region("long"):
        manager.counter("c", 1)
        clock.tick(2**42)
        manager.counter("c", 2)
    results = taken(manager)
    assert results["long"][0].durations_ns.tolist() == [2**42]
    assert values(results, "c") == [1, 2]
    manager.reset()


def test_many_threads(manager):
    def thread(number):
        for i in range(2000):
            manager.counter(f"c{i % 3}", number)
            with manager.profile_region("r"):
                pass

    threads = [threading.Thread(target=thread, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    results = taken(manager)
    assert results["r"].num_events == 8000
    counted = [results.counters()[f"c{i}"][0] for i in range(3)]
    assert sum(map(len, counted)) == 8000
    for known in counted:
        assert (np.diff(known.times_ns) >= 0).all()
        for number in range(4):
            assert len({*known.thread_ids[known.values == number]}) == 1


@pytest.mark.parametrize("aggregation_mode", [False, True])
def test_bounds_hold_and_what_is_left_out_is_told(clock, aggregation_mode, capsys):
    for on_full, kept in (("stop", slice(0, 10)), ("ring", slice(-10, None))):
        manager = ProfileManager()
        manager.setup(deactivate_file_output=True, max_events=1000, on_full=on_full,
                      aggregation_mode=aggregation_mode)
        for i in range(5000):
            manager.counter("c", i)
        results = manager.finalize(return_results=True)
        found = values(results, "c")
        assert 100 < len(found) <= 500  # of two records each
        assert found[kept] == [*range(5000)][kept]
        assert f"{5000 - len(found):,} of 5 000 values of counters are not kept".replace(",", " ") in (
            capsys.readouterr().out)
        manager.reset()


def test_there_are_32_counters(manager, capsys):
    for i in range(40):
        manager.counter(f"c{i}", i)
    results = manager.finalize(return_results=True)
    assert [*results.counters()] == [f"c{i}" for i in range(32)]
    assert "8 of 40 values of counters are not kept" in capsys.readouterr().out


def test_in_aggregation_mode(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, aggregation_mode=True)
    for i in range(1000):
        with manager.profile_region("r"):
            manager.counter("c", i)
    results = taken(manager)
    assert values(results, "c") == [*range(1000)]
    assert results["r"].num_calls == 1000 and results["r"].num_events == 0
    manager.reset()


def test_while_nothing_is_recorded(clock):
    manager = ProfileManager()
    assert manager.counter("c", 1) is None
    manager.setup(deactivate_file_output=True)
    manager.pause()
    manager.counter("c", 2)
    manager.resume()
    manager.counter("c", 3)
    assert values(taken(manager), "c") == [3]
    manager.setup(deactivate_file_output=True, replace=True)
    assert taken(manager).counters() == {}
    manager.reset()


def test_the_time_between(manager, clock):
    manager.counter("a", 1)
    clock.tick(1)
    before = manager.snapshot()
    manager.counter("a", 2)
    manager.counter("b", 3)
    clock.tick(1)
    after = manager.snapshot()
    assert {name: known[0].values.tolist() for name, known in (after - before).counters().items()} == {
        "a": [2.0], "b": [3.0]}


# ---- Arguments


@pytest.mark.parametrize("arguments, error, text", [
    ((), TypeError, r"^counter\(\) takes a name and a value, got 0 arguments$"),
    (("a",), TypeError, r"^counter\(\) takes a name and a value, got 1 arguments$"),
    ((3, 1), TypeError, "^name takes a str, got 3$"),
    (("a", "b"), TypeError, "^a takes a number, got 'b'$"),
    (("a", None), TypeError, "^a takes a number, got None$"),
    (("a", 10**400), ValueError, "^a takes a number below 1.8e308, got one of int$"),
])
def test_bad_arguments(manager, arguments, error, text):
    with pytest.raises(error, match=text):
        manager.counter(*arguments)
    assert taken(manager).counters() == {}


def test_the_module_has_the_one_of_the_process(clock):
    sp.setup(deactivate_file_output=True, verbose=False)
    sp.counter("c", 1)
    ProfileManager.counter("c", 2)
    assert values(sp.finalize(verbose=False, return_results=True), "c") == [1, 2]


# ---- Files, reports, other formats

VALUES = [1.0, -2.5, math.inf, 1e-300, 0.0]


@pytest.fixture
def run(clock, tmp_path):
    """run(**settings): the results of one with a region and the counters "c" and "d", and its manager."""
    managers = []

    def run(**settings):
        manager = ProfileManager()
        managers.append(manager)
        manager.setup(verbose=False, **{"deactivate_file_output": True, **settings})
        for value in VALUES:
            with manager.profile_region("step"):
                clock.tick(1000)
                manager.counter("c", value)
        manager.counter("d", math.nan)
        return manager.finalize(verbose=False, return_results=True), manager

    yield run
    for manager in managers:
        manager.reset()


def check(results, ranks=(0,)):
    counters = results.counters()
    for rank in ranks:
        assert counters["c"][rank].values.tolist() == VALUES
        assert np.diff(counters["c"][rank].times_ns).tolist() == [1000] * 4
        assert counters["c"][rank].thread_ids.tolist() == [0] * 5
        assert np.isnan(counters["d"][rank].values).tolist() == [True]


@pytest.mark.parametrize("suffix", [pytest.param(".h5", marks=NEEDS_H5PY), ".json", ".json.gz"])
@pytest.mark.parametrize("aggregation_mode", [False, True])
def test_files(run, tmp_path, suffix, aggregation_mode):
    path = tmp_path / f"x{suffix}"
    results, _ = run(file_path=path, deactivate_file_output=False, aggregation_mode=aggregation_mode)
    check(results)
    check(load(path))
    sp.write_profile(load(path), tmp_path / f"again{suffix}")
    check(load(tmp_path / f"again{suffix}"))


@NEEDS_H5PY
@pytest.mark.parametrize("column, value", [("counter", 2), ("counter", -1)])
def test_damaged_files(run, tmp_path, column, value):
    import h5py

    path = tmp_path / "x.h5"
    run(file_path=path, deactivate_file_output=False)
    with h5py.File(path, "r+") as file:
        rows = file["recorded/counters"][:]
        rows[column][0] = value
        file["recorded/counters"][:] = rows
    with pytest.raises(sp.CorruptProfileError):
        load(path)


def test_several_ranks(run, capsys):
    results, _ = run()
    several = merge_results(results, results, ranks=True)
    check(several, (0, 1))
    assert [*several.counters(1)["c"]] == [1] and several.counters(7) == {}
    several.print_summary()
    lines = capsys.readouterr().out.splitlines()
    (head,) = (line for line in lines if line.startswith("Counter"))
    assert head.split() == ["Counter", "Rank", "Values", "First", "Last", "Min", "Mean", "Max"]
    assert [line.split()[:3] for line in lines if line.startswith("c ")] == [["c", "0", "5"], ["c", "1", "5"]]


def test_reports(run, capsys):
    results, manager = run()
    for report in (lambda: manager.finalize(verbose=True), results.print_summary):
        report()
        rows = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert ["c", "5", "1", "0", "-2.5", "inf", "inf"] in rows
        assert ["d", "1", "nan", "nan", "nan", "nan", "nan"] in rows
    stream = io.StringIO()
    results.print_summary(stream=stream, ranks=7)
    assert "Counter" not in stream.getvalue()


def test_traces(run, tmp_path):
    results, _ = run()
    (path,) = sp.export_chrome_trace(results, tmp_path / "x.trace.json", verbose=False)
    events = [event for event in json.loads(path.read_text())["traceEvents"] if event["ph"] == "C"]
    assert {event["name"] for event in events} == {"c"} and {event["pid"] for event in events} == {0}
    assert [event["args"]["value"] for event in events] == [v for v in VALUES if math.isfinite(v)]
    times = [event["ts"] for event in events]
    assert np.diff(times).round(6).tolist() == [1.0, 2.0, 1.0]
    (path,) = sp.export_perfetto(results, tmp_path / "x.perfetto-trace", verbose=False)
    data = path.read_bytes()
    assert b"\x0a" + b"\x01c" in data or b"\x12\x01c" in data  # the name of its track
    for value in VALUES:
        assert (np.float64(value).tobytes() in data) == math.isfinite(value)


@pytest.mark.parametrize("runs", [1, 2])
def test_charts(run, tmp_path, runs):
    pytest.importorskip("matplotlib")
    results = [run()[0] for _ in range(runs)]
    sp.plot_counters(results, filepath=tmp_path / "x.png", data_filepath=tmp_path / "x.csv", verbose=False)
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    rows = (tmp_path / "x.csv").read_text().splitlines()
    assert rows[0] == "file,rank,counter,time_seconds,value,thread" and len(rows) == 1 + 6 * runs
    figure, axes = sp.plot_counters(results, include="c", return_fig=True)
    assert axes.get_title(loc="left") == "c"
    with pytest.raises(ValueError, match="^no counter matches; there are 'c', 'd'$"):
        sp.plot_counters(results, include="x")


def test_a_chart_of_nothing(manager):
    with pytest.raises(ValueError, match=r"^no counter matches; none had a value: see counter\(\)$"):
        sp.plot_counters(taken(manager))


def test_a_long_curve(manager, tmp_path):
    pytest.importorskip("matplotlib")
    for i in range(5000):
        manager.counter("c", i % 7)
    sp.plot_counters(taken(manager), filepath=tmp_path / "x.png", log_scale=True, verbose=False)


# ---- Journal


@NEEDS_H5PY
@pytest.mark.parametrize("with_names", [True, False])
def test_a_journal_has_them(clock, tmp_path, with_names):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False)
    manager.counter("before", 0)
    if with_names:
        manager._on_checkpoint(manager)
    for i in range(3000):
        with manager.profile_region("r"):
            clock.tick(2)
        manager.counter("before", i)
    (path,) = tmp_path.glob("*.journal")
    results, missing = recover(path)
    (name,) = results.counters()
    assert name == ("before" if with_names else "counter 1")
    assert values(results, name) == [0, *range(3000)]
    assert results["r"].num_events == 3000
    assert (np.diff(results.counters()[name][0].times_ns) >= 0).all()
    assert not missing or "damaged" not in missing[0]
    manager.reset()
