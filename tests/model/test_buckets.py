"""How long hits of lines took, put together and taken off: against all the hits themselves."""

from collections import Counter

from hypothesis import given, strategies as st
import numpy as np
import pytest

from scope_profiler._model import buckets
from scope_profiler._model.sketch import _buckets_of

UNITS = st.sampled_from([1.0, 10.0, 1 / 2.1, 1 / 2.1000001, 41.666])
TICKS = st.lists(st.integers(0, 40) | st.integers(0, 10**6) | st.integers(0, 2**50), max_size=40)


def sketch(unit, ticks):
    counts = Counter(_buckets_of(np.array(ticks, np.int64)).tolist())
    return {(unit, place): count for place, count in counts.items()}


def check(known, durations):
    """Of neighbours in rank one is meant: between them the percentile is interpolated."""
    for fraction in (0.0, 0.5, 0.99, 1.0):
        if not durations:
            assert buckets.percentile(known, fraction) is None
            continue
        right = float(np.percentile(durations, 100 * fraction))
        assert buckets.percentile(known, fraction) == pytest.approx(right, abs=1 + right / 127)
    if durations:
        least, most = buckets.bounds(known)
        assert least - 1 <= min(durations) <= (least + 1) * (1 + 1 / 63) + 1
        assert (most + 1) * (1 + 1 / 63) + 1 >= max(durations) * (1 + 1 / 63) and max(durations) <= most + 1


@given(st.lists(st.tuples(UNITS, TICKS), max_size=5))
def test_percentiles_of_hits_together(parts):
    known = buckets.together(sketch(unit, ticks) for unit, ticks in parts)
    check(known, [unit * value for unit, ticks in parts for value in ticks])
    assert buckets.of_rows(buckets.rows(known)) == known


@given(UNITS, TICKS, TICKS)
def test_hits_that_were_added(unit, before, since):
    later, earlier = sketch(unit, before + since), sketch(1.0, before)
    check(buckets.less(later, earlier), [unit * value for value in since])
    if before:
        assert buckets.less(sketch(unit, before[1:]), earlier) is None


def test_what_comes_from_the_core():
    counts = np.zeros(128, np.uint64)
    counts[[1, 70]] = 3, 2
    assert buckets.of_core((64, counts.tobytes()), 2.0) == {(2.0, 65): 3, (2.0, 134): 2}


@pytest.mark.parametrize("row", [
    (0.0, 1, 1), (-1.0, 1, 1), (float("nan"), 1, 1), (float("inf"), 1, 1), (1.0, -1, 1), (1.0, 4096, 1),
    (1.0, 1.5, 1), (1.0, 1, 0), (1.0, 1, 0.5), (1.0, float("nan"), 1), (1.0, 1, float("inf")),
])
def test_rows_that_no_sketch_has(row):
    with pytest.raises(ValueError):
        buckets.of_rows([row])
