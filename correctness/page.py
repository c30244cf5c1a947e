"""docs/correctness.md: the table of who is right, written and read."""

import re

from asking import ROOT
import profilers

PAGE = ROOT / "docs" / "correctness.md"

_MARKS = {"right": "✓", "wrong": "✗", "cannot": "–"}
_ROW = re.compile(r"^\| \[(\w+/\w+)\]\([^)]*\) \| (.) ", re.M)

_INTRODUCTION = """\
# Who is right

One short program for each case, run with this package and with every peer that can do the case.
What the right answer is follows from the program: it counts its calls and lines, and time passes
in it only by `work(ms)`. `make correctness` runs them all and writes this page;
`tests/whole/test_correctness.py` runs them with this package on each Python.

- **Clocks.** Ours, scope-profiler 0.7.5, codetiming and cProfile run under a fake clock, which
  moves with `work(ms)` and by 1 ns with each reading; a time may be wrong by 1 µs. The others,
  0.7.5 in line mode and cProfile in cases with threads read clocks in C: there `work(ms)` is a busy
  wait that tells what it really took, and a time is right within 20 % or 3 ms, whichever is more;
  a wrong time is asked for twice more. Ours has to be right under both.
- **Settings.** Each is used as its documentation shows. 0.7.5 has `track_threads` on in cases with
  threads and `track_async` in those with tasks or generators that take turns. yappi has the wall
  clock, and that of the processor where running time is asked for. VizTracer has `log_async` in
  cases with tasks; calls are the events of its trace, totals the sums of the outermost ones. Ours
  is asked by `get_stats()`, with `track_async` where running time is asked for; 0.7.5 by its
  results (`inclusive_duration`; its printed table has a function that calls itself directly once).
- **Words.** *calls*: a generator or coroutine is one call, from its first step to its last; those
  that count each step are wrong by this meaning of the word, not by theirs. *total*: from entry to
  exit, that of a recursion once. *own*: total less what is profiled inside. *running*: total less
  what a generator or coroutine stood still; profilers that time each step are asked for the sum.
- **✓** every answer is right. **✗** one is wrong, of which the first is shown; the name of an
  exception is what the profiler raised; *changed*: the program itself goes another way under the
  profiler. **–** the profiler does not do this, see below the table.
"""


def verdicts(text):
    """{case: "right", "wrong" or "cannot"} of the first column of a page's table: of ours."""
    states = {mark: state for state, mark in _MARKS.items()}
    return {name: states[mark] for name, mark in _ROW.findall(text)}


def page(cases, results, versions):
    """The page.

    results: {version of Python: {(case name, profiler): Outcome}}; the first is shown in full.
    versions: {package: version} of the peers.
    """
    shown, outcomes = next(iter(results.items()))
    told = ", ".join(f"{package} {version}" for package, version in versions.items())
    return "\n".join([
        _INTRODUCTION,
        f"Python {shown}; {told}.\n",
        *_table(cases, outcomes),
        *_totals(cases, results),
        *_reasons(cases, outcomes),
        "## The cases\n",
        *(_told(case, outcomes) for case in cases),
    ])


def _table(cases, outcomes):
    titles = [profilers.module(name).TITLE for name in profilers.NAMES]
    yield "| | " + " | ".join(titles) + " |"
    yield "|---" * (len(titles) + 1) + "|"
    for case in cases:
        cells = " | ".join(_cell(outcomes[case.name, name]) for name in profilers.NAMES)
        yield f"| [{case.name}](../{case.path.relative_to(ROOT)}) | {cells} |"
    yield "| **right, of those it can** | " + " | ".join(_counts(cases, outcomes)) + " |"
    yield ""


def _cell(outcome):
    mark = _MARKS[outcome.state]
    if outcome.state != "wrong":
        return mark
    first = next((answer for answer in outcome.answers if not answer["right"]), None)
    if first is not None and first["unit"] == "program":
        return f"{mark} changed"
    return f"{mark} {wrong_answers(outcome)[0][1]}"


def wrong_answers(outcome):
    """[(what, wrong answer), ...]"""
    found = [(answer["what"], _shown(answer, "answer")) for answer in outcome.answers
             if not answer["right"]]
    if outcome.reason:
        found.append(("the program ends with", outcome.reason))
    return found


def _shown(answer, key):
    value = answer[key]
    if answer["unit"] == "ns" and not isinstance(value, str):
        return f"{round(value * 1e-6):,} ms".replace(",", " ")
    return f"{value:,}".replace(",", " ") if type(value) is int else str(value)


def _counts(cases, outcomes):
    """For each profiler: how many it has right of how many it can."""
    for name in profilers.NAMES:
        states = [outcomes[case.name, name].state for case in cases]
        yield f"{states.count('right')} of {len(states) - states.count('cannot')}"


def _totals(cases, results):
    """How many are right on each Python."""
    if len(results) > 1:
        yield "## On each Python\n"
        yield "| | " + " | ".join(profilers.module(name).TITLE for name in profilers.NAMES) + " |"
        yield "|---" * (len(profilers.NAMES) + 1) + "|"
        for version, outcomes in results.items():
            yield f"| {version} | " + " | ".join(_counts(cases, outcomes)) + " |"
        yield ""
        for version, outcomes in results.items():
            wrong = [case.name for case in cases if outcomes[case.name, "ours"].state == "wrong"]
            if wrong:
                yield f"- Ours is wrong on {version}: {', '.join(wrong)}"
        yield ""


def _reasons(cases, outcomes):
    """Why profilers cannot do cases."""
    yield "## What they do not do\n"
    for name in profilers.NAMES:
        reasons = [outcomes[case.name, name].reason for case in cases
                   if outcomes[case.name, name].state == "cannot"]
        if reasons:
            told = "; ".join(f"{reason} ({reasons.count(reason)})"
                             for reason in dict.fromkeys(reasons))
            yield f"- {profilers.module(name).TITLE}: {told}"
    yield ""


def _told(case, outcomes):
    """What a case asserts, the right answer, and the wrong ones."""
    # The fake clock makes truth a round number.
    truth = "; ".join(f"{answer['what']} {_shown(answer, 'truth')}"
                      for answer in outcomes[case.name, "ours"].answers)
    lines = [f"### {case.name}\n", case.text + "\n", f"Right: {truth}.\n"]
    wrong = [(name, wrong_answers(outcomes[case.name, name])) for name in profilers.NAMES
             if outcomes[case.name, name].state == "wrong"]
    lines += [f"- {profilers.module(name).TITLE}: "
              + "; ".join(f"{what} {answer}" for what, answer in answers)
              for name, answers in wrong]
    return "\n".join(lines) + "\n" * bool(wrong)
