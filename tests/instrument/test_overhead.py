"""overhead.py: what measuring costs is counted by kind where it falls, measured, and subtracted."""

import pytest

import scope_profiler
from scope_profiler import ProfileManager
from scope_profiler._instrument import call_tracing as calls, overhead
from scope_profiler._instrument.overhead import COSTS, WAYS, Cost, Overhead
from scope_profiler.report.notes import overhead as overhead_line, together


@pytest.fixture(autouse=True)
def known_costs(monkeypatch):
    """Every kind costs something that can be told in a sum: 1 + 10**i inside, 10**i/2 around."""
    known = Overhead(ProfileManager, True, False)
    known._known = {name: Cost(0, 0) for name in COSTS}
    monkeypatch.setattr(overhead, "of_type", lambda manager_type, events, lines: known)
    return known._known


def counts(manager):
    """{kind: how often} of the run."""
    return {name: n for name, n in zip(COSTS, manager._counters()["costs"]) if n}


def load(manager, name, below=False):
    """({kind: how often} done, {way: how often} around) of a region's own time, or of its total."""
    values = memoryview(manager._collect(manager.get_region(name))[14 if below else 13]).cast("Q")
    done, around = values[: len(COSTS)].tolist(), values[len(COSTS) :].tolist()
    assert len(around) == len(WAYS)
    return ({kind: n for kind, n in zip(COSTS, done) if n},
            {way: n for way, n in zip(WAYS, around) if n})


def test_the_core_has_the_same_costs(manager):
    assert len(manager._counters()["costs"]) == len(COSTS)


def test_blocks_by_name_and_kept(manager):
    kept = manager.region("kept")
    with manager.profile_region("outer"):
        for _ in range(3):
            with kept:
                pass
            with manager.profile_region("named"):
                pass
    assert counts(manager) == {"block": 7, "lookup": 3}  # the thread's first were before it recorded
    assert load(manager, "outer") == ({"block": 1, "lookup": 3}, {"block": 6})
    assert load(manager, "outer", below=True) == ({"block": 7, "lookup": 3}, {"block": 6})
    assert load(manager, "kept") == ({"block": 3}, {})


def test_decorated(manager):
    @manager.profile("f")
    def f():
        pass

    with manager.profile_region("outer"):
        f()
        f()
    assert load(manager, "outer") == ({"block": 1}, {"decorated": 2})
    assert load(manager, "f") == ({"decorated": 2}, {})


def test_generators_and_their_steps(manager):
    @manager.profile("g")
    def g():
        yield 1
        yield 2

    with manager.profile_region("outer"):
        list(g())
    assert load(manager, "g") == ({"generator": 1, "step": 3}, {})
    assert load(manager, "outer") == ({"block": 1}, {"generator": 1, "step": 3})


def test_coroutines(manager):
    @manager.profile("c")
    async def c():
        pass

    with pytest.raises(StopIteration):
        c().send(None)
    assert load(manager, "c") == ({"generator": 1, "step": 1}, {})


def called():
    pass


def yielding():
    yield 1
    yield 2


def test_traced(manager):
    with calls.tracing(manager, only_user_code=False, wanted=lambda code: code in (
            called.__code__, yielding.__code__)):
        with manager.profile_region("outer"):
            called()
            called()
            list(yielding())
    assert load(manager, f"{__name__}.called") == ({"traced": 2}, {})
    assert load(manager, f"{__name__}.yielding") == ({"traced_generator": 1, "traced_step": 3}, {})
    assert load(manager, "outer")[1] == {"traced": 2, "traced_generator": 1, "traced_step": 3}


def test_metadata_and_outcomes(manager):
    factory = manager.region_factory("made")

    @manager.profile("noted", record_outcome=True)
    def noted():
        pass

    with manager.profile_region("outer"):
        with manager.metadata(step=1):
            with factory(part=2):
                pass
            noted()
    done, around = load(manager, "outer")
    assert done == {"block": 1, "metadata": 2, "annotation": 2}
    assert around == {"block": 1, "decorated": 1}
    assert load(manager, "noted") == ({"decorated": 1, "outcome": 1}, {})


def test_metadata_of_decorated_calls(manager):
    @manager.profile("f", metadata={"a": 1})
    def f():
        pass

    with manager.profile_region("outer"):
        f()
        f()
    assert counts(manager) == {"block": 1, "decorated": 2, "metadata": 2, "annotation": 2}


def test_what_is_done_in_no_call_is_in_the_sum_alone(manager):
    with manager.profile_region("x"):
        pass
    manager.profile_region("x")
    assert counts(manager) == {"block": 1, "lookup": 1}


def test_recursion_is_told_in_sum(manager):
    @manager.profile("f")
    def f(depth):
        if depth:
            with manager.region("between"):
                f(depth - 1)

    with manager.region("outer"):
        f(4)
        f(4)
    done, around = load(manager, "outer", below=True)
    assert done["decorated"] == 10 and done["block"] == 9
    assert sum(around.values()) == 18
    assert sum(load(manager, "f")[1].values()) == 8  # blocks
    assert sum(load(manager, "between")[1].values()) == 8  # calls of f, taken for what is known


def test_direct_recursion(manager):
    @manager.profile("f")
    def f(depth):
        if depth:
            f(depth - 1)

    f(4)
    assert load(manager, "f") == ({"decorated": 5}, {"decorated": 4})


def test_a_region_in_several_places_and_threads(manager):
    from threading import Thread

    def work():
        with manager.region("a"), manager.region("b"):
            with manager.region("x"):
                pass

    with manager.region("x"):
        pass
    for _ in range(2):
        thread = Thread(target=work)
        thread.start()
        thread.join()
    assert load(manager, "x") == ({"block": 3}, {})
    assert load(manager, "a", below=True) == ({"block": 6, "lookup": 4}, {"block": 4})


def line_work(manager):
    with manager.region("outer"):
        a = 1
        with manager.region("inner"):
            a = 2
            a = 3
        a = 4
    return a


@pytest.mark.parametrize("repeats", [1, 3])
def test_lines_are_of_the_innermost_call(clock, repeats):
    manager = ProfileManager()
    manager.setup(use_line_profiler=True, deactivate_file_output=True)
    try:
        @manager.profile("f")
        def f(n):
            for i in range(n):
                i = i
            line_work(manager)

        for _ in range(repeats):
            f(10)
        by_region = {name: load(manager, name)[0]["line"] for name in ("f", "outer", "inner")}
        timings = {name: sum(row[1] for rows in manager.get_region(name).get_stats().timings.values()
                             for row in rows) for name in by_region}
    finally:
        manager.reset()
    assert by_region["f"] == timings["f"] >= 20 * repeats
    # A line in both blocks counts for both, and is one.
    assert by_region["inner"] == timings["inner"]
    assert by_region["inner"] + by_region["outer"] == timings["outer"]


def test_net_times(clock, manager, known_costs):
    known_costs |= {"block": Cost(10, 5), "lookup": Cost(3, 0), "decorated": Cost(7, 2)}

    @manager.profile("f")
    def f():
        clock.tick(100)

    kept = manager.region("kept")
    with manager.region("outer"):
        clock.tick(1000)
        f()
        f()
        with kept:
            clock.tick(50)
    f()
    outer = manager.get_region("outer").get_stats()
    assert outer.exclusive_ns - outer.corrected_exclusive_ns == 10 + 2 * 2 + 5
    assert outer.total_ns - outer.corrected_total_ns == 10 + 2 * (2 + 7) + 5 + 10
    stats = f.__wrapped__ and manager.get_region("f").get_stats()
    assert stats.corrected_total_ns == stats.corrected_exclusive_ns == 300 - 3 * 7


def test_the_report_says_what_each_kind_costs(clock, manager, known_costs, capsys):
    known_costs |= {"block": Cost(10, 5), "lookup": Cost(30, 0), "decorated": Cost(7, 2)}
    kept = manager.region("kept")
    f = manager.profile("f")(called)
    with kept:
        clock.tick(1000)
    for _ in range(2):
        with manager.region("named"):
            clock.tick(1000)
        f()
    manager.finalize()
    assert ("Own overhead: 45 ns per with by name, 9 ns per decorated call, 15 ns per with of a region "
            "kept; 123 ns in total, " in capsys.readouterr().out)


def test_it_is_in_the_file_and_in_what_is_merged(clock, manager, known_costs, tmp_path, capsys):
    pytest.importorskip("h5py")
    known_costs |= {"block": Cost(10, 5), "lookup": Cost(30, 0)}
    with manager.region("x"), manager.region("x"):
        clock.tick(1000)
    results = manager.finalize(verbose=False, return_results=True)
    said = "Own overhead: 45 ns per with by name, 15 ns per with of a region kept; 60 ns in total"
    for name in ("run.h5", "run.json"):
        scope_profiler.write_profile(results, tmp_path / name)
        scope_profiler.load(tmp_path / name).print_summary()
        assert said in capsys.readouterr().out
    known_costs["block"] = Cost(20, 5)
    one = dict(results.recorded[0].facts)
    other = Overhead.facts(overhead.of_type(ProfileManager, True, False), [2, *[0] * 11])
    assert "20 ns per with of" in overhead_line(together([one, other]), 0)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("events", [True, False])
def test_every_kind_is_measured(monkeypatch, events, lines):
    """Not how much, which is the machine's business; nothing of it stays behind."""
    monkeypatch.setattr(overhead, "_LEAST_NS", 0)
    monkeypatch.setattr(overhead, "_ROUNDS", 2)
    before = _users_of_the_core()
    known = Overhead(ProfileManager, events, lines)
    for name in COSTS:
        cost = known.cost(name)
        assert min(cost) >= 0 and cost.ns < 1e6
    assert _users_of_the_core() == before


def test_traced_calls_are_measured_when_tracing_begins(monkeypatch, manager):
    monkeypatch.setattr(overhead, "_traced", {})
    before = _users_of_the_core()
    with calls.tracing(manager, only_user_code=False, wanted=lambda code: False):
        assert set(overhead._traced) == {"traced", "traced_step", "traced_generator"}
    assert manager._counters()["calls"] == 0
    assert _users_of_the_core() == before


def _users_of_the_core():
    """How many there are of line mode and of tracing: none but what earlier tests made and cannot die."""
    from scope_profiler._instrument import lines

    return len(lines._users), len(calls._tracings)
