"""src/calls/throttle.h: functions that are called often, for a short time, are counted and not timed."""

import io
import pstats
import threading

from hypothesis import given, settings
import pytest

import call_programs
from conftest import examples
from scope_profiler import ProfileManager, load as load_file
from scope_profiler._instrument import call_tracing as calls
from scope_profiler._run import checkpoint
from scope_profiler.io.journal_blocks import JournalFile
from scope_profiler.io.journal_state import State
from test_calls import load, nothing_missed, tick, traced  # noqa: F401

PROGRAM = """
    def short(): tick(5)
    def long(): tick(100)
    def mixed(n): tick(n)
    def recursive(n):
        tick(1)
        if n: recursive(n - 1)
    def fails():
        tick(2)
        raise ValueError
    def steps():
        tick(1)
        yield
    def calls_c(): len([])
    def main():
        for i in range(6):
            short(), long(), mixed(9 if i else 100)
            try: fails()
            except ValueError: pass
            list(steps())
            calls_c()
        recursive(5)
"""


def counted(manager):
    """{region: (calls with times, throttled calls)}, wherever they were made."""
    rows = ((row[1].name.removeprefix("user."), row[2], row[-1]) for row in manager._collect_regions())
    return {name: (timed, throttled) for name, timed, throttled in rows if timed or throttled}


@pytest.fixture
def throttled(tick):
    """Runs main() of the program, with what takes less than 10 ns throttled after three calls; gives the
    manager."""
    made = []

    def run(**settings):
        manager = ProfileManager()
        made.append(manager)
        manager.setup(**{"deactivate_file_output": True, "throttle_calls": 3, "throttle_time": 10e-9,
                         **settings})
        main = load(PROGRAM, tick=tick)["main"]
        with calls.tracing(manager, only_user_code=False, include=["user.*"]):
            main()
        assert nothing_missed(manager) and manager._counters()["open"] == 0
        return manager

    yield run
    for manager in made:
        manager.reset()


EXPECTED = {
    "main": (1, 0), "short": (3, 3), "long": (6, 0), "mixed": (6, 0), "fails": (3, 3), "steps": (6, 0),
    # The outermost call ends last: until three have ended, all are timed.
    "recursive": (6, 0), "calls_c": (3, 3),
}


def test_what_is_called_often_for_a_short_time_is_counted_only(throttled):
    manager = throttled()
    assert counted(manager) == EXPECTED
    short, main = (manager.get_region(f"user.{name}").get_stats() for name in ("short", "main"))
    assert (short.num_calls, short.throttled_calls, short.counted_calls) == (3, 3, 6)
    assert (short.total_ns, short.average_ns, short.maximum_ns) == (15, 5, 5)  # of those with times
    assert short.to_dict()["throttled_calls"] == 3
    # The time of the others is the caller's own: 3 * 5 of short, 3 * 2 of fails.
    assert main.exclusive_ns == 3 * 5 + 3 * 2
    assert manager.get_region("user.fails").get_stats().errors == 3  # of those with times
    assert manager._counters()["costs"][calls.overhead.COSTS.index("throttled")] == 9


def test_without_the_setting_or_where_lines_are_counted_all_are_timed(throttled):
    everything = {name: (timed + more, 0) for name, (timed, more) in EXPECTED.items()}
    assert counted(throttled(throttle_calls=None)) == everything
    assert counted(throttled(use_line_profiler=True)) == everything


def test_c_functions(throttled):
    found = counted(throttled(trace_c=True))
    # A fake clock: they take no time. calls_c() is a caller, throttled or not.
    assert found["{built-in method builtins.len}"] == (3, 3)
    assert {name: found[name] for name in EXPECTED} == EXPECTED


def test_a_recursion_that_is_throttled_ends_its_open_calls(tick):
    """Those that were open when it was are left as they were entered, in every thread."""
    user = load("""
        def walk(n):
            tick(1)
            for i in range(3 if n else 0): walk(n - 1)
    """, tick=tick)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, throttle_calls=2, throttle_time=1e-6)
    with calls.tracing(manager, include=["user.*"]):
        for _ in range(2):
            thread = threading.Thread(target=user["walk"], args=(4,))
            thread.start()
            thread.join()
        with manager.profile_region("block"):
            user["walk"](2)
    assert nothing_missed(manager) and manager._counters()["open"] == 0
    # The first thread times the two that end first, and the four around them.
    assert counted(manager) == {"walk": (6, 2 * 121 + 13 - 6), "block": (1, 0)}
    assert manager.get_region("user.walk").get_stats().total_ns == 121  # of the outermost call
    tree = {row[1].name: row for row in manager._collect(None) if row[0] >= 0}
    assert tree["user.walk"][2] == 0 and tree["user.walk"][-1] == 13  # below the block
    manager.reset()


def test_each_run_part_and_tracing_times_anew(tick, tmp_path):
    manager, other = ProfileManager(), ProfileManager()
    short = load("def short(): tick(1)", tick=tick)["short"]

    def run(times):
        for _ in range(times):
            short()

    with calls.tracing(manager, include=["user.*"]):
        for _ in range(2):
            manager.setup(file_path=str(tmp_path / "x.json"), verbose=False, throttle_calls=2,
                          replace=True)
            run(5)
            assert counted(manager) == {"short": (2, 3)}
        other.setup(deactivate_file_output=True)
        with calls.tracing(other, include=["user.*"]):  # which throttles nothing
            run(4)
        assert counted(manager) == {"short": (2, 7)} and counted(other) == {"short": (4, 0)}
        part = manager.finalize(return_results=True, start_over=True, verbose=False)
        run(3)
        assert part.throttled_calls == {"user.short": 7}
        assert counted(manager) == {"short": (2, 1)}
    with calls.tracing(manager, include=["user.*"]):
        run(3)
    assert counted(manager) == {"short": (4, 2)}
    for each in manager, other:
        each.reset()


def test_sections_of_decorated_functions(tick):
    user = load("def short(): tick(1)\ndef f():\n    for i in range(5): short()", tick=tick)
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True, throttle_calls=2)
    f = manager.profile("f", recursive=True)(user["f"])
    f()
    user["short"]()  # outside
    f()
    assert counted(manager) == {"f": (2, 0), "short": (2, 8)}
    manager.reset()


@pytest.mark.parametrize("suffix", ["h5", "json"])
def test_files_and_reports(throttled, tmp_path, suffix, capsys):
    manager = throttled(deactivate_file_output=False, file_path=str(tmp_path / f"x.{suffix}"))
    results = manager.finalize(return_results=True)
    expected = {f"user.{name}": 3 for name in ("short", "fails", "calls_c")}
    note = ("Throttled: user.short 3 of 6, user.fails 3 of 6, user.calls_c 3 of 6, called often and for a "
            "short time, were counted and not timed.")
    printed = capsys.readouterr().out
    assert note in " ".join(printed.split())
    loaded = load_file(tmp_path / f"x.{suffix}")
    for found in results, loaded:
        assert found.throttled_calls == expected
        short = found["user.short"]
        assert (short.num_calls, short.num_events, short.throttled_calls) == (3, 3, 3)
        assert short[0].taken(slice(0, 1)).throttled_calls is None
        [row] = [row for row in found.functions() if row["name"] == "user.short"]
        assert (row["calls"], row["total"]) == (6, 15e-9)
        assert isinstance(found.sort_stats(), pstats.Stats)
        stream = io.StringIO()
        found.print_summary(stream=stream)
        text = stream.getvalue()
        assert note in " ".join(text.split())
        [line] = [line for line in text.splitlines() if "user.short " in line and "Throttled" not in line]
        assert line.split("user.short")[1].split()[0] == "6"


def test_the_state_in_the_journal_has_them(throttled, tmp_path):
    manager = throttled(deactivate_file_output=False, file_path=str(tmp_path / "out.h5"), journal=True)
    checkpoint.make(manager)
    (path,) = tmp_path.glob("*.journal")
    with JournalFile(path) as file:
        state = State.read(file.journal().state)
    found = {node.name: node.statistics.throttled_calls for node in state.nodes}
    assert found["user.short"] == 3 and found["user.long"] == 0


@given(call_programs.programs)
@settings(max_examples=examples(40), deadline=None)
def test_counts_of_any_program_are_exact(program):
    with traced(program, throttle_calls=1, throttle_time=1.0) as (manager, model):
        expected = {}
        for path, (count, *_) in model.tree().items():
            name = path.rpartition(">")[2]
            expected[name] = expected.get(name, 0) + count
        found = {row[1].name: row[2] + row[-1] for row in manager._collect_regions()}
        assert {name: n for name, n in found.items() if n} == {name: n for name, n in expected.items() if n}
