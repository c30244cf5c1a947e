"""io/journal_followers: the journals of several processes, followed as one."""

import pytest

from scope_profiler import CorruptProfileError, ProfileManager
from scope_profiler.io.journal_follower import JournalFollower
from scope_profiler.io.journal_followers import JournalFollowers

SECOND = 10**9


@pytest.fixture
def worker(tmp_path, clock):
    """Makes managers, each in the place of a process, that have a journal in tmp_path; a call of each."""
    made = []

    def make(name, calls=1):
        manager = ProfileManager()
        manager.setup(output=tmp_path / f"{name}.h5", journal=True, verbose=False)
        made.append(manager)
        call(manager, calls)
        return manager

    def call(manager, calls=1, name="request"):
        for _ in range(calls):
            with manager.profile_region(name):
                clock.tick(1000)

    make.call = call
    yield make
    for manager in made:
        manager.reset()


def calls(live):
    return {region.name: region.calls for region in live.regions}


def test_processes_come_and_go(worker, tmp_path):
    one, two = worker("one", 3), worker("two", 4)
    followers = JournalFollowers(lambda: sorted(tmp_path.glob("*.journal")))
    assert calls(followers.update()) == {"request": 7} and len(followers.following) == 2
    worker.call(two), worker.call(two, name="other")
    three = worker("three")
    live = followers.update()
    assert calls(live) == {"request": 9, "other": 1} and live.calls == 10 and live.threads == 3
    [request] = [region for region in live.regions if region.name == "request"]
    assert request.total == pytest.approx(9 * request.longest) and len(request.rates) == 2
    worker.call(one)
    with one.profile_region("open"):
        with one.profile_region("request"):
            pass
        assert [path.names for path in followers.update().open] == [("open",)]
        one.finalize(verbose=False), one.reset()  # its journal is gone
        live = followers.update()
        assert calls(live) == {"request": 11, "other": 1, "open": 0} and not live.open
    assert len(followers.following) == 2 and len(followers.facts()) == 3
    two.finalize(verbose=False), two.reset(), three.finalize(verbose=False), three.reset()
    assert followers.update().calls == 12 and not followers.following
    followers.close()


def test_a_journal_that_was_left_by_another_run_does_not_count(worker, tmp_path):
    worker("left")
    [journal] = tmp_path.glob("*.journal")
    (tmp_path / "old.h5.1.journal").write_bytes(journal.read_bytes())
    (tmp_path / "no.h5.2.journal").write_bytes(b"nonsense")
    followers = JournalFollowers(lambda: sorted(tmp_path.glob("*.journal")))
    assert followers.update().calls == 1
    alone = JournalFollowers(lambda: [tmp_path / "old.h5.1.journal"])  # but where there is no other
    assert alone.update().calls == 1 and not alone.following and alone.update().calls == 1
    with pytest.raises(CorruptProfileError):
        JournalFollowers(lambda: [tmp_path / "no.h5.2.journal"])
    followers.close()


def test_the_last_seconds(worker, tmp_path, clock):
    one, two = worker("one", 3), worker("two")
    paths = sorted(tmp_path.glob("*.journal"))
    begin = JournalFollower(paths[0]).journal.first[1]
    followers = JournalFollowers(lambda: sorted(tmp_path.glob("*.journal")), 60)
    assert followers.update(begin + SECOND).calls == 4
    worker.call(two, 0)
    clock.tick(100 * SECOND)
    worker.call(one, 2), worker.call(two, 5)
    two.finalize(verbose=False), two.reset()
    live = followers.update(begin + 100 * SECOND)
    assert calls(live) == {"request": 7}
    assert len(followers.facts()) == 2
    live = followers.update(begin + 200 * SECOND)
    assert live.calls == 0 and live.regions[0].own == 0 and len(followers.facts()) == 1
    followers.close()
