"""scope_profiler/_instrument/named_targets.py: regions without touching the source."""

import importlib
import subprocess
import sys
import types

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler._instrument import named_targets

MODULES = {
    "named_one": """
        def solve(n): return helper(n)
        def helper(n): return n + 1
        class Base:
            def inherited(self): return 1
        class Grid(Base):
            def step(self): return self.inherited()
            def stop(self): pass
            @staticmethod
            def make(): return Grid()
            @property
            def size(self): return 3
    """,
    "named_two": "from named_one import solve\nimport named_one\ndef use(): return solve(1)\n",
    "named_package/__init__": "",
    "named_package/part": "def work(): pass\ndef rest(): pass\n",
    "named_broken": "def f():\n    1 / 0\nf()\n",
    "named_importing": "import named_missing\n",
}


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    for name, source in MODULES.items():
        file = tmp_path / f"{name}.py"
        file.parent.mkdir(exist_ok=True)
        lines = source.split("\n")
        file.write_text("\n".join(line.removeprefix(" " * 8) for line in lines))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    # Tests of other files leave names that nobody imports.
    monkeypatch.setattr(named_targets, "_waiting", {})
    before = [finder for finder in sys.meta_path if finder is not named_targets._HOOK]
    monkeypatch.setattr(sys, "meta_path", list(before))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("named_")]:
        if "targets" not in name:
            del sys.modules[name]
    assert sys.meta_path == before


def counts(manager):
    return {r[1].name: r[2] for r in manager._collect_regions() if r[2]}


def test_when_they_are_imported(manager):
    assert manager.instrument("named_one:solve", "named_one:Grid.step", "named_one:Grid.make") == {}
    import named_one
    import named_two

    assert named_two.solve is named_one.solve
    assert named_two.use() == 2
    named_one.Grid.make().step()
    assert counts(manager) == {"named_one.solve": 1, "named_one.Grid.make": 1, "named_one.Grid.step": 1}
    assert named_one.__loader__ is named_one.__spec__.loader
    assert type(named_one.__loader__) is importlib.machinery.SourceFileLoader


def test_when_they_have_been_imported_already(manager):
    import named_two
    import named_one

    assert set(manager.instrument("named_one:solve", "named_package.part:work")) == {"solve"}
    assert named_two.solve is named_one.solve
    named_two.use()
    import named_package.part

    named_package.part.work(), named_package.part.rest()
    assert counts(manager) == {"named_one.solve": 1, "named_package.part.work": 1}


def test_what_takes_finders_away_takes_those_that_come_later_not(manager):
    manager.instrument("named_package.part:work")
    sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not named_targets._HOOK]
    manager.instrument("named_one:solve")
    import named_one
    import named_package.part

    named_one.solve(1), named_package.part.work()
    assert counts(manager) == {"named_one.solve": 1, "named_package.part.work": 1}


@pytest.mark.parametrize("text, how, names", [
    ("named_one", {}, {"named_one.solve", "named_one.helper"}),
    ("named_one", {"exclude": "help*"}, {"named_one.solve"}),
    ("named_one:*el*", {}, {"named_one.helper"}),
    ("named_one:Grid", {}, {"named_one.Grid.step", "named_one.Grid.make", "named_one.Grid.size"}),
    ("named_one:Grid.st*", {"prefix": "grid"}, {"grid.step"}),
    ("named_one:Base.inherited", {}, {"named_one.Base.inherited"}),
])
def test_what_a_name_means(manager, text, how, names):
    manager.instrument(text, **how)
    import named_one

    named_one.solve(1), named_one.Grid.make().step(), named_one.Grid().size
    assert set(counts(manager)) == names
    assert manager._named_targets.missing() == []


def test_tags():
    manager = ProfileManager()
    manager.instrument("named_one:solve", tags=["math"])
    manager.instrument("named_one:helper", tags=["other"])
    manager.setup(deactivate_file_output=True, region_tags=["math"])
    import named_one

    named_one.solve(1)
    assert counts(manager) == {"named_one.solve": 1}
    assert manager.get_region("named_one.solve").tags == ("math",)
    manager.reset()


def test_functions_of_c(manager):
    import named_one

    named_one.sqrt = importlib.import_module("math").sqrt
    manager.instrument("named_one:sqrt")
    assert named_one.sqrt(4) == 2 and counts(manager) == {"named_one.sqrt": 1}


def test_what_is_not_found_is_said_in_the_end(capfd):
    manager = ProfileManager()
    manager.setup(deactivate_file_output=True)
    manager.instrument("named_one:slove", "named_one:Grid.inherited", "named_nowhere:f",
                       "named_one:Gird.step", "named_one:nothing*", "named_one:solve.other")
    import named_one  # noqa: F401

    manager.finalize()
    said = [line for line in capfd.readouterr().err.splitlines() if "instrument" in line]
    assert sorted(said) == sorted(f"scope-profiler: instrument({text!r}): {why}" for text, why in [
        ("named_nowhere:f", "its module was not imported"),
        ("named_one:slove", "there is no slove in named_one; did you mean solve?"),
        ("named_one:Grid.inherited", "there is no inherited in Grid; it is inherited: name the class "
                                     "that has it"),
        ("named_one:Gird.step", "there is no Gird in named_one; did you mean Grid?"),
        ("named_one:nothing*", "there is no nothing* in named_one"),
        ("named_one:solve.other", "there is no class solve in named_one"),
    ])
    manager.finalize(verbose=False)
    assert capfd.readouterr().err == ""
    manager.reset()
    named_targets._imported("named_nowhere", types.ModuleType("named_nowhere"))


@pytest.mark.parametrize("given, error, message", [
    (("a b",), ValueError, "instrument() takes names like"),
    (("a:",), ValueError, "got 'a:'"),
    (("a:b..c",), ValueError, "got 'a:b..c'"),
    (("",), ValueError, "got ''"),
    (("a:b", 3), TypeError, "instrument() takes"),
    ((sys, "a"), TypeError, "instrument() takes"),
])
def test_bad_names(manager, given, error, message):
    with pytest.raises(error) as caught:
        manager.instrument(*given)
    assert message in str(caught.value)


@pytest.mark.parametrize("how, error", [
    ({"include": 3}, TypeError), ({"prefix": 3}, TypeError), ({"tags": [3]}, TypeError)])
def test_bad_settings_are_said_at_once(manager, how, error):
    with pytest.raises(error):
        manager.instrument("named_one:solve", **how)


TRACEBACKS = """
import sys, traceback
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "on":
    from scope_profiler import ProfileManager
    ProfileManager.instrument("named_broken", "named_importing", "named_missing")
for name in ("named_broken", "named_importing", "named_missing"):
    try:
        __import__(name)
    except Exception:
        traceback.print_exc(file=sys.stdout)
"""


def test_tracebacks_of_imports_are_as_ever(modules):
    outputs = [subprocess.run([sys.executable, "-c", TRACEBACKS, modules, on], check=True, text=True,
                              capture_output=True).stdout for on in ("off", "on")]
    assert "ZeroDivisionError" in outputs[0] and outputs[0] == outputs[1]


# ---- The command


REGIONS = """
[scope_profiler.regions]
"named_one:solve" = ["math"]
"named_one:Grid" = {tags = "grid", exclude = ["stop"], prefix = "g"}
"json:dumps" = true
"named_one:slove" = true
"""

SCRIPT = """
import sys; sys.path.insert(0, {path!r})
import json, named_one
named_one.solve(1); named_one.Grid.make().step(); json.dumps(1)
"""


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "scope_profiler", "run", *arguments], text=True,
                          capture_output=True)


def test_the_command_takes_a_file(modules):
    (modules / "regions.toml").write_text(REGIONS)
    (modules / "script.py").write_text(SCRIPT.format(path=str(modules)))
    done = run("--regions", modules / "regions.toml", "-o", modules / "x.json", modules / "script.py")
    assert done.returncode == 0, done.stderr
    assert "instrument('named_one:slove'): there is no slove in named_one" in done.stderr
    found = {region.name: region.num_calls for region in sp.load(modules / "x.json")}
    assert found == {"named_one.solve": 1, "g.make": 1, "g.step": 1, "json.dumps": 1}


@pytest.mark.parametrize("text, message", [
    ("", "has no table [scope_profiler.regions]"),
    ("[scope_profiler]\nregions = 3", "takes a table, got 3"),
    ("[scope_profiler.regions]\n'a b' = true", "takes names like"),
    ("[scope_profiler.regions]\n'a:b' = 3", "'a:b' takes true, tags or a table"),
    ("[scope_profiler.regions]\n'a:b' = {tag = 'x'}", "'tag'"),
    ("[scope_profiler.regions]\n'a:b' = {tags = 3}", "tags"),
    ("[", "is not TOML"),
])
def test_files_that_are_wrong(modules, text, message):
    (modules / "regions.toml").write_text(text)
    (modules / "script.py").write_text("print('it ran')")
    done = run("--regions", modules / "regions.toml", modules / "script.py")
    assert done.returncode == 2 and message in " ".join(done.stderr.split())
    assert done.stdout == ""
