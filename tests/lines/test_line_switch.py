"""src/lines/line_switch.c: profiling by code, as LineProfiler has it, switched on by thread."""

import asyncio
import concurrent.futures
import contextlib
import cProfile
import functools
import gc
import sys
import threading
import warnings
import weakref

import pytest

import line_profiler_reference as reference
from scope_profiler.line_profiler import LineProfiler
from test_lines import (  # noqa: F401 (fixtures)
    DIFFERENCES, MONITORING, VERSION, counted, from_3_12, live, on_3_11, on_a_thread_of_its_own,
    written_down,
)
from test_lines_watch import NO_DIFFERENCE


def hits(profiler, function=None):
    """{line, from the function's first: hits}, of the function or the only one."""
    timings = profiler.get_stats().timings
    name = None if function is None else getattr(function, "__qualname__", function)
    (key, rows), = [item for item in timings.items() if name in (None, item[0][2])]
    return {line - key[1]: count for line, count, _ in rows}


# Each test that counts has functions of its own: events stay on in code for a while.


def make_double():
    def double(n):
        m = n
        return m + n

    return double


# ---- As line_profiler counts ------------------------------------------------------------------


@pytest.mark.parametrize("how", ["registered", "decorated"])
@pytest.mark.parametrize("case", reference.case_names())
def test_hits_equal_those_of_line_profiler(counted, written_down, case, how):
    profiler = LineProfiler()

    def register(function):
        profiler.add_function(function)
        return function

    run = reference.load(profiler if how == "decorated" else register)[case]
    with contextlib.nullcontext() if how == "decorated" else profiler:
        run()
    timings = {key: rows for key, rows in profiler.get_stats().timings.items()
               if key[0] == str(reference.CASES_FILE)}
    expected = counted[case]
    if case not in NO_DIFFERENCE and case in DIFFERENCES and VERSION in DIFFERENCES[case][0]:
        expected = written_down["3.11"][case]
    assert reference.by_function(timings) == expected
