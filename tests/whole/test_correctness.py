"""The cases of correctness/ with this package alone; the page of all profilers has every one."""

import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "correctness"))
import asking
import page
import profilers

CASES = {case.name: case for case in asking.cases()}

# Why ours is wrong: on the Python that the page shows, and on this one.
WRONG_ON_THE_PAGE = {}
WRONG = dict(WRONG_ON_THE_PAGE)
if sys.version_info < (3, 12):
    WRONG["lines/comprehension"] = "is a function of its own there, whose lines are not recorded"


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.xfail(reason=WRONG[name], strict=True))
    if name in WRONG else name
    for name in CASES
])
def test_ours_is_right(name):
    if name.startswith("processes/"):
        pytest.importorskip("h5py")
    outcome = asking.ask_once(CASES[name], "ours", sys.executable, "fake")
    assert outcome.state == "right", page.wrong_answers(outcome)


def test_the_page_has_every_case_with_what_is_so():
    verdicts = page.verdicts(page.PAGE.read_text(encoding="utf-8"))
    assert verdicts == {name: "wrong" if name in WRONG_ON_THE_PAGE else "right"
                        for name in CASES}


# ---- The runner: a case may fail


def outcome_of(program, tmp_path):
    path = tmp_path / "case.py"
    path.write_text(program)
    return asking.ask_once(asking.Case("group/case", path, ""), "ours", sys.executable, "fake")


CALL = """
from probe import expect, expect_calls, expect_total, profiled, recording, work

@profiled("f")
def f():
    work(20)

with recording():
    f()
"""


@pytest.mark.parametrize("expectation, told", [
    ("expect_calls('f', 2)", ("calls of f", "1")),
    ("expect_total('f', 20_002_000)", ("total of f", "20 ms")),
    ("expect_total('g', 1)", ("total of g", "KeyError")),
    ("expect('answer', 42, 1001)", ("answer", "1001")),
    ("raise KeyError('x')", ("the program ends with", "KeyError")),
    ("import os; os.abort()", ("the program ends with", "signal 6")),
    ("import sys; sys.exit(3)", ("the program ends with", "status 3")),
    ("", ("the program ends with", "no answer")),
])
def test_what_is_wrong(expectation, told, tmp_path):
    program = CALL + "expect_calls('f', 1)\n" * bool(expectation) + expectation
    outcome = outcome_of(program, tmp_path)
    assert outcome.state == "wrong"
    assert page.wrong_answers(outcome) == [told]


def test_a_time_within_the_rounding_is_right(tmp_path):
    assert outcome_of(CALL + "expect_total('f', 20_000_500)", tmp_path).state == "right"


def test_what_a_profiler_cannot(tmp_path):
    program = """
from profilers.base import Profiler
Profiler.WHY = {"lightning": "has no clouds"}
import probe
probe._ask("lightning")
"""
    assert outcome_of(program, tmp_path) == asking.Outcome("cannot", [], "has no clouds")


def test_wrong_lines_and_times(tmp_path):
    program = """
from probe import expect_hits, expect_times, profiled, recording, work

@profiled("f")
def f():
    for _ in range(3):
        work(10)  # {}

with recording("lines"):
    f()

expect_hits()
expect_times()
"""
    assert outcome_of(program.format("hits: 3"), tmp_path).state == "right"
    assert outcome_of(program.format("ms: 30"), tmp_path).state == "right"
    wrong = page.wrong_answers(outcome_of(program.format("hits: 1"), tmp_path))
    assert wrong == [("hits of `work(10)`", "3")]
    wrong = page.wrong_answers(outcome_of(program.format("ms: 10"), tmp_path))
    assert wrong == [("time of `work(10)`", "30 ms")]


def test_a_page_can_be_read():
    case = asking.Case("threads/one", ROOT / "correctness/cases/threads/one.py", "One thread.")
    answer = {"what": "calls of f", "truth": 8_000, "answer": 7, "unit": "", "right": False}
    right = asking.Outcome("right", [{**answer, "answer": 8_000, "right": True}])
    wrong = asking.Outcome("wrong", [answer])
    cannot = asking.Outcome("cannot", [], "has no threads")
    outcomes = {(case.name, name): right for name in profilers.NAMES}
    outcomes |= {(case.name, "yappi"): wrong, (case.name, "codetiming"): cannot}
    text = page.page([case], {"3.13.0": outcomes}, {"yappi": "1.7.6"})
    assert page.verdicts(text) == {case.name: "right"}
    row = f"| [{case.name}](../correctness/cases/threads/one.py) | ✓ | ✓ | ✓ | – | ✓ | ✗ 7 | ✓ |"
    assert row in text
    assert "| 1 of 1 | 1 of 1 | 1 of 1 | 0 of 0 | 1 of 1 | 0 of 1 | 1 of 1 |" in text
    assert "Right: calls of f 8 000.\n\n- yappi: calls of f 7\n" in text
    assert "- codetiming: has no threads (1)" in text
    assert "3.13.0; yappi 1.7.6." in text
