"""plots/spans: what is left of spans that are narrower than a pixel."""

from hypothesis import given, strategies as st
import numpy as np

from scope_profiler.plots.spans import dominant, merged

spans = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 60)), max_size=40)



@given(spans)
def test_merged_spans_are_few_and_leave_no_span_out(calls):
    starts = np.array([low for low, _ in calls], float)
    ends = starts + np.array([length for _, length in calls], float)
    low, high = merged(starts, ends, 5.0)
    assert len(low) <= len(calls) and (high > low).all()
    for start, end in zip(starts, ends):
        assert any(a <= start and end <= b for a, b in zip(low, high))
    for a, b in zip(low, high):  # nothing is drawn further than a pixel from a call
        inside = [(s, e) for s, e in zip(starts, ends) if s < b and e >= a]
        assert inside and b - a <= sum(max(e - s, 5.0) + 5.0 for s, e in inside)


@given(spans, st.integers(1, 3))
def test_each_pixel_is_of_the_kind_with_most_of_it(calls, kinds):
    starts = np.array([low for low, _ in calls], float)
    ends = starts + np.array([length for _, length in calls], float)
    kind = np.arange(len(calls)) % kinds
    low, high, of = dominant(starts, ends, kind, 20.0)
    wide = ends - starts >= 80
    assert len(low) <= wide.sum() + 60 and (high >= low).all()
    assert set(of.tolist()) <= set(kind.tolist())


def test_the_kind_with_most_time_wins():
    starts, ends = np.array([0.0, 1.0, 3.0]), np.array([1.0, 3.0, 4.0])
    low, high, kind = dominant(starts, ends, np.array([0, 1, 0]), 10.0)
    assert (low.tolist(), high.tolist(), kind.tolist()) == ([0.0], [10.0], [0])
