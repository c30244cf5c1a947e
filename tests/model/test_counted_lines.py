"""The row of a line: adding up, and each line once."""

from scope_profiler._model.counted_code import CountedCode
from scope_profiler._model.counted_lines import ADDED_UP, CountedLine, CountedLines, added_up, once

CODE, OTHER = CountedCode("f.py", 1, "f"), CountedCode("g.py", 1, "g")


def test_every_number_says_how_it_is_added_up():
    assert ("line", *ADDED_UP) == CountedLine._fields
    assert CountedLine(1, 2, 3)[3:] == (None,) * (len(ADDED_UP) - 2)


def test_numbers_of_a_line_are_added_up():
    rows = added_up([CountedLine(2, 1, 10, 5), CountedLine(1, 1, 1), CountedLine(2, 2, 20, 6)])
    assert rows == [CountedLine(1, 1, 1), CountedLine(2, 3, 30, 11)]


def test_what_was_not_measured_everywhere_is_not_known():
    [row] = added_up([CountedLine(2, 1, 10, 5), CountedLine(2, 1, 10)])
    assert row == CountedLine(2, 2, 20, None)


def test_each_line_once():
    both = CountedLines("a", CODE, [CountedLine(1, 3, 30), CountedLine(2, 1, 5)], [])
    inside = CountedLines("b", CODE, [CountedLine(1, 5, 50), CountedLine(2, 1, 5)],
                          [CountedLine(1, 3, 30), CountedLine(2, 1, 5)])
    other = CountedLines("b", OTHER, [CountedLine(1, 1, 7)], [])
    assert once([both, inside, other]) == [
        (CODE, [CountedLine(1, 5, 50), CountedLine(2, 1, 5)]), (OTHER, [CountedLine(1, 1, 7)]),
    ]
