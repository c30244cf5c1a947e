"""The interface against that of 0.7.5: docs/compatibility.md, and what is said of absent names."""

import importlib
import inspect
import json
import os
from pathlib import Path
import subprocess
import sys
import warnings

import pytest

from conftest import NEEDS_H5PY, ROOT
import scope_profiler as sp
from scope_profiler.compat.absent import ABSENT

PEER = os.environ.get("SCOPE_PROFILER_PEER_PYTHON")

sys.path.insert(0, str(ROOT / "tools"))
import compare_api  # noqa: E402

THEIRS = json.loads(compare_api.THEIRS.read_text(encoding="utf-8"))


# ---- The page


def test_the_page_is_what_the_script_makes():
    done = subprocess.run([sys.executable, ROOT / "tools" / "compare_api.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(
    not PEER, reason="SCOPE_PROFILER_PEER_PYTHON names no interpreter with scope-profiler 0.7.5"
)
def test_the_description_of_0_7_5_is_true():
    assert json.loads(compare_api.description(PEER)) == THEIRS


def test_a_description_has_what_it_should():
    region = THEIRS["ProfileManager"]["region"]
    assert region == "(region_name, functions=None, tags=None)"
    assert THEIRS["ProfilingOptions"]["()"].startswith("(file_path=None, label=None, use_likwid=")
    assert THEIRS["Region"]["start_times_ns"] == "attribute"
    assert "p95_duration" in THEIRS["keys of ProfilingResults.summary()"]
    assert THEIRS["defaults in effect"]["file_path"] == "'profiling_data.h5'"
    assert len(THEIRS["scope_profiler"]) == 86


def differences(theirs, ours):
    found = compare_api.compare({"f": theirs}, {"f": ours})
    return [(one.name, one.theirs, one.ours) for one in found]


@pytest.mark.parametrize("theirs, ours, expected", [
    ("(a, b=1)", "(a, b=1)", []),
    ("(a, b=1)", "(a)", [("f(b)", "b=1", "")]),
    ("(a, b=1)", "(a, b=2)", [("f(b)", "b=1", "b=2")]),
    ("(a, b=1)", "(a, *, b=1)", [("f(b)", "b=1", "by keyword")]),
    ("(a, b=1)", "(a, *, b=2)", [("f(b)", "b=1", "b=2, by keyword")]),
    ("(a, b)", "(b, a)", [("f(a)", "a", "in another place"), ("f(b)", "b", "in another place")]),
    ("(a)", "(path)", [("f(a)", "a", ""), ("f(path)", "", "path")]),
    ("(a=1)", "(a)", [("f(a)", "a=1", "a")]),
    ("(a)", "(a, b)", [("f(b)", "", "b")]),
    ("(a)", "(a=1)", []),
    ("(a)", "(a, b=1, *, c=2, **others)", []),
    ("(*, a=1)", "(a=1)", []),
    ("(*some, **more)", "(*args, **settings)", []),
    ("(**more)", "()", [("f(more)", "**more", "")]),
    ("(a=...)", "(a=...)", []),
    ("(a)", "(...)", [("f()", "(a)", "(...)")]),
])
def test_what_a_call_may_stumble_over(theirs, ours, expected):
    assert differences({"()": theirs}, {"()": ours}) == expected


def test_members():
    assert differences({"x": "attribute"}, {"x": "attribute", "y": "attribute"}) == []
    assert differences({"x": "attribute"}, {}) == [("f.x", "attribute", "")]
    assert differences({"x": "attribute"}, {"x": "(a)"}) == [("f.x", "attribute", "(a)")]
    assert differences({"x": "(a)"}, {"x": "(b, a)"}) == [
        ("f.x(a)", "a", "in another place"), ("f.x(b)", "", "b"),
    ]


def test_a_case_is_told_of_what_is_not_usual_only():
    theirs = {"a region": {"x": "attribute"}, "a region, quick": {"x": "attribute", "y": "key"}}
    ours = {"a region": {}, "a region, quick": {}}
    found = [one.name for one in compare_api.compare(theirs, ours)]
    assert found == ["a region.x", "a region, quick.y"]


def test_every_difference_is_explained_and_nothing_else():
    one = compare_api.Difference("scope_profiler", "plot", "name", "")
    other = compare_api.Difference("f", "(b)", "b=1", "b=2")
    assert compare_api.explain([one, other], {"plot": "why", "f(*)": "because"}) == [
        (one, "why"), (other, "because"),
    ]
    with pytest.raises(SystemExit, match=r"^not explained: f\(b\), in 0.7.5 'b=1', here 'b=2'$"):
        compare_api.explain([one, other], {"plot": "why"})
    with pytest.raises(SystemExit, match="^explains nothing: g$"):
        compare_api.explain([one], {"plot": "why", "g": "because"})


# ---- Names of the package


def test_every_name_of_0_7_5_is_there_or_explained():
    names = set(THEIRS["scope_profiler"])
    assert names - set(sp.__all__) == set(ABSENT)
    assert not ABSENT.keys() & set(sp.__all__)


@pytest.mark.parametrize("name", sp.__all__)
def test_each_name_is_there(name):
    value = getattr(sp, name)
    if callable(value) and not inspect.isclass(value):
        inspect.signature(value)  # which help() and editors show


@pytest.mark.parametrize("name", ABSENT)
def test_absent_names_say_why(name):
    with pytest.raises(AttributeError, match=f"^scope_profiler has no {name}: "):
        getattr(sp, name)


def test_what_they_say():
    with pytest.raises(AttributeError) as error:
        sp.PerfEventError
    assert str(error.value) == "scope_profiler has no PerfEventError: this version has no perf events"
    with pytest.raises(AttributeError) as error:
        sp.nonsense
    assert str(error.value) == "module 'scope_profiler' has no attribute 'nonsense'"
    assert not hasattr(sp, "PerfEventError")


def test_parameters_are_seen_of_what_is_in_c():
    for callable in (sp.region, sp.ProfileManager.profile_region, sp.ProfileManager().region):
        assert str(inspect.signature(callable)) == (
            "(region_name, functions=None, tags=None, keep_every=None, keep=None)")
    for callable in (sp.metadata, sp.ProfileManager().metadata):
        assert str(inspect.signature(callable)) == "(**values)"


# ---- Older spellings


@pytest.fixture
def file_path():
    with sp.session(file_path="old.h5", verbose=False), sp.region("solve"):
        pass
    return "old.h5"


@NEEDS_H5PY
def test_the_reader_of_early_versions(file_path):
    with pytest.warns(DeprecationWarning, match=r"load\(path\) or .*from_h5\(path\) today") as all:
        reader = sp.ProfilingH5Reader(file_path, verbose=False)
    assert [one.filename for one in all] == [__file__]
    assert isinstance(reader, sp.ProfilingH5Reader) and isinstance(reader, sp.ProfilingResults)
    assert reader.region_names == sp.load(file_path).region_names
    assert reader.get_region("solve").num_calls == 1
    assert reader.summary() == sp.load(file_path).summary()
    assert str(reader.file_path) == file_path


def test_where_it_was(file_path):
    from scope_profiler.h5reader import ProfilingH5Reader, read_h5

    assert ProfilingH5Reader is sp.ProfilingH5Reader and read_h5 is sp.read_h5
    with pytest.warns(DeprecationWarning), pytest.raises(FileNotFoundError):
        ProfilingH5Reader("nowhere.h5")


def test_star_imports_leave_it_out():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = {}
        exec("from scope_profiler import *", names)
    assert "ProfilingH5Reader" not in names and "load" in names


# ---- The paths of modules

# Of each module of 0.7.5 that programs import: what it has there, and is here too.
OLD_PATHS = {
    "call_stack": "CallArrays NestingError build_call_arrays build_call_stack "
                  "call_stack_children call_stack_roots",
    "h5reader": "CorruptProfileError ProfilingH5Reader read_h5 read_h5_summary",
    "inspection": "inspect_file",
    "metadata": "METADATA_DETAILS collect_metadata",
    "mpi_launch": "LAUNCHER_ENV_VARS get_comm launched_under_mpi",
    "mpi_wrappers": "MPIRegionMetadata ProfiledMPIComm ProfiledMPIRequest format_mpi_region message_nbytes "
                    "parse_mpi_region profile_mpi4py profile_mpi_comm",
    "profile_config": "GPUOptions HDF5Options MemrayOptions ProfilingConfig ProfilingOptions "
                      "SetupOptions",
    "profile_io": "load read_profile sniff_profile_format write_profile",
    "profile_manager": "ProfileManager ProfilingRun RegionFactory RegionHandle",
    "region_profiler": "BaseProfileRegion",
    "results": "ProfilingResults",
    "summary": "SORT_KEYS",
}


@pytest.mark.parametrize("module", OLD_PATHS)
def test_old_paths_of_modules(module, monkeypatch):
    monkeypatch.setattr(sp, "metadata", sp.metadata)  # which importing that module replaces
    found = importlib.import_module(f"scope_profiler.{module}")
    for name in OLD_PATHS[module].split():
        value = getattr(found, name)
        assert name not in sp.__all__ or value is getattr(sp, name)
    program = f"from scope_profiler.{module} import *\nimport scope_profiler\n" \
              "scope_profiler.setup(output=None)\n" \
              "with scope_profiler.metadata(a=1), scope_profiler.region('r'): pass\n" \
              "print(scope_profiler.get_region('r').num_calls)"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "1\n"


def test_what_old_paths_have(monkeypatch):
    monkeypatch.setattr(sp, "metadata", sp.metadata)
    sp.setup(output=None)
    assert isinstance(sp.region("r"), importlib.import_module(
        "scope_profiler.region_profiler").BaseProfileRegion)
    metadata = importlib.import_module("scope_profiler.metadata")
    facts = metadata.collect_metadata(4, "full")
    assert facts["mpi_size"] == 4 and facts["hostname"]


def test_there_is_no_other_old_path():
    folder = Path(sp.__file__).parent / "compat" / "old_paths"
    there = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert there == OLD_PATHS.keys() - {"results"}
