"""on_demand.py: a list whose items are made when they are first looked at."""

import copy
import gc
import pickle

import pytest

from scope_profiler._base.on_demand import OnDemand


def noted(length):
    """A list of squares, and the places that were made."""
    made = []
    return OnDemand(length, lambda places: (made.extend(places), [place**2 for place in places])[1]), made


def test_an_item_is_made_once_and_when_it_is_looked_at():
    squares, made = noted(5)
    assert len(squares) == 5 and made == []
    assert squares[3] == squares[-2] == 9 and squares[1:3] == [1, 4]
    assert made == [3, 1, 2]
    assert list(squares) == [0, 1, 4, 9, 16] == list(squares) and made == [3, 1, 2, 0, 4]


def test_it_ends_where_a_list_does():
    squares, made = noted(2)
    for place in (2, -3):
        with pytest.raises(IndexError):
            squares[place]
    assert made == [] and not noted(0)[0]


def test_it_equals_a_list_and_is_one_when_it_is_copied():
    squares, _ = noted(3)
    assert squares == [0, 1, 4] == squares and squares != [0, 1] and squares == noted(3)[0]
    assert (squares == "014") is False
    for other in (copy.deepcopy(squares), pickle.loads(pickle.dumps(squares))):
        assert type(other) is list and other == squares


def test_no_garbage_is_collected_while_all_are_made():
    enabled = []
    list(OnDemand(3, lambda places: [enabled.append(gc.isenabled()) for _ in places]))
    assert enabled == [False] * 3 and gc.isenabled()
