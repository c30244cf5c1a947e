"""scope_profiler.line_profiler: the names that line_profiler has."""

import subprocess
import sys

from scope_profiler import line_profiler

#: `__all__` of line_profiler 5.1.0.
THEIRS = {
    "LineProfiler", "LineStats", "line_profiler", "load_ipython_extension", "load_stats", "main",
    "show_func", "show_text", "__version__", "profile",
}


def test_the_names_are_those_of_line_profiler():
    assert {*line_profiler.__all__} == THEIRS


def test_a_name_that_is_not_there_is_an_attribute_error():
    assert not hasattr(line_profiler, "LineProfilers")


def test_the_import_loads_nothing_more():
    code = ("import sys, scope_profiler; before = {*sys.modules}\n"
            "import scope_profiler.line_profiler\n"
            "print(*{*sys.modules} - before)")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["scope_profiler.line_profiler"]
