"""environment.py: settings from environment variables."""

import os
import subprocess
import sys

import pytest

from scope_profiler._base import environment
from scope_profiler.config import variables
from scope_profiler.config.resolve import resolve

VARIABLES = ["CONFIG", "OUTPUT", "RECURSIVE", "AUTO_FINALIZE", "VERBOSE", "ENABLE_TAGS", "DISABLE"]
FLAGS = {"RECURSIVE": "recursive_profile", "AUTO_FINALIZE": "auto_finalize",
         "VERBOSE": "verbose"}
TAKES = "takes 1, true, yes or on, or 0, false, no or off; got"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(f"SCOPE_PROFILER_{name}", raising=False)


@pytest.fixture
def variable(monkeypatch):
    """variable(NAME=value): set SCOPE_PROFILER_NAME."""
    def set_variables(**values):
        for name, value in values.items():
            monkeypatch.setenv(f"SCOPE_PROFILER_{name}", value)

    return set_variables


def test_nothing_is_set():
    assert variables.settings() == {}
    assert environment.enabled_tags() == ()
    assert environment.disabled() is False


def test_an_empty_variable_is_not_set(variable):
    variable(**dict.fromkeys(VARIABLES, ""))
    assert variables.settings() == {}
    assert environment.enabled_tags() == ()
    assert environment.disabled() is False


def test_paths(variable):
    variable(CONFIG="profiling.toml", OUTPUT="x.json")
    assert variables.settings() == {"config_path": "profiling.toml", "output": "x.json"}


@pytest.mark.parametrize("name, setting", FLAGS.items())
@pytest.mark.parametrize("value, meant", [
    *((value, True) for value in ["1", "true", "yes", "on", "TRUE", " On "]),
    *((value, False) for value in ["0", "false", "no", "off", "Off"]),
])
def test_flags(variable, name, setting, value, meant):
    variable(**{name: value})
    assert variables.settings() == {setting: meant}


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("value", ["maybe", "2", "y"])
def test_flags_that_are_none(variable, name, value):
    variable(**{name: value})
    with pytest.raises(ValueError, match=f"^SCOPE_PROFILER_{name} {TAKES} '{value}'$"):
        variables.settings()


@pytest.mark.parametrize("overrides, left", [
    ({"recursive_profile": False, "label": "x"},
     {"recursive_profile": False, "label": "x", "output": "e.h5"}),
    ({"recursive_profile": None}, {"recursive_profile": True, "output": "e.h5"}),
    ({"output": "o.h5"}, {"recursive_profile": True, "output": "o.h5"}),
    ({"output": None}, {"recursive_profile": True, "output": None}),
    ({"file_path": "f.h5"}, {"recursive_profile": True, "file_path": "f.h5"}),
    ({"file_path": None}, {"recursive_profile": True, "output": "e.h5"}),
    ({"deactivate_file_output": True},
     {"recursive_profile": True, "file_path": "e.h5", "deactivate_file_output": True}),
    ({"flush_to_disk": True},
     {"recursive_profile": True, "file_path": "e.h5", "flush_to_disk": True}),
])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_arguments_win_over_variables(variable, overrides, left):
    variable(RECURSIVE="1", OUTPUT="e.h5")
    settings = variables.settings(**overrides)
    assert settings == left
    output = {"output": settings.pop("output")} if "output" in settings else {}
    resolve(None, settings, **output)       # they go together


def test_output_decides_against_a_configuration_file_too(variable, tmp_path):
    path = tmp_path / "profiling.toml"
    path.write_text("deactivate_file_output = true")
    variable(CONFIG=str(path), OUTPUT="e.h5")
    chosen = resolve(None, {}, **variables.settings())
    assert (chosen["file_path"], chosen["deactivate_file_output"]) == ("e.h5", False)


def test_numbers(variable):
    variable(NUMBER=" 12 ")
    assert environment.whole("SCOPE_PROFILER_NUMBER") == 12
    variable(NUMBER="")
    assert environment.whole("SCOPE_PROFILER_NUMBER") is None
    variable(NUMBER="x")
    with pytest.raises(ValueError, match="^SCOPE_PROFILER_NUMBER takes an int; got 'x'$"):
        environment.whole("SCOPE_PROFILER_NUMBER")


@pytest.mark.parametrize("value, tags", [
    ("mylib", ("mylib",)), (" a , b,,", ("a", "b")), ("*", ("*",)), (",", ()),
])
def test_tags(variable, value, tags):
    variable(ENABLE_TAGS=value)
    assert environment.enabled_tags() == tags
    assert variables.settings() == {}      # every setup() asks for them, not this one alone


@pytest.mark.parametrize("value, meant", [("1", True), ("yes", True), ("0", False), (" ", False)])
def test_disabled(variable, value, meant):
    variable(DISABLE=value)
    assert environment.disabled() is meant


def test_disabled_with_a_bad_value_warns_and_is_not(variable):
    variable(DISABLE="perhaps")
    message = f"^SCOPE_PROFILER_DISABLE {TAKES} 'perhaps'; profiling stays on$"
    with pytest.warns(UserWarning, match=message) as caught:
        assert environment.disabled() is False
    assert caught[0].filename == __file__


def test_disabled_turns_off_whatever_is_set(monkeypatch):
    monkeypatch.setattr(environment, "DISABLED", True)
    assert resolve(None, {"deactivate_profiling": False})["deactivate_profiling"] is True
    with pytest.raises(TypeError, match="^label takes a str"):     # which it also does when on
        resolve(None, {"label": 3})


def run(program, folder, **variables):
    path = folder / "program.py"
    path.write_text(program)
    return subprocess.run(
        [sys.executable, path], cwd=folder, capture_output=True, text=True,
        env={**os.environ, **variables},
    )


@pytest.mark.parametrize("value, printed, said", [
    ("1", "True", ""),
    ("", "False", ""),
    ("perhaps", "False", f"program.py:2: UserWarning: SCOPE_PROFILER_DISABLE {TAKES} 'perhaps'"),
])
def test_disabled_at_import(tmp_path, value, printed, said):
    program = "\nfrom scope_profiler._base.environment import DISABLED; print(DISABLED)"
    done = run(program, tmp_path, SCOPE_PROFILER_DISABLE=value)
    assert (done.returncode, done.stdout.strip()) == (0, printed)
    assert said in done.stderr and bool(said) == bool(done.stderr)


def test_importing_it_loads_nothing(tmp_path):
    program = ("import sys; import scope_profiler; before = set(sys.modules)\n"
               "from scope_profiler._base import environment\n"
               "print(sorted(set(sys.modules) - before - {environment.__name__}))")
    assert run(program, tmp_path).stdout.strip() == "[]"


@pytest.mark.parametrize("disabled", ["1", ""])
def test_instrumentation_that_nobody_uses_leaves_nothing_behind(tmp_path, disabled):
    """With the variable, and as well when there is just no setup()."""
    done = run("""
import asyncio, atexit, gc, os, signal, sys, threading, types
environ, argv, path = dict(os.environ), list(sys.argv), list(sys.path)
handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
callbacks = atexit._ncallbacks(), len(gc.callbacks), sys.gettrace(), sys.getprofile()
import scope_profiler as sp
if os.environ["SCOPE_PROFILER_DISABLE"]: assert environ == dict(os.environ)

@sp.profile
def function(a, b=2): return a + b
@sp.profile("generator", record_outcome=True, metadata=lambda: 1 / 0, tags="t", recursive=True)
def generator(): yield 1
@sp.profile("coroutine", tags=["a", "b"])
async def coroutine(): return 3
@types.coroutine
@sp.profile
def waits(): return (yield)
@sp.metadata(case=1)
def scoped(): return 4
class Solver:
    @sp.profile
    def method(self): return self
    @sp.profile
    @staticmethod
    def static(): return 5
sp.instrument(Solver, tags="t")
factory = sp.region_factory("factory", tags="t")
region = sp.define_region("defined")

assert function(1) == 3 and list(generator()) == [1] and asyncio.run(coroutine()) == 3
assert scoped() == 4 and Solver().method() and Solver.static() == 5
with sp.region("r", tags="t") as entered, region, sp.metadata(a=1), factory(step=3):
    with sp.sample_every(2) as profile_step, profile_step(1): pass
try:
    with sp.region("r"): 1 / 0
except ZeroDivisionError as error:
    assert error.__context__ is None
if hasattr(os, "fork"):
    pid = os.fork()
    if not pid: function(1); os._exit(0)
    os.waitpid(pid, 0)
thread = threading.Thread(target=function, args=(1,)); thread.start(); thread.join()
assert not sp.is_active() and sp.recorded_regions() == () and region.num_calls == 0
if os.environ["SCOPE_PROFILER_DISABLE"] == "1": sp.setup(); sp.finalize()  # prints nothing
assert handlers == {number: signal.getsignal(number) for number in handlers}
assert callbacks == (atexit._ncallbacks(), len(gc.callbacks), sys.gettrace(), sys.getprofile())
assert (argv, path, threading.active_count()) == (sys.argv, sys.path, 1)
assert not {"numpy", "h5py", "rich", "click"} & sys.modules.keys()
""", tmp_path, SCOPE_PROFILER_DISABLE=disabled)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in tmp_path.iterdir()] == ["program.py"]
