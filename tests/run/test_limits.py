"""setup(on_slow=, slow_callback=): a call over its limit is told of as it ends, no other is."""

import asyncio
import functools
import json
import logging
import os
import subprocess
import sys
import threading

import pytest

import scope_profiler
from scope_profiler import CallOverLimit, CallsInside, ProfileManager, load

MS = 1_000_000


@pytest.fixture
def begin(clock):
    """begin(on_slow, **settings): a manager that records, and the list of what its callback was given."""
    managers = []

    def begin(on_slow, **settings):
        manager, told = ProfileManager(), []
        managers.append(manager)
        settings.setdefault("slow_callback", told.append)
        manager.setup(**{"output": None, "verbose": False, "on_slow": on_slow, **settings})
        return manager, told

    yield begin
    for manager in managers:
        manager.reset()


def brief(told):
    return [(call.region, call.duration_ns // MS) for call in told]


def call(manager, clock, name, ms, *inside):
    with manager.profile_region(name):
        for each in inside:
            call(manager, clock, *each)
        clock.tick(ms * MS)


def test_a_call_over_the_limit_of_its_region_is_told_of(begin, clock):
    manager, told = begin({"request": 0.5, "db.*": 0.1, "db.big": 2})
    with manager.metadata(user=3):
        call(manager, clock, "request", 300, ("db.get", 50, ("parse", 10)), ("db.get", 60), ("db.big", 150))
    call(manager, clock, "request", 499)  # the next is not over the limit, the last is at it
    call(manager, clock, "request", 500)
    call(manager, clock, "db.big", 1999)
    call(manager, clock, "db.put", 100)
    call(manager, clock, "other", 99_999)
    assert brief(told) == [("request", 570), ("request", 500), ("db.put", 100)]
    assert told[0] == CallOverLimit(
        "request", 570 * MS, 500 * MS, 300 * MS, threading.current_thread().name, None, {"user": 3},
        (CallsInside(("db.big",), 1, 150 * MS), CallsInside(("db.get",), 2, 120 * MS),
         CallsInside(("db.get", "parse"), 1, 10 * MS)),
    )
    assert told[1].inside == () and told[1].metadata == {}


def test_inside_is_of_the_one_call(begin, clock):
    """Calls of the same regions before and after it do not count, in logs of many blocks too."""
    manager, told = begin({"request": 1})
    for _ in range(3):
        for _ in range(2_000):
            call(manager, clock, "request", 1, ("get", 0))
        call(manager, clock, "request", 0, *[("get", 1, ("parse", 1))] * 700)
    assert [each.inside for each in told] == 3 * [
        (CallsInside(("get",), 700, 1400 * MS), CallsInside(("get", "parse"), 700, 700 * MS))]


def test_recursion(begin, clock):
    manager, told = begin({"solve": 0.1})
    call(manager, clock, "solve", 50, ("solve", 60, ("solve", 80, ("leaf", 5))))
    assert [(each.duration_ns // MS, each.inside) for each in told] == [
        (145, (CallsInside(("leaf",), 1, 5 * MS),)), (195, (CallsInside(("leaf",), 1, 5 * MS),))]


def test_ways_to_make_a_call(begin, clock):
    """Decorated functions, generators, coroutines, by hand; with an exception."""
    manager, told = begin({"*": 0.1})
    work = functools.partial(clock.tick, 60 * MS)

    @manager.profile("function")
    def function():
        work(), work()

    @manager.profile("generator")
    def generator():
        work()
        yield
        call(manager, clock, "inner", 50)

    @manager.profile("coroutine")
    async def coroutine():
        work()
        await asyncio.sleep(0)
        work()

    @manager.profile("metadata", metadata={"size": 5})
    def with_metadata():
        work(), work()
        raise KeyError(5)

    function()
    for _ in generator():
        work()
    asyncio.run(coroutine())
    with pytest.raises(KeyError):
        with_metadata()
    region = manager.profile_region("by hand")
    region.__enter__()
    work(), work()
    region.__exit__(None, None, None)
    assert brief(told) == [("function", 120), ("generator", 170), ("coroutine", 120), ("metadata", 120),
                           ("by hand", 120)]
    assert told[1].inside == (CallsInside(("inner",), 1, 50 * MS),)
    assert told[1].exclusive_ns == 60 * MS
    assert told[2].task is not None and told[0].task is None
    assert told[3].metadata == {"size": 5}


@pytest.mark.parametrize("c_functions", [False, True])
def test_traced_functions(begin, clock, c_functions):
    manager, told = begin({"*fast": 0.1, "*slow": 0.1, "*steps": 0.1, "*sorted*": 0.1}, trace_c=c_functions)

    def slow(_=None):
        clock.tick(60 * MS)
        return 0

    def steps():
        slow(), slow()
        yield
        slow()

    def fast():
        pass

    @manager.profile("main", recursive=True)
    def main():
        for _ in steps():
            fast()
        sorted([1, 2], key=slow)

    main()
    names = [name.rpartition(".")[2].rstrip("}") for name, _ in brief(told)]
    assert names == (["steps", "sorted"] if c_functions else ["steps"])
    inside = [(each.path[-1].rpartition(".")[2], each.calls) for each in told[0].inside]
    assert inside[:2] == [("slow", 3), ("tick", 3)]


def test_threads_each_tell_of_their_own(begin, clock):
    manager, told = begin({"request": 0.1})
    barrier = threading.Barrier(2)

    def work(name):
        barrier.wait(60)
        with manager.profile_region("request"):
            barrier.wait(60)
            call(manager, clock, name, 100)
            barrier.wait(60)

    threads = [threading.Thread(target=work, args=[name], name=f"of {name}") for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((each.thread, each.inside[0].path, each.inside[0].calls) for each in told) == [
        ("of a", ("a",), 1), ("of b", ("b",), 1)]


@pytest.mark.parametrize("track_async", [True, False])
def test_tasks_that_overlap(begin, clock, track_async):
    """What ran inside is of the task alone; without track_async it is not known, and not guessed."""
    manager, told = begin({"request": 0.1}, track_async=track_async)

    async def request(name, steps):
        with manager.profile_region("request"), manager.metadata(name=name):
            for _ in range(steps):
                call(manager, clock, "get", 100)
                await asyncio.sleep(0)

    async def main():
        tasks = [asyncio.create_task(request(name, steps), name=f"task {name}")
                 for name, steps in (("a", 2), ("b", 3))]
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert [each.task for each in told] == ["task a", "task b"]
    if track_async:
        assert [each.inside[0].calls for each in told] == [2, 3]
    else:
        assert told[0].inside is None


def test_without_single_calls(begin, clock):
    """In aggregation mode what ran inside is not known; own time and metadata are."""
    manager, told = begin({"request": 0.1}, aggregation_mode=True)
    with manager.metadata(user=3):
        call(manager, clock, "request", 30, ("get", 100))
    assert (told[0].inside, told[0].exclusive_ns, told[0].metadata) == (None, 30 * MS, {"user": 3})


@pytest.mark.parametrize("settings", [{"max_events": 64}, {"keep_every": 1000}, {"min_duration": 0.05}],
                         ids=lambda settings: next(iter(settings)))
def test_with_bounds(begin, clock, settings):
    """The calls that are kept are told of; whether a call is slow does not depend on that."""
    manager, told = begin({"request": 0.1}, **settings)
    for _ in range(5):
        call(manager, clock, "request", 100, *[("get", 1)] * 100)
        call(manager, clock, "request", 99)
    assert brief(told) == 5 * [("request", 200)]
    assert all(sum(inside.calls for inside in each.inside) < 100 for each in told)


def test_what_the_callback_does_is_not_recorded_and_does_no_harm(begin, clock, capsys):
    manager = None

    def callback(told):
        call(manager, clock, "request", 500)
        raise SystemExit(f"{told.region} is slow")

    manager, _ = begin({"request": 0.1}, slow_callback=callback)
    for _ in range(3):
        call(manager, clock, "request", 100)
    results = manager.finalize(verbose=True, return_results=True)
    assert results["request"].num_calls == 3
    facts = results.recorded[0].facts
    assert (facts["slow_calls"], facts["slow_failed"]) == (3, 3)
    said = capsys.readouterr().out
    assert "3 calls took longer than the limit" in said
    assert "slow_callback has failed 3 times; the first time: SystemExit('request is slow')" in said


def test_what_it_is_about_goes_on_in_parts_and_files(begin, clock, tmp_path):
    manager, told = begin({"request": 0.1}, output=str(tmp_path / "run.json"))
    call(manager, clock, "request", 100)
    manager.finalize(start_over=True)
    manager.finalize()
    first, second = (load(path) for path in (tmp_path / "run.json", manager._run.file_path))
    assert first.recorded[0].facts["slow_calls"] == 1
    assert "slow_calls" not in second.recorded[0].facts
    call(manager, clock, "request", 100)
    assert len(told) == 2


def test_the_log(begin, clock, caplog):
    manager, _ = begin({"request": 0.1}, slow_callback=None)
    with manager.metadata(user="a\x1b"), caplog.at_level(logging.WARNING, "scope_profiler"):
        call(manager, clock, "request", 100, *[(f"step {i}", 10 + i) for i in range(6)], ("step 1", 1))
    [record] = caplog.records
    assert (record.name, record.levelname) == ("scope_profiler", "WARNING")
    assert record.getMessage() == (
        "request took 176.0 ms, over its limit of 100.0 ms (thread MainThread, user='a\\x1b'); inside: "
        "step 5 15.00 ms in 1 call, step 4 14.00 ms in 1 call, step 3 13.00 ms in 1 call, "
        "step 2 12.00 ms in 1 call, step 1 12.00 ms in 2 calls, 1 more region; own 100.0 ms")


def test_a_run_without_limits_has_none_of_it(begin, clock):
    """Limits are of a run; regions keep nothing of them."""
    manager, told = begin({"request": 0.1})
    region = manager.profile_region("request")
    call(manager, clock, "request", 100)
    manager.setup(output=None, verbose=False, replace=True)
    call(manager, clock, "request", 100)
    manager.setup(output=None, verbose=False, replace=True, on_slow={"request": 0.2},
                  slow_callback=told.append)
    call(manager, clock, "request", 100)
    with region:
        clock.tick(200 * MS)
    assert brief(told) == [("request", 100), ("request", 200)]


def test_a_run_that_ends_in_the_callback(begin, clock):
    manager = None

    def callback(told):
        manager.reset()

    manager, _ = begin({"request": 0.1}, slow_callback=callback)
    call(manager, clock, "request", 100, ("get", 5))
    assert not manager.is_active()


@pytest.mark.parametrize("on_slow, message", [
    (5, "on_slow takes {name: seconds}, or texts such as 'request=0.5', got int: 5"),
    ("request", "on_slow takes {name: seconds}, or texts such as 'request=0.5', got 'request'"),
    ({"request": -1}, "on_slow['request'] takes a number of at least 0, got -1"),
    ({5: 1}, "on_slow takes {name: seconds}, or texts such as 'request=0.5', got int: 5"),
    ({"": 1}, "an empty name"),
])
def test_wrong_limits(on_slow, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        ProfileManager().setup(output=None, on_slow=on_slow)
    assert message in str(caught.value)


def test_wrong_callback():
    with pytest.raises(TypeError, match="slow_callback takes a callable, got str: 'x'"):
        ProfileManager().setup(output=None, on_slow={"a": 1}, slow_callback="x")


PROGRAM = """
import json, sys, time
import scope_profiler as sp
sp.setup_from_env(min_duration=0.01, output=None, verbose=False)
for _ in range(5):
    with sp.region("request"):
        end = time.perf_counter() + 0.006
        while time.perf_counter() < end: pass
print(json.dumps(sp.ProfileManager._default.snapshot()["request"].durations_ns.tolist()))
"""


def test_limits_in_files_variables_and_options(tmp_path):
    """And the first run of a process knows how long a second is: see sp_clock_scale()."""
    (tmp_path / "run.toml").write_text('[profiling]\noutput = "x.h5"\non_slow = {"re*" = 0.001}\n'.replace(
        'output = "x.h5"\n', ""))
    manager = ProfileManager()
    run = manager.setup(output=None, config_path=tmp_path / "run.toml")
    assert manager.get_config().on_slow == {"re*": 0.001} and run.is_active
    manager.reset()
    (tmp_path / "program.py").write_text(PROGRAM)
    env = {**os.environ, "SCOPE_PROFILER_ON_SLOW": "other=5, request=0.005"}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=env, capture_output=True,
                          text=True)
    assert done.stderr.count("request took ") == 5 and "over its limit of 5.000 ms" in done.stderr
    assert all(ns >= 10 * MS for ns in json.loads(done.stdout))
    done = subprocess.run(
        [sys.executable, "-m", "scope_profiler", "run", "-q", "--on-slow", "request=0.005", "--on-slow",
         "x=1", "program.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.count("request took ") == 5, done.stderr
    assert scope_profiler.load(tmp_path / "profiling_data.h5")["request"].num_calls == 5
