"""The stress test in small; `make stress` runs it in full. And that it notices what is wrong."""

import re

import pytest

from scope_profiler import ProfileManager
import stress
from stress_checks import check_events, check_tree
from stress_oracle import Oracle, merged
from stress_work import Ways, Worker


@pytest.mark.parametrize("mode", stress.MODES)
def test_threads_regions_tasks_and_exceptions(mode):
    calls = {"default": 5_000}.get(mode, 2_500)
    assert stress.run(threads=8, calls=calls, seed=11, mode=mode) == []


def test_the_walk_is_the_same_for_the_same_seed(manager):
    ways = Ways(manager, 5)
    walks = []
    for seed in (3, 3, 4):
        worker = Worker(ways, 500, seed, False)
        worker.run(0)
        walks.append(worker.oracle.order)
    assert walks[0] == walks[1] != walks[2]


@pytest.fixture
def recorded():
    """A manager with a call in which two are made side by side, in a region each."""
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    a, b, c, marker = map(manager.profile_region, ["a", "b", "c", "thread 0"])
    with marker:
        pass
    with a:
        with b:
            pass
        with c:
            pass
    yield manager
    manager.reset()


def oracle_of(script):
    """Of "a( b( )b )a": regions by their first letter, t the thread's own."""
    oracle, calls = Oracle(False), []
    for step in script.split():
        if step[-1] == "(":
            calls.append(oracle.enter("abct".index(step[0])))
        else:
            [call] = [call for call in calls if call[2] == "abct".index(step[1])][-1:]
            oracle.leave(call, step.endswith("!"))
    return oracle


def test_what_is_right_is_found_right(recorded):
    oracle = oracle_of("t( )t a( b( )b c( )c )a")
    assert check_tree(recorded, [oracle]) == check_events(recorded, [oracle]) == []


@pytest.mark.parametrize(
    ("script", "tree", "events"),
    [
        ("t( )t a( b( )b c( )c )a! ", "a: .calls, errors. are .1, 0., expected .1, 1.", None),
        ("t( )t a( b( )b )a c( )c", "a>c: .calls, errors. are .1, 0., expected None", "comes"),
        ("t( )t a( c( )c b( )b )a", None, "comes .* ns before"),
        ("t( )t a( b( c( )c )b )a", "a>b>c: .calls, errors. are None", "comes .* ns before"),
        ("t( )t a( b( )b b( )b )a", "counter calls is 4|a>b: ", "b: 1 calls, expected 2"),
        ("t( )t a( b( )b )a", "counter calls is 4, expected 3", "4 intervals, expected 3"),
    ],
)
def test_what_is_wrong_is_found(recorded, script, tree, events):
    oracle = oracle_of(script)
    for bad, expected in ((check_tree(recorded, [oracle]), tree),
                          (check_events(recorded, [oracle]), events)):
        assert bool(bad) == (expected is not None)
        assert expected is None or re.search(expected, "\n".join(bad))


def test_the_oracle_folds_recursion_and_knows_steps():
    oracle = Oracle(False)
    a = oracle.enter(0)
    b = oracle.enter(1)
    again = oracle.enter(0)
    assert again[1] == a[1]
    oracle.leave(again, True)
    oracle.pause(b)
    oracle.leave(a, False)
    oracle.step(b)
    oracle.leave(b, False)
    assert merged([oracle]) == {(0,): (2, 1), (1,): (1, 0)}
    assert list(oracle.order) == [0, 1, 2, -3, -1, -2]
    assert list(oracle.parents) == [-1, 0, 1]
