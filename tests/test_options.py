"""options.py: names, defaults, precedence and checks of the settings."""

from pathlib import Path
import warnings

import pytest

from scope_profiler import ProfileManager, ProfilingOptions
from scope_profiler.options import ABSENT, DEFAULTS, resolve


def test_defaults():
    assert resolve(None, {}) == DEFAULTS
    assert DEFAULTS["file_path"] == "profiling_data.h5"


def test_keywords_win_over_options_over_defaults():
    options = ProfilingOptions(label="from options", aggregation_mode=True)
    chosen = resolve(options, {"label": "keyword"})
    assert (chosen["label"], chosen["aggregation_mode"]) == ("keyword", True)
    assert resolve(options, {"label": None})["label"] == "from options"
    assert resolve(options, {"aggregation_mode": False})["aggregation_mode"] is False


def test_options_are_immutable_and_tell_what_is_set():
    options = ProfilingOptions(label="x")
    assert options.to_kwargs() == {"label": "x"}
    with pytest.raises(AttributeError):
        options.label = "y"


@pytest.mark.parametrize("settings, error, message", [
    ({"use_line_profile": True}, TypeError, "'use_line_profile'; did you mean 'use_line_profiler'"),
    ({"zzz": 1}, TypeError, "unknown setting 'zzz'$"),
    ({"file_path": 3}, TypeError, "file_path takes a path .* got 3"),
    ({"file_path": ""}, TypeError, "file_path takes a path"),
    ({"label": 3}, TypeError, "label takes a str, got int: 3"),
    ({"use_line_profiler": "yes"}, TypeError, "use_line_profiler takes True or False, got str: 'yes'"),
    ({"aggregation_mode": 1}, TypeError, "aggregation_mode takes True or False, got int: 1"),
    ({"use_likwid": True}, ValueError, "use_likwid=True: this version has no LIKWID"),
])
def test_errors_name_the_setting(settings, error, message):
    with pytest.raises(error, match=message):
        ProfileManager().setup(**settings)


def test_wrong_options_object():
    with pytest.raises(TypeError, match="options takes a ProfilingOptions, got dict"):
        ProfileManager().setup({"label": "x"})


def test_a_failed_setup_changes_nothing(manager):
    with manager.profile_region("x"):
        pass
    with pytest.raises(TypeError):
        manager.setup(replace=True, labell="x")
    assert manager.is_active() and manager.get_region("x").num_calls == 1


def test_absent_settings_may_be_off():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert resolve(None, dict.fromkeys(ABSENT, False)) == DEFAULTS


def test_meaningless_settings_warn():
    with pytest.warns(UserWarning, match="buffer_limit has no effect: the log grows"):
        assert resolve(None, {"buffer_limit": 10}) == DEFAULTS


def test_paths_are_taken(tmp_path):
    manager = ProfileManager()
    run = manager.setup(file_path=Path(tmp_path) / "x.h5")
    assert run.file_path == str(tmp_path / "x.h5")
    manager.reset()
