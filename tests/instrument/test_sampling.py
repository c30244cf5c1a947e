"""sampling.py: recording one time step in several."""

import pytest

from scope_profiler import ProfileManager


def sampled(manager, every, start=0, steps=range(10)):
    taken = []
    with manager.sample_every(every, start) as profile_step:
        for step in steps:
            with profile_step(step) as wanted:
                with manager.profile_region("r"):
                    pass
            if wanted:
                taken.append(step)
    return taken, manager.get_region("r").num_calls


@pytest.mark.parametrize("every, start, expected", [
    (1, 0, list(range(10))), (3, 0, [0, 3, 6, 9]), (3, 1, [1, 4, 7]), (20, 5, [5]), (2, 30, []),
])
def test_which_steps_record(manager, every, start, expected):
    assert sampled(manager, every, start) == (expected, len(expected))


def test_outside_steps_recording_goes_on(manager):
    with manager.sample_every(5) as profile_step:
        with manager.profile_region("outside"):
            with profile_step(1), manager.profile_region("inside"):
                pass
    assert manager.get_region("outside").num_calls == 1
    assert manager.get_region("inside").num_calls == 0


def test_an_exception_ends_the_step(manager):
    with pytest.raises(ZeroDivisionError):
        with manager.sample_every(2) as profile_step, profile_step(1):
            1 / 0
    with manager.profile_region("after"):
        pass
    assert manager.get_region("after").num_calls == 1


def test_a_paused_run_stays_paused(manager):
    manager.pause()
    assert sampled(manager, 1)[1] == 0
    assert not manager._recording


def test_without_a_run_nothing_happens():
    assert sampled(ProfileManager(), 2)[1] == 0


def within_a_step(manager, wanted, action):
    """What the action in a step that does, or does not, record leaves."""
    with manager.sample_every(2) as profile_step:
        with profile_step(0 if wanted else 1):
            action()
            inside = manager._recording
    return inside, manager._recording


def restart(manager, **settings):
    return lambda: manager.setup(deactivate_file_output=True, replace=True, **settings)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_happens_to_the_run_in_a_step_stays_so(wanted):
    manager = ProfileManager()
    for action, inside, after in (
        (lambda: None, wanted, True),
        (manager.pause, False, False),
        (manager.resume, wanted, True),
        (manager.reset, False, False),
        (restart(manager), True, True),
        (restart(manager, deactivate_profiling=True), False, False),
        (lambda: manager._run._manager()._stop(), False, False),
        (lambda: manager.finalize(verbose=False), wanted, True),
        (lambda: within_a_step(manager, True, lambda: None), wanted, True),
        (lambda: within_a_step(manager, False, lambda: None), wanted, True),
        (lambda: within_a_step(manager, True, manager.pause), False, False),
        (lambda: within_a_step(manager, False, restart(manager)), True, True),
    ):
        restart(manager)()
        assert within_a_step(manager, wanted, action) == (inside, after), action
    manager.reset()


def test_resumed_in_a_step():
    manager = ProfileManager()
    for wanted in (True, False):
        restart(manager)()
        manager.pause()
        assert within_a_step(manager, wanted, manager.resume) == (wanted, True)
    manager.reset()


def test_a_run_that_begins_in_a_step():
    manager = ProfileManager()
    for wanted in (True, False):
        assert within_a_step(manager, wanted, restart(manager)) == (True, True)
        manager.reset()


def test_steps_that_overlap_in_threads(manager):
    with manager.sample_every(2) as profile_step:
        first, second = profile_step(1), profile_step(3)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert not manager._recording
        second.__exit__(None, None, None)
        assert manager._recording


@pytest.mark.parametrize("wrong", [0, -1, True, 1.5, "2", None])
def test_bad_arguments(manager, wrong):
    with pytest.raises(ValueError, match="every takes an int of at least 1, got"):
        manager.sample_every(wrong)
    if wrong != 0:
        with pytest.raises(ValueError, match="start takes an int of at least 0, got"):
            manager.sample_every(1, wrong)
    if not isinstance(wrong, int) or isinstance(wrong, bool):
        with manager.sample_every(1) as profile_step:
            with pytest.raises(TypeError, match="timestep takes an int, got"):
                with profile_step(wrong):
                    pass
