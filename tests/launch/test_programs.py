"""programs.py: functions, scripts and commands under the profiler."""

import os
import sys

import pytest
from conftest import NEEDS_H5PY

import scope_profiler as sp
from scope_profiler import ProfileManager
from scope_profiler._launch.programs import profile_command, profile_script, run, run_script


@pytest.fixture
def default():
    """The process-wide manager, which is the one that a script gets."""
    return ProfileManager._default


def write(source, name="script.py"):
    with open(name, "w", encoding="utf-8") as file:
        file.write("import scope_profiler as sp\n" + source)
    return name


def state():
    return sys.argv, list(sys.path), sys.modules["__main__"], sys.getprofile(), sys.gettrace()


# ---- run


def test_run_is_a_session_around_a_call(manager):
    def work(n):
        with manager.profile_region("work"):
            return n + 1

    assert run(manager, work, 2, deactivate_file_output=True, replace=True) == 3
    results = manager.last_results()
    assert results["work"].num_calls == results["scope_profiler.session"].num_calls == 1
    assert manager._run.results is not None and not manager.is_active()


@NEEDS_H5PY
def test_run_writes_to_output_and_prints_nothing(manager, capsys):
    manager.reset()
    run(manager, len, "abc", output="here.h5")
    run(manager, len, "abc")
    assert sorted(os.listdir()) == ["here.h5", "profiling_data.h5"]
    assert list(sp.load("here.h5"))[0].name == "scope_profiler.session"
    assert capsys.readouterr().out == ""


def test_run_takes_the_settings_of_a_session(manager, capsys):
    run(manager, len, "abc", verbose=True, return_results=False, label="mine",
        deactivate_file_output=True, replace=True)
    assert "scope-profiler: mine" in capsys.readouterr().out
    assert manager._run.results is None


def test_run_lets_exceptions_pass_and_keeps_the_results(manager):
    with pytest.raises(ZeroDivisionError):
        run(manager, divmod, 1, 0, deactivate_file_output=True, replace=True)
    assert manager.last_results()["scope_profiler.session"].num_calls == 1


def test_run_refuses_at_once(manager):
    before = manager._run
    with pytest.raises(TypeError, match="func takes a callable, got int: 3"):
        run(manager, 3)
    with pytest.raises(TypeError, match="unknown setting 'steps'"):
        run(manager, print, steps=3, replace=True)
    assert manager._run is before


# ---- run_script


def test_run_script_in_the_current_run(default, capsys):
    path = write('import sys\n'
                 'with sp.region("in script"): print(sys.argv, __name__, sp.is_active())')
    sp.setup(deactivate_file_output=True)
    before = state()
    assert run_script(default, path, ["--steps", "3"], recursive=False) is None
    assert state() == before
    assert capsys.readouterr().out == "['script.py', '--steps', '3'] __main__ True\n"
    assert sp.get_region("in script").num_calls == 1 and sp.is_active()
    assert sp.recorded_regions() == ("in script",)


def test_run_script_without_a_run(default):
    run_script(default, write('with sp.region("r"): pass'), recursive=False)
    assert not sp.is_active()


@pytest.mark.parametrize("ending, error", [
    ("raise SystemExit(0)", SystemExit), ("raise SystemExit('text')", SystemExit),
    ("1 / 0", ZeroDivisionError), ("raise KeyboardInterrupt", KeyboardInterrupt),
    ("raise GeneratorExit", GeneratorExit), ("x = (", SyntaxError),
])
def test_run_script_puts_back_whatever_happens(default, ending, error):
    path = write(f"import sys\nsys.path.clear()\nsys.argv = None\n{ending}")
    before = state()
    with pytest.raises(error):
        run_script(default, path, recursive=False)
    assert state() == before


def test_run_script_imports_what_lies_beside_it(default, tmp_path):
    folder = tmp_path / "ein Ördner"
    (folder / "paket").mkdir(parents=True)
    (folder / "nachbar.py").write_text("value = 1")
    (folder / "paket" / "__init__.py").write_text("from .inner import value")
    (folder / "paket" / "inner.py").write_text("value = 2")
    path = write("import nachbar, paket\nassert nachbar.value + paket.value == 3",
                 folder / "ein prögramm.py")
    try:
        run_script(default, path, recursive=False)
    finally:
        for name in ("nachbar", "paket", "paket.inner"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize("arguments, error, message", [
    ({"script_path": 3}, TypeError, r"script_path takes a path \(str or os.PathLike\), got int: 3"),
    ({"script_path": "missing.py"}, FileNotFoundError, "missing.py"),
    ({"script_args": "--steps 3"}, TypeError,
     "script_args takes a list of str, got str: '--steps 3'; shlex.split"),
    ({"script_args": 3}, TypeError, "script_args takes a list of str, got int: 3"),
    ({"script_args": ["--steps", 3]}, TypeError, "takes a list of str, got int in it: 3"),
])
def test_run_script_refuses_at_once(default, arguments, error, message):
    write("raise AssertionError('it ran')")
    with pytest.raises(error, match=message):
        run_script(default, **{"script_path": "script.py", "recursive": False, **arguments})


def test_run_script_traces_every_function(default):
    pytest.importorskip("scope_profiler._instrument.call_tracing")
    path = write("def inner(): pass\ndef outer():\n    inner()\n    inner()\nouter()\n")
    sp.setup(deactivate_file_output=True)
    before = state()
    run_script(default, path, region_name="all of it")
    assert state() == before
    counts = {name: sp.get_region(name).num_calls for name in sp.recorded_regions()}
    assert counts.pop("all of it") == 1
    assert [count for name, count in counts.items() if "inner" in name] == [2]
    assert [count for name, count in counts.items() if "outer" in name] == [1]


def test_run_script_traces_what_is_chosen(default):
    pytest.importorskip("scope_profiler._instrument.call_tracing")
    path = write("def inner(): pass\ndef outer(): inner()\nouter()\n1 / 0\n")
    sp.setup(deactivate_file_output=True)
    with pytest.raises(ZeroDivisionError):
        run_script(default, path, include_patterns=["*inner*"])
    [name] = set(sp.recorded_regions()) - {"script.py"}
    assert "inner" in name and sp.get_region("script.py").get_stats().errors == 1


def test_run_script_names_the_entry_point(default):
    pytest.importorskip("scope_profiler._instrument.call_tracing")
    path = write("def main(): pass\nmain()\n")
    sp.setup(deactivate_file_output=True)
    run_script(default, path, entrypoint="main")
    assert sp.get_region("main").num_calls == 1


# ---- profile_script


@NEEDS_H5PY
def test_profile_script_returns_results_and_writes(default, capsys):
    path = write('import sys\nwith sp.region("r"): print(sys.argv[1:])')
    results = profile_script(default, path, script_args=["x"], output="out.h5", label="mine")
    assert results["r"].num_calls == 1 and results.label == "mine"
    assert capsys.readouterr().out == "['x']\n"
    assert sp.load("out.h5")["r"].num_calls == 1
    assert not sp.is_active()
    assert "r" in profile_script(default, path)  # the first run is over
    assert os.path.exists("profiling_data.h5")


@pytest.mark.parametrize("status", ["", "0", "None"])
def test_a_script_may_end_by_sys_exit(default, status):
    path = write(f'with sp.region("r"): pass\nimport sys\nsys.exit({status})')
    assert profile_script(default, path, deactivate_file_output=True)["r"].num_calls == 1


@NEEDS_H5PY
@pytest.mark.parametrize("ending, error", [
    ("raise SystemExit(3)", SystemExit), ("raise SystemExit('text')", SystemExit),
    ("1 / 0", ZeroDivisionError),
])
def test_the_results_of_a_script_that_fails(default, ending, error):
    path = write(f'with sp.region("r"): pass\n{ending}')
    before = state()
    with pytest.raises(error):
        profile_script(default, path, output="out.h5")
    assert state() == before and not sp.is_active()
    assert sp.last_results()["r"].num_calls == sp.load("out.h5")["r"].num_calls == 1


@NEEDS_H5PY
def test_a_script_with_a_run_of_its_own(default):
    """It goes into the one that is on, and back are its settings and its file in the end."""
    for begin in ("sp.setup(file_path='own.h5', label='mine')",
                  "sp.setup(file_path='own.h5', label='mine', replace=True, track_threads=True)"):
        path = write(begin + '\nwith sp.region("r"): pass\nassert sp.get_config().label == "mine"')
        results = profile_script(default, path, output="out.h5")
        assert results["r"].num_calls == 1 and not default.is_active()
        assert sp.load("own.h5")["r"].num_calls == sp.load("out.h5")["r"].num_calls == 1
        assert str(default.last_results().file_path) == "out.h5"
        run = default.setup(file_path="outer.h5", label="outer", replace=True)
        run_script(default, write(path and begin.replace("track_threads=True", "")
                                  + '\nwith sp.region("r"): pass\nsp.finalize(verbose=False)'))
        assert default.is_active() and run.file_path == "outer.h5" and run.label == "outer"
        assert sp.load("own.h5")["r"].num_calls == 1
        default.finalize(verbose=False)
        assert sp.load("outer.h5")["r"].num_calls == 1
        default.reset()


def test_scripts_that_run_scripts(default):
    inner = write('import scope_profiler as sp\nsp.setup(file_path="inner.h5")\n'
                  'with sp.region("inner"): pass\nsp.finalize(verbose=False)', "inner.py")
    outer = write('import scope_profiler as sp\n'
                  'assert sp.profile_script("inner.py", output="x.h5")["inner"].num_calls == 1\n'
                  'assert sp.run(len, "abc", deactivate_file_output=True) == 3 and sp.is_active()\n'
                  'with sp.region("outer"): pass')
    results = profile_script(default, outer, output="out.h5")
    assert results["inner"].num_calls == results["outer"].num_calls == 1
    assert inner == "inner.py" and not default.is_active()


def test_profile_script_refuses_before_anything_happens(default):
    path = write("raise AssertionError('it ran')")
    for arguments, error, message in [
        ({"script_path": "missing.py"}, FileNotFoundError, "missing.py"),
        ({"script_args": "x"}, TypeError, "script_args takes a list of str"),
        ({"steps": 3}, TypeError, "unknown setting 'steps'"),
    ]:
        with pytest.raises(error, match=message):
            profile_script(default, **{"script_path": path, **arguments})
        assert not sp.is_configured()
    sp.setup(deactivate_file_output=True)
    with pytest.raises(RuntimeError, match="set up already"):
        profile_script(default, path)
    assert sp.is_active()


# ---- profile_command


@NEEDS_H5PY
@pytest.mark.parametrize("python", [[], ["python"], ["python3"], [sys.executable],
                                    [f"/usr/bin/python3.{sys.version_info.minor}"]])
def test_profile_command_runs_it_in_a_process(default, python, capfd):
    path = write('import os, sys\nwith sp.region("r"): print(os.getpid(), *sys.argv[1:])')
    done = profile_command(default, [*python, path, "a b", "-q"], output="out file.h5")
    process, *words = capfd.readouterr().out.split(maxsplit=1)
    assert done.returncode == 0 and int(process) != os.getpid() and words == ["a b -q\n"]
    assert done.profile_results["r"].num_calls == 1
    assert sorted(os.listdir()) == ["out file.h5", "script.py"]


@NEEDS_H5PY
def test_profile_command_of_a_module(default):
    write('with sp.region("r"): pass', "module.py")
    done = profile_command(default, ["python", "-m", "module"])
    assert done.profile_results["r"].num_calls == 1
    assert os.path.exists("profiling_data.h5")


@NEEDS_H5PY
def test_profile_command_that_fails(default):
    path = write('with sp.region("r"): raise SystemExit(5)')
    done = profile_command(default, [path], output="out.h5")
    assert done.returncode == 5 and done.profile_results is None
    assert sp.load("out.h5")["r"].num_calls == 1  # nevertheless


def test_results_of_an_earlier_command_are_not_taken_for_these(default):
    profile_command(default, [write('with sp.region("r"): pass')], output="out.h5")
    path = write('import os\nos._exit(0)')
    done = profile_command(default, [path], output="out.h5")
    assert done.returncode == 0 and done.profile_results is None


@NEEDS_H5PY
def test_profile_command_traces_every_function(default):
    pytest.importorskip("scope_profiler._instrument.call_tracing")
    path = write("def work(): pass\nwork()")
    done = profile_command(default, [path], recursive=True)
    assert any("work" in region.name for region in done.profile_results)


@pytest.mark.parametrize("arguments, error, message", [
    ({"command": "python script.py"}, TypeError,
     "command takes a list of str, got str: 'python script.py'; shlex.split"),
    ({"command": 3}, TypeError, "command takes a list of str, got int: 3"),
    ({"command": ["script.py", 3]}, TypeError, "command takes a list of str, got int in it: 3"),
    ({"command": []}, ValueError, "command takes a script and its arguments, got none"),
    ({"command": ["python3"]}, ValueError, "command takes a script and its arguments, got none"),
    ({"mpi_calls": "x"}, TypeError, "mpi_calls takes True or False"),
])
def test_profile_command_refuses_at_once(default, arguments, error, message):
    with pytest.raises(error, match=message):
        profile_command(default, **{"command": ["script.py"], **arguments})


@pytest.mark.parametrize("use", [
    lambda: sp.setup(output="x.xyz", replace=True), lambda: sp.session(file_path="x.xyz"),
    lambda: sp.run(print, output="x.xyz"),
    lambda: sp.profile_script("script.py", output="x.xyz"),
    lambda: sp.profile_command(["script.py"], output="x.xyz"),
    lambda: sp.write_profile(sp.ProfilingResults({}), "x.xyz"),
    lambda: sp.write_json(sp.ProfilingResults({}), "x.xyz"),
    lambda: sp.export_json(sp.ProfilingResults({}), "x.xyz"),
    lambda: sp.write_region_statistics_json(sp.ProfilingResults({}), "x.xyz"),
])
def test_names_of_unknown_formats_are_refused_everywhere(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.py").write_text("print('it ran')")
    with pytest.raises(ValueError, match=r"\.json"):
        use()
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]
