"""The row of a line: adding up, and each line once."""

from scope_profiler._model.counted_code import CountedCode
from scope_profiler._model.counted_lines import ADDED_UP, CountedLine, CountedLines, added_up, once

CODE, OTHER = CountedCode("f.py", 1, "f"), CountedCode("g.py", 1, "g")


def test_every_number_says_how_it_is_added_up():
    assert ("line", *ADDED_UP, "sketch") == CountedLine._fields
    assert CountedLine(1, 2, 3)[3:] == (None,) * (len(ADDED_UP) - 1)


def test_numbers_of_a_line_are_added_up():
    rows = added_up([CountedLine(2, 1, 10, 5), CountedLine(1, 1, 1), CountedLine(2, 2, 20, 6)])
    assert rows == [CountedLine(1, 1, 1), CountedLine(2, 3, 30, 11)]


def test_what_was_not_measured_everywhere_is_not_known():
    [row] = added_up([CountedLine(2, 1, 10, 5), CountedLine(2, 1, 10)])
    assert row == CountedLine(2, 2, 20, None)


def test_the_percentile_is_that_of_all_hits():
    few = CountedLine(2, 2, 120, minimum_ns=20, maximum_ns=100, p99_ns=99,
                      sketch={(1.0, 20): 1, (1.0, 100): 1})
    many = CountedLine(2, 400, 4000, minimum_ns=10, maximum_ns=10, p99_ns=10, sketch={(10.0, 1): 400})
    [row] = added_up([few, many])
    assert (row.hits, row.minimum_ns, row.maximum_ns, row.p99_ns) == (402, 10, 100, 10)
    no_hit_ended = CountedLine(2, 1, 0, sketch={})
    assert added_up([few, no_hit_ended])[0].p99_ns == 99
    of_an_old_file = CountedLine(2, 2, 120, minimum_ns=20, maximum_ns=100, p99_ns=99)
    assert added_up([few, of_an_old_file])[0].p99_ns is None
    assert many.less(many._replace(hits=100, time_ns=1000, sketch={(10.0, 1): 100})).hits == 300


def test_each_line_once():
    both = CountedLines("a", CODE, [CountedLine(1, 3, 30), CountedLine(2, 1, 5)], [])
    inside = CountedLines("b", CODE, [CountedLine(1, 5, 50), CountedLine(2, 1, 5)],
                          [CountedLine(1, 3, 30), CountedLine(2, 1, 5)])
    other = CountedLines("b", OTHER, [CountedLine(1, 1, 7)], [])
    assert once([both, inside, other]) == [
        (CODE, [CountedLine(1, 5, 50), CountedLine(2, 1, 5)]), (OTHER, [CountedLine(1, 1, 7)]),
    ]
