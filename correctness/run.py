"""run.py: runs every case with every profiler, prints the table, and writes docs/correctness.md.

    python run.py --pair OURS PEERS [--pair OURS PEERS ...] [--write] [--only NAME] [--ask PROFILER]

OURS is an interpreter with what this package needs, PEERS one of the same version with the peers,
see tools/correctness.sh. The page shows the newest version in full.
"""

import argparse
import json
import subprocess

import asking
import page
import profilers

_PACKAGES = [package for package in (profilers.module(name).PACKAGE for name in profilers.NAMES)
             if package]

_DESCRIBE = """
from importlib.metadata import version
import json, platform, sys
print(json.dumps([sys.hexversion, platform.python_version(),
                  {name: version(name) for name in sys.argv[1:]}]))
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pair", nargs=2, action="append", metavar=("OURS", "PEERS"),
                        required=True, help="two interpreters of one version")
    parser.add_argument("--write", action="store_true", help="write docs/correctness.md")
    parser.add_argument("--only", default="", metavar="NAME", help="cases with this in their name")
    parser.add_argument("--ask", choices=profilers.NAMES, action="append", metavar="PROFILER",
                        help=f"not all, of {', '.join(profilers.NAMES)}")
    chosen = parser.parse_args()
    if chosen.write and (chosen.only or chosen.ask):
        parser.error("--write takes all cases and profilers")

    cases = [case for case in asking.cases() if chosen.only in case.name]
    newest_first = sorted(((*describe(peers), ours, peers) for ours, peers in chosen.pair),
                          key=lambda described: described[0], reverse=True)
    results = {}
    for _, version, _, ours, peers in newest_first:
        print(f"Python {version}")
        results[version] = run(cases, chosen.ask or profilers.NAMES, ours, peers)
    if chosen.write:
        packages = newest_first[0][2]
        page.PAGE.write_text(page.page(cases, results, packages), encoding="utf-8")


def describe(python):
    """[number of the version of Python, the version, {package: version}]."""
    told = subprocess.run([python, "-I", "-c", _DESCRIBE, *_PACKAGES], stdout=subprocess.PIPE, text=True,
                          check=True)
    return json.loads(told.stdout)


def run(cases, names, ours, peers):
    """{(case name, profiler): Outcome}; tells each."""
    outcomes = {}
    for case in cases:
        for name in names:
            outcome = asking.ask(case, name, ours if name == "ours" else peers)
            outcomes[case.name, name] = outcome
            told = outcome.reason or "; ".join(f"{what} {answer}" for what, answer in
                                               page.wrong_answers(outcome))
            print(f"{outcome.state:6}  {case.name:32}  {name:20}  {told}", flush=True)
    return outcomes


if __name__ == "__main__":
    main()
