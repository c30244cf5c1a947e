"""keep_every= and keep=: few calls by themselves, statistics of all."""

import threading

import numpy as np
import pytest

from scope_profiler import ProfileManager


@pytest.fixture
def run(clock):
    managers = []

    def setup(**settings):
        managers.append(ProfileManager())
        managers[-1].setup(deactivate_file_output=True, **settings)
        return managers[-1]

    yield setup
    for manager in managers:
        manager.reset()


def call(region, clock, number):
    for i in range(number):
        with region:
            clock.tick(i + 1)


def test_one_of_so_many(run, clock):
    manager = run()
    region = manager.region("a", keep_every=10)
    call(region, clock, 95)
    call(manager.region("b"), clock, 5)
    results = manager.snapshot()
    assert results["a"].durations_ns.tolist() == [*range(1, 96, 10)]
    assert (results["a"].num_calls, results["a"].dropped_events) == (95, 85)
    assert results["a"].total_duration_ns == sum(range(1, 96))
    assert results["b"].num_events == 5
    assert results.dropped == {"a": 85}


def test_so_many_of_all(run, clock):
    manager = run()
    call(manager.region("a", keep=20), clock, 1_000)
    results = manager.snapshot()
    assert (results["a"].num_calls, results["a"].num_events) == (1_000, 20)
    assert results["a"].total_duration_ns == sum(range(1, 1_001))
    assert {*results["a"].durations_ns.tolist()} <= {*range(1, 1_001)}
    again = manager.snapshot()
    assert again["a"].durations_ns.tolist() == results["a"].durations_ns.tolist()
    call(manager.region("b", keep=20), clock, 7)
    assert manager.snapshot()["b"].num_events == 7


def test_each_call_is_as_likely_as_any_other(run, clock):
    """Of 200 runs of 100 calls each keeps 20: how often each tenth of the calls is drawn."""
    manager, drawn = run(), np.zeros(10)
    region = manager.region("a", keep=20)
    for _ in range(200):
        call(region, clock, 100)
        part = manager.finalize(verbose=False, return_results=True, start_over=True)
        assert part["a"].num_events == 20
        drawn += np.bincount((part["a"].durations_ns - 1) // 10, minlength=10)
    expected = 400
    # Chi squared with 9 degrees of freedom is above 33.7 once in 10 000 times; the fake clock is the same
    # each time, and so is the draw.
    assert ((drawn - expected) ** 2 / expected).sum() < 33.7


def test_by_setting(run, clock):
    manager = run(keep_every=4)
    call(manager.region("a"), clock, 8)
    call(manager.region("b", keep_every=1), clock, 8)
    call(manager.region("c", keep=3), clock, 8)
    results = manager.snapshot()
    assert [results[name].num_events for name in "abc"] == [2, 8, 3]
    manager = run(keep=5)
    call(manager.region("a"), clock, 8)
    assert manager.snapshot()["a"].num_events == 5


def test_functions(run, clock):
    manager = run()

    @manager.profile("steps", keep_every=3)
    def steps():
        yield clock.tick(1)
        yield clock.tick(1)

    @manager.profile("work", keep_every=5)
    def work():
        clock.tick(1)

    @manager.profile(keep=2)
    def plain():
        clock.tick(1)

    for _ in range(7):
        work()
        [*steps()]
        plain()
    results = manager.snapshot()
    assert [results[name].num_events for name in ("work", "steps")] == [2, 3]
    [name] = [name for name in results.region_names if name.endswith("plain")]
    assert (results[name].num_events, results[name].num_calls) == (2, 7)


def test_metadata_and_paths_of_those_that_are_kept(run, clock):
    manager = run()
    region = manager.region("a", keep_every=2)
    for number in range(6):
        with manager.metadata(number=number), manager.region("outer"):
            with region:
                clock.tick(1)
    results = manager.snapshot()
    assert [entry["number"] for entry in results["a"][0].event_metadata] == [0, 2, 4]
    assert results["outer"].num_events == 6
    [outer, a] = results.recorded[0].nodes
    assert {*results["a"][0].node_ids.tolist()} == {1} and a.statistics.num_calls == 6


def test_tasks_that_wait(clock, run):
    import asyncio

    manager = run(track_async=True)
    region = manager.region("a", keep_every=2)

    async def work(number):
        with region:
            await asyncio.sleep(0)
            clock.tick(number)
        with manager.region("b"):
            pass

    async def main():
        await asyncio.gather(*(work(number) for number in range(1, 5)))

    asyncio.run(main())
    results = manager.snapshot()
    assert results["a"].num_events == 2
    assert not results["b"][0].await_ns.any()
    assert results["a"][0].await_ns.any()


def test_threads_each_on_its_own(run, clock):
    manager = run()
    every, keep = manager.region("every", keep_every=4), manager.region("keep", keep=10)

    def work():
        call(every, clock, 10)
        call(keep, clock, 100)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
        thread.join()
    results = manager.snapshot()
    assert results["every"].num_calls == 40 and 10 <= results["every"].num_events <= 12
    assert (results["keep"].num_calls, results["keep"].num_events) == (400, 10)


def test_it_stays_with_the_region(run, clock):
    manager = run()
    manager.region("a", keep_every=2)
    call(manager.region("a"), clock, 4)
    assert manager.region("a", keep_every=2) is manager.region("a")
    assert manager.snapshot()["a"].num_events == 2
    with pytest.raises(ValueError, match="'a'.*keep_every"):
        manager.region("a", keep_every=3)
    with pytest.raises(ValueError, match="'a'.*keep"):
        manager.region("a", keep=3)
    manager.define_region("d", keep_every=2)
    with pytest.raises(ValueError, match="'d'"):
        manager.define_region("d", keep_every=3)


def test_with_bounds_and_parts(run, clock):
    manager = run(max_events=100, keep_every=10)
    call(manager.region("a"), clock, 5_000)
    part = manager.finalize(verbose=False, return_results=True, start_over=True)
    assert 50 <= part["a"].num_events <= 100
    call(manager.region("a"), clock, 25)
    assert manager.snapshot()["a"].num_events == 3


@pytest.mark.parametrize("how,error", [
    ({"keep_every": 0}, ValueError), ({"keep_every": "x"}, TypeError), ({"keep": 0}, ValueError),
    ({"keep": 1.5}, TypeError), ({"keep": 3, "keep_every": 2}, ValueError), ({"keep": 2**32}, ValueError),
])
def test_bad_values(run, how, error):
    manager = run()
    name = [*how][0]
    for function in (manager.region, manager.profile, manager.define_region):
        with pytest.raises(error, match=name):
            function("x", **how)
    assert "x" not in manager.registered_regions()
    if how != {"keep": 2**32}:
        with pytest.raises(error, match=name):
            ProfileManager().setup(output=None, **how)


def test_what_the_report_says(run, clock, capsys):
    manager = run()
    call(manager.region("a", keep_every=10), clock, 100)
    manager.finalize()
    assert "Single calls: 10 of 100" in " ".join(capsys.readouterr().out.split())
