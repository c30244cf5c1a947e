"""`later - earlier`: what came to a run between two of its results."""

import asyncio
from importlib.util import find_spec
import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from results_support import programs

from scope_profiler import ProfileManager, ProfilingResults, _core, load, write_profile
from scope_profiler._model.recorded import SUMS

FORMS = (*(["h5"] if find_spec("h5py") else []), "json")


class Run:
    """A run under the fake clock, and of each call what an oracle has of it: (path, end, duration, own)."""

    def __init__(self, **settings):
        self.manager = ProfileManager()
        self.manager.setup(deactivate_file_output=True, **settings)
        self.now = 1_000
        self.tick(1)
        self.calls = []
        self.open = []

    def tick(self, ns):
        self.now += ns
        _core._fake_clock(self.now)

    def execute(self, program):
        """Its time inside regions."""
        inside = 0
        for name, work, children, fails in program:
            above = self.open[-1] if self.open else ()
            path = above[: above.index(name) + 1] if name in above else (*above, name)
            nested = any(each[-1] == name for each in self.open)
            start = self.now
            self.open.append(path)
            try:
                with self.manager.profile_region(name):
                    self.tick(work)
                    below = self.execute(children)
                    if fails:
                        raise ValueError
            except ValueError:
                pass
            self.open.pop()
            lasted = self.now - start
            self.calls.append((path, self.now, lasted, lasted - below, bool(fails), nested))
            self.tick(1)
            inside += lasted
        return inside

    def snapshot(self, events=True):
        return self.manager.snapshot(events=events), len(self.calls)

    def end(self):
        self.manager.reset()
        _core._fake_clock(None)


def paths(tree):
    found = []
    for node in tree.nodes:
        found.append((*(found[node.parent] if node.parent >= 0 else ()), node.name))
    return found


def sums(results):
    """{path: what adds up}, of the nodes with calls."""
    if not results.recorded:
        return {}
    tree = results.recorded[0]
    return {
        path: {name: getattr(node.statistics, name) for name in SUMS if name != "open_calls"}
        for path, node in zip(paths(tree), tree.nodes)
    }


def added(one, other):
    found = {}
    for path in one.keys() | other.keys():
        values = [each[path] for each in (one, other) if path in each]
        found[path] = {
            name: None if None in (parts := [each[name] for each in values]) else sum(parts)
            for name in values[0]
        }
    return {path: each for path, each in found.items() if each["num_calls"] or each["open_total_ns"]}


def without_nothing(found):
    return {path: each for path, each in found.items() if each["num_calls"] or each["open_total_ns"]}


def check(window, calls):
    """The window has these calls of the oracle, and says of them what can be said."""
    by_path, by_name = {}, {}
    for call in calls:
        by_path.setdefault(call[0], []).append(call)
        by_name.setdefault(call[0][-1], []).append(call)
    tree = window.recorded[0]
    nodes = {path: node for path, node in zip(paths(tree), tree.nodes) if node.statistics.num_calls}
    assert nodes.keys() == by_path.keys()
    for path, node in nodes.items():
        known, durations = node.statistics, [call[2] for call in by_path[path]]
        assert known.num_calls == len(durations)
        assert known.sum_ns == sum(durations)
        assert known.total_ns == sum(call[2] for call in by_path[path] if not call[5])
        assert known.exclusive_ns == sum(call[3] for call in by_path[path])
        assert known.errors == sum(call[4] for call in by_path[path])
        assert known.average_ns == round(sum(durations) / len(durations))
        assert known.std_ns == pytest.approx(np.std(durations), abs=1)
        for name, percentile in (("p50_ns", 50), ("p90_ns", 90), ("p99_ns", 99), ("p999_ns", 99.9)):
            assert getattr(known, name) == pytest.approx(
                np.percentile(durations, percentile), rel=1 / 64, abs=1)
        assert min(durations) / (1 + 1 / 32) - 1 <= known.minimum_ns <= min(durations)
        assert max(durations) <= known.maximum_ns <= max(durations) * (1 + 1 / 32) + 1
    assert {*window.region_names} == by_name.keys()
    for name, of_region in by_name.items():
        region = window[name][0]
        assert region.num_calls == len(of_region)
        assert region.errors == sum(call[4] for call in of_region)
        if region.num_events:
            ends = sorted(zip(region.start_times_ns + region.durations_ns, region.durations_ns))
            assert ends == sorted((call[1], call[2]) for call in of_region)


@given(st.lists(programs, min_size=3, max_size=3), st.booleans())
@settings(max_examples=40)
def test_the_windows_of_random_programs(parts, events):
    run = Run()
    try:
        taken = [run.snapshot(events)]
        for part in parts:
            run.execute(part)
            taken.append(run.snapshot(events))
        for first in range(len(taken)):
            for last in range(first, len(taken)):
                window = taken[last][0] - taken[first][0]
                check(window, run.calls[taken[first][1] : taken[last][1]])
        one, two, three = (taken[k][0] for k in (1, 2, 3))
        assert added(sums(two - one), sums(three - two)) == without_nothing(sums(three - one))
        start = taken[0][0]
        assert without_nothing(sums((three - start) - (two - start))) == without_nothing(
            sums(three - two))
    finally:
        run.end()


def test_a_call_counts_where_it_ends_and_open_time_where_it_was(manager, clock):
    taken = [manager.snapshot()]
    with manager.profile_region("outer"):
        clock.tick(100)
        taken.append(manager.snapshot())
        with manager.profile_region("inner"):
            clock.tick(30)
        taken.append(manager.snapshot())
        clock.tick(5)
    taken.append(manager.snapshot())
    windows = [later - earlier for earlier, later in zip(taken, taken[1:])]
    found = [
        {node.name: (node.statistics.num_calls, node.statistics.total_ns + node.statistics.open_total_ns,
                     node.statistics.exclusive_ns + node.statistics.open_exclusive_ns)
         for node in window.recorded[0].nodes}
        for window in windows
    ]
    assert found == [
        {"outer": (0, 100, 100)},
        {"outer": (0, 30, 0), "inner": (1, 30, 30)},
        {"outer": (1, 5, 5)},
    ]
    assert windows[2]["outer"][0].total_duration_ns == 135
    assert [window.total_time for window in windows] == pytest.approx([
        later.finalize_time - earlier.finalize_time for earlier, later in zip(taken, taken[1:])])


def test_nothing_of_the_run_is_touched(manager, clock, capsys, tmp_path):
    with manager.profile_region("a"):
        clock.tick(5)
    results = manager.snapshot()
    assert manager.last_results() is None
    assert results["a"].num_calls == results["a"].num_events == 1
    manager.snapshot()
    assert not [*tmp_path.iterdir()] and capsys.readouterr().out == ""
    with pytest.raises(RuntimeError):  # nothing was finalized
        manager.setup()
    whole = manager.finalize(verbose=False, return_results=True)
    assert whole["a"][0].statistics == results["a"][0].statistics


def test_without_events(manager, clock):
    with manager.profile_region("a"):
        clock.tick(5)
    slim = manager.snapshot(events=False)
    with manager.profile_region("a"):
        clock.tick(7)
    later = manager.snapshot()
    assert (slim["a"].num_events, slim["a"].num_calls, slim["a"].total_duration_ns) == (0, 1, 5)
    assert (later - slim)["a"].num_events == 0
    assert (later - slim)["a"].durations_ns.tolist() == []
    assert (later - slim)["a"].total_duration_ns == 7
    with pytest.raises(TypeError, match="events"):
        manager.snapshot(events="no")


def test_calls_that_are_alike(manager, clock):
    def two():
        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
            thread.join()

    def call():
        with manager.profile_region("a"):
            pass

    two()
    earlier = manager.snapshot()
    two()
    later = manager.snapshot()
    assert (later - earlier)["a"].num_events == 2


def test_results_of_different_runs_are_refused(manager, clock):
    first = manager.snapshot()
    clock.tick(1)
    second = manager.snapshot()
    manager.setup(deactivate_file_output=True, replace=True)
    with pytest.raises(ValueError, match="same run.*start_time_ns"):
        manager.snapshot() - first
    with pytest.raises(ValueError, match="other way round|later first"):
        first - second
    with pytest.raises(TypeError):
        second - 1
    with pytest.raises(ValueError, match="tree"):
        bare = ProfilingResults({name: second[name] for name in second.region_names})
        with_calls = ProfilingResults({"a": region_of(bare)})
        with_calls - bare


def region_of(_):
    from scope_profiler import MPIRegion, Region

    return MPIRegion("a", {0: Region(start_times_ns=[1], durations_ns=[2])})


def test_before_setup():
    with pytest.raises(RuntimeError, match=r"snapshot\(\) before setup\(\)"):
        ProfileManager().snapshot()


def test_of_a_run_and_a_session(tmp_path):
    manager = ProfileManager()
    with manager.session(output=None, verbose=False) as session:
        with manager.profile_region("a"):
            pass
        assert session.snapshot()["a"].num_calls == 1
        run = manager._run
        assert run.snapshot(events=False)["a"].num_events == 0
    manager.setup(output=None)
    with pytest.raises(RuntimeError, match="replaced"):
        run.snapshot()
    with pytest.raises(RuntimeError, match="not begun"):
        manager.session().snapshot()
    manager.reset()


def test_switched_off():
    manager = ProfileManager()
    manager.setup(deactivate_profiling=True)
    first = manager.snapshot()
    assert len(first) == 0 and len(manager.snapshot() - first) == 0


@pytest.mark.parametrize("form", FORMS)
def test_in_files(manager, clock, tmp_path, form):
    """Two files of a run, and the file of a window."""
    taken = []
    for ns in (5, 70, 900):
        with manager.profile_region("a"):
            clock.tick(ns)
            with manager.profile_region("b"):
                clock.tick(ns)
        taken.append(manager.snapshot())
    paths = [str(tmp_path / f"{number}.{form}") for number in range(3)]
    write_profile(taken[0], paths[0])
    write_profile(taken[2], paths[1])
    window = load(paths[1]) - load(paths[0])
    assert sums(window) == sums(taken[2] - taken[0])
    assert window["a"].durations_ns.tolist() == [140, 1800]
    write_profile(window, paths[2])
    again = load(paths[2])
    assert sums(again) == sums(window)
    assert again["a"][0].statistics == window["a"][0].statistics
    again.print_summary()


def test_waiting_and_running(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, track_async=True)

    async def step(ns):
        with manager.profile_region("step"):
            clock.tick(ns)
            await asyncio.sleep(0)
            clock.tick(ns)

    async def other():
        await asyncio.sleep(0)

    async def main(ns):
        await asyncio.gather(step(ns), other())

    asyncio.run(main(10))
    earlier = manager.snapshot()
    asyncio.run(main(25))
    window = manager.snapshot() - earlier
    [node] = [node for node in window.recorded[0].nodes if node.name == "step"]
    assert node.statistics.running_ns == 50
    assert node.statistics.waiting_ns == node.statistics.total_ns - 50
    manager.reset()


def test_lines(clock):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, line_details=True)

    def work(rounds):
        for _ in range(rounds):
            clock.tick(3)
        return rounds

    work = manager.profile("work")(work)
    work(2)
    earlier = manager.snapshot()
    work(5)
    later = manager.snapshot()
    first = work.__code__.co_firstlineno
    [entry] = (later - earlier).line_profile[0]
    hits = dict(zip(entry["line_numbers"] - first, entry["hits"]))
    assert (hits[1], hits[2], hits[3]) == (6, 5, 1)
    times = dict(zip(entry["line_numbers"] - first, entry["times"]))
    assert times[2] == 15
    [nothing] = [(later - later).line_profile[0]]
    assert nothing == []
    manager.reset()


def test_memory():
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, memory=True)
    kept = []

    def take(size):
        with manager.profile_region("a"):
            kept.append(bytes(size))

    take(100_000)
    first = manager.snapshot()
    take(50_000)
    second = manager.snapshot()
    take(400_000)
    third = manager.snapshot()
    [small] = (second - first).recorded[0].nodes
    [large] = (third - second).recorded[0].nodes
    assert 50_000 <= small.statistics.allocated_bytes < 60_000
    assert small.statistics.peak_bytes is None  # that of all calls is larger
    assert large.statistics.peak_bytes >= 400_000
    manager.reset()


def test_while_other_threads_record():
    """Snapshots one after the other, whose windows add up to the whole."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    begun, done = threading.Barrier(5), threading.Event()

    def work():
        begun.wait()
        for _ in range(3_000):
            with manager.profile_region("outer"):
                with manager.profile_region("inner"):
                    pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    taken = [manager.snapshot()]
    for thread in threads:
        thread.start()
    begun.wait()
    while any(thread.is_alive() for thread in threads):
        taken.append(manager.snapshot(events=len(taken) % 2 == 0))
    for thread in threads:
        thread.join()
    done.set()
    taken.append(manager.snapshot())
    windows = [later - earlier for earlier, later in zip(taken, taken[1:])]
    for name in ("outer", "inner"):
        counts = [w[name].num_calls for w in windows if name in w]
        assert sum(counts) == 12_000
    whole = taken[-1] - taken[0]
    assert whole["inner"].num_events == 12_000
    manager.reset()
