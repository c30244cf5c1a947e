"""scope-profiler export: files of results in other formats."""

import json
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


@pytest.mark.parametrize("words, status, message", [
    (["run.h5"], 2, "has to say the format"), (["run.h5", "-o", "x.xyz"], 2, "has to say the format"),
    (["prof"], 2, "export prof takes a file"), (["none.h5", "-o", "x.prof"], 2, "there is no such file"),
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
