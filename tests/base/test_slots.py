"""src/base/slots.c: what comes and goes, below and above the number of slots. Tested by what lies in them:
suspended calls of traced generators, here; lines of generators (test_lines.py), stacks of contexts
(test_contexts.py)."""

from contextlib import contextmanager

from hypothesis import given, settings, strategies as st
import pytest

from conftest import Clock, examples
from scope_profiler import ProfileManager, _core
from scope_profiler._instrument import call_tracing as calls

SOURCE = """
def steps(n):
    for _ in range(n):
        tick()
        yield
    tick()
"""


@contextmanager
def tracing():
    """The generator function, which is traced, its manager, and the ticks that it has run."""
    clock, manager = Clock(), ProfileManager()
    manager.setup(deactivate_file_output=True)
    ticked = []

    def tick():
        ticked.append(1)
        clock.tick(1)

    user = {"__name__": "user", "tick": tick}
    exec(compile(SOURCE, "user.py", "exec"), user)
    with calls.tracing(manager, include=["user.*"]):
        yield user["steps"], manager, ticked
    manager.reset()
    _core._fake_clock(None)


def counted(manager):
    """How many calls are over, and what they ran."""
    rows = [row for row in manager._collect(None) if row[1].name == "user.steps"]
    return sum(row[2] for row in rows), sum(row[7] for row in rows)


@pytest.mark.parametrize("number", [1, 63, 64, 65, 1000])
def test_so_many_at_once(number):
    """Twice, as what was freed is used again."""
    with tracing() as (steps, manager, ticked):
        for already in (0, number):
            running = [steps(3) for _ in range(number)]
            for generator in running:
                next(generator)
            assert already == 0 or counted(manager)[0] == already
            for generator in reversed(running):
                assert len(list(generator)) == 2
            assert counted(manager) == (already + number, len(ticked))


@settings(max_examples=examples(30))
@given(st.lists(st.tuples(st.sampled_from("bnncd"), st.integers(0, 10**6)), max_size=400),
       st.integers(0, 150))
def test_in_any_order(orders, at_once):
    """Begun, stepped, closed and dropped."""
    with tracing() as (steps, manager, ticked):
        running, begun = [], 0

        def begin():
            nonlocal begun
            running.append(steps(3))
            next(running[-1])
            begun += 1

        for _ in range(at_once):
            begin()
        for order, number in orders:
            if order == "b" or not running:
                begin()
                continue
            place = number % len(running)
            if order == "n" and next(running[place], "over") is None:
                continue
            if order == "c":
                running[place].close()
            del running[place]
        running.clear()
        assert not begun or counted(manager) == (begun, len(ticked))
