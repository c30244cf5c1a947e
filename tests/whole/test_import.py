"""Importing the package is nearly free: an allow-list of what it may load."""

import json
from pathlib import Path
import shutil
import subprocess
import sys

from conftest import NEEDS_H5PY

PROGRAM = """
import sys
before = set(sys.modules)
import scope_profiler
with scope_profiler.region("x"): pass
scope_profiler.profile("y")(len)([])
import json
print(json.dumps(sorted(set(sys.modules) - before - {"json"})))
"""

HEAVY = {"numpy", "h5py", "rich", "click", "pandas", "matplotlib", "plotly", "jinja2", "asyncio",
         "importlib.metadata", "subprocess", "logging", "typing", "unittest"}


def test_nothing_heavy_is_loaded():
    output = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = "
                             f"{sys.path!r}\n" + PROGRAM],
                            capture_output=True, text=True, check=True).stdout
    loaded = set(json.loads(output))
    assert not loaded & HEAVY
    # Four of them are the __init__ of a package, with nothing in it.
    assert len([name for name in loaded if name.startswith("scope_profiler")]) <= 19


def test_everything_public_is_there():
    import scope_profiler

    for name in scope_profiler.__all__:
        assert getattr(scope_profiler, name) is not None
    assert set(scope_profiler.__all__) <= set(dir(scope_profiler))
    try:
        scope_profiler.nonsense
    except AttributeError as error:
        assert "nonsense" in str(error)
    else:
        raise AssertionError("an unknown name must be an AttributeError")


# ---- Without the C core -------------------------------------------------------------------------

WITHOUT = """
import io, sys
from pathlib import Path
import scope_profiler as sp
from scope_profiler.io import load

assert Path(sp.__file__).is_relative_to(sys.path[0])
for suffix in ("h5", "json"):
    results = load(f"run.{suffix}")
    for sort in ("total", "first"):
        stream = io.StringIO()
        results.print_summary(stream=stream, sort=sort)
        assert "inner" in stream.getvalue()
    [outer, inner] = results.call_stack()
    assert inner["call_path"] == "outer > inner" and inner["parent"] == 0
    assert len(results.events()) == 2 and len(results.summary()) == 2
    assert results["inner"].p99_duration is not None
    sp.write_profile(results, f"again.{suffix}")
    assert sp.load_processes(f"again.{suffix}").region_names == ["outer", "inner"]
    assert sp.collect_region_statistics(results)["common_regions"] == ["outer", "inner"]
sp.read_h5_summary("run.h5").print_summary(stream=stream)
for name in ("setup", "region", "ProfileManager"):
    try:
        getattr(sp, name)
    except ImportError as error:
        assert name in str(error) and "_core" in str(error)
    else:
        raise AssertionError(name)
assert "scope_profiler._core" not in sys.modules
print("ok")
"""


@NEEDS_H5PY
def test_files_are_read_and_shown_without_the_extension(tmp_path):
    """From a copy of the package that has none."""
    import scope_profiler

    manager = scope_profiler.ProfileManager()
    manager.setup(file_path=tmp_path / "run.h5")
    with manager.profile_region("outer"), manager.profile_region("inner"):
        pass
    results = manager.finalize(verbose=False, return_results=True)
    scope_profiler.write_profile(results, tmp_path / "run.json")
    manager.reset()
    shutil.copytree(Path(scope_profiler.__file__).parent, tmp_path / "copy" / "scope_profiler",
                    ignore=shutil.ignore_patterns("_core*.so", "_core*.pyd", "__pycache__"))
    paths = [str(tmp_path / "copy"), *(path for path in sys.path if "site-packages" in path)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {paths!r}\n{WITHOUT}"],
        cwd=tmp_path, capture_output=True, text=True,
    )
    assert done.stdout == "ok\n", done.stderr
