"""The tree of a run and the node of each call in it: as the program made them, in memory and in files."""

import asyncio
from contextlib import contextmanager
from importlib.util import find_spec
import threading

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest
from conftest import NEEDS_H5PY
from results_support import patient, programs, region

from scope_profiler import ProfileManager, _core, load, write_profile
from scope_profiler._model.recorded import OTHER_PATHS, Recorded
from scope_profiler.results import MPIRegion, ProfilingResults

FORMS = (*(["h5"] if find_spec("h5py") else []), "json", "json.gz")
FILE = f"run.{FORMS[0]}"


class Program:
    """Runs calls under a clock that never stands still, and notes of each what is around it."""

    def __init__(self, **settings):
        self.manager = ProfileManager()
        self.manager.setup(deactivate_file_output=True, **settings)
        self.now = 1_000
        self.tick()
        self.calls = {}  # {start: (path, start of the call around it or None, depth)}

    def tick(self, ns=1):
        self.now += ns
        _core._fake_clock(self.now)

    @contextmanager
    def call(self, name, around=None):
        path, _, depth = self.calls[around] if around is not None else ((), None, -1)
        path = path[: path.index(name) + 1] if name in path else (*path, name)
        with self.manager.profile_region(name):
            start = self.now
            self.calls[start] = path, around, depth + 1
            self.tick()
            yield start
            self.tick()
        self.tick()

    def execute(self, program, around=None):
        for name, work, inside, _ in program:
            with self.call(name, around) as start:
                self.tick(work)
                self.execute(inside, start)

    def finish(self):
        results = self.manager.finalize(verbose=False, return_results=True)
        self.manager.reset()
        _core._fake_clock(None)
        return results


def paths(tree):
    """The path of each node, as names."""
    found = []
    for node in tree.nodes:
        found.append((*(found[node.parent] if node.parent >= 0 else ()), node.name))
    return found


def calls_of(results):
    """What Program.calls has, of results."""
    tree = paths(results.recorded[0])
    stack = results.call_stack(relative=False)
    starts = [results[call["name"]][0].start_times_ns[call["call_index"]] for call in stack]
    nodes = [results[call["name"]][0].node_ids[call["call_index"]] for call in stack]
    assert starts == sorted(starts)
    for call, graph in zip(stack, results.call_graph()):
        assert {call[key] for key in ("call_id", "name", "call_index", "depth")} == {
            graph[key] for key in ("call_id", "name", "call_index", "depth")}
        assert call["parent"] == graph["parent_id"]
    return {
        int(start): (
            tree[node], None if call["parent"] is None else int(starts[call["parent"]]),
            call["depth"],
        )
        for start, node, call in zip(starts, nodes, stack)
    }


def everywhere(results, folder):
    """The results, and what is left of them in a file of each kind made of the one before."""
    yield results
    for form in FORMS:
        write_profile(results, folder / f"run.{form}")
        results = load(folder / f"run.{form}")
        yield results


def check(program, folder):
    results = program.finish()
    for one in everywhere(results, folder):
        assert calls_of(one) == program.calls
        for made in one:
            own = made[0].exclusive_durations_ns
            assert own.min() > 0 and own.sum() == made[0].exclusive_duration_ns


def test_each_call_is_where_the_program_made_it(tmp_path):
    @settings(patient, max_examples=20)
    @given(programs)
    def of_any_program(made):
        program = Program()
        program.execute(made)
        check(program, tmp_path)

    of_any_program()


@pytest.mark.parametrize("track_threads", [False, True])
def test_threads_have_one_tree(tmp_path, track_threads):
    @settings(patient, max_examples=10)
    @given(st.lists(programs, min_size=2, max_size=3))
    def of_any_programs(made):
        program = Program(track_threads=track_threads)
        for of_thread in made:
            thread = threading.Thread(target=program.execute, args=(of_thread,))
            thread.start()
            thread.join()
        check(program, tmp_path)

    of_any_programs()


def test_threads_that_overlap(tmp_path):
    program = Program()
    entered, left = threading.Event(), threading.Event()

    def other():
        with program.call("other") as start:
            entered.set()
            left.wait(10)
            with program.call("inner", start):
                pass

    with program.call("main") as start:
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(10)
        with program.call("inner", start):
            pass
    left.set()
    thread.join()
    check(program, tmp_path)


def test_a_call_inside_one_that_is_open(tmp_path):
    program = Program()
    with program.manager.profile_region("open"):
        program.execute([("a", 1, [("b", 1, [], False)], False), ("b", 1, [], False)])
        results = program.manager.finalize(verbose=False, return_results=True)
        for one in everywhere(results, tmp_path):
            below = {start: (("open", *path), *rest) for start, (path, *rest) in program.calls.items()}
            assert calls_of(one) == below
    program.finish()


@pytest.mark.parametrize("track_async", [False, True])
def test_tasks_are_inside_of_what_ran_them_or_by_themselves(tmp_path, track_async):
    program = Program(track_async=track_async)

    async def work(name, around, steps):
        with program.call(name, around) as start:
            for _ in range(steps):
                await asyncio.sleep(0)
                with program.call("part", start):
                    program.tick()

    async def main(around):
        await asyncio.gather(*(work(f"work{steps}", around, steps) for steps in range(1, 6)))

    with program.call("main") as start:
        asyncio.run(main(None if track_async else start))
    results = program.finish()
    for one in everywhere(results, tmp_path):
        assert calls_of(one) == program.calls
        # The tree shares out the time once, whoever ran in it.
        assert one["main"][0].exclusive_durations_ns.sum() == one["main"][0].exclusive_duration_ns


def test_tasks_of_one_region_are_no_recursion(tmp_path):
    program = Program()

    async def work(around, steps):
        with program.call("work", around):
            for _ in range(steps):
                await asyncio.sleep(0)
                program.tick()

    async def main(around):
        await asyncio.gather(*(work(around, steps) for steps in (5, 3, 4, 1)))

    with program.call("main") as start:
        asyncio.run(main(start))
    for one in everywhere(program.finish(), tmp_path):
        assert calls_of(one) == program.calls


def test_generators_that_outlive_what_called_them(tmp_path):
    program = Program()

    def steps(name, around):
        with program.call(name, around) as start:
            yield
            with program.call("inner", start):
                pass
            yield

    with program.call("outer") as start:
        first, second = steps("first", start), steps("second", start)
        next(first)
        next(second)
        next(second)
    second.close()
    first.close()
    results = program.finish()
    # Their own stack says that the second is inside the first.
    found = {path[-1]: (path, depth) for path, _, depth in calls_of(results).values()}
    assert found["inner"] == (("outer", "first", "second", "inner"), 3)


def test_more_paths_than_are_told_apart(tmp_path, few_paths):
    """What is below "(other paths)" knows its region alone; calls still know what they are inside of."""
    program = Program()
    names = [f"r{number}" for number in range(14)]
    for one in names:
        with program.call(one) as first:
            for two in names:
                if two == one:
                    continue
                with program.call(two, first) as second:
                    for three in names[:12]:
                        if three not in (one, two):
                            with program.call(three, second):
                                pass
    results = program.finish()
    assert OTHER_PATHS in {node.name for node in results.recorded[0].nodes}
    write_profile(results, tmp_path / FILE)
    for made in (results, load(tmp_path / FILE)):
        for start, (path, around, depth) in calls_of(made).items():
            expected = program.calls[start]
            assert (around, depth) == expected[1:]
            assert path == expected[0] or path[-2:] == (OTHER_PATHS, expected[0][-1])


def test_forked_children_have_trees_of_their_own(tmp_path):
    import os

    if not hasattr(os, "fork"):
        pytest.skip("no fork() here")
    manager = ProfileManager()
    manager.setup(file_path=tmp_path / FILE)
    with manager.profile_region("parent"), manager.profile_region("both"):
        pass
    child = os.fork()
    if not child:
        with manager.profile_region("child"), manager.profile_region("both"):
            pass
        manager.finalize(verbose=False)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    manager.finalize(verbose=False)
    from scope_profiler import load_processes

    both = load_processes(tmp_path / FILE)
    assert [paths(both.recorded[rank]) for rank in (0, 1)] == [
        [("parent",), ("parent", "both")], [("child",), ("child", "both")]]
    for rank in (0, 1):
        assert [call["call_path"] for call in both.call_stack(rank)] == [
            ("parent", "child")[rank], ("parent > both", "child > both")[rank]]
        assert both["both"][rank].node_ids.tolist() == [1]
    manager.reset()


# -- what is read, left out, and put together ---------------------------------------------------


def test_what_is_left_out_of_a_file_is_left_out_of_its_tree(tmp_path):
    program = Program()
    program.execute([("a", 1, [("b", 1, [("c", 1, [], False)], False)], False), ("c", 1, [], False)])
    results = program.finish()
    write_profile(results, tmp_path / "part.json", exclude="b")
    part = load(tmp_path / "part.json")
    assert paths(part.recorded[0]) == [("a",), ("a", "c"), ("c",)]
    assert part["c"][0].node_ids.tolist() == [1, 2]
    assert [call["call_path"] for call in part.call_stack()] == ["a", "a > c", "c"]
    assert [call["call_path"] for call in results.call_stack(exclude="b")] == ["a", "a > c", "c"]


@pytest.mark.parametrize("ids, text", [([2], "got 2 to 2"), ([-1], "got -1"), ([1], "a place of 'b'")])
def test_nodes_that_are_not_those_of_a_region(ids, text):
    program = Program()
    program.execute([("a", 1, [("b", 1, [], False)], False)])
    tree = program.finish().recorded[0]
    assert isinstance(tree, Recorded)
    with pytest.raises(ValueError, match=text):
        ProfilingResults({"a": MPIRegion("a", {0: region((1, 2), node_ids=ids)})}, recorded={0: tree})


def test_nodes_without_their_tree_are_forgotten():
    calls = ProfilingResults({"a": MPIRegion("a", {0: region((1, 2), node_ids=[7])})})
    assert calls["a"][0].node_ids is None
    assert region((1, 2), node_ids=[7]).node_ids.tolist() == [7]


def test_rows_are_made_when_they_are_asked_for():
    program = Program()
    program.execute([("a", 1, [("b", 1, [], False)] * 3, False)] * 2)
    results = program.finish()
    for rows in (results.call_stack(), results.call_graph()):
        every = list(rows)
        assert len(rows) == len(rows.columns) == len(every) == 8 and rows == every and every == list(rows[:])
        assert rows[3] == every[3] and rows[-1] == every[-1] and rows[2:5] == every[2:5]
        assert rows[::3] == every[::3] and rows != every[:-1]
        with pytest.raises(IndexError):
            rows[8]
    assert results.call_stack()[6]["call_path"] == "a > b"


@NEEDS_H5PY
def test_many_calls_cost_few_bytes(tmp_path):
    """The column of nodes is next to nothing in a file."""
    manager = ProfileManager()
    manager.setup(file_path=tmp_path / "run.h5")
    outer, inner = manager.profile_region("outer"), manager.profile_region("inner")
    for _ in range(20_000):
        with outer:
            with inner:
                pass
    manager.finalize(verbose=False)
    assert (tmp_path / "run.h5").stat().st_size < 40_000 * 17
    manager.reset()


def test_overlapping_calls_of_random_tasks(tmp_path):
    """A call whose parents overlap is inside one at the right node that is open."""

    @settings(patient, max_examples=20)
    @given(st.lists(st.integers(1, 6), min_size=2, max_size=5))
    def of_any_tasks(counts):
        program = Program()

        async def work(around, count):
            with program.call("work", around) as start:
                for _ in range(count):
                    await asyncio.sleep(0)
                    with program.call("part", start):
                        await asyncio.sleep(0)

        async def main(around):
            await asyncio.gather(*(work(around, count) for count in counts))

        with program.call("main") as start:
            asyncio.run(main(start))
        results = program.finish()
        found = calls_of(results)
        for start, (path, _, depth) in program.calls.items():
            assert found[start][0] == path and found[start][2] == depth
            if found[start][1] is not None:
                assert found[found[start][1]][0] == path[:-1]
        assert np.sum(results["main"][0].exclusive_durations_ns) == (
            results["main"][0].exclusive_duration_ns)

    of_any_tasks()
