"""compare_api.py --write | --check: docs/compatibility.md, the interface of 0.7.5 against ours.

Both interfaces are described by describe_api.py. That of 0.7.5 is kept in api_0.7.5.json, which
`--describe PYTHON` makes anew, by an interpreter that has scope-profiler 0.7.5. Every difference
has to be explained in api_differences.py or scope_profiler/compat/absent.py, and every explanation to
explain one; where that is not so, --write and --check tell and fail.
"""

import argparse
from fnmatch import fnmatchcase
import inspect
import json
import os
from pathlib import Path
import subprocess
import sys
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "compatibility.md"
THEIRS = ROOT / "tools" / "api_0.7.5.json"
DESCRIBE = ROOT / "tools" / "describe_api.py"

INTRODUCTION = """\
# The interface of scope-profiler 0.7.5, and ours

The public names of 0.7.5 with their parameters and defaults, the attributes of its objects and the
keys of the dicts that it gives: what of them is not here or not the same. What is not listed is
the same; parameters and keys that are here only do no harm and are left out. What the same names
do differently is in [differences](differences.md). `tools/compare_api.py` makes this page of the
two packages themselves.

Spellings of versions before it work too, with a DeprecationWarning that has today's:
`ProfilingH5Reader`, and the settings `profiling_activated`, `time_trace` and `flush_to_disk`.
"""


class Difference(NamedTuple):
    """Something of 0.7.5 that is something else here, or nothing."""

    subject: str
    member: str  # "()": the subject when it is called; "(x)", "member(x)": a parameter
    theirs: str
    ours: str

    @property
    def name(self):
        """What an explanation goes by."""
        if self.subject == "scope_profiler":
            return self.member
        dot = "" if self.member.startswith("(") else "."
        return f"{self.subject}{dot}{self.member}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    does = parser.add_mutually_exclusive_group(required=True)
    does.add_argument("--write", action="store_true", help="write docs/compatibility.md")
    does.add_argument("--check", action="store_true", help="fail unless the page is up to date")
    does.add_argument("--describe", metavar="PYTHON", help=f"write tools/{THEIRS.name}")
    chosen = parser.parse_args()
    if chosen.describe:
        THEIRS.write_text(description(chosen.describe), encoding="utf-8")
        return
    text = page(json.loads(THEIRS.read_text(encoding="utf-8")),
                json.loads(description(sys.executable, ROOT)), explanations())
    if chosen.write:
        PAGE.write_text(text, encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != text:
        sys.exit("docs/compatibility.md is out of date: run python tools/compare_api.py --write")


def description(python, folder=None):
    """What describe_api.py prints of the scope_profiler of an interpreter, or of a folder."""
    environment = {key: value for key, value in os.environ.items()
                   if not key.startswith(("PYTHONPATH", "SCOPE_PROFILER_"))}
    if folder is not None:
        environment["PYTHONPATH"] = str(folder)
    return subprocess.run([python, DESCRIBE], env=environment, stdout=subprocess.PIPE,
                          text=True, encoding="utf-8", check=True).stdout


# ---- What is different


def compare(theirs, ours):
    """The Differences between two descriptions."""
    for subject, members in theirs.items():
        if subject not in ours:
            continue  # that its name is not there is a difference by itself
        # "a region, in some mode" is told apart from "a region".
        usual = theirs[subject.partition(", ")[0]] if ", " in subject else {}
        for member, what in members.items():
            if what != usual.get(member):
                yield from compare_member(subject, member, what, ours[subject].get(member, ""))


def compare_member(subject, member, theirs, ours):
    if not (theirs.startswith("(") and ours.startswith("(")) or "(...)" in (theirs, ours):
        if theirs != ours:
            yield Difference(subject, member, theirs, ours)
        return
    call = "" if member == "()" else member
    there, here = parameters(theirs), parameters(ours)
    for name, one in there.items():
        if not any(takes(other, one) and is_reached(name, there, other.name, here)
                   for other in here.values()):
            instead = changed(one, here[name]) if name in here else ""
            yield Difference(subject, f"{call}({name})", shown(one), instead)
    for name, one in here.items():
        if name not in there and one.default is one.empty and one.kind < one.VAR_POSITIONAL:
            yield Difference(subject, f"{call}({name})", "", shown(one))


def parameters(text):
    """What describe_api.py shows of a call: {name: inspect.Parameter}."""
    return dict(inspect.signature(eval(f"lambda {text[1:-1]}: None")).parameters)


def takes(ours, theirs):
    """Whether our parameter may be given, and left out, as theirs may."""
    kinds = {theirs.kind}
    if theirs.kind is theirs.KEYWORD_ONLY:
        kinds.add(theirs.POSITIONAL_OR_KEYWORD)
    may_be_left_out = theirs.default is theirs.empty or theirs.default == ours.default
    return ours.kind in kinds and may_be_left_out


def is_reached(theirs, there, ours, here):
    """Whether what is given to their parameter arrives at ours: by its name and by its place."""
    kind = there[theirs].kind
    if kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
        return theirs == ours and [*there].index(theirs) == [*here].index(ours)
    return theirs == ours or kind in (inspect.Parameter.VAR_POSITIONAL,
                                      inspect.Parameter.VAR_KEYWORD)


def changed(theirs, ours):
    """What our parameter is, that has the same name."""
    parts = [shown(ours)] * (theirs.default != ours.default)
    parts += ["by keyword"] * (theirs.kind != ours.kind == ours.KEYWORD_ONLY)
    return ", ".join(parts) or "in another place"


def shown(parameter):
    return str(parameter).replace("Ellipsis", "...")


# ---- Why


def explanations():
    """{pattern of names: why}."""
    sys.path.insert(0, str(ROOT))
    from api_differences import EXPLANATIONS
    from scope_profiler.compat.absent import ABSENT

    return {**ABSENT, **EXPLANATIONS}


def explain(differences, why):
    """[(Difference, explanation), ...] by the first pattern that its name matches.

    Exits with a list of the differences without explanation, and of the explanations without a
    difference.
    """
    explained, wrong, used = [], [], set()
    for one in differences:
        pattern = next((pattern for pattern in why if fnmatchcase(one.name, pattern)), None)
        used.add(pattern)
        explained.append((one, why.get(pattern)))
        if pattern is None:
            wrong.append(f"not explained: {one.name}, in 0.7.5 {one.theirs!r}, here {one.ours!r}")
    wrong += [f"explains nothing: {pattern}" for pattern in why if pattern not in used]
    if wrong:
        sys.exit("\n".join(wrong))
    return explained


# ---- The page


def page(theirs, ours, why):
    explained = explain(compare(theirs, ours), why)
    sections, same = [], []
    for subject in sorted(theirs.keys() & ours.keys(), key=place):
        rows = [pair for pair in explained if pair[0].subject == subject]
        (sections if rows else same).append(subject)
    return "\n".join([
        INTRODUCTION,
        *(section(subject, explained) for subject in sections),
        f"## The same\n\n{', '.join(f'`{subject}`' for subject in same)}.\n",
    ])


def place(subject):
    """The names of the package come first, its modules last."""
    return subject == "modules", subject != "scope_profiler", subject.lower()


def section(subject, explained):
    """A table: a row for each explanation, and for each thing that is something else here."""
    rows = {}
    for one, why in explained:
        if one.subject == subject:
            rows.setdefault((why, one.ours), []).append(one)
    lines = [f"## {subject}", "", "| 0.7.5 | here | why |", "|---|---|---|"]
    for (why, ours), differences in rows.items():
        names = ", ".join(f"`{told(one)}`" for one in differences)
        lines.append(f"| {names} | {f'`{ours}`' if ours else '–'} | {why} |")
    return "\n".join([*lines, ""])


def told(difference):
    """The member, a parameter with what belongs to it."""
    _, member, theirs, ours = difference
    call, parenthesis, parameter = member.partition("(")
    if parameter in ("", ")"):
        return call or "()"
    return f"{call}({theirs or parameter})"


if __name__ == "__main__":
    main()
