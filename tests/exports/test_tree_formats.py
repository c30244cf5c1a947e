"""exports/: collapsed stacks, Callgrind's format, flame graphs; and files by their names."""

from collections import defaultdict
import os
import re
from xml.etree import ElementTree

from export_runs import ODD, RUNS, functions, two_ranks
import pytest
from results_support import region, results

import scope_profiler as sp
from scope_profiler._base.file_names import EXPORTS, format_of, split


@pytest.fixture(params=RUNS)
def run(request):
    return RUNS[request.param]()


def own_times(run):
    return sum(node.statistics.exclusive_ns for tree in run.recorded.values() for node in tree.nodes)


# ---- Collapsed stacks


def test_collapsed(run, tmp_path):
    [path] = run.export(tmp_path / "x.folded")
    total = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        stack, number = re.fullmatch(r"([^;]+(?:;[^;]+)*) (\d+)", line).groups()
        total += int(number)
    if run.recorded:
        assert total == own_times(run)


def test_paths_of_collapsed_stacks(tmp_path):
    [path] = functions().export_collapsed(tmp_path / "x.collapsed")
    stacks = {line.rpartition(" ")[0] for line in path.read_text().splitlines()}
    assert "export_runs.program;export_runs.recursive;export_runs.leaf" in stacks
    [path] = two_ranks().export_collapsed(tmp_path / "y.collapsed")
    assert [line.split(";")[0][:6] for line in path.read_text().splitlines()] == ["rank 0", "rank 1"]


# ---- Callgrind, by the grammar in its manual


def parsed(text):
    """{(object, function): [own, {callee: [calls, cost]}]} of a file; names by number as well."""
    header, _, body = text.partition("\n\n")
    facts = dict(line.split(": ", 1) for line in header.splitlines()[1:])
    assert header.startswith("# callgrind format\n")
    assert facts["version"] == "1" and facts["positions"] == "line" and facts["events"] == "ns"
    names = defaultdict(dict)
    kinds = {"ob": "ob", "fl": "fl", "cfi": "fl", "fn": "fn", "cfn": "fn"}
    here, found, calls = {"ob": ""}, {}, None
    for line in body.splitlines():
        if not line:
            continue
        if position := re.fullmatch(r"(ob|fl|fn|cfi|cfn)=\((\d+)\)( .+)?", line):
            key, number, name = position.groups()
            known = names[kinds[key]]
            assert (name is None) == (number in known)
            here[key] = known.setdefault(number, name and name[1:])
            if key == "fn":
                function = found.setdefault((here["ob"], here["fn"]), [0, {}])
        elif call := re.fullmatch(r"calls=(\d+) (\d+)", line):
            calls = int(call[1])
        elif total := re.fullmatch(r"totals: (\d+)", line):
            assert total[1] == facts["summary"]
        else:
            _, cost = map(int, re.fullmatch(r"(\d+) (\d+)", line).groups())
            if calls is None:
                function[0] += cost
            else:
                function[1][here["ob"], here["cfn"]] = calls, cost
                calls = None
    assert calls is None
    assert sum(own for own, _ in found.values()) == int(facts["summary"])
    assert all(callee in found for _, callees in found.values() for callee in callees)
    return found


def test_callgrind(run, tmp_path):
    [path] = run.export(tmp_path / "callgrind.out.x")
    found = parsed(path.read_text(encoding="utf-8"))
    if run.recorded:
        assert sum(own for own, _ in found.values()) == own_times(run)


def test_calls_in_callgrind(tmp_path):
    run = functions()
    [path] = run.export_callgrind(tmp_path / "x.callgrind")
    found = parsed(path.read_text())
    calls, cost = found["", "export_runs.recursive"][1]["", "export_runs.leaf"]
    [row] = [row for row in run.callers("leaf") if row["caller"].endswith("(recursive)")]
    assert calls == row["calls"] and cost == round(row["total"] * 1e9)


def test_ranks_are_objects_of_callgrind(tmp_path):
    [path] = two_ranks().export_callgrind(tmp_path / "x.callgrind")
    assert len({object_ for object_, _ in parsed(path.read_text())}) == 2


# ---- Flame graphs


def drawn(path):
    """The boxes of a picture: (depth, begin, length, name, label, title)."""
    svg = "{http://www.w3.org/2000/svg}"
    boxes = []
    for group in ElementTree.parse(path).iter(f"{svg}g"):
        if group.get("class") == "box":
            rect, text = group.find(f"{svg}rect"), group.find(f"{svg}text")
            boxes.append((
                int(rect.get("y")), int(group.get("data-b")), int(group.get("data-l")),
                group.get("data-n"), text.text or "", group.find(f"{svg}title").text,
                float(rect.get("x")), float(rect.get("width")), float(text.get("x")),
            ))
    return boxes


def test_flame_graph(run, tmp_path):
    [path] = run.export(tmp_path / "x.svg", threshold=0)
    boxes = drawn(path)
    total = boxes[0][2] if boxes else 0
    if run.recorded:
        assert total == own_times(run)
    ends = {}
    for y, begin, length, _, label, _, x, width, text_x in boxes:
        assert 10 <= x and x + width <= 1190.02
        assert text_x + 7 * len(label) <= x + width + 0.02 or not label  # it fits
        assert ends.get(y, 0) <= begin  # boxes of a row are beside each other
        ends[y] = begin + length
        assert y == boxes[0][0] or any(
            above[0] == y - 18 and above[1] <= begin and begin + length <= above[1] + above[2]
            for above in boxes)


def test_names_in_a_flame_graph(tmp_path):
    [path] = RUNS["regions"]().export_flamegraph_svg(tmp_path / "x.svg", threshold=0, width=3000)
    assert {box[3] for box in drawn(path)} >= {"work", r'a;b "c" <d> & \ \n\t\x1b ü'}
    text = path.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # nothing from a network
    assert "\x1b" not in text


def test_narrow_boxes_are_left_out(tmp_path):
    run = results(a=region((0, 1000)), b=region((0, 999)), c=region((999, 1000)))
    [path] = run.export(tmp_path / "x.svg", threshold=0.01)
    assert [box[3] for box in drawn(path)] == ["all", "a", "b"]
    assert "one box is too narrow to be drawn" in path.read_text()


@pytest.mark.parametrize("settings, message", [
    ({"threshold": 1}, "threshold takes a number from 0 to below 1, got 1"),
    ({"threshold": -0.1}, "threshold takes"), ({"width": 10}, "width takes an int of at least 200"),
    ({"scalable": "yes"}, "scalable takes True or False"),
])
def test_wrong_settings_of_a_flame_graph(settings, message, tmp_path):
    with pytest.raises((TypeError, ValueError), match=message):
        functions().export(tmp_path / "x.svg", **settings)
    assert not [*tmp_path.iterdir()]


# ---- Files by their names


@pytest.mark.parametrize("name, format, stem, suffix", [
    ("x.json", "json", "x", ".json"), ("x.JSON.gz", "json", "x", ".JSON.gz"),
    ("x.trace.json", "chrome-trace", "x", ".trace.json"),
    ("a.b/x.speedscope.json", "speedscope", "a.b/x", ".speedscope.json"),
    ("callgrind.out.12", "callgrind", "callgrind.out.12", ""), ("run-1.5", None, "run-1", ".5"),
    ("x.h5", "hdf5", "x", ".h5"), ("x", None, "x", ""), ("x.PROF", "prof", "x", ".PROF"),
])
def test_names(name, format, stem, suffix):
    assert format_of(name) == format
    assert split(name) == (stem, suffix)


@pytest.mark.parametrize("format", EXPORTS)
def test_a_format_whatever_the_name(format, tmp_path):
    if format == "html":
        pytest.importorskip("jinja2")
        pytest.importorskip("plotly")
    assert functions().export(tmp_path / "file", format) == [tmp_path / "file"]
    assert (tmp_path / "file").stat().st_size > 100


def test_unknown_formats_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"path must end in one of \.prof, .* got '.*x.h5'"):
        functions().export(tmp_path / "x.h5")
    with pytest.raises(ValueError, match="format takes 'prof', .* got 'hdf5'"):
        functions().export(tmp_path / "x", "hdf5")
    with pytest.raises(ValueError, match=r"file_path must end in .* export\(\) writes files"):
        sp.write_profile(functions(), tmp_path / "x.svg")
    with pytest.raises(sp.UnsupportedProfileError, match="does not hold all"):
        sp.read_profile(tmp_path / "x.trace.json")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", [
    "x.prof", "x.speedscope.json", "x.folded", "x.trace.json", "x.pftrace", "callgrind.out.x", "x.svg"])
def test_files_are_whole_or_not_there(name, tmp_path, monkeypatch):
    path = tmp_path / name
    path.write_text("before")

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        functions().export(path)
    assert [found.name for found in tmp_path.iterdir()] == [name]
    assert path.read_text() == "before"


@pytest.mark.parametrize("name", ["x.prof", "x.trace.json", "callgrind.out.x", "x.svg"])
def test_a_run_writes_its_file(name, tmp_path):
    path = tmp_path / name
    manager = sp.ProfileManager()
    manager.setup(output=path, label="the run")
    with manager.region(ODD):
        pass
    manager.finalize(verbose=False)
    manager.finalize(verbose=False)
    manager.reset()
    assert path.stat().st_size > 50
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_several_runs_have_files_of_their_own(tmp_path, capsys):
    first, second = functions(), functions()
    second.label = "other"
    for export, suffix in (
        (sp.export_speedscope, ".speedscope.json"), (sp.export_chrome_trace, ".trace.json"),
        (sp.export_collapsed, ".collapsed"), (sp.export_callgrind, ".callgrind"),
        (sp.export_perfetto, ".perfetto-trace"), (sp.export_flamegraph_svg, ".svg"),
    ):
        paths = export([first, second], tmp_path / "x", verbose=False)
        assert [path.name for path in paths] == [f"x_functions{suffix}", f"x_other{suffix}"]
        [path] = export(first, tmp_path / "y", None, "export_runs", "nothing", verbose=False)
        assert path.name == f"y{suffix}" and path.exists()
    assert capsys.readouterr().out == ""
