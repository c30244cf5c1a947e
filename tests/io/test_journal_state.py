"""What the state in a journal says; and that nothing else is taken for one."""

import copy
import json

import pytest

from scope_profiler import ProfileManager
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


@pytest.fixture
def written(manager, tmp_path):
    @manager.profile("lined")
    def lined():
        return 1

    lined()
    checkpoint.make(manager)
    (path,) = tmp_path.glob("*.journal")
    with JournalFile(path) as file:
        return json.loads(json.dumps(file.journal().state))


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
    manager._journal_state({"tree": 3})
    (path,) = tmp_path.glob("*.journal")
    results, missing = recover(path)
    assert results["r"].num_calls == 1
    assert missing[0].startswith("the state of the run is not what it should be")
