"""Checkpoints: what calls do not tell is in the journal, as of a moment."""

import threading

import pytest

from scope_profiler import ProfileManager, load
from scope_profiler._run import checkpoint
from scope_profiler.io.journal_reader import recover

from journal_checks import Killed


def journal_of(folder):
    (path,) = folder.glob("*.journal")
    return path


@pytest.fixture
def begin(tmp_path):
    """begin(**settings): a manager with a journal in tmp_path, that records."""
    managers = []

    def begin(**settings):
        manager = ProfileManager()
        managers.append(manager)
        manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False, **settings)
        return manager

    yield begin
    for manager in managers:
        manager.reset()


def fail(manager, name="fails"):
    with pytest.raises(KeyError), manager.profile_region(name):
        raise KeyError(name)


def statistics_of(results, *names):
    return [[getattr(node.statistics, name) for name in ("name", "num_calls", *names)]
            for node in results.recorded[0].nodes]


def test_a_call_that_ends_makes_one_when_it_is_due(begin, clock, tmp_path):
    manager, made = begin(), []
    manager._on_checkpoint = lambda manager: made.append(clock.now) or 10**9
    decorated = manager.profile("decorated")(lambda: None)

    def steps():
        yield from range(3)

    generator = manager.profile("generator")(steps)
    for call in (lambda: fail(manager), decorated, lambda: list(generator())):
        begun = clock.now
        clock.tick(99_999_999 if not made else 999_999_999)
        call()
        assert not made or made[-1] <= begun
        clock.tick(1)
        call()
        assert made[-1] == clock.now
    assert len(made) == 3


def test_one_that_fails_is_tried_again_a_minute_later(begin, clock):
    manager, made = begin(), []

    def broken(manager):
        made.append(clock.now)
        raise KeyError

    manager._on_checkpoint = broken
    for _ in range(100):
        clock.tick(10**9)
        fail(manager)
    assert len(made) == 2
    assert manager.snapshot()["fails"].num_calls == 100


def test_what_is_raised_comes_out_as_it_is(begin, clock):
    manager = begin()
    manager._on_checkpoint = lambda manager: 1 / 0 if made.append(1) else 10**9
    made, raised = [], KeyError("the program's")

    @manager.profile("raises")
    def raises():
        clock.tick(10**9 + 1)
        raise raised

    for _ in range(2):
        with pytest.raises(KeyError) as caught:
            raises()
        assert caught.value is raised and raised.__context__ is None
    assert len(made) == 2


def test_without_a_journal_there_is_none(manager, clock):
    manager._on_checkpoint = lambda manager: pytest.fail("it was called")
    clock.tick(10**12)
    fail(manager)


def test_it_takes_at_most_a_hundredth_of_the_time(begin, monkeypatch):
    manager, now = begin(), iter([0, 0, 10**6, 0, 0, 10**8])
    monkeypatch.setattr(checkpoint, "perf_counter_ns", lambda: next(now))
    assert checkpoint.make(manager) == 10**9
    assert checkpoint.make(manager) == 10**10


def test_errors(begin, tmp_path):
    manager = begin()
    for _ in range(3):
        fail(manager)
    with manager.profile_region("fine"):
        pass
    assert load(journal_of(tmp_path))["fails"][0].errors is None
    checkpoint.make(manager)
    fail(manager)
    fail(manager, "late")
    results, missing = recover(journal_of(tmp_path))
    assert {region.name: (region.num_calls, region[0].errors) for region in results} == \
        {"fails": (4, 3), "fine": (1, 0), "late": (1, 0)}
    assert missing == []
    assert results.metadata["recovered_as_of"].startswith("errors: as of 0.")


def test_memory(begin, tmp_path):
    manager = begin(memory=True)
    with manager.profile_region("takes"):
        kept = bytes(100_000)
    checkpoint.make(manager)
    names = ("errors", "allocated_bytes", "freed_bytes", "peak_bytes")
    assert statistics_of(load(journal_of(tmp_path)), *names) == statistics_of(manager.snapshot(), *names)
    assert len(kept) < manager.snapshot().recorded[0].nodes[0].statistics.allocated_bytes


@pytest.mark.parametrize("settings", [
    {"aggregation_mode": True}, {"keep_every": 10}, {"keep": 10}, {"max_events": 100},
    {"min_duration": 1.0},
])
def test_runs_that_keep_not_all_calls(begin, tmp_path, settings):
    manager = begin(**settings)

    def work(depth):
        with manager.profile_region("r"):
            if depth:
                with manager.profile_region("s", tags=["tag"]):
                    work(depth - 1)
            else:
                fail(manager)

    for number in range(500):
        work(number % 3)
    checkpoint.make(manager)
    with manager.profile_region("late"):
        pass
    wanted = manager.snapshot()
    got, missing = recover(journal_of(tmp_path))
    names = ("errors", "total_ns", "exclusive_ns", "minimum_ns", "maximum_ns")
    ours, theirs = (statistics_of(results, *names) for results in (got, wanted))
    close = [[*one[:3], *(pytest.approx(value, rel=0.02, abs=1000) for value in one[3:])] for one in theirs]
    assert ours[: len(theirs) - 1] == close[:-1]
    for region in wanted:
        if region.name != "late":
            same = got[region.name][0]
            assert (same.num_calls, same.errors) == (region.num_calls, region[0].errors)
            if settings == {"keep": 10}:  # the journal has what was in the sample at any time
                assert same.num_events >= region.num_events
            else:
                assert same.num_events == region.num_events
            assert same.p99_duration == pytest.approx(region[0].p99_duration, rel=0.02, abs=1e-6)
            assert same.tags == region[0].tags
            if same.num_events:
                assert all(got.recorded[0].nodes[place].name == region.name for place in same.node_ids)
    assert missing == []
    assert "statistics and the tree, errors" in got.metadata["recovered_as_of"]


def test_lines_threads_and_tasks(begin, tmp_path):
    import asyncio

    manager = begin(use_line_profiler=True, line_details=True, track_threads=True, track_async=True)

    @manager.profile("lined")
    def lined():
        total = 0
        for number in range(10):
            total += number
        return total

    async def main():
        with manager.profile_region("inside"):
            await asyncio.sleep(0)

    thread = threading.Thread(target=lined, name="the other")
    thread.start()
    thread.join()
    lined()
    asyncio.run(main())
    checkpoint.make(manager)
    wanted, got = manager.snapshot(), load(journal_of(tmp_path))
    assert [(entry["function"], entry["line_numbers"].tolist(), entry["hits"].tolist(), entry["source"])
            for entry in got.line_profile[0]] == \
        [(entry["function"], entry["line_numbers"].tolist(), entry["hits"].tolist(), entry["source"])
         for entry in wanted.line_profile[0]]
    for entry, same in zip(got.line_profile[0], wanted.line_profile[0]):
        assert entry["p99_ns"] == pytest.approx(same["p99_ns"], rel=1e-3, nan_ok=True)
        assert entry["sketches"][:, [0, 2, 3]].tolist() == same["sketches"][:, [0, 2, 3]].tolist()
    assert [row.name for row in got.threads[0]] == [row.name for row in wanted.threads[0]]
    assert [(row.kind, row.coro_name, row.steps) for row in got.tasks[0]] == \
        [(row.kind, row.coro_name, row.steps) for row in wanted.tasks[0]]
    assert "lines, threads, tasks: as of" in got.metadata["recovered_as_of"]


def test_after_finalize_errors_are_those_of_the_run_and_so_of_no_call(begin, tmp_path):
    manager = begin()
    fail(manager)
    manager.finalize()
    fail(manager)
    checkpoint.make(manager)
    region = load(journal_of(tmp_path))["fails"][0]
    assert (region.num_calls, region.errors) == (1, None)
    manager.finalize(start_over=True)
    fail(manager)
    checkpoint.make(manager)
    region = load(journal_of(tmp_path))["fails"][0]
    assert (region.num_calls, region.errors) == (1, 1)


def test_the_file_does_not_grow_with_their_number(begin, tmp_path):
    manager = begin()
    fail(manager)
    sizes = []
    for _ in range(50):
        checkpoint.make(manager)
        sizes.append(journal_of(tmp_path).stat().st_size)
    assert len({*sizes[2:]}) == 1


def test_a_program_that_is_killed(tmp_path):
    killed = Killed(tmp_path, 1, end="kill", at=300_000)
    assert killed.status != 0
    results = load(killed.journals[0])
    known = {region[0].errors for region in results} - {None}  # nothing is known of a call since then
    assert known <= {0}  # before the first checkpoint nothing is
    assert "errors: as of" in results.metadata["recovered_as_of"]
