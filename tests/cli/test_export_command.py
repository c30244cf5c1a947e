"""scope-profiler export: files of results in other formats."""

import json
import os
import pstats

import pytest
from click.testing import CliRunner
from conftest import NEEDS_H5PY
from results_support import region, results

import scope_profiler as sp
from scope_profiler._base.file_names import EXPORTS
from scope_profiler.cli import main
from scope_profiler.cli.export_files import export

pytestmark = NEEDS_H5PY


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = results(a=region((0, 90), (100, 110)), b=region((10, 20)))
    sp.write_profile(run, "run.h5")
    sp.write_profile(run, "other.json")


def command(*arguments):
    done = CliRunner().invoke(export, arguments)
    return done.exit_code, done.output


@pytest.mark.parametrize("name", [
    "x.prof", "x.speedscope.json", "x.collapsed", "x.folded", "x.trace.json", "x.trace.json.gz",
    "x.perfetto-trace", "callgrind.out.x", "x.svg",
])
def test_the_name_says_the_format(name, tmp_path):
    assert command("run.h5", "-o", name) == (0, f"Wrote {name}\n")
    assert (tmp_path / name).stat().st_size > 10


def test_functions_are_entries_of_pstats():
    assert command("run.h5", "-o", "x.prof")[0] == 0
    assert {name: row[1] for (_, _, name), row in pstats.Stats("x.prof").stats.items()} == {
        "a": 2, "b": 1}
    assert command("run.h5", "-o", "x.prof", "--call-paths")[0] == 0
    assert ("~", 0, "a > b") in pstats.Stats("x.prof").stats


@pytest.mark.parametrize("format", [*EXPORTS, "json"])
def test_beside_the_file_or_in_a_folder(format, tmp_path):
    if format == "html":
        pytest.importorskip("jinja2")
        pytest.importorskip("plotly")
    (tmp_path / "folder").mkdir()
    suffix = EXPORTS[format][0] if format in EXPORTS else ".json"
    assert command("run.h5", "--format", format) == (0, f"Wrote run{suffix}\n")
    assert command(format, "run.h5", "other.json", "-o", "folder") == (
        0, f"Wrote folder/run{suffix}\nWrote folder/other{suffix}\n")
    assert (tmp_path / "folder" / f"other{suffix}").exists()


def test_chosen_regions():
    assert command("run.h5", "-o", "x.trace.json", "-i", "b", "--ranks", "0")[0] == 0
    with open("x.trace.json") as file:
        events = json.load(file)["traceEvents"]
    assert [event["name"] for event in events if event["ph"] == "X"] == ["b"]


def test_labels_name_what_is_written():
    labels = "--label", "big mesh", "--label", "b"
    assert command("speedscope", "run.h5", "other.json", "-o", "x/", *labels) == (
        0, "Wrote x/big_mesh.speedscope.json\nWrote x/b.speedscope.json\n")
    with open("x/big_mesh.speedscope.json") as file:
        assert json.load(file)["name"] == "big mesh"
    assert command("json", "run.h5", "--label", "one", "--gzip", "--indent", "1") == (
        0, "Wrote one.json.gz\n")
    assert sp.load("one.json.gz").label == "one"
    assert command("run.h5", "-o", "x.prof", "--label", "one") == (0, "Wrote x.prof\n")


def test_no_file_is_written_over_another_of_the_same_command(tmp_path):
    (tmp_path / "other").mkdir()
    sp.write_profile(results(c=region((0, 1))), "other/run.h5")
    assert command("prof", "run.h5", "other/run.h5", "-o", "x") == (
        0, "Wrote x/run.prof\nWrote x/run_2.prof\n")
    assert command("prof", "run.h5", "other/run.h5") == (0, "Wrote run.prof\nWrote other/run.prof\n")
    assert command("prof", "run.h5", "other.json", "--label", "a b", "a_b", "-o", "y/")[1].split() == [
        "Wrote", "y/a_b.prof", "Wrote", "y/a_b_2.prof"]


def plot_data(*words):
    """As the shell calls it; with the names of the files that it wrote."""
    status = main(["export", "plot-data", *words]) or 0
    return status, sorted(os.listdir("x")) if os.path.isdir("x") else []


def test_the_numbers_of_charts(capsys):
    pytest.importorskip("matplotlib")
    assert plot_data("run.h5", "-o", "x") == (
        0, ["durations_data.csv", "gantt_data.csv", "region_statistics.json"])
    assert capsys.readouterr().out == (
        "Wrote x/durations_data.csv\nWrote x/gantt_data.csv\nWrote x/region_statistics.json\n")
    with open("x/durations_data.csv") as file:
        assert file.read().startswith("file,region,metric,value_seconds\nrun,a,total,1e-07\n")
    with open("x/region_statistics.json") as file:
        assert json.load(file)["files"][0]["region_statistics"]["a"]["count"] == 2


def test_numbers_of_several_files_with_what_other_programs_read(capsys):
    pytest.importorskip("matplotlib")
    assert plot_data("run.h5", "other.json", "--label", "old", "--label", "new", "-o", "x", "-q", "--with",
                     "prof", "--format", "json", "--plots", "density", "timeseries", "speedup", "callgraph",
                     "--bins", "3", "-i", "a") == (0, [
        "callgraph_data_1.json", "callgraph_data_2.json", "duration_timeseries_data.json", "profile_new.prof",
        "profile_old.prof", "region_statistics.json", "speedup_data.json", "timeline_density_data.json"])
    assert capsys.readouterr().out == ""
    with open("x/timeline_density_data.json") as file:
        document = json.load(file)
    assert document["plot"] == "density" and {row["file"] for row in document["points"]} == {"old", "new"}
    assert plot_data("run.h5", "-o", "x", "-q", "--with")[1].count("flamegraph.svg") == 1


@pytest.mark.parametrize("words, message", [
    (["run.h5"], "Missing option '-o'"), (["run.h5", "-o", "x", "-p", "gant"], "there is no chart 'gant'"),
    (["run.h5", "-o", "x", "--bins", "3"], "--bins is not for durations, gantt"),
    (["run.h5", "-o", "x", "--label", "a", "b"], "once for each of the 1 files"),
    (["none.h5", "-o", "x"], "there is no such file"), (["run.h5", "-o", "x", "-i", "q"], "no region"),
    (["run.h5", "-o", "x", "-p", "speedup"], "give at least two files"),
    (["run.h5", "-o", "run.h5"], "is a file"),
])
def test_numbers_that_cannot_be_are_one_line(words, message, capsys):
    pytest.importorskip("matplotlib")
    assert plot_data(*words) == (2, [])
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error


def test_warm_up_is_left_out():
    assert command("run.h5", "-o", "x.trace.json", "--skip-first", "1")[0] == 0
    with open("x.trace.json") as file:
        events = json.load(file)["traceEvents"]
    assert [event["name"] for event in events if event["ph"] == "X"] == ["a"]


@pytest.mark.parametrize("words, status, message", [
    (["run.h5"], 2, "has to say the format"), (["run.h5", "-o", "x.xyz"], 2, "has to say the format"),
    (["prof"], 2, "export prof takes a file"), (["none.h5", "-o", "x.prof"], 2, "there is no such file"),
    (["run.h5", "-o", "x.svg", "--label", "a", "b"], 2, "once for each of the 1 files"),
    (["run.h5", "-o", "x.svg", "--gzip"], 2, "--gzip is not for flamegraph"),
    (["run.h5", "-o", "x.svg", "--call-paths"], 2, "--call-paths is not for flamegraph"),
    (["run.h5", "-o", "x.svg", "--include", "("], 2, "include takes regular expressions"),
    (["other.json", "--format", "json"], 2, "it would be written over"),
    (["run.h5", "-o", "nowhere/is/x.svg", "--threshold", "2"], 2, "threshold"),
])
def test_what_cannot_be_done_is_one_message(words, status, message, tmp_path):
    before = {*tmp_path.iterdir()}
    found, output = command(*words)
    assert found == status and message in output
    assert {*tmp_path.iterdir()} == before


def test_the_command_of_the_shell(capsys):
    assert main(["export", "run.h5", "-o", "x.svg", "--width", "500", "--fixed-width"]) in (0, None)
    assert capsys.readouterr().out == "Wrote x.svg\n"
