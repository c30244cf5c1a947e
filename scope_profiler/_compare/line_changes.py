"""Two sides of runs, line by line: lines are the same where the text is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
import os

import numpy as np

from .._model.counted_code import CountedCode
from .._model.counted_lines import CountedLine, once, sources
from ..results import ProfilingResults
from ..results.line_entries import all_lines
from .change import Change, change_of
from .comparison import Compared
from .metrics import METRICS

_Key = tuple[str, str]


class _Function:
    """A function on one side."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.runs: list[dict[int, CountedLine]] = []  # by the place in the function, from 0


def compare_lines(
    before: Sequence[ProfilingResults], after: Sequence[ProfilingResults], ranks: set[int] | None = None
) -> list[Compared]:
    """The lines of the functions that both sides have, by their time in a run; named by function, line
    and text. One run on each side has no interval, as a line is one number in it."""
    sides = _functions(before, ranks), _functions(after, ranks)
    found = []
    for key in sides[0].keys() & sides[1].keys():
        old, new = sides[0][key], sides[1][key]
        for tag, first, last, start, end in SequenceMatcher(None, old.text, new.text, False).get_opcodes():
            length = last - first if tag == "equal" else 0
            same = [*zip(range(first, last), range(start, end))] if length else [
                *((place, None) for place in range(first, last)),
                *((None, place) for place in range(start, end)),
            ]
            found += [one for places in same if (one := _compared(key, (old, new), places)) is not None]
    return sorted(found, key=lambda each: -abs((each.change.after or 0) - (each.change.before or 0)))


def _functions(side: Iterable[ProfilingResults], ranks: set[int] | None) -> dict[_Key, _Function]:
    functions: dict[_Key, _Function] = {}
    for results in side:
        tables = all_lines(results.line_profile, ranks)
        texts = sources(tables)
        for code, rows in once(tables):
            function = functions.setdefault(_key(code), _Function())
            first = max(code.co_firstlineno, 1)
            last = max((row.line for row in rows), default=first)
            text = texts.get(code, "").split("\n")
            known = [line.strip() for line in text] + [""] * (last - first + 1 - len(text))
            function.text = known if code in texts else [str(line) for line in range(first, last + 1)]
            function.runs.append({row.line - first: row for row in rows})
    return functions


def _key(code: CountedCode) -> _Key:
    return os.path.basename(code.co_filename), code.co_qualname


def _compared(
    key: _Key, functions: tuple[_Function, _Function], places: tuple[int | None, int | None]
) -> Compared | None:
    rows = [[run[place] for run in function.runs if place is not None and place in run]
            for function, place in zip(functions, places)]
    if not any(rows):
        return None
    hits = [sum(row.hits for row in of_side) / len(function.runs)
            for of_side, function in zip(rows, functions)]
    units = [[np.array([max(row.time_ns, 0)], float) for row in of_side] for of_side in rows]
    if units[0] and units[1]:
        change = change_of(units[0], units[1], METRICS["typical"].location)
    else:
        change = Change(*(float(np.mean(each)) if each else None for each in units))
    names = [
        f"{key[1]} +{place}: {function.text[place]}" if place is not None and of_side else None
        for function, place, of_side in zip(functions, places, rows)
    ]
    if names[0] and names[1]:
        names[1] = names[0]  # only the number differs
    return Compared(names[0], names[1], (hits[0], hits[1]), change)
