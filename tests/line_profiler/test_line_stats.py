"""line_profiler/stats.py: what was counted, as line_profiler keeps it."""

from copy import deepcopy
from types import SimpleNamespace

from hypothesis import given, strategies as st
import pytest

from scope_profiler.line_profiler import LineProfiler, LineStats, load_stats

SPAM = LineStats({("spam.py", 1, "foo"): [(2, 10, 300)],
                  ("spam.py", 10, "bar"): [(11, 2, 1000), (12, 1, 500)]}, 1e-6)
EGGS = LineStats({("spam.py", 10, "bar"): [(11, 10, 20000), (12, 5, 1000)],
                  ("eggs.py", 5, "baz"): [(5, 2, 5000)]}, 1e-7)
BOTH = LineStats({("spam.py", 1, "foo"): [(2, 10, 300)],
                  ("spam.py", 10, "bar"): [(11, 12, 3000), (12, 6, 600)],
                  ("eggs.py", 5, "baz"): [(5, 2, 500)]}, 1e-6)

KEYS = st.tuples(st.sampled_from(["a.py", "b.py"]), st.integers(1, 3), st.sampled_from("fg"))
ROWS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 10**6), st.integers(0, 10**15)),
                unique_by=lambda row: row[0]).map(sorted)
STATS = st.builds(LineStats, st.dictionaries(KEYS, ROWS, max_size=4), st.just(1e-9))


def test_added_in_the_coarsest_unit():
    assert SPAM + EGGS == EGGS + SPAM == BOTH
    assert LineStats.from_stats_objects(SPAM, EGGS) == BOTH
    assert [*(SPAM + EGGS).timings] == [*EGGS.timings, ("spam.py", 1, "foo")]  # the finest first


def test_added_in_place():
    stats = same = deepcopy(EGGS)
    stats += SPAM
    assert stats is same and stats == BOTH


@given(STATS, STATS, STATS)
def test_sums_are_exact_where_the_unit_is_the_same(a, b, c):
    assert (a + b) + c == a + (b + c) == LineStats.from_stats_objects(a, b, c)
    total = sum(row[2] for stats in (a, b) for rows in stats.timings.values() for row in rows)
    assert sum(row[2] for rows in (a + b).timings.values() for row in rows) == total


def test_a_sum_of_one_is_a_copy_of_its_own():
    stats = LineStats({("a.py", 1, "f"): [(2, 1, 2.5)]}, 1e-6)
    copied = LineStats.from_stats_objects(stats)
    assert copied == stats  # 2.5 is not rounded
    copied.timings["a.py", 1, "f"].append((3, 1, 1))
    assert copied != stats


def test_what_has_timings_and_unit_is_as_good():
    like = SimpleNamespace(timings=EGGS.timings, unit=EGGS.unit)
    assert SPAM + like == BOTH and EGGS == like
    assert SPAM != SimpleNamespace(timings=SPAM.timings) and SPAM != "spam"
    with pytest.raises(TypeError):
        LineStats.from_stats_objects()
    with pytest.raises(AttributeError):
        SPAM + 1


def test_equal_by_content():
    other = deepcopy(SPAM)
    assert other == SPAM
    other.timings["spam.py", 1, "foo"][:] = [(2, 11, 330)]
    assert other != SPAM
    other = deepcopy(SPAM)
    other.unit = 1e-7
    assert other != SPAM
    with pytest.raises(TypeError):
        hash(SPAM)


def test_shown_as_it_is_made():
    assert repr(LineStats({("a.py", 1, "f"): [(2, 1, 3)]}, 1e-9)) == (
        "LineStats({('a.py', 1, 'f'): [(2, 1, 3)]}, 1E-09)")


def test_subclasses_stay_what_they_are(tmp_path):
    class Mine(LineStats):
        pass

    SPAM.to_file(tmp_path / "spam.lprof")
    for made in (Mine.from_files(tmp_path / "spam.lprof"), Mine.from_stats_objects(SPAM),
                 Mine({}, 1e-9) + SPAM):
        assert type(made) is Mine
    assert repr(Mine({}, 1e-6)) == "Mine({}, 1E-06)"


def test_files_are_added_up(tmp_path):
    SPAM.to_file(tmp_path / "spam.lprof")
    EGGS.to_file(str(tmp_path / "eggs.lprof"))
    assert load_stats(tmp_path / "spam.lprof") == SPAM
    assert LineStats.from_files(tmp_path / "spam.lprof", str(tmp_path / "eggs.lprof")) == BOTH
    with pytest.raises(TypeError):
        LineStats.from_files()


def test_details_of_lines_add_up(clock, tmp_path):
    """p99 of statistics added up, also from files, is that of all hits."""
    profile = LineProfiler(line_details=True)

    @profile
    def inner(ns):
        clock.tick(ns)
        return ns

    @profile
    def f(ns):
        try:
            int(inner(ns) and "x")
        except ValueError:
            pass

    def numbers(stats):
        [rows] = [rows for (_, _, name), rows in stats.lines.items() if name.endswith(".f")]
        row = rows[1]
        return row.hits, row.minimum_ns, row.maximum_ns, row.p99_ns, row.raised, row.callees_ns

    for ns in (50, *[10] * 99):
        f(ns)
    first = profile.get_stats()
    assert numbers(first) == (100, 10, 50, 10, 100, 1040)
    profile.reset_stats()
    for _ in range(5):
        f(50)
    second = profile.get_stats()
    assert numbers(second) == (5, 50, 50, 50, 5, 250)
    assert numbers(first + second) == (105, 10, 50, 50, 105, 1290)
    first.to_json(tmp_path / "first.json")
    (first + second).to_json(tmp_path / "both.json")
    read = LineStats.from_files(tmp_path / "first.json", tmp_path / "both.json")
    assert numbers(read) == (205, 10, 50, 50, 205, 2330)
    first.to_file(tmp_path / "first.lprof")  # which has hits and times alone
    assert (first + LineStats.from_files(tmp_path / "first.lprof")).lines == {}
    other = LineProfiler()
    other(f)(10)
    assert other.get_stats().counted(next(iter(other.get_stats().timings)))[0].minimum_ns is None
    with pytest.raises(TypeError, match="line_details takes True or False, got str: 'yes'"):
        LineProfiler(line_details="yes")
