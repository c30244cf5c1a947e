"""The tool that runs CPython's own tests (cpython/run.py)."""

import runpy
import subprocess
import sys

import pytest

from conftest import ROOT

FOLDER = ROOT / "tests" / "cpython"

pytest.importorskip("test.test_genexps", reason="this Python is installed without its test package")


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return runpy.run_path(str(FOLDER / "run.py"))


def test_a_difference_is_any_test_that_ends_otherwise(tool):
    plain = {"a": "passed", "b": "skipped", "c": "passed"}
    other = {"a": "passed", "b": "passed", "d": "error"}
    assert tool["differences"](plain, other) == {
        "b": ("skipped", "passed"), "c": ("passed", "missing"), "d": ("missing", "error"),
    }


@pytest.mark.parametrize("modes, versions, covered", [
    ("all", "all", True),
    ("lines, decorated", "all", True),
    ("watched lines", "all", False),
    ("all", "3.11 and newer", True),
    ("all", "3.99 and newer", False),
    ("all", "3.2, 3.3", False),
])
def test_a_row_of_the_table_covers_modes_and_versions(tool, modes, versions, covered):
    row = tool["Known"]("test_a.B.*", modes, versions, "a reason")
    assert row.covers("test_a.B.test_c", "lines") is covered
    assert not row.covers("test_a.C.test_c", "lines")


def test_the_table_can_be_read(tool):
    for row in tool["known_differences"](tool["KNOWN"].read_text()):
        module = row.tests.split(".")[0]
        assert any(name.split(".")[0] == module for name in tool["MODULES"]), row
        assert row.modes == "all" or set(row.modes.split(", ")) <= set(tool["MODES"]), row
        assert len(row.reason) > 20, row


def test_enough_modules_and_the_short_list_is_of_them(tool):
    assert len(tool["MODULES"]) >= 60
    assert set(tool["SHORT"]) <= set(tool["MODULES"])


def test_what_the_tests_are_about_has_functions():
    """A package may keep them all in private modules, as pathlib does since 3.13."""
    program = (
        "import modules, worker\n"
        "for names in modules.MODULES.values():\n"
        "    found = worker.functions(worker.modules_of(names))\n"
        "    if not names[0].startswith('test.') and not any(found):\n"
        "        print(*names)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=FOLDER, capture_output=True, text=True)
    in_c = {"bisect", "operator", "stat"}
    assert (set(done.stdout.split()) - in_c, done.stderr) == (set(), "")


@pytest.mark.parametrize("test, mode", [
    ("test_genexps", None),
    ("test_genexps", "every function"),
    ("test_asyncio.test_threads", "decorated"),  # which the package asyncio has a function from
])
def test_a_module_runs(tool, test, mode):
    run = tool["run_one"](test, mode)
    assert run.problem is None
    assert set(run.outcomes.values()) == {"passed"}


def test_what_ends_early_is_a_problem(tool):
    assert "ends with status 1" in tool["run_one"]("no_such_module").problem
