"""needs.py: what works when packages are not installed, and what is said of the rest."""

import json
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT

PACKAGES = ("numpy", "h5py", "rich", "click")

#: Refuses to import packages, and prints as JSON what came of a few things.
PROGRAM = """
import json, sys, warnings
missing = set(sys.argv[1].split(","))
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
warnings.simplefilter("error")
import scope_profiler as sp

@sp.profile("f")
def f():
    with sp.region("r"):
        sum(range(100))             # an empty block may take 0 ns

f()                                 # off
sp.setup(output=None)
f()
said = {}
for name in ("f", "r"):
    stats = sp.get_region(name).get_stats()
    assert stats.num_calls == 1 and stats.total_ns > 0 and stats.p50_ns > 0, stats
sp.finalize()

def attempt(name, function):
    try:
        said[name] = str(function())
    except Exception as error:
        said[name] = f"{type(error).__name__}: {error}"

from scope_profiler.cli import main
with sp.session(output=None, verbose=False):
    f()
attempt("results", lambda: sp.ProfilingResults)
attempt("file", lambda: sp.setup(file_path="x.json", replace=True).file_path)
attempt("hdf5", lambda: sp.setup(file_path="x.h5", replace=True).file_path)
warnings.simplefilter("ignore")
attempt("instead", lambda: sp.setup(file_path="x.h5", replace=True).file_path)
f()
sp.finalize(verbose=False)
attempt("load", lambda: sp.load("x.h5"))
attempt("command", lambda: main(["--version"]))
print(json.dumps(said))
"""


def without(*names):
    done = subprocess.run([sys.executable, "-c", PROGRAM, ",".join(names)], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def missing(name, what):
    return f"ModuleNotFoundError: {what} {name}, which is not installed: pip install {name}"


@pytest.mark.parametrize("names", [*((name,) for name in PACKAGES), PACKAGES])
def test_recording_needs_none_of_them(names):
    with open("x.h5", "wb") as file:
        file.write(b"\x89HDF\r\n\x1a\n")
    said = without(*names)
    if "numpy" in names:
        assert said["results"] == missing("numpy", "results and files need")
        assert said["file"] == said["hdf5"] == said["instead"] == (
            "ModuleNotFoundError: files need numpy, which is not installed: pip install numpy, or "
            "set up without a file, by output=None")
    else:
        assert "ProfilingResults" in said["results"] and said["file"] == "x.json"
    if names == ("h5py",):
        assert said["hdf5"] == "UserWarning: h5py is not installed, so x.h5 becomes x.json"
        assert said["instead"] == "x.json"
        assert said["load"] == missing("h5py", "files in HDF5 need")
    if "click" in names:
        assert said["command"] == missing("click", "the command scope-profiler needs")


def test_a_run_without_h5py_is_written_as_json(tmp_path):
    import scope_profiler as sp

    without("h5py")
    assert {region.name: region.num_calls for region in sp.load("x.json")} == {"f": 1, "r": 1}


def test_what_is_installed_along(monkeypatch):
    """h5py where there are wheels of it."""
    import importlib.util
    import sysconfig

    spec = importlib.util.spec_from_file_location("setup_of_ours", ROOT / "setup.py")
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    for version, no_gil, has in [
        ((3, 11, 0), 0, True), ((3, 13, 5), None, True), ((3, 14, 2), 0, True),
        ((3, 13, 5), 1, False), ((3, 14, 0), 1, True), ((3, 15, 0), 0, False),
        ((3, 15, 0), 1, False),
    ]:
        monkeypatch.setattr(setup.sys, "version_info", version)
        monkeypatch.setattr(sysconfig, "get_config_var", lambda name, no_gil=no_gil: no_gil)
        assert ("h5py" in setup.dependencies()) is has
    monkeypatch.undo()


def test_extras_are_of_what_is_there():
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() == {"hdf5", "line-profiler", "arrow", "pandas", "polars", "html", "mpi", "plot",
                             "dask", "all", "test", "test-libraries"}
    assert extras["line-profiler"] == []
    assert extras["all"] == ["scope-profiler[arrow,html,pandas,plot,polars]"]
