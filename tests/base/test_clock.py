"""src/base/clock.c: ticks become nanoseconds of perf_counter_ns()."""

import time

from scope_profiler import _core

from conftest import events_of


def test_spans_and_instants_agree_with_perf_counter(core):
    region = core.profile_region("x")
    before = time.perf_counter_ns()
    with region:
        inside = time.perf_counter_ns()
        while time.perf_counter_ns() < inside + 2_000_000:
            pass
        last = time.perf_counter_ns()
    after = time.perf_counter_ns()
    [(start, duration)] = events_of(core, "x")
    slack = 20_000  # between two readings the process may be interrupted
    assert before - slack <= start <= inside + slack
    assert last - slack <= start + duration <= after + slack


def test_source_is_named():
    info = _core.clock_info()
    assert info["source"] in ("rdtsc", "cntvct_el0", "monotonic")
    assert 0 < info["ns_per_tick"] < 1000


def test_fake_clock_stands_still_until_moved(clock, core):
    with core.profile_region("x"):
        pass
    with core.profile_region("x"):
        clock.tick(7)
    assert events_of(core, "x") == [(1_000, 0), (1_000, 7)]
    assert _core.clock_info() == {"source": "fake", "ns_per_tick": 1.0}


def test_a_call_has_the_same_times_in_every_result(core):
    """However the clock is calibrated in between, at short intervals or long ones."""
    region = core.profile_region("x")
    seen = []
    for pause in [0, 1_000, 50_000, 3_000_000, 0, 20_000_000, 10, 2_000_000] * 3:
        with region:
            pass
        seen.append(events_of(core, "x")[-1])
        until = time.perf_counter_ns() + pause
        while time.perf_counter_ns() < until:
            pass
    assert events_of(core, "x") == seen
    starts = [start for start, _ in seen]
    assert starts == sorted(starts)
    assert abs(starts[-1] - time.perf_counter_ns()) < 100_000_000
