"""Importing the package is nearly free: an allow-list of what it may load."""

import json
import subprocess
import sys

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
