"""What the state in a journal says; and that nothing else is taken for one."""

import copy
import json
from contextlib import suppress

import numpy as np
import pytest

from scope_profiler import ProfileManager
from scope_profiler._model.sketch import Sketch
from scope_profiler._model.statistics import MEMORY
from scope_profiler._run import checkpoint
from scope_profiler.io.journal_blocks import JournalFile
from scope_profiler.io.journal_reader import recover
from scope_profiler.io.journal_state import State


@pytest.fixture
def manager(tmp_path):
    manager = ProfileManager()
    manager.setup(output=tmp_path / "out.h5", journal=True, verbose=False, track_threads=True, memory=True,
                  use_line_profiler=True)
    yield manager
    manager.reset()


def state_of(folder):
    """What the last checkpoint has written."""
    (path,) = folder.glob("*.journal")
    with JournalFile(path) as file:
        return json.loads(json.dumps(file.journal().state))


@pytest.fixture
def written(manager, tmp_path):
    @manager.profile("lined")
    def lined():
        return 1

    lined()
    checkpoint.make(manager)
    return state_of(tmp_path)


def places(value, path=()):
    """Every place in nested lists and dicts."""
    yield path
    if isinstance(value, (dict, list)):
        for key, inner in (value.items() if isinstance(value, dict) else enumerate(value)):
            yield from places(inner, (*path, key))


def put(state, path, value):
    changed = copy.deepcopy(state)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return changed


def test_any_wrong_value_is_an_error_or_a_value(written):
    assert State.read(written).lines
    for path in places(written):
        for value in (None, -1, 1 << 70, "x", [], {}, [[]], 1e300, float("nan"), True):
            if not path:
                continue
            try:
                State.read(put(written, path, value))
            except ValueError as error:
                assert "not what it should be" in str(error)


def test_one_that_is_wrong_is_told_of_and_the_calls_are_there(manager, tmp_path):
    with manager.profile_region("r"):
        pass
    manager._journal_state({"threads": 3})
    (path,) = tmp_path.glob("*.journal")
    results, missing = recover(path)
    assert results["r"].num_calls == 1
    assert missing[0].startswith("the state of the run is not what it should be")


def test_the_tree_is_that_of_the_results(manager, tmp_path):
    """Of regions with few calls and with many, nested, left by errors, with work, and of one that is open."""
    for calls in (1, 15, 16, 400):
        for step in range(calls):
            outer, inner = manager.region(f"{calls} calls", tags=["t"]), manager.region("\u00fc \"in\"")
            with suppress(ValueError), outer, inner:
                manager.add(bytes=step / 3)
                if step % 3 == 1:
                    raise ValueError
    with manager.region("open"):
        checkpoint.make(manager)
        state = State.read(state_of(tmp_path))
        tree, sketches, scale, *_ = manager._snapshot(False)
    assert [region.name for region in state.regions] == [region.name for region in manager._regions()]
    assert state.regions[0].tags == ("t",) and state.regions[0].file == __file__
    assert len(state.nodes) == len(tree) == 9
    sizes, buckets, counts = map(np.frombuffer, sketches, (np.uint32, np.uint16, np.uint64))
    assert len(sizes) == 9 and sum(sizes) == len(buckets) == len(counts)
    ends = np.cumsum(sizes)
    for node, row, begin, end in zip(state.nodes, tree, ends - sizes, ends):
        its = node.statistics
        assert (node.parent, node.name, its.num_calls, its.errors, its.open_calls) == (
            row[0], row[1].name, *row[2:5])
        assert (its.total_ns, its.sum_ns, its.exclusive_ns, its.minimum_ns, its.maximum_ns) == row[5:10]
        assert node.std_ns == pytest.approx(row[10])
        assert (its.p50_ns, its.p90_ns, its.p95_ns, its.p99_ns, its.p999_ns) == row[11]
        assert its.waiting_ns == row[15]
        assert tuple(getattr(its, name) for name in MEMORY) == (row[18] or (None,) * 5)
        assert (its.work, node.first_ns, its.throttled_calls) == row[19:22]
        part = slice(begin, end)
        expected = Sketch.of_used_buckets(buckets[part].astype(int), counts[part].astype(int), scale)
        assert node.sketch.values.tolist() == expected.values.tolist()
        assert node.sketch.counts.tolist() == expected.counts.tolist()
