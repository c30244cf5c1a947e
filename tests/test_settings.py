"""settings.py: which values each setting takes, and what is kept of them."""

from pathlib import Path, PurePosixPath
import warnings

import numpy as np
import pytest

from scope_profiler.config.settings import CHECKS, DEFAULTS, OPPOSITES, renamed, unknown

SWITCHES = [name for name, default in DEFAULTS.items() if default is False]


class BytesPath:
    def __fspath__(self):
        return b"x.h5"


def test_every_setting_has_a_default_that_its_check_leaves_as_it_is():
    assert CHECKS.keys() == DEFAULTS.keys()
    for name, default in DEFAULTS.items():
        assert default is None or CHECKS[name](name, default) == default


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
