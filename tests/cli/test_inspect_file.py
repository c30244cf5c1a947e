"""scope-profiler inspect."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest
from profiles import a_run, check_golden, printed
from results_support import AGGREGATES, results

import scope_profiler as sp
from scope_profiler.cli import main
from scope_profiler.results import MPIRegion, ProfilingResults, Region


def lines(monkeypatch, *words, **how):
    text, status = printed(monkeypatch, "inspect", *words, **how)
    assert status in (0, None)
    return text.splitlines()


def error(capsys, *words):
    status = main(["inspect", *words])
    captured = capsys.readouterr()
    assert (status, captured.out) == (2, "")
    return captured.err.splitlines()[-1]


@pytest.mark.parametrize("name, words", [
    ("inspect", ()),
    ("inspect-slowest", ("--region", "solve", "--slowest", "2")),
    ("inspect-by", ("--region", "solve", "--by", "step")),
    ("inspect-columns", ("--columns", "region", "calls", "p90", "imbalance", "--regions-only")),
])
def test_what_it_prints(monkeypatch, name, words):
    check_golden(monkeypatch, name, "inspect", a_run(), *words)


def test_columns_may_have_commas_between_them(monkeypatch):
    words = "--regions-only", "--columns"
    assert lines(monkeypatch, a_run(), *words, "region,calls, p90") == lines(
        monkeypatch, a_run(), *words, "region", "calls", "p90")


def test_the_numbers_are_those_of_print_summary(monkeypatch):
    path = a_run()
    stream = io.StringIO()
    sp.load(path).print_summary(stream=stream)
    assert lines(monkeypatch, path, "--regions-only") == stream.getvalue().splitlines()


def test_regions_are_chosen_and_sorted(monkeypatch):
    path = a_run()
    table = ["--regions-only", "--columns", "region"]

    def names(*words):
        return [line.strip() for line in lines(monkeypatch, path, *table, *words)[5:]]

    assert names() == ["solve", "└─ inner", "setup"]
    assert names("--sort", "start") == ["setup", "solve", "└─ inner"]
    assert names("--include", "in", "se") == names("-i", "in", "-i", "se") == ["inner", "setup"]
    assert names("--exclude", "in") == ["solve", "setup"]
    assert names("--flat", "--sort", "calls") == ["setup", "solve", "inner"]
    assert names("--top", "1") == ["solve", "… and 2 rows not shown; all: without --top"]
    assert names("--top", "1", "--sort", "name") == [
        "solve", "└─ inner", "… and 1 row not shown; all: without --top"]


@pytest.mark.parametrize("words", [("0",), ("0-0",), ("0", "7"), ("0,7",)])
def test_ranks(monkeypatch, words):
    table = lines(monkeypatch, a_run(), "--regions-only", "--columns", "calls", "--ranks", *words)
    assert [line.strip() for line in table[5:]] == ["1", "2", "1"]


def test_several_words_end_at_a_file(monkeypatch):
    table = lines(monkeypatch, "--regions-only", "--columns", "region", "--include", "in", a_run())
    assert table[5:] == ["inner"]


def test_json(monkeypatch):
    [found] = json.loads("".join(lines(monkeypatch, a_run(), "--json")))
    solve, inner, setup = found["regions"]
    assert (inner["path"], inner["depth"], inner["calls"]) == (["solve", "inner"], 1, 2)
    assert (inner["total_ns"], inner["own_ns"], inner["p50_ns"]) == (30_000, 30_000, 15_000)
    assert (solve["run_percent"], inner["parent_percent"], solve["net_ns"]) == (40.0, 37.5, None)
    assert found["metadata"]["label"] == found["label"] == "night" and len(found["threads"]) == 2
    assert found["tasks"][0]["suspended_ns"] == 30_000 and found["total_time_ns"] == 100_000
    assert set(solve) >= {f"{name}_ns" for name in ("min", "max", "avg", "p99", "first", "last")}


def test_csv(monkeypatch):
    rows = [*csv.DictReader(lines(monkeypatch, a_run(), "--csv", "--sort", "start"))]
    assert [row["path"] for row in rows] == ["setup", "solve", "solve > inner"]
    assert rows[1]["total_ns"] == "80000" and rows[1]["net_ns"] == ""


def test_slowest_calls_as_json(monkeypatch):
    words = ("--region", "solve", "inner", "--slowest", "1", "--json")
    [found] = json.loads("".join(lines(monkeypatch, a_run(), *words)))
    [call], [inner] = found["slowest"]["solve"], found["slowest"]["inner"]
    assert (call["duration_ns"], call["start_ns"], call["track"]) == (50_000, 10_000, "MainThread")
    assert call["metadata"] == {"step": 1, "kind": "first"} and call["exclusive_ns"] == 20_000
    assert call["inside"] == [
        {"region": "solve", "parent": -1, "calls": 1, "total_ns": 50_000, "own_ns": 20_000},
        {"region": "inner", "parent": 0, "calls": 2, "total_ns": 30_000, "own_ns": 30_000},
    ]
    assert inner["duration_ns"] == 20_000 and len(inner["inside"]) == 1


def test_by_a_key_as_csv(monkeypatch):
    words = ("--region", "inner", "--by", "n", "--csv")
    rows = [*csv.DictReader(lines(monkeypatch, a_run(), *words))]
    assert [(row["region"], row["calls"], row["total_ns"]) for row in rows] == [
        ("(no n)", "1", "20000"), ("5", "1", "10000")]
    assert "errors" not in rows[0]  # it is not known which calls those were


def of_steps(path="steps.json"):
    """A file of 12 ranks with 40 steps each, the first of which takes long; rank 3 gets slower."""
    def steps(rank):
        spent = [9_000_000 if not place else 50_000 + (place * 7919 + rank) % 400 + place * 300 * (rank == 3)
                 for place in range(40)]
        return Region(start_times_ns=[place * 10**7 for place in range(40)], durations_ns=spent,
                      event_metadata=[{"step": place} for place in range(40)])

    whole = MPIRegion("solve", {rank: steps(rank) for rank in range(12)})
    facts = {"start_time_ns": 0, "finalize_time_ns": 10**9}
    sp.write_profile(ProfilingResults({"solve": whole}, facts), path)
    return path


def test_drift(monkeypatch):
    words = (of_steps(), "--region", "solve", "--by", "step", "--skip-first", "step=1", "--top", "1")
    check_golden(monkeypatch, "inspect-drift", "inspect", *words)
    [found] = json.loads("".join(lines(monkeypatch, *words, "--json")))
    slowest, *others = found["drift"]["solve"]
    assert (slowest["rank"], slowest["steps"], slowest["verdict"]) == (3, 39, "longer")
    assert slowest["per_step_ns"] == pytest.approx(300, abs=15)
    assert len(others) == 11 and {each["verdict"] for each in others} == {"steady"}


def test_without_warm_up(monkeypatch):
    of_calls, of_steps_ = (
        json.loads("".join(lines(monkeypatch, of_steps(), "--skip-first", first, "--json")))[0]
        for first in ("1", "step=1"))
    assert of_calls["regions"][0]["calls"] == of_steps_["regions"][0]["calls"] == 12 * 39
    assert of_calls["regions"][0]["max_ns"] < 9_000_000


def test_source(monkeypatch):
    text = "def f():\n\treturn 1\n"
    one = Region(start_times_ns=[0], durations_ns=[1], source_file="a.py", source_lineno=3, source_text=text)
    sp.write_profile(results(f=one, g=Region(start_times_ns=[0], durations_ns=[1])), "x.json")
    assert lines(monkeypatch, "x.json", "--source", "f", "g") == [
        "", "f: a.py, line 3", "def f():", "        return 1",
        "", "g: its place is not known",
        "Its source was not kept: that takes setup(capture_region_source=True).",
    ]


def test_metadata(monkeypatch):
    path = a_run()
    whole = lines(monkeypatch, path, "--metadata-only", "--full", columns=80)
    assert any(line.endswith("x" * 150) for line in whole)
    assert lines(monkeypatch, path, "-q", "--export-metadata", "m.json") == []
    with open("m.json") as file:
        assert json.load(file)[path]["label"] == "night"


def test_several_files(monkeypatch):
    os.mkdir("folder")
    a_run("folder/a.json"), a_run("folder/b.json")
    for words in (["folder"], ["folder/*.json"], ["folder/a.json", "folder/b.json"]):
        table = lines(monkeypatch, *words, "--regions-only")
        assert sum("scope-profiler: night" in line for line in table) == 2


def test_no_colours(monkeypatch):
    path = a_run()
    assert "\x1b" in "".join(lines(monkeypatch, path, columns=80))
    assert "\x1b" not in "".join(lines(monkeypatch, path))
    assert "\x1b" not in "".join(lines(monkeypatch, path, columns=80, NO_COLOR="1"))


@pytest.mark.parametrize("words, message", [
    (["run2.json"], "Error: run2.json: there is no such file; did you mean run.json?"),
    (["missing/x.h5"], "Error: missing/x.h5: there is no such file; there is no folder 'missing'"),
    (["text.txt"], "Error: text.txt: this is not a profile; it starts with neither HDF5, JSON nor HTML"),
    (["empty.h5"], "Error: empty.h5: the file is empty"),
    (["folder"], "Error: folder: there is no profile in this folder"),
    (["run.json", "--region", "solv", "--slowest", "1"],
     "Error: no region named 'solv' in run.json; did you mean 'solve'?"),
    (["run.json", "--region", "solve", "--by", "stp"],
     "Error: no call of region 'solve' has metadata 'stp'; there are 'kind', 'step'"),
    (["run.json", "--region", "setup", "--by", "stp"],
     "Error: no call of region 'setup' has metadata 'stp'; nothing was noted for its calls"),
    (["aggregates.json", "--region", "a", "--slowest", "1"],
     "Error: single calls of region 'a' are asked for; of its 4 calls only aggregates were kept; record "
     "without --aggregation-mode"),
    (["run.json", "--slowest", "1"], "Error: --slowest or --by, and --region NAME: one needs the other"),
    (["run.json", "--skip-first", "stp=1"], "Error: run.json: no call has metadata 'stp'"),
    (["run.json", "--skip-first", "x"], "takes N or KEY=N, such as 3 or step=3; got 'x'"),
    (["aggregates.json", "--skip-first", "1"], "record without --aggregation-mode"),
    (["run.json", "--ranks", "x"], "Error: Invalid value: takes ranks such as 0, 0,2 or 0-3; got 'x'"),
    (["run.json", "--include", "("], "include takes regular expressions"),
    (["run.json", "--sort", "x"], "--sort takes start, name, calls"),
    (["run.json", "--columns", "x"], "columns takes region, ranks"),
    (["damaged.json"], "Error: damaged.json: "),
])
def test_what_cannot_be_is_one_line(capsys, words, message):
    a_run()
    sp.write_profile(results(a=Region(statistics=AGGREGATES)), "aggregates.json")
    os.mkdir("folder")
    for name, text in (("text.txt", "hello"), ("empty.h5", ""), ("damaged.json", '{"format": ')):
        with open(name, "w") as file:
            file.write(text)
    assert message in error(capsys, *words)


def test_as_a_process_whose_reader_goes():
    path = a_run()
    done = subprocess.run(f"{sys.executable} -m scope_profiler inspect {path} | head -2", shell=True,
                          capture_output=True, text=True, encoding="utf-8")
    assert done.stderr == "" and "scope-profiler: night" in done.stdout


@pytest.mark.parametrize("part, how", [
    ("samples", "--sample"), ("counters", "counter()"), ("threads", "setup(track_threads=True)")])
def test_a_part_that_there_is_not(monkeypatch, part, how):
    [line] = lines(monkeypatch, results_file(), f"--{part}-only")
    assert line.startswith("run.json (0 ranks) has none: ") and how in line


def results_file():
    return sp.write_profile(results(), "run.json")


# ---- The same as a function


def inspected(*arguments, **settings):
    stream = io.StringIO()
    sp.inspect_file(*arguments, **settings, stream=stream)
    return stream.getvalue().splitlines()


def test_the_function_prints_what_the_command_does(monkeypatch, capsys):
    path = a_run()
    assert inspected(path, sort="total") == lines(monkeypatch, path)
    by_start = "--regions-only", "--sort", "start"
    assert inspected(path, show_metadata=False) == lines(monkeypatch, path, *by_start)
    assert inspected(path, show_regions=False, full=True) == lines(
        monkeypatch, path, "--metadata-only", "--full")
    assert inspected(path, "in", ranks=0, show_metadata=False, columns="name") == lines(
        monkeypatch, path, "-i", "in", "-r", "0", "--columns", "name", *by_start)
    source = lines(monkeypatch, path, "--source", "inner")
    assert inspected(path, show_metadata=False, show_regions=False, source=["inner"]) == source
    assert inspected(path, source="inner")[-len(source):] == source
    sp.inspect_file(path, show_regions=False)
    assert capsys.readouterr().out.splitlines() == lines(monkeypatch, path, "--metadata-only")


@pytest.mark.parametrize("settings, error, message", [
    ({"sort": "x"}, ValueError, "sort takes start, name"), ({"full": "x"}, TypeError, "full"),
    ({"columns": "x"}, ValueError, "columns takes"), ({"include": "("}, ValueError, "regular expression"),
    ({"percentage_mode": "x"}, ValueError, "percentage_mode takes"), ({"source": 1}, TypeError, "source"),
    ({"source": "x"}, KeyError, "no region named 'x'"), ({"stream": 1}, TypeError, "stream"),
    ({"show_regions": None}, TypeError, "show_regions"), ({"ranks": "a"}, TypeError, "ranks"),
    ({"file_path": "none.h5"}, FileNotFoundError, "none.h5"),
])
def test_what_the_function_refuses(settings, error, message, capsys):
    with pytest.raises(error, match=message):
        sp.inspect_file(**{"file_path": a_run(), **settings})
    assert capsys.readouterr().out == ""
