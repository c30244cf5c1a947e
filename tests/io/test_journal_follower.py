"""io/journal_follower: a journal that is read while its program goes on."""

import os
import random

import pytest

from scope_profiler import ProfileManager, load
from scope_profiler.io import journal_follower
from scope_profiler.io.journal_follower import JournalFollower, journal_of_process

SECOND = 10**9


@pytest.fixture
def journalled(tmp_path, clock):
    """A manager with a journal in tmp_path, under the fake clock, and the journal."""
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False)
    with manager.profile_region("first"):
        clock.tick(1)
    (path,) = tmp_path.glob("*.journal")
    yield manager, path
    manager.reset()


def numbers(live):
    return {
        region.name: (region.calls, round(region.own * SECOND), round(region.total * SECOND),
                      round(region.longest * SECOND))
        for region in live.regions if region.calls
    }


def as_loaded(path):
    return {
        region.name: (region.num_calls, region.exclusive_duration_ns, region.total_duration_ns,
                      region.max_duration_ns)
        for region in load(path)
    }


def work(manager, clock, rest, depth=0):
    with manager.profile_region(f"r{depth}{rest.randrange(3)}"):
        clock.tick(rest.choice([1, 10, 1000, 1 << 21]))
        for _ in range(rest.randrange(3) if depth < 4 else 0):
            work(manager, clock, rest, depth + 1)


@pytest.mark.parametrize("seed", range(5))
def test_what_comes_bit_by_bit_is_what_there_is_in_whole(journalled, clock, seed):
    manager, path = journalled
    rest = random.Random(seed)
    follower = JournalFollower(path)
    for _ in range(30):
        for _ in range(rest.randrange(40)):
            work(manager, clock, rest)
        live = follower.update()
    assert numbers(live) == as_loaded(path) and live.calls > 500
    assert numbers(JournalFollower(path).update()) == numbers(live)
    follower.close()


def test_only_what_is_new_is_read(journalled, clock, monkeypatch):
    manager, path = journalled
    read = []
    whole = journal_follower.JournalFile.read
    monkeypatch.setattr(journal_follower.JournalFile, "read",
                        lambda self, place, size: read.append(size) or whole(self, place, size))
    follower = JournalFollower(path)
    for _ in range(50_000):
        with manager.profile_region("r"):
            clock.tick(1)
    follower.update()
    first = sum(read)
    assert first >= 50_000 * 16
    for _ in range(3):
        read.clear()
        with manager.profile_region("r"):
            clock.tick(1)
        assert numbers(follower.update())["r"][0] > 50_000
        assert sum(read) < 2**20 < first + 2**19
    follower.close()


def test_calls_that_are_open_and_for_how_long(journalled, clock):
    manager, path = journalled
    follower = JournalFollower(path)

    def open_paths():
        clock.tick(1)
        return [(path.names, path.is_exact) for path in follower.update().open]

    assert open_paths() == []
    with manager.profile_region("main"):
        clock.tick(5)
        assert open_paths() == [(("main",), True)]
        for _ in range(2):
            with manager.profile_region("step"):
                with manager.profile_region("inner"):
                    clock.tick(7)
        clock.tick(1)
        with manager.profile_region("step"):
            with manager.profile_region("inner"):
                clock.tick(7)
            assert open_paths() == [(("main", "step"), False)]
        assert open_paths() == [(("main",), True)]
    assert open_paths() == []
    follower.close()


def test_for_how_long_calls_have_been_open(journalled, clock):
    manager, path = journalled
    follower = JournalFollower(path)
    with manager.profile_region("step"):
        clock.tick(10)
    with manager.profile_region("step"):
        clock.tick(3)
        with manager.profile_region("inner"):
            clock.tick(40)
        begin = load(path)["inner"].first_start_time_ns
        [path_of] = follower.update(begin + 2 * SECOND).open
        assert path_of.names == ("step",) and path_of.seconds == pytest.approx(2.0)
        [region] = [one for one in follower.update(begin + 3 * SECOND).regions if one.name == "step"]
        assert region.open_for == pytest.approx(3.0)
    follower.close()


def test_rates_are_those_of_each_interval(journalled, clock):
    manager, path = journalled
    follower = JournalFollower(path)
    begin = follower.journal.facts["metadata"]["start_time_ns"]
    for second, calls in enumerate((10, 0, 40), 1):
        for _ in range(calls):
            with manager.profile_region("r"):
                clock.tick(1)
        live = follower.update(begin + second * SECOND)
    [region] = [one for one in live.regions if one.name == "r"]
    assert region.rates == pytest.approx([10.0, 0.0, 40.0]) and live.elapsed == pytest.approx(3.0)
    follower.close()


def test_a_call_longer_than_a_record_can_say(journalled, clock):
    manager, path = journalled
    follower = JournalFollower(path)
    with manager.profile_region("long"):
        clock.tick(3 << 41)
    follower.update()
    with manager.profile_region("after"):
        clock.tick(2)
    assert numbers(follower.update()) == as_loaded(path)
    follower.close()


def test_the_journal_is_removed_when_the_results_are_written(journalled):
    manager, path = journalled
    follower = JournalFollower(path)
    assert not follower.is_removed
    manager.finalize(verbose=False)
    assert follower.is_removed and numbers(follower.update())["first"][0] == 1
    follower.close()


def test_the_journal_of_a_process_is_found_by_its_number(journalled):
    _, path = journalled
    assert journal_of_process(os.getpid()) == path
    with pytest.raises(ProcessLookupError):
        journal_of_process(2**22 + 1)


def test_work_is_that_of_the_last_checkpoint(journalled, clock):
    manager, path = journalled
    follower = JournalFollower(path)

    def rates():
        return {region.name: dict(region.work_rates) for region in follower.update().regions}

    assert not any(rates().values())
    for expected in (1000.0, 2000.0):
        with manager.profile_region("solve") as solve:
            solve.add(flops=expected * 2 if expected > 1000 else expected)
            clock.tick(SECOND)
        with manager.profile_region("other"):  # after whose end there is a checkpoint
            clock.tick(2 * SECOND)
        with manager.profile_region("other"):
            clock.tick(2 * SECOND)
        found = rates()
        assert found["solve"] == {"flops": {1000.0: 1000.0, 2000.0: 2500.0}[expected]}
        assert found["other"] == {} and found["first"] == {}
