"""finalize(start_over=True): a run in parts, which have together what was recorded, each of it once."""

import asyncio
from contextlib import suppress
import threading
import weakref

from hypothesis import given, settings, strategies as st
import pytest
from conftest import NEEDS_H5PY, NO_GIL
from results_support import programs

from scope_profiler import ProfileManager, _core, load


def cut(manager):
    return manager.finalize(verbose=False, return_results=True, start_over=True)


def totals(parts):
    """{name: (calls, total, own, errors, events)} of all parts together."""
    found = {}
    for results in parts:
        for region in results:
            one = region[0]
            known = (one.num_calls, one.inclusive_duration_ns, one.exclusive_duration_ns, one.errors,
                     one.num_events)
            found[region.name] = tuple(map(sum, zip(found.get(region.name, (0,) * 5), known)))
    return found


class Program:
    """Runs under the fake clock, and is cut where its numbers say."""

    def __init__(self, cuts, **how):
        self.manager = ProfileManager()
        self.manager.setup(deactivate_file_output=True, **how)
        self.now, self.cuts, self.parts, self.steps = 1_000, cuts, [], 0
        self.tick(1)

    def tick(self, ns):
        self.now += ns
        _core._fake_clock(self.now)

    def step(self):
        self.steps += 1
        if self.steps in self.cuts:
            self.parts.append(cut(self.manager))

    def execute(self, program):
        for name, work, children, fails in program:
            self.step()
            try:
                with self.manager.profile_region(name):
                    self.tick(work)
                    self.step()
                    self.execute(children)
                    if fails:
                        raise ValueError
            except ValueError:
                pass
            self.tick(1)
            self.step()

    def finish(self):
        self.parts.append(cut(self.manager))
        self.manager.reset()
        _core._fake_clock(None)
        return self.parts


@given(programs, st.sets(st.integers(1, 60)), st.booleans())
@settings(max_examples=60)
def test_parts_add_up_to_the_run(program, cuts, aggregated):
    runs = []
    for where in (set(), cuts):
        run = Program(where, aggregation_mode=aggregated)
        run.execute(program)
        runs.append(totals(run.finish()))
    assert runs[0] == runs[1]


def test_an_open_call_counts_where_it_ends(manager, clock):
    with manager.profile_region("outer"):
        clock.tick(10)
        with manager.profile_region("inner"):
            clock.tick(5)
            first = cut(manager)
            clock.tick(7)
        second = cut(manager)
        clock.tick(1)
    third = cut(manager)
    assert len(first) == 0
    [outer, inner] = first.recorded[0].nodes
    assert (outer.statistics.open_total_ns, inner.statistics.open_total_ns) == (15, 5)
    assert second["inner"].durations_ns.tolist() == [12]
    assert second.region_names == ["inner"]
    assert third["outer"].durations_ns.tolist() == [23]
    assert third["outer"][0].exclusive_duration_ns == 11
    assert [node.first_ns for node in third.recorded[0].nodes] == [third["outer"].first_start_time_ns]
    assert len(cut(manager)) == 0


def test_what_did_not_run_is_not_in_the_next_part(manager, clock):
    for name in ("a", "b"):
        with manager.profile_region(name):
            clock.tick(3)
    cut(manager)
    clock.tick(4)
    with manager.profile_region("b"):
        clock.tick(5)
    part = cut(manager)
    [node] = part.recorded[0].nodes
    assert (node.name, node.statistics.num_calls, node.statistics.maximum_ns) == ("b", 1, 5)
    assert node.first_ns == part["b"].first_start_time_ns
    assert node.statistics.p50_ns == 5
    with manager.profile_region("a"):
        pass
    assert cut(manager).region_names == ["a"]


def test_results_of_parts_are_not_taken_from_each_other(manager, clock):
    first = cut(manager)
    clock.tick(5)
    with pytest.raises(ValueError, match="same run"):
        manager.snapshot() - first


@pytest.mark.parametrize("form", [pytest.param("h5", marks=NEEDS_H5PY), "json"])
def test_each_part_has_a_file(clock, tmp_path, form):
    manager = ProfileManager()
    run = manager.setup(file_path=tmp_path / f"api.{form}", verbose=False)
    for number in range(3):
        with manager.profile_region("a"):
            clock.tick(number + 1)
        manager.finalize(start_over=number < 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"api-2.{form}", f"api-3.{form}", f"api.{form}"]
    found = [load(tmp_path / f"api{end}.{form}")["a"].durations_ns.tolist() for end in ("", "-2", "-3")]
    assert found == [[1], [2], [3]]
    assert run.file_path == str(tmp_path / f"api-3.{form}")
    assert manager.read_results()["a"].num_calls == 1
    manager.reset()


def test_the_time_in_the_name_is_that_of_the_part(tmp_path, monkeypatch):
    import time

    manager = ProfileManager()
    moment = [1_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: moment[0])
    run = manager.setup(file_path=tmp_path / "api.{time}.json", verbose=False)
    names = [run.file_path]
    for later in (3600.0, 0.0, 60.0):
        moment[0] += later
        manager.finalize(start_over=True)
        names.append(run.file_path)
    assert len({*names}) == 4
    assert names[1].rsplit("-", 1)[0] == names[2].rsplit("-", 1)[0] or names[2].endswith("-2.json")
    assert len([*tmp_path.iterdir()]) == 3
    manager.reset()


def test_where_the_file_cannot_be_written_the_part_is_there(tmp_path, clock):
    manager = ProfileManager()
    manager.setup(file_path=tmp_path / "no" / "run.json", verbose=False)
    (tmp_path / "no").write_text("a file")
    with manager.profile_region("a"):
        clock.tick(5)
    with pytest.raises(OSError):
        manager.finalize(start_over=True)
    assert manager.last_results()["a"].num_calls == 1
    assert len(manager.snapshot()) == 0
    manager.reset()


def test_metadata_holds_over_the_end_of_a_part(manager, clock):
    def call():
        with manager.profile_region("a"):
            clock.tick(1)

    def noted(results):
        return [*results["a"][0].event_metadata]

    with manager.metadata(endpoint="/items"):
        call()
        first = cut(manager)
        call()
        with manager.profile_region("a"):
            with manager.metadata(step=2):
                second = cut(manager)
                clock.tick(1)
                call()
    call()
    third = cut(manager)
    assert noted(first) == noted(second) == [{"endpoint": "/items"}]
    assert [*third["a"][0].event_metadata] == [
        {"endpoint": "/items"}, {"endpoint": "/items", "step": 2}, {}]


def test_generators_that_wait(manager, clock):
    @manager.profile("steps")
    def steps():
        clock.tick(1)
        yield 1
        clock.tick(10)
        yield 2
        clock.tick(100)

    waiting = steps()
    next(waiting)
    first = cut(manager)
    clock.tick(1_000)
    next(waiting)
    second = cut(manager)
    assert [*waiting] == []
    third = cut(manager)
    assert "steps" not in first and "steps" not in second
    assert third["steps"].durations_ns.tolist() == [1_111]
    assert third["steps"][0].exclusive_duration_ns == 111


def test_tasks(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)
    parts = []

    async def work(number):
        with manager.profile_region("work"):
            for _ in range(3):
                clock.tick(1)
                await asyncio.sleep(0)
                if number == 1:
                    parts.append(cut(manager))

    async def main():
        await asyncio.gather(*(work(number) for number in range(3)))

    asyncio.run(main())
    asyncio.run(main())
    parts.append(cut(manager))
    assert totals(parts)["work"][0] == totals(parts)["work"][4] == 6
    assert len(manager._tasks._tasks) == 0
    for results in parts:
        if "work" in results:
            known = {task.index for task in results.tasks[0]}
            assert {*results["work"][0].task_ids.tolist()} <= known
    manager.reset()


def test_threads_that_are_over_are_told_once(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_threads=True)

    def call():
        with manager.profile_region("a"):
            pass

    call()
    for _ in range(3):
        threads = [threading.Thread(target=call) for _ in range(5)]
        for thread in threads:
            thread.start()
            thread.join()
        clock.tick(10)
        part = cut(manager)
        assert {*part["a"][0].thread_ids.tolist()} <= {row.index for row in part.threads[0]}
        assert len(part.threads[0]) <= 7
    manager.reset()


def test_lines(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, use_line_profiler=True)
    parts = []

    @manager.profile("work")
    def work(rounds):
        for _ in range(rounds):
            clock.tick(3)
            parts.append(cut(manager))
        return rounds

    work(4)
    parts.append(cut(manager))
    first = work.__wrapped__.__code__.co_firstlineno if hasattr(work, "__wrapped__") else (
        work.__code__.co_firstlineno)
    hits, times = {}, {}
    for results in parts:
        for entry in results.line_profile.get(0, ()):
            for line, count, time in zip(entry["line_numbers"], entry["hits"], entry["times"]):
                hits[line - first] = hits.get(line - first, 0) + int(count)
                times[line - first] = times.get(line - first, 0) + int(time)
    assert hits == {2: 5, 3: 4, 4: 4, 5: 1}
    assert times[3] == 12
    manager.reset()


def test_memory_is_given_back(manager):
    for _ in range(3):
        for number in range(100_000):
            with manager.profile_region("a"):
                pass
        assert manager._counters()["log_bytes"] > 1_000_000
        manager.finalize(verbose=False, start_over=True)
        assert manager._counters()["log_bytes"] == 0


def test_threads_record_meanwhile():
    """Eight threads, and parts one after the other: together they have every call once."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    rounds, parts = 4_000, []
    begun = threading.Barrier(9)

    def work(number):
        own = manager.profile_region(f"own {number}")
        begun.wait()
        for _ in range(rounds):
            with manager.profile_region("outer"):
                with own:
                    pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    begun.wait()
    while any(thread.is_alive() for thread in threads):
        parts.append(cut(manager))
    parts.append(cut(manager))
    found = totals(parts)
    assert found["outer"][0] == found["outer"][4] == 8 * rounds
    assert [found[f"own {number}"][0] for number in range(8)] == [rounds] * 8
    assert [found[f"own {number}"][4] for number in range(8)] == [rounds] * 8
    inside = sum(found[f"own {number}"][1] for number in range(8))
    assert found["outer"][2] == pytest.approx(found["outer"][1] - inside, abs=16 * len(parts))
    manager.reset()


def test_call_tracing(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    parts = []

    def inner():
        clock.tick(1)

    @manager.profile("outer", recursive=True)
    def outer():
        inner()
        parts.append(cut(manager))
        inner()

    outer()
    outer()
    parts.append(cut(manager))
    found = totals(parts)
    [name] = [name for name in found if name.endswith("inner")]
    assert found[name][:2] == (4, 4) and found["outer"][:2] == (2, 4)
    manager.reset()


def test_the_process_ends_in_the_next_part(tmp_path):
    import subprocess
    import sys

    program = (
        "import scope_profiler as sp\n"
        "sp.setup(file_path='run.json', verbose=False, auto_finalize=True)\n"
        "for name in 'ab':\n"
        "    with sp.region(name): pass\n"
        "    if name == 'a': sp.finalize(start_over=True)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
    assert load(tmp_path / "run.json").region_names == ["a"]
    assert load(tmp_path / "run-2.json").region_names == ["b"]


def test_bad_arguments(manager):
    with pytest.raises(TypeError, match="start_over"):
        manager.finalize(verbose=False, start_over="yes")


# ---- Metadata


class Value:
    """Something of the program's that metadata hold."""


def values_of(results, name):
    return [entry.get("request") for entry in results[name][0].event_metadata]


@pytest.mark.parametrize("tracked", [False, True])
def test_metadata_that_nobody_uses_go_with_their_part(tmp_path, tracked):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "x.json", track_async=tracked)
    known, counts = [], []

    @manager.profile("steps")
    def steps():
        yield 1
        yield 2

    with manager.metadata(request="all the time"):
        with manager.metadata(request="a generator's"):
            suspended = steps()
            next(suspended)
        scope = manager.metadata(request="an open call's")
        scope.__enter__()
        open_call = manager.profile_region("open")
        type(open_call).__enter__(open_call)
        scope.__exit__(None, None, None)
        del scope
        for part in range(6):
            numbers = range(100 * part, 100 * part + 100)
            for number in numbers:
                value = Value()
                known.append(weakref.ref(value))
                with manager.metadata(request=number, value=value), manager.profile_region("r"):
                    pass
                del value
                with manager.profile_region("around"):
                    pass
            (journal,) = tmp_path.glob("*.journal")
            assert values_of(load(journal), "r") == [*numbers]
            assert {*values_of(load(journal), "around")} == {"all the time"}
            results = manager.finalize(verbose=False, start_over=True, return_results=True)
            assert values_of(results, "r") == [*numbers]
            assert {*values_of(results, "around")} == {"all the time"}
            assert sum(reference() is not None for reference in known) <= 100
            entries = manager._annotations()[0]
            counts.append((len(entries), sum(entry is not None for entry in entries)))
            del results, entries
        assert [*suspended] == [2]
        type(open_call).__exit__(open_call, None, None, None)
    results = manager.finalize(verbose=False, return_results=True)
    assert values_of(results, "steps") == ["a generator's"]
    assert values_of(results, "open") == ["an open call's"]
    assert {alive for _, alive in counts} == {3}
    assert tracked or NO_GIL or counts[1:] == counts[:-1]
    manager.reset()


def test_outcomes_go_with_their_part():
    manager = ProfileManager()
    manager.setup(output=None)

    @manager.profile("r", record_outcome=True)
    def call(fail):
        if fail:
            raise KeyError

    counts = []
    for part in range(6):
        for number in range(50):
            with manager.metadata(request=number), suppress(KeyError):
                call(number % 2)
        results = manager.finalize(verbose=False, start_over=True, return_results=True)
        assert values_of(results, "r") == [*range(50)]
        assert [entry["status"] for entry in results["r"][0].event_metadata] == ["ok", "error"] * 25
        counts.append(sum(entry is not None for entry in manager._annotations()[0]))
        del results
    assert max(counts) <= 50
    manager.reset()
