"""scope-profiler merge."""

import subprocess
import sys

import pytest
from results_support import region, results

import scope_profiler as sp
from scope_profiler.cli import main


@pytest.fixture
def files():
    sp.write_profile(results({"label": "first"}, a=region((0, 5))), "x.json")
    sp.write_profile(results(a=region((0, 7)), b=region((1, 2))), "y.json")
    return ["x.json", "y.json"]


def test_each_file_is_a_rank(files, capsys):
    assert main(["merge", *files, "-o", "all.json", "--label", "whole"]) is None
    assert capsys.readouterr().out == "Written: all.json (2 regions, 2 ranks)\n"
    merged = sp.load("all.json")
    assert merged["a"].total_durations() == {0: 5e-9, 1: 7e-9} and merged.label == "whole"


def test_parts_of_one_process(files, capsys):
    sp.write_profile(results(c=region((0, 5))), "z.json")
    assert main(["merge", "-q", "x.json", "z.json", "--same-rank", "-o", "all.json"]) is None
    assert capsys.readouterr().out == "" and sp.load("all.json").num_ranks == 1


@pytest.mark.parametrize("words, message", [
    (["x.json", "-o", "all.json"], "merge takes several files; got x.json alone"),
    (["x.json", "y.json", "--same-rank", "-o", "all.json"],
     "merge_results takes a region from one result only"),
    (["x.json", "y.json", "-o", "all.txt"], "file_path must end in one of"),
    (["x.json", "y.json", "-o", "x.json/all.json"], "x.json/all.json: "),
])
def test_what_cannot_be_is_one_line(files, capsys, words, message):
    assert main(["merge", *words]) == 2
    captured = capsys.readouterr()
    assert message in captured.err and len(captured.err.splitlines()) == 1


def test_as_a_process(files):
    done = subprocess.run([sys.executable, "-m", "scope_profiler", "merge", *files, "-o", "all.json"],
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("Written: all.json")
