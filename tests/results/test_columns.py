"""The blocks in which whatever is long is done."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from results_support import patient

from scope_profiler.results import BLOCK, blocks, columns, parts_of


@patient
@given(st.integers(0, 50), st.integers(1, 20), st.none() | st.integers(1, 30))
def test_blocks_cover_all_rows_and_end_where_chunks_do(length, size, chunk):
    done = 0
    for rows in blocks(length, size, chunk):
        assert rows.start == done < rows.stop
        assert rows.stop - rows.start <= max(size, chunk or 1)
        assert rows.stop == length or not chunk or rows.stop % chunk == 0
        done = rows.stop
    assert done == length


@patient
@given(st.lists(st.integers(0, 6), max_size=8), st.integers(1, 9))
def test_parts_of_columns_of_which_one_follows_the_other(lengths, size):
    every = [(index, row) for index, length in enumerate(lengths) for row in range(length)]
    for rows in blocks(len(every), size):
        parts = list(parts_of(rows, np.cumsum(lengths)))
        assert all(part.start < part.stop for _, part in parts)
        rows_of_parts = ((i, row) for i, part in parts for row in range(part.start, part.stop))
        assert list(rows_of_parts) == every[rows]


@pytest.fixture(params=[4, BLOCK], ids=["small blocks", "large blocks"])
def size(request, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK", request.param)
    monkeypatch.setattr(columns, "_SAMPLES", min(request.param, columns._SAMPLES))


@patient
@given(st.lists(st.lists(st.integers(0, 30)), max_size=4))
def test_blocks_of_columns_that_are_sorted_together(size, drawn):
    sorted_columns = [np.array(sorted(values), np.int64) for values in drawn]
    done, taken = 0, [0] * len(drawn)
    for rows, parts in columns.merged_blocks(sorted_columns):
        assert rows.start == done < rows.stop and [part.start for part in parts] == taken
        values = np.concatenate([column[part] for column, part in zip(sorted_columns, parts)])
        expected = sorted(sum(drawn, []))
        assert sorted(values) == expected[rows]
        assert rows.stop == len(expected) or expected[rows.stop] > expected[rows.stop - 1]
        done, taken = rows.stop, [part.stop for part in parts]
    assert (done, taken) == (sum(map(len, drawn)), [len(values) for values in drawn])


def test_a_block_has_about_as_many_rows_as_are_worked_on_at_a_time():
    starts = [np.arange(5 * BLOCK) * 2, np.arange(5 * BLOCK) * 2 + 1, np.arange(3)]
    sizes = [rows.stop - rows.start for rows, _ in columns.merged_blocks(starts)]
    assert len(sizes) > 5 and max(sizes) < 2 * BLOCK
