"""Calls of a timeline: nothing is lost where short ones are put together."""

from hypothesis import given, strategies as st
import numpy as np

from scope_profiler.results.merged_calls import merged_calls

calls = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 300), st.integers(0, 5)),
                 min_size=1, max_size=80)


def columns(drawn):
    """Lines, starts, ends and regions, sorted by start; in a line none overlaps the next."""
    ends, rows = {}, []
    for line, gap, length, region in drawn:
        start = ends.get(line, 0) + gap
        ends[line] = start + length
        rows.append((start, line, start + length, region))
    start, line, end, region = (np.array(column, np.int64) for column in zip(*sorted(rows)))
    return line, start, end, region


@given(calls, st.integers(1, 100))
def test_calls_and_times_are_kept(drawn, most):
    line, start, end, region = columns(drawn)
    found = merged_calls(line, np.arange(len(line)), start, end, region, most)
    assert (np.diff(found.line) >= 0).all()
    for each in np.unique(line):
        chosen, of_line = found.line == each, line == each
        assert found.calls[chosen].sum() == of_line.sum()
        assert found.busy_ns[chosen].sum() == (end - start)[of_line].sum()
        assert found.start_ns[chosen][0] == start[of_line].min()
        assert found.end_ns[chosen][-1] == end[of_line].max()
        assert (found.start_ns[chosen][1:] >= found.end_ns[chosen][:-1]).all()
    if len(line) <= most:
        assert found.width_ns == 0 and (found.calls == 1).all()
        assert sorted(found.region.tolist()) == sorted(region.tolist())
    else:
        merged = found.calls > 1
        assert (found.end_ns[merged] - found.start_ns[merged] < 2 * found.width_ns).all()


def test_the_region_is_that_of_the_longest():
    start = np.arange(1000) * 10
    region = np.where(np.arange(1000) % 7 == 0, 3, 1)
    end = start + np.where(region == 3, 9, 2)
    found = merged_calls(np.zeros(1000, np.int32), np.arange(1000), start, end, region, 50)
    assert len(found.line) <= 50 and {*found.region.tolist()} == {3}
    assert found.calls.sum() == 1000


def test_long_calls_stay_by_themselves():
    start = np.arange(100) * 1_000_000
    found = merged_calls(np.zeros(100, np.int32), np.arange(100), start, start + 999_999,
                         np.zeros(100, np.int32), 10)
    assert (found.end_ns - found.start_ns).min() >= 999_999 and found.calls.sum() == 100
