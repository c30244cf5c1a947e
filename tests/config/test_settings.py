"""config/: which values each setting takes, what is kept of them, and that one edit makes a new one."""

from pathlib import Path, PurePosixPath
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest

from conftest import ROOT
from scope_profiler.config.names import renamed, unknown
from scope_profiler.config.kinds import SWITCH
from scope_profiler.config.table import CHECKS, DEFAULTS, OPPOSITES, SETTINGS, STAYS_ON

SWITCHES = [name for name, default in DEFAULTS.items() if default is False]


class BytesPath:
    def __fspath__(self):
        return b"x.h5"


def test_every_setting_has_a_default_that_its_check_leaves_as_it_is():
    assert CHECKS.keys() == DEFAULTS.keys()
    for name, default in DEFAULTS.items():
        assert default is None or CHECKS[name](name, default) == default


def test_only_switches_stay_on():
    """Of a value nobody knows what that would be."""
    assert {row.kind for row in SETTINGS if row.in_host == STAYS_ON} == {SWITCH}


@pytest.mark.parametrize("value, kept", [
    (True, True), (False, False), (1, True), (0, False), (np.True_, True), (np.False_, False),
])
def test_switches_take_what_can_only_be_meant_in_one_way(value, kept):
    for name in SWITCHES:
        assert CHECKS[name](name, value) is kept


@pytest.mark.parametrize("value, got", [
    ("yes", "str: 'yes'"), ("", "str: ''"), (2, "int: 2"), (1.0, "float: 1.0"),
    ([], r"list: \[\]"),
])
def test_switches_take_nothing_else(value, got):
    for name in SWITCHES:
        with pytest.raises(TypeError, match=f"^{name} takes True or False, got {got}$"):
            CHECKS[name](name, value)


@pytest.mark.parametrize("name, value, kept", [
    ("file_path", "x.h5", "x.h5"),
    ("file_path", PurePosixPath("a/x"), "a/x"),
    ("memory_profile_path", Path("m.bin"), "m.bin"),
    ("label", "", ""),
    ("perf_events", "cycles", ("cycles",)),
    ("perf_events", [], ()),
    ("enable_tags", "abc", ("abc",)),
    ("enable_tags", (tag for tag in ["a", "b"]), ("a", "b")),
    ("gpu_timing_backend", 3.5, 3.5),
    ("metadata_detail", "full", "full"),
    ("output_mode", "parallel", "parallel"),
    ("buffer_limit", np.int64(5), 5),
    ("hdf5_compression", " GZip ", "gzip"),
    ("hdf5_compression", "none", "none"),
    ("hdf5_compression", "", "none"),
    ("hdf5_compression_level", 0, 0),
    ("hdf5_chunk_size", 1, 1),
])
def test_what_is_kept(name, value, kept):
    assert CHECKS[name](name, value) == kept
    assert type(CHECKS[name](name, kept)) is type(kept)


PATH = r"takes a path \(str or os.PathLike\), got"
FILTERS = "takes 'none', 'auto', 'gzip', 'lzf' or 'zstd', got"


@pytest.mark.parametrize("name, value, error, message", [
    ("file_path", 3, TypeError, f"{PATH} int: 3"),
    ("file_path", b"x.h5", TypeError, f"{PATH} bytes: b'x.h5'"),
    ("file_path", BytesPath(), TypeError, f"{PATH} bytes: b'x.h5'"),
    ("file_path", "", ValueError, "takes a path, got ''"),
    ("file_path", "x\0", ValueError, r"takes a path, got 'x\\x00'"),
    ("memory_profile_path", 3, TypeError, f"{PATH} int: 3"),
    ("label", 3, TypeError, "takes a str, got int: 3"),
    ("perf_events", False, TypeError, "takes a str or several, got bool: False"),
    ("enable_tags", 3, TypeError, "takes a str or several, got int: 3"),
    ("enable_tags", ["a", 3], TypeError, "takes a str or several, got int: 3"),
    ("enable_tags", ["a", ""], ValueError, "takes non-empty str, got ''"),
    ("metadata_detail", 3, TypeError, "takes 'minimal' or 'full', got int: 3"),
    ("metadata_detail", "some", ValueError, "takes 'minimal' or 'full', got 'some'"),
    ("output_mode", "sharded", ValueError, "takes 'auto', 'direct' or 'parallel', got 'sharded'"),
    ("buffer_limit", 0, ValueError, "takes an int of at least 1, got 0"),
    ("buffer_limit", True, TypeError, "takes an int of at least 1, got bool: True"),
    ("buffer_limit", 1.0, TypeError, "takes an int of at least 1, got float: 1.0"),
    ("hdf5_compression", 3, TypeError, f"{FILTERS} int: 3"),
    ("hdf5_compression", "bzip2", ValueError, f"{FILTERS} 'bzip2'"),
    ("hdf5_compression_level", -1, ValueError, "takes an int of at least 0, got -1"),
    ("hdf5_compression_level", "4", TypeError, "takes an int of at least 0, got str: '4'"),
    ("hdf5_chunk_size", 0, ValueError, "takes an int of at least 1, got 0"),
    ("hdf5_chunk_size", False, TypeError, "takes an int of at least 1, got bool: False"),
])
def test_what_is_refused(name, value, error, message):
    with pytest.raises(error, match=f"^{name} {message}$"):
        CHECKS[name](name, value)


@pytest.mark.parametrize("value", [True, False, 1])
@pytest.mark.parametrize("old, new", OPPOSITES.items())
def test_older_spellings_mean_the_opposite(old, new, value):
    said = f"x: {old}={bool(value)} is spelled {new}={not value} today"
    with pytest.warns(DeprecationWarning, match=f"^{said}$"):
        assert renamed({old: value, "label": "x"}, "x: ") == {new: not value, "label": "x"}


@pytest.mark.parametrize("old, new", OPPOSITES.items())
def test_older_spellings_that_are_not_set_say_nothing(old, new):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renamed({old: None, new: True}) == {new: True}


@pytest.mark.parametrize("old, new", OPPOSITES.items())
def test_both_spellings_of_one_setting(old, new):
    message = f"^{old} is an older spelling of {new}, and both are given$"
    with pytest.raises(TypeError, match=message):
        renamed({old: True, new: False})


@pytest.mark.parametrize("old", OPPOSITES)
def test_older_spellings_are_checked(old):
    with pytest.raises(TypeError, match=f"^{old} takes True or False, got str: 'on'$"):
        renamed({old: "on"})


def test_unknown_names_are_said_with_those_that_they_resemble():
    assert unknown({"labl"}, CHECKS) == "unknown setting 'labl' (did you mean 'label'?)"
    assert unknown({"zzz", "labl"}, CHECKS) == (
        "unknown settings 'labl' (did you mean 'label'?), 'zzz'"
    )


# ---- A new setting is one edit

ROW = """
    Setting("most_calls", at_least(3), 5, "The most calls.", about=KEPT, key="hdf5.most",
            option=Option("--most"), variable="SCOPE_PROFILER_MOST"),
"""
PROGRAM = """
import inspect, os
import scope_profiler as sp
from scope_profiler.cli import main
from scope_profiler.config import variables

def in_effect(**settings):
    manager = sp.ProfileManager()
    manager.setup(deactivate_file_output=True, replace=True, **settings)
    return manager.get_config().most_calls

def refused(call, **settings):
    try:
        call(**settings)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"

assert (in_effect(), in_effect(most_calls=7)) == (5, 7)
assert in_effect(options=sp.ProfilingOptions(most_calls=8)) == 8
assert in_effect(hdf5=sp.HDF5Options(most=9)) == 9
assert sp.ProfilingConfig(most_calls=7).most_calls == 7
takes = "takes an int of at least 3, got"
for call in (sp.setup, sp.session, sp.ProfilingOptions, sp.ProfilingConfig):
    assert refused(call, most_calls=2) == f"ValueError: most_calls {takes} 2"
    assert refused(call, most_calls="x") == f"TypeError: most_calls {takes} str: 'x'"
    assert "did you mean 'most_calls'?" in str(refused(call, most_cals=7)) or call is sp.ProfilingOptions
assert [*inspect.signature(sp.ProfilingOptions).parameters][-4] == "most_calls"
assert "most_calls: The most calls." in sp.ProfilingOptions.__doc__
assert "most_calls" in sp.SetupOptions.__annotations__

with open("run.toml", "w") as file:
    file.write("[profiling.hdf5]\\nmost = 11")
assert in_effect(config_path="run.toml") == 11
os.environ["SCOPE_PROFILER_MOST"] = "12"
assert in_effect(**variables.settings()) == 12

with open("script.py", "w") as file:
    file.write("import scope_profiler; print('most', scope_profiler.get_config().most_calls)")
main(["run", "-q", "--no-output", "--most", "13", "script.py"])
main(["run", "--help"])
"""


def test_a_new_setting_is_one_edit(tmp_path):
    pytest.importorskip("click")
    for folder in ("scope_profiler", "tools", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder,
                        ignore=shutil.ignore_patterns("__pycache__"))
    table = tmp_path / "scope_profiler" / "config" / "table.py"
    begin, settings, rest = table.read_text().partition("\nTABLE = (")
    table.write_text(begin + settings + rest.replace("\n)", f"{ROW})", 1))

    def run(*arguments):
        return subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True,
                              text=True)

    stale = run("tools/generate.py", "--check").stderr
    assert all(name in stale for name in ("options.pyi", "setup_options.pyi",
                                          "profiling_config.pyi", "settings.md", "commands.md"))
    assert run("tools/generate.py", "--write").returncode == 0
    done = run("-c", PROGRAM)
    assert done.returncode == 0, done.stderr
    assert "most 13" in done.stdout and "--most N " in done.stdout and "The most calls." in done.stdout
    config = tmp_path / "scope_profiler" / "config"
    assert "most_calls: int | None = None" in (config / "options.pyi").read_text()
    assert "most_calls: int | None" in (config / "setup_options.pyi").read_text()
    assert "def most_calls(self) -> int: ..." in (
        config.parent / "_run" / "profiling_config.pyi").read_text()
    assert ("| `most_calls` | an int of at least 3 | `5` | The most calls. | "
            "`[profiling.hdf5] most`, `--most`, `SCOPE_PROFILER_MOST` |"
            in (tmp_path / "docs" / "settings.md").read_text())
    assert "| `--most` N | The most calls. |" in (tmp_path / "docs" / "commands.md").read_text()
