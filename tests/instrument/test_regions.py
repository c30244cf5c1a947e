"""regions.py and statistics.py: what a region object tells."""

import dataclasses

import numpy as np
import pytest

from scope_profiler import ProfileManager


def record(manager, clock, name, *durations):
    for duration in durations:
        with manager.profile_region(name):
            clock.tick(duration)


def test_statistics_in_seconds_and_nanoseconds(manager, clock):
    record(manager, clock, "x", 100, 200, 300, 400)
    stats = manager.get_region("x").get_stats()
    assert stats.name == "x" and stats.num_calls == 4 and stats.errors == 0
    assert (stats.total_ns, stats.exclusive_ns, stats.average_ns) == (1000, 1000, 250)
    assert (stats.minimum_ns, stats.maximum_ns, stats.std_ns) == (100, 400, 112)
    assert stats.total == pytest.approx(1e-6) and stats.average == pytest.approx(2.5e-7)
    assert stats.p50_ns == pytest.approx(250, rel=0.01)
    assert stats.p99_ns == pytest.approx(397, rel=0.01)
    assert stats.timings is None and stats.unit == 1e-9
    for time in ("total", "exclusive", "average", "minimum", "maximum", "std", "p50", "p95",
                 "p99"):
        assert isinstance(getattr(stats, time), float)
        assert isinstance(getattr(stats, time + "_ns"), int)


def test_statistics_are_immutable_and_a_copy(manager, clock):
    record(manager, clock, "x", 1)
    stats = manager.get_region("x").get_stats()
    with pytest.raises(dataclasses.FrozenInstanceError):
        stats.num_calls = 2
    record(manager, clock, "x", 1)
    assert stats.num_calls == 1 and manager.get_region("x").get_stats().num_calls == 2


def test_to_dict_has_it_all(manager, clock):
    record(manager, clock, "x", 5)
    values = manager.get_region("x").get_stats().to_dict()
    assert values["name"] == "x" and values["total_ns"] == 5 and values["total"] == 5e-9
    assert {"num_calls", "errors", "p95", "p99_ns", "timings", "unit"} <= set(values)


def test_while_open_and_after_finalize(manager, clock):
    region = manager.profile_region("x")
    with region:
        assert region.get_stats().open_calls == 1 and region.num_calls == 0
        clock.tick(3)
    manager.finalize(verbose=False)
    assert region.get_stats().open_calls == 0 and region.get_stats().total_ns == 3


def test_columns(manager, clock):
    record(manager, clock, "other", 50)
    record(manager, clock, "x", 10, 20)
    region = manager.get_region("x")
    for column in (region.start_times, region.end_times, region.get_durations_numpy()):
        assert column.dtype == np.int64
    assert region.start_times.tolist() == [1050, 1060]
    assert region.end_times.tolist() == [1060, 1080]
    assert region.get_durations_numpy().tolist() == [10, 20]


def test_columns_of_recursion_are_sorted_by_start(manager, clock):
    region = manager.profile_region("x")
    with region:
        clock.tick(1)
        with region:
            clock.tick(1)
        clock.tick(1)
    assert region.start_times.tolist() == [1000, 1001]
    assert region.end_times.tolist() == [1003, 1002]


def test_columns_of_a_region_never_entered(manager):
    region = manager.profile_region("x")
    assert region.start_times.tolist() == region.end_times.tolist() == []


def test_representation(manager, clock):
    record(manager, clock, "x", 1)
    assert repr(manager.get_region("x")) == "<Region 'x': 1 calls>"
    assert manager.get_region("x").region_name == "x"


def test_print_stats(manager, clock, capsys):
    record(manager, clock, "x", 1000, 3000)
    manager.get_region("x").print_stats()
    out = capsys.readouterr().out
    for line in ("Region: x", "Total Calls: 2", "Total Time: 4.000 µs", "Average Time: 2.000 µs",
                 "Min Time: 1.000 µs", "Max Time: 3.000 µs"):
        assert line in out.splitlines()


def test_reading_while_recording_in_aggregation_mode(clock):
    manager = ProfileManager()
    manager.setup(aggregation_mode=True, deactivate_file_output=True)
    record(manager, clock, "x", 7, 7)
    assert manager.get_region("x").get_stats().total_ns == 14
    assert manager.get_region("x").start_times.tolist() == []
