"""src/threadlog.c: a record for each call, in blocks."""

from scope_profiler import _core

from conftest import events_of


def test_many_calls_over_many_blocks(clock, core):
    region = core.profile_region("x")
    for i in range(200_000):
        with region:
            pass
        if i % 1000 == 0:
            clock.tick(1)
    events = events_of(core, "x")
    assert len(events) == 200_000
    assert events[0] == (1_000, 0) and events[-1] == (1_200, 0)
    assert [start for start, _ in events] == sorted(start for start, _ in events)


def test_sixteen_bytes_a_call(core):
    region = core.profile_region("x")
    for _ in range(500_000):
        with region:
            pass
    assert core._counters()["log_bytes"] / 500_000 < 18


def test_durations_too_long_for_a_record(clock, core):
    limit = 2**40
    durations = [5, limit - 2, limit - 1, limit, 10 * limit, 7]
    region = core.profile_region("x")
    for duration in durations:
        with region:
            clock.tick(duration)
    assert [duration for _, duration in events_of(core, "x")] == durations
    assert core._collect(region)[2:6] == (len(durations), 0, 0, sum(durations))


def test_a_long_duration_at_the_end_of_a_block(clock, core):
    region = core.profile_region("x")
    for _ in range(255):  # the first block holds 256 records
        with region:
            pass
    with region:
        clock.tick(2**41)
    with region:
        clock.tick(3)
    assert [d for _, d in events_of(core, "x")][-3:] == [0, 2**41, 3]


def test_aggregation_writes_no_record(clock):
    manager = _core.Manager()
    manager._begin(False, False)
    with manager.profile_region("x"):
        clock.tick(3)
    assert manager._counters()["log_bytes"] == 0
    assert events_of(manager, "x") == []
    assert manager._collect(manager._find("x"))[2] == 1


def test_a_snapshot_consumes_nothing(clock, core):
    for round in range(1, 4):
        with core.profile_region("x"):
            clock.tick(1)
        assert len(events_of(core, "x")) == round
