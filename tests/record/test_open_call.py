"""src/record/open_call.h, open_call.c: pairing of entries and exits, and who is charged for what."""

from contextlib import ExitStack
import threading

from hypothesis import given, settings, strategies as st
import pytest

from scope_profiler import _core

from conftest import Clock, calls_of, events_of, examples


def test_interleaved_generators_each_close_their_own(clock, core):
    region = core.profile_region("g")

    def work(ns):
        with region:
            clock.tick(ns)
            yield
            clock.tick(ns)
            yield

    first, second = work(1), work(10)
    next(first), next(second), next(first), next(second)
    first.close()
    second.close()
    assert sorted(events_of(core, "g")) == [(1_000, 22), (1_001, 21)]
    assert core._counters()["unmatched"] == core._counters()["open"] == 0


def test_exclusive_times_add_up_when_scopes_overlap(clock, core):
    a, b, around = map(core.profile_region, ("a", "b", "around"))

    def hold(region, before):
        with region:
            clock.tick(before)
            yield

    with around:
        clock.tick(1)
        first, second = hold(a, 10), hold(b, 100)
        next(first)
        next(second)
        first.close()  # a ends while b, entered inside it, goes on
        clock.tick(1000)
        second.close()
        clock.tick(10_000)
    found = calls_of(core)
    assert found["around"] == (1, 11_111, 10_001)
    assert found["around>a"] == (1, 110, 10)
    assert found["around>a>b"] == (1, 1100, 1100)
    assert sum(exclusive for _, _, exclusive in found.values()) == 11_111


def test_overlapping_calls_are_no_recursion(clock, core):
    """Tasks that hold one region at the same time: each counts with its whole time."""
    region = core.profile_region("fetch")

    def task():
        with region:
            yield

    first, second = task(), task()
    next(first)
    clock.tick(5)
    next(second)
    clock.tick(5)
    next(first, None)
    clock.tick(5)
    next(second, None)
    assert calls_of(core) == {"fetch": (2, 20, 15)}


def test_exit_stack_leaves_from_another_frame(clock, core):
    with ExitStack() as stack:
        for name in ("a", "b", "a"):
            stack.enter_context(core.profile_region(name))
            clock.tick(1)
    assert calls_of(core) == {"a": (2, 3, 2), "a>b": (1, 2, 1)}


def test_exception_closes_and_is_counted(clock, core):
    region = core.profile_region("x")
    error = ValueError("theirs")
    with pytest.raises(ValueError) as caught:
        with region:
            clock.tick(5)
            raise error
    assert caught.value is error
    row = core._collect(region)
    assert (row[2], row[3], row[5]) == (1, 1, 5)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_base_exceptions_pass(core, kind):
    with pytest.raises(kind):
        with core.profile_region("x"):
            raise kind
    assert core._collect(core._find("x"))[3] == 1


def test_exit_without_entry_is_counted_not_raised(core):
    region = core.profile_region("x")
    assert region.__exit__(None, None, None) is None
    assert core._counters()["unmatched"] == 1
    with region:
        pass
    assert core._collect(region)[2] == 1


def elsewhere(function, *arguments):
    """Call it in another thread; gives what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function(*arguments)))
    thread.start()
    thread.join()
    return results[0]


def test_a_generator_that_moves_to_another_thread(clock, core):
    """What it has open belongs to the thread that it began in, and ends wherever it goes on."""

    def generator():
        with core.profile_region("inner"):
            clock.tick(1)
            yield
            clock.tick(2)
        clock.tick(4)
        yield

    moving = generator()
    with core.profile_region("outer"):
        next(moving)
        clock.tick(8)
        elsewhere(next, moving)
        clock.tick(16)
    rows = {row[1].name: row for row in core._collect(None)}
    assert rows["inner"][2:6] == (1, 0, 0, 11)
    assert rows["outer"][2:6] == (1, 0, 0, 31)
    assert rows["outer"][7] == 20  # exclusive: inner was open for the rest
    assert rows["inner"][0] != -1
    counters = core._counters()
    assert (counters["moved"], counters["unmatched"], counters["open"]) == (1, 0, 0)


def test_a_generator_that_moves_and_fails(clock, core):
    def generator():
        with core.profile_region("x"):
            yield

    moving = generator()
    next(moving)

    def throw():
        with pytest.raises(KeyError), core.profile_region("x"):
            moving.throw(KeyError)

    elsewhere(throw)  # where another call of the region is open: that is not the one that ends
    row = core._collect(core._find("x"))
    assert row[2:5] == (2, 2, 0)
    assert core._counters()["moved"] == 1


def test_entered_by_hand_in_one_thread_and_left_in_another(core):
    """Nothing tells that the two belong together: both are counted, and nothing is raised."""
    region = core.profile_region("x")
    region.__enter__()
    elsewhere(lambda: region.__exit__(None, None, None))
    counters = core._counters()
    assert (counters["unmatched"], counters["open"], counters["moved"]) == (1, 1, 0)
    region.__exit__(None, None, None)
    assert core._collect(region)[2] == 1


def hold(core, name="x"):
    with core.profile_region(name):
        yield


def test_calls_that_overlap_inside_another_one_count_once(clock, core):
    with core.profile_region("x"):
        first, second = hold(core), hold(core)
        next(first), next(second)
        next(first, None)
        clock.tick(10)
        next(second, None)
        clock.tick(1)
    row = core._collect(core._find("x"))
    assert (row[2], row[5]) == (3, 11)


def test_left_while_paused_after_another_manager_recorded(clock, core):
    other = _core.Manager()
    other._begin(True, False)
    with core.profile_region("x"):
        core._record(False)
        with other.profile_region("y"):
            clock.tick(3)
    assert core._counters()["open"] == 0
    assert events_of(core, "x") == [(1_000, 3)]


@pytest.mark.parametrize("ending", [lambda held: next(held, None), lambda held: held.close(),
                                    lambda held: pytest.raises(KeyError, held.throw, KeyError)])
def test_a_with_that_was_not_recorded_ends_nobody_elses_call(clock, core, ending):
    core._record(False)
    before = hold(core)
    next(before)
    core._record(True)
    during = hold(core)
    next(during)
    ending(before)
    clock.tick(5)
    next(during, None)
    assert events_of(core, "x") == [(1_000, 5)]
    assert core._counters()["unmatched"] == 1


@pytest.mark.parametrize("leave", [
    lambda region: region.__exit__(None, None, None),
    lambda region: region.__exit__(*3 * [None]),
    lambda region: (leave := region.__exit__)(None, None, None),
    lambda region: type(region).__exit__(region, None, None, None),
    lambda region: region.__exit__(),
    lambda region: vars(_core.Region)["__exit__"].__get__(region, type(region))(None, None, None),
])
def test_what_is_left_by_hand_may_be_entered_anywhere(clock, core, leave):
    def enter():
        core.profile_region("x").__enter__()

    enter()
    clock.tick(2)
    leave(core.profile_region("x"))
    assert events_of(core, "x") == [(1_000, 2)]
    assert core._counters()["unmatched"] == 0


def test_an_exit_stack_beside_a_generator_of_the_same_region(clock, core):
    def enter(stack, depth):
        if depth:
            return enter(stack, depth - 1)
        stack.enter_context(core.profile_region("x"))

    for depth in range(12):
        held = hold(core)
        with ExitStack() as stack:
            enter(stack, depth)
            clock.tick(1)
            next(held)
            clock.tick(10)
        clock.tick(100)
        next(held, None)
    durations = sorted(duration for _, duration in events_of(core, "x"))
    assert durations == [11] * 12 + [110] * 12


def test_entered_before_the_run_and_left_in_it(clock):
    manager = _core.Manager()
    region = manager.profile_region("x")
    with region:
        manager._begin(True, False)
    assert manager._counters()["unmatched"] == 1
    assert manager._collect(region)[2] == 0


def test_open_across_a_pause_is_whole(clock, core):
    region = core.profile_region("x")
    with region:
        clock.tick(1)
        core._record(False)
        clock.tick(1)
    with region:
        clock.tick(100)
    core._record(True)
    assert events_of(core, "x") == [(1_000, 2)]


def test_hooks_check_their_arguments(core):
    region = core.profile_region("x")
    with pytest.raises(TypeError, match="__enter__.. takes no arguments, got 1"):
        region.__enter__(1)
    with pytest.raises(TypeError, match="__exit__.. takes three arguments or none, got 2"):
        region.__exit__(None, None)


def test_threads_do_not_mix(core):
    region = core.profile_region("x")
    assert core._events(region)[3] is None
    barrier = threading.Barrier(4)

    def work():
        barrier.wait()
        for _ in range(20_000):
            with region:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert core._collect(region)[2] == 80_000
    assert core._counters()["threads"] == 4
    assert sorted(memoryview(core._events(region)[3]).cast("q")) == sorted([0, 1, 2, 3] * 20_000)
    assert all(duration >= 0 for _, duration in events_of(core, "x"))
    assert core._counters()["unmatched"] == 0


# Random programs: each frame enters and leaves regions as a tree of calls does, time passes at
# random, some calls end in an exception; an oracle in Python does the same arithmetic.
programs = st.recursive(
    st.just([]),
    lambda inner: st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 50), inner, st.booleans()), max_size=4
    ),
    max_leaves=25,
)


@given(programs)
@settings(max_examples=examples(150), deadline=None)
def test_random_nesting_matches_an_oracle(program):
    clock = Clock()
    try:
        manager = _core.Manager()
        manager._begin(True, False)
        calls, errors, exclusive, intervals = {}, {}, {}, []

        def run(steps):
            taken = 0
            for name, ns, inner, fails in steps:
                start = clock.now
                try:
                    with manager.profile_region(name):
                        clock.tick(ns)
                        below = run(inner)
                        if fails:
                            raise KeyError(name)
                except KeyError:
                    errors[name] = errors.get(name, 0) + 1
                calls[name] = calls.get(name, 0) + 1
                exclusive[name] = exclusive.get(name, 0) + (clock.now - start) - below
                intervals.append((name, start, clock.now - start))
                taken += clock.now - start
            return taken

        run(program)
        for region in manager._regions():
            row = manager._collect(region)
            assert (row[2], row[3]) == (calls[region.name], errors.get(region.name, 0))
            assert row[7] == exclusive[region.name]
            assert events_of(manager, region.name) == [
                (start, ns) for name, start, ns in intervals if name == region.name
            ]
    finally:
        _core._fake_clock(None)


# Random interleavings of generators that hold regions open: every interval is its own, and the
# exclusive times are a partition of the time that some region was open.
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=40))
@settings(max_examples=examples(150), deadline=None)
def test_random_interleaving_keeps_intervals_and_time(steps):
    clock = Clock()
    try:
        manager = _core.Manager()
        manager._begin(True, False)
        expected, started, running = [], {}, {}

        def hold(slot):
            with manager.profile_region("xyz"[slot % 3]):
                started[slot] = clock.now
                yield
            expected.append((started.pop(slot), clock.now))

        covered = 0
        for slot, ns in steps:
            if slot in running:
                next(running.pop(slot), None)
            else:
                running[slot] = hold(slot)
                next(running[slot])
            covered += ns if running else 0
            clock.tick(ns)
        for slot in sorted(running):
            next(running[slot], None)
        found = [
            (start, start + ns)
            for region in manager._regions()
            for start, ns in events_of(manager, region.name)
        ]
        assert sorted(found) == sorted(expected)
        assert sum(row[7] for row in manager._collect(None)) == covered
        assert manager._counters()["open"] == manager._counters()["unmatched"] == 0
    finally:
        _core._fake_clock(None)
