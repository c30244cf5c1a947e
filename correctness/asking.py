"""Cases, and what a profiler answers to one: a process for each."""

import ast
import json
import os
from pathlib import Path
import subprocess
import tempfile
from typing import NamedTuple

import profilers

ROOT = Path(__file__).resolve().parent.parent
_FOLDER = ROOT / "correctness"
_CASES = _FOLDER / "cases"
_GROUPS = ("functions", "regions", "generators", "coroutines", "threads", "processes", "lines")

# A busy machine may be why a time is wrong, so a real one is asked for again; never a count.
_ATTEMPTS = 3
_SECONDS = 20


class Case(NamedTuple):
    """One program of cases/."""

    name: str  # group/name
    path: Path
    text: str  # what it asserts: its docstring


class Outcome(NamedTuple):
    """What a profiler made of a case."""

    state: str  # "right", "wrong" or "cannot"
    answers: list  # [{"what", "truth", "answer", "unit", "right"}, ...], see probe.py
    reason: str = ""  # why it cannot; the error that ended the case


def cases():
    """All Cases, in the order of the table."""
    paths = sorted(_CASES.glob("*/*.py"), key=lambda path: (_GROUPS.index(path.parent.name), path))
    return [Case(f"{path.parent.name}/{path.stem}", path,
                 ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))))
            for path in paths]


def ask(case, profiler, python):
    """The Outcome of a case with a profiler, under each clock that this has."""
    outcomes = [_ask_again(case, profiler, python, clock)
                for clock in profilers.module(profiler).CLOCKS]
    for state in ("wrong", "right"):
        for outcome in outcomes:
            if outcome.state == state:
                return outcome
    return outcomes[0]


def _ask_again(case, profiler, python, clock):
    for _ in range(_ATTEMPTS if clock == "real" else 1):
        outcome = ask_once(case, profiler, python, clock)
        wrong = [answer for answer in outcome.answers if not answer["right"]]
        if not wrong or outcome.reason or any(answer["unit"] != "ns" for answer in wrong):
            break
    return outcome


def ask_once(case, profiler, python, clock):
    """The Outcome of one process."""
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("PYTHON", "SCOPE_PROFILER_"))}
    path = [_FOLDER, ROOT] if profiler == "ours" else [_FOLDER]
    environment |= {"PROBE_PROFILER": profiler, "PROBE_CLOCK": clock,
                    "PYTHONPATH": os.pathsep.join(map(str, path))}
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run([python, "-P", case.path], env=environment, cwd=folder, text=True,
                                  capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return Outcome("wrong", [], "hangs")
    return _outcome(done)


def _outcome(done):
    told = [json.loads(line) for line in done.stdout.splitlines()]
    answers = [each for each in told if "cannot" not in each]
    reason = next((each["cannot"] for each in told if "cannot" in each), "")
    wrong = not all(answer["right"] for answer in answers)
    if done.returncode:
        return Outcome("wrong", answers, _error(done))
    if not (answers or reason):
        return Outcome("wrong", [], "no answer")
    if reason and not wrong:
        return Outcome("cannot", [], reason)
    return Outcome("wrong" if wrong else "right", answers)


def _error(done):
    """The name of the exception that ended a case, or the signal, or the status."""
    if done.returncode < 0:
        return f"signal {-done.returncode}"
    if not done.stderr:
        return f"status {done.returncode}"
    return done.stderr.splitlines()[-1].partition(":")[0].rpartition(".")[2]
