"""line_profiler/toml_config.py: settings as line_profiler reads them."""

import os
from pathlib import Path

import pytest

from scope_profiler.line_profiler.toml_config import ConfigSource


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("LINE_PROFILER_RC", raising=False)


def write(path, text):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)
    return Path(path)


def test_the_defaults():
    default = ConfigSource.from_default()
    assert default.path.is_file() and default.subtable == ["tool", "line_profiler"]
    assert default.conf_dict["kernprof"] == {
        "line-by-line": False, "builtin": False, "rich": False, "skip-zero": False, "summarize": False,
        "preimports": True, "prof-imports": False, "verbose": 0, "outfile": "", "setup": "",
        "unit": 1e-6, "output-interval": 0, "prof-mod": []}
    assert default.conf_dict["cli"] == {"unit": 1e-6, "rich": False, "skip-zero": False, "sort": False,
                                        "summarize": False}
    assert default.conf_dict["setup"] == {"environ_flags": ["LINE_PROFILE"],
                                          "cli_flags": ["--line-profile", "--line_profile"]}
    assert default.conf_dict["write"] == {"output_prefix": "profile_output", "lprof": True,
                                          "text": True, "timestamped_text": True, "stdout": True}
    assert default.conf_dict["show"] == {
        "sort": True, "stripzeros": True, "rich": True, "details": False, "summarize": True,
        "column_widths": {"line": 6, "hits": 9, "time": 12, "perhit": 8, "percent": 8}}
    assert ConfigSource.from_config(False) == ConfigSource.from_config() == default


def test_copies_are_ones_own():
    one, two = ConfigSource.from_default(), ConfigSource.from_config()
    one.conf_dict["setup"]["environ_flags"].append("X")
    two.conf_dict["show"]["column_widths"]["hits"] = 1
    assert ConfigSource.from_default() not in (one, two)
    shared = ConfigSource.from_default(copy=False)
    assert shared is ConfigSource.from_default(copy=False)
    copied = shared.copy()
    copied.conf_dict["write"]["text"] = False
    assert copied != shared and copied.path == shared.path


def test_what_is_not_set_is_as_by_default():
    write("x.toml", "[tool.line_profiler.write]\noutput_prefix = 'mine'\nunknown = 3\n"
                    "[tool.line_profiler.other]\nx = 1\n[other]\ny = 2\n")
    source, default = ConfigSource.from_config("x.toml"), ConfigSource.from_default()
    assert source.path == Path("x.toml").absolute()
    default.conf_dict["write"]["output_prefix"] = "mine"
    assert source.conf_dict == default.conf_dict


def test_which_file_it_is(monkeypatch):
    above = write("line_profiler.toml", "").absolute()
    here = write("folder/pyproject.toml", "[project]\nname = 'x'\n").absolute()
    monkeypatch.chdir("folder")
    assert ConfigSource.from_config().path == here
    here.write_text("this is no TOML")
    assert ConfigSource.from_config().path == above
    nearer = write("line_profiler.toml", "").absolute()
    here.write_text("")
    assert ConfigSource.from_config().path == nearer
    monkeypatch.setenv("LINE_PROFILER_RC", "named.toml")
    assert ConfigSource.from_config() == ConfigSource.from_default()
    named = write("named.toml", "").absolute()
    assert ConfigSource.from_config().path == ConfigSource.from_config(True).path == named
    assert ConfigSource.from_config(read_env=False).path == nearer
    assert ConfigSource.from_config(above.name).path == nearer
    assert ConfigSource.from_config(False) == ConfigSource.from_default()


@pytest.mark.parametrize("table", ["tool", "tool.line_profiler", "tool.line_profiler.write",
                                   "tool.line_profiler.show.column_widths"])
def test_a_value_in_the_place_of_a_table(table):
    path, _, name = table.rpartition(".")
    file = write("line_profiler.toml", (f"[{path}]\n" if path else "") + f"{name} = [1]\n")
    with pytest.raises(ValueError, match=rf"config = .*line_profiler.toml.*'{table}' is of type list"):
        ConfigSource.from_config(file)
    assert ConfigSource.from_config() == ConfigSource.from_default()


def test_files_that_cannot_be_read():
    with pytest.raises(FileNotFoundError, match="no.toml"):
        ConfigSource.from_config("no.toml")
    with pytest.raises(ValueError, match="bad.toml.* is not TOML"):
        ConfigSource.from_config(write("bad.toml", "= 3"))
    with pytest.raises(TypeError):
        ConfigSource.from_config(3)


def test_tables_inside():
    source = ConfigSource.from_default()
    widths = source.get_subconfig("show", "column_widths")
    assert widths.subtable == ["tool", "line_profiler", "show", "column_widths"]
    assert widths.path == source.path
    assert widths.conf_dict is source.conf_dict["show"]["column_widths"]
    copied = source.get_subconfig("show", "column_widths", copy=True)
    assert copied == widths and copied.conf_dict is not widths.conf_dict
    with pytest.raises(KeyError):
        source.get_subconfig("nothing")
    assert source.get_subconfig("nothing", allow_absence=True).conf_dict == {}
    with pytest.raises(TypeError):
        source.get_subconfig("write", "text")


def test_the_file_of_the_package_is_installed():
    import scope_profiler

    folder = Path(scope_profiler.__file__).parent
    assert os.path.samefile(ConfigSource.from_default().path,
                            folder / "line_profiler" / "line_profiler.toml")
