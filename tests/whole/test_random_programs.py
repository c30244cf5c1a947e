"""Random programs run with the profiler and with its model in Python, and give the same facts.

SCOPE_PROFILER_EXAMPLES=100 runs a hundred times as many.
"""

import os

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from conftest import EXAMPLES, examples
from region_model import Model
from region_programs import THREADS, TURNS, Interpreter, Real, programs


def of(count):
    return settings(
        max_examples=examples(count), deadline=None, derandomize=EXAMPLES <= 1,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def check(program):
    expected = Interpreter(Model()).run_program(program)
    real = Real()
    try:
        found = Interpreter(real).run_program(program)
    finally:
        real.close()
    assert found == expected


@of(75)
@given(programs())
def test_regions_functions_and_generators(program):
    check(program)


@of(75)
@given(programs(*TURNS))
def test_runs_that_pause_end_and_begin_anew(program):
    check(program)


@of(50)
@given(programs(*TURNS, *THREADS, threads=True))
def test_threads_that_resume_what_others_suspended(program):
    check(program)


@of(10)
@given(programs(*TURNS, st.just(("finalize",))))
def test_results_on_the_way(program):
    check(program)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork() here")
@of(10)
@given(programs(forks=True))
def test_forked_children(program):
    check(program)
