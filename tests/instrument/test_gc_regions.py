"""scope_profiler/_instrument/gc_regions.py and import_regions.py: what the interpreter does besides."""

import gc
import importlib
import subprocess
import sys
import threading

import pytest

from scope_profiler import ProfileManager


@pytest.fixture
def paths(clock):
    """setup(**settings) gives a function that tells {path of the tree: calls}."""
    manager = ProfileManager()

    def setup(**settings):
        manager.setup(deactivate_file_output=True, **settings)
        return manager, tree

    def tree():
        found, names = {}, []
        for parent, region, count, *_ in manager._collect(None):
            names.append((names[parent] + ">" if parent >= 0 else "") + region.name)
            if count:
                found[names[-1]] = count
        counters = manager._counters()
        assert not (counters["unmatched"] or counters["open"])
        return found

    callbacks, finder = list(gc.callbacks), sys.modules["_frozen_importlib"]._find_and_load
    yield setup
    manager.reset()
    assert gc.callbacks == callbacks
    assert sys.modules["_frozen_importlib"]._find_and_load is finder


def test_collections_are_below_what_runs(paths):
    gc.disable()
    try:
        manager, tree = paths(trace_gc=True)
        with manager.profile_region("work"):
            gc.collect()
            gc.collect(0)
        thread = threading.Thread(target=gc.collect)
        thread.start()
        thread.join()
    finally:
        gc.enable()
    assert tree() == {"work": 1, "work>gc": 2, "gc": 1}


def test_collections_in_the_middle_of_tracing(paths):
    from scope_profiler import calls

    namespace = {"__name__": "user", "gc": gc}
    exec(compile("def f(): gc.collect()", "user.py", "exec"), namespace)
    gc.disable()
    try:
        manager, tree = paths(trace_gc=True, trace_c=True)
        with calls.tracing(manager, include=["user.*"]):
            namespace["f"]()
    finally:
        gc.enable()
    assert tree() == {"user.f": 1, "user.f>{built-in method gc.collect}": 1,
                      "user.f>{built-in method gc.collect}>gc": 1}


@pytest.fixture
def modules(tmp_path, monkeypatch):
    (tmp_path / "outer_module.py").write_text("import inner_module\nfrom a_package import part\n")
    (tmp_path / "inner_module.py").write_text("")
    (tmp_path / "a_package").mkdir()
    (tmp_path / "a_package" / "__init__.py").write_text("")
    (tmp_path / "a_package" / "part.py").write_text("")
    (tmp_path / "broken_module.py").write_text("def f():\n    1 / 0\nf()\n")
    (tmp_path / "importing_module.py").write_text("import missing_module\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield tmp_path
    for name in ("outer_module", "inner_module", "a_package", "a_package.part"):
        sys.modules.pop(name, None)


def test_imports_are_below_what_imports_them(paths, modules):
    manager, tree = paths(trace_imports=True)
    for _ in range(2):
        import outer_module  # noqa: F401

    with manager.profile_region("work"):
        importlib.import_module("colorsys" if "colorsys" not in sys.modules else "inner_module")
        importlib.import_module("inner_module")
    found = tree()
    found.pop("work>import colorsys", None)
    assert found == {
        "import outer_module": 1,
        "import outer_module>import inner_module": 1,
        "import outer_module>import a_package": 1,
        "import outer_module>import a_package.part": 1,
        "work": 1,
    }


TRACEBACKS = """
import sys, traceback, importlib
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "on":
    from scope_profiler import ProfileManager
    ProfileManager.setup(deactivate_file_output=True, trace_imports=True, trace_gc=True)
for name in ("broken_module", "importing_module", "missing_module", "a_package.nothing"):
    try:
        __import__(name)
    except Exception:
        traceback.print_exc(file=sys.stdout)
    try:
        importlib.import_module(name)
    except Exception as error:
        print(type(error), error)
"""


def test_tracebacks_of_imports_are_as_ever(modules):
    outputs = [subprocess.run([sys.executable, "-c", TRACEBACKS, modules, on], check=True, text=True,
                              capture_output=True).stdout for on in ("off", "on")]
    assert "ZeroDivisionError" in outputs[0] and outputs[0] == outputs[1]


def test_they_end_with_the_run(paths, modules):
    manager, tree = paths(trace_imports=True, trace_gc=True)
    manager.setup(deactivate_file_output=True, replace=True)
    import inner_module  # noqa: F401

    gc.collect()
    assert tree() == {}


def test_a_manager_that_dies():
    before = list(gc.callbacks)
    ProfileManager().setup(deactivate_file_output=True, trace_gc=True, trace_imports=True)
    gc.collect()
    assert gc.callbacks == before
    import_module = sys.modules["_frozen_importlib"]._find_and_load
    assert import_module.__module__ == "_frozen_importlib" and not import_module.__code__.co_freevars
