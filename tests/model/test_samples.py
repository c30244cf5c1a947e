"""Samples as plain data: sums, shares, intervals, files."""

import random

import pytest

from scope_profiler._model.samples import (
    FUNCTION, REGION, THREAD, Place, Samples, of_stacks, together, wilson)

THREAD_1, REGION_1 = Place(THREAD, "one"), Place(REGION, "region")


def line(name, number):
    return Place(FUNCTION, name, "file.py", 1, number)


def samples_of(stacks, **facts):
    known = {"hz": 100.0, "clock": "wall", "ticks": 10, "instants": 10, "missed": 1, "unreadable": 2}
    return of_stacks(stacks, **known | facts)


STACKS = [
    ((THREAD_1, line("f", 2)), 3),
    ((THREAD_1, line("f", 2), line("g", 5)), 4),
    ((THREAD_1, REGION_1, line("f", 3), line("f", 3), line("g", 6)), 2),
]


def test_own_and_total():
    samples = samples_of(STACKS)
    assert samples.total == 9
    assert {(one.place.name, one.own, one.total) for one in samples.functions()} == {
        ("g", 6, 6), ("f", 3, 9)}
    assert {(one.place.name, one.place.line, one.own, one.total) for one in samples.lines()} == {
        ("f", 2, 3, 7), ("f", 3, 0, 2), ("g", 5, 4, 4), ("g", 6, 2, 2)}
    assert [one.own for one in samples.functions()] == [6, 3]


def test_stacks_are_those_that_were_given():
    assert dict(samples_of(STACKS).stacks()) == dict(STACKS)
    assert dict(samples_of(STACKS + STACKS).stacks()) == {stack: 2 * count for stack, count in STACKS}


def test_several_together():
    both = together([samples_of(STACKS), samples_of(STACKS[:1], missed=5)])
    assert dict(both.stacks()) == dict(STACKS) | {STACKS[0][0]: 6}
    assert (both.ticks, both.instants, both.missed, both.unreadable) == (20, 20, 6, 4)
    assert together([]) is None


def test_as_columns_and_back():
    samples = samples_of(STACKS)
    assert Samples.of_columns(samples.columns()) == samples


@pytest.mark.parametrize("name, values", [
    ("parents", [0]), ("parents", [-2, 0, 0, 0, 0, 0, 0]), ("at", [99] * 7), ("counts", [1]),
    ("places", [["planet", "name", "", 0, 0]] * 7),
])
def test_columns_that_cannot_be(name, values):
    with pytest.raises((ValueError, IndexError)):
        Samples.of_columns(samples_of(STACKS).columns() | {name: values})


@pytest.mark.parametrize("share, count, low, high", [
    (0.5, 100, 0.40383, 0.59617), (0.0, 10, 0.0, 0.27753), (1.0, 10, 0.72247, 1.0),
    (0.1, 50, 0.04348, 0.21360), (0.3, 0, 0.0, 1.0),
])
def test_the_interval_of_wilson(share, count, low, high):
    assert wilson(share, count) == pytest.approx((low, high), abs=1e-5)


@pytest.mark.parametrize("truth", [0.02, 0.3, 0.5, 0.97])
def test_the_interval_has_the_truth_in_it_as_often_as_it_says(truth):
    chance = random.Random(42)
    inside = 0
    for _ in range(1000):
        seen = sum(chance.random() < truth for _ in range(400)) / 400
        low, high = wilson(seen, 400)
        inside += low <= truth <= high
    assert 930 <= inside <= 985


def test_how_sure_a_share_is_goes_by_instants():
    many, few = samples_of(STACKS, instants=900).share(3), samples_of(STACKS, instants=9).share(3)
    assert many.share == few.share == pytest.approx(1 / 3)
    assert many.high - many.low < few.high - few.low
