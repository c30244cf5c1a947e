"""scope-profiler benchmark: a program several times over, and two such series compared."""

import json
import os

import pytest
from conftest import NEEDS_H5PY
from test_diff import results_of

import scope_profiler as sp
from scope_profiler.cli import main

pytestmark = NEEDS_H5PY

PROGRAM = """
import sys
def solve(n):
    return sum(range(n))
for _ in range(40):
    solve(int(sys.argv[1]))
"""


def configure(**changes):
    with open("program.py", "w") as file:
        file.write(PROGRAM)
    settings = {"script": '"program.py"', "args": '["2000"]', "runs": "2", "warmups": "0", **changes}
    with open("b.toml", "w") as file:
        file.write("[benchmark]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))


def test_runs_are_written_and_compared(capsys):
    configure()
    assert main(["benchmark", "run", "b.toml", "--label", "base"]) in (0, None)
    assert "Written: .scope-profiler/program/base.json" in capsys.readouterr().out
    with open(".scope-profiler/program/base.json") as file:
        series = json.load(file)
    assert (series["name"], series["label"], series["threshold_pct"]) == ("program", "base", 2.0)
    assert series["runs"] == ["base/run-1.h5", "base/run-2.h5"] and len(series["seconds"]) == 2
    runs = [sp.load(f".scope-profiler/program/{run}") for run in series["runs"]]
    assert [run["__main__.solve"].num_calls for run in runs] == [40, 40]
    path = ".scope-profiler/program/base.json"
    assert main(["benchmark", "compare", path, path]) == 0
    assert "2 runs before and 2 after" in capsys.readouterr().out


def series(name, seed, **slower):
    os.makedirs(name)
    for run in range(3):
        sp.write_profile(results_of(seed + run, **slower), f"{name}/{run}.json")
    with open(f"{name}.json", "w") as file:
        json.dump({"name": "x", "label": name, "threshold_pct": 2.0,
                   "runs": [f"{name}/{run}.json" for run in range(3)]}, file)


def test_a_slower_region_is_status_1(capsys):
    series("base", 0), series("same", 20), series("slow", 50, b=1.1)
    assert main(["benchmark", "compare", "base.json", "same.json"]) == 0
    capsys.readouterr()
    assert main(["benchmark", "compare", "base.json", "slow.json", "--json"]) == 1
    found = {each["region"]: each for each in json.loads(capsys.readouterr().out)}
    assert {name: each["verdict"] for name, each in found.items()} == {
        "a": "same", "b": "slower", "c": "same"}
    assert found["b"]["change"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize("changes, words, message", [
    ({}, ["run"], "Missing argument 'FILE...'"),
    ({}, ["run", "b.toml", "b.toml"], "benchmark run takes one TOML file"),
    ({}, ["run", "no.toml"], "no.toml: No such file"),
    ({"script": '"no.py"'}, ["run", "b.toml"], "script = 'no.py' in [benchmark] is no file"),
    ({"rums": "3"}, ["run", "b.toml"], "[benchmark] has no 'rums'; it takes script, name, args"),
    ({"runs": "0"}, ["run", "b.toml"], "runs = 0 in [benchmark] is not what it takes"),
    ({"args": '["x"]'}, ["run", "b.toml"], "run 1 of program.py has ended with status 1"),
    ({}, ["compare", "b.toml"], "benchmark compare takes two JSON files"),
    ({}, ["compare", "b.toml", "b.toml"], "Error: "),
])
def test_what_cannot_be_is_said(capfd, changes, words, message):
    configure(**changes)
    assert main(["benchmark", *words]) == 2
    assert message in capfd.readouterr().err
