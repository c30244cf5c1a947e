"""configuration.py: settings from a TOML file."""

import re
import warnings

import pytest

from scope_profiler.config.toml import read
from scope_profiler.config.resolve import resolve


@pytest.fixture
def toml(tmp_path, monkeypatch):
    """toml(text): a file run.toml in the working folder; its name."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "run.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return "run.toml"

    return write


EVERY_KIND = """
[profiling]
file_path = "run.json"
label = "night – 1"
use_line_profiler = true
enable_tags = ["a", "b"]

[profiling.hdf5]
compression = "gzip"
compression_level = 4

[simulation]
label = 3
"""


def test_a_table(toml):
    settings, places = read(toml(EVERY_KIND))
    assert settings == {
        "file_path": "run.json", "label": "night – 1", "use_line_profiler": True,
        "enable_tags": ("a", "b"), "hdf5_compression": "gzip", "hdf5_compression_level": 4,
    }
    assert places["label"] == "run.toml: [profiling] label"
    assert places["hdf5_compression"] == "run.toml: [profiling.hdf5] compression"
    assert places.keys() == settings.keys()


def test_the_top_level(toml):
    settings, places = read(toml("label = 'x'\n[hdf5]\nchunk_size = 5"))
    assert settings == {"label": "x", "hdf5_chunk_size": 5}
    assert places == {"label": "run.toml: label", "hdf5_chunk_size": "run.toml: [hdf5] chunk_size"}


@pytest.mark.parametrize("text", ["", "[profiling]", "[profiling.hdf5]"])
def test_nothing_is_set(toml, text):
    assert read(toml(text)) == ({}, {})


def test_every_path_that_open_takes(toml, tmp_path):
    assert read(tmp_path / toml("label = 'x'"))[0] == {"label": "x"}


def test_options_win_over_the_file_and_keywords_over_both(toml):
    from scope_profiler import ProfilingOptions

    path = toml("[profiling]\nlabel = 'file'\naggregation_mode = true\nfile_path = 'file.h5'")
    chosen = resolve(ProfilingOptions(label="options", file_path="options.h5"),
                     {"label": "keyword"}, config_path=path)
    assert chosen["label"] == "keyword"
    assert chosen["file_path"] == "options.h5"
    assert chosen["aggregation_mode"] is True


@pytest.mark.parametrize("text, message", [
    ("[profiling]\nlabl = 1",
     "run.toml: [profiling] unknown setting 'labl' (did you mean 'label'?)"),
    ("labl = 1\nzzz = 2",
     "run.toml: unknown settings 'labl' (did you mean 'label'?), 'zzz'"),
    ("[profiling]\nregion_tags = ['x']", "run.toml: [profiling] unknown setting 'region_tags'"),
    ("[profiling.hdf5]\ncompresion = 'gzip'",
     "run.toml: [profiling.hdf5] unknown setting 'compresion' (did you mean 'compression'?)"),
    ("[profiling.hdf5]\nhdf5_compression = 'gzip'",
     "run.toml: [profiling.hdf5] unknown setting 'hdf5_compression'"),
    ("[profiling]\nlabel = 3", "run.toml: [profiling] label takes a str, got int: 3"),
    ("label = 3", "run.toml: label takes a str, got int: 3"),
    ("[profiling]\nuse_line_profiler = 'yes'",
     "run.toml: [profiling] use_line_profiler takes True or False, got str: 'yes'"),
    ("[profiling.hdf5]\nchunk_size = 0",
     "run.toml: [profiling.hdf5] chunk_size takes an int of at least 1, got 0"),
    ("[profiling.gpu]\nnvtx = 'x'",
     "run.toml: [profiling.gpu] nvtx takes True or False, got str: 'x'"),
    ("profiling = 3", "run.toml: profiling takes a table, got 3"),
    ("[[profiling]]\nlabel = 'x'", "run.toml: profiling takes a table, got [{'label': 'x'}]"),
    ("[profiling]\nhdf5 = 'gzip'", "run.toml: profiling.hdf5 takes a table, got 'gzip'"),
    ("[profiling]\nhdf5_chunk_size = 5\n[profiling.hdf5]\nchunk_size = 5",
     "run.toml: [profiling.hdf5] chunk_size is set already, in "
     "run.toml: [profiling] hdf5_chunk_size"),
    ("[profiling]\nflush_to_disk = true\ndeactivate_file_output = true",
     "run.toml: [profiling] flush_to_disk is an older spelling of deactivate_file_output, and "
     "both are given"),
    ("[profiling", "run.toml is not TOML: Expected ']'"),
    ("label = 'x'\nlabel = 'y'", "run.toml is not TOML: Cannot overwrite a value"),
    (b"label = '\xff'", "run.toml is not TOML: 'utf-8' codec can't decode byte 0xff"),
])
def test_errors_name_file_table_and_key(toml, text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        resolve(None, {}, config_path=toml(text))


@pytest.mark.parametrize("path, error, message", [
    ("missing.toml", ValueError, "^missing.toml cannot be read: No such file or directory$"),
    (".", ValueError, r"^\. cannot be read: Is a directory$"),
    ("", ValueError, "^config_path takes a path, got ''$"),
    (3, TypeError, r"^config_path takes a path \(str or os.PathLike\), got int: 3$"),
])
def test_files_that_are_none(path, error, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        resolve(None, {}, config_path=path)


@pytest.mark.parametrize("text, message", [
    ("[profiling.gpu]\nnvtx = true",
     "use_nvtx=True (run.toml: [profiling.gpu] nvtx): this version has no NVTX ranges"),
    ("[profiling]\nperf_events = ['cycles']",
     "perf_events=('cycles',) (run.toml: [profiling] perf_events): this version has no perf"),
    ("[profiling]\nfile_path = 'x.xyz'",
     "file_path='x.xyz' (run.toml: [profiling] file_path): no format is called '.xyz'"),
    ("[profiling.hdf5]\ncompression = 'gzip'\ncompression_level = 10",
     "hdf5_compression_level=10 (run.toml: [profiling.hdf5] compression_level): "
     "'gzip' takes 0 to 9"),
])
def test_what_is_found_out_later_names_the_place_too(toml, text, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        resolve(None, {}, config_path=toml(text))


def test_what_the_file_has_does_not_count_where_something_wins(toml):
    path = toml("[profiling.gpu]\nnvtx = true\n[profiling.hdf5]\ncompression='lzf'")
    chosen = resolve(None, {"use_nvtx": False}, config_path=path)
    assert chosen["use_nvtx"] is False and chosen["hdf5_compression"] == "lzf"
    with pytest.raises(ValueError, match="^hdf5_compression_level=3: 'lzf' has no levels$"):
        resolve(None, {"use_nvtx": False, "hdf5_compression_level": 3}, config_path=path)


def test_warnings_name_the_place(toml):
    path = toml("[profiling]\nbuffer_limit = 5")
    message = r"^buffer_limit=5 \(run.toml: \[profiling\] buffer_limit\) has no effect: what is"
    with pytest.warns(UserWarning, match=message) as caught:
        assert resolve(None, {}, config_path=path)["buffer_limit"] == 5
    assert caught[0].filename == __file__


def test_older_spellings(toml):
    path = toml("[profiling]\nprofiling_activated = false")
    message = (r"^run.toml: \[profiling\] profiling_activated=False is spelled "
               "deactivate_profiling=True today$")
    with pytest.warns(DeprecationWarning, match=message) as caught:
        assert resolve(None, {}, config_path=path)["deactivate_profiling"] is True
    assert caught[0].filename == __file__


def test_an_older_spelling_in_a_file_gives_way_to_todays_in_a_keyword(toml):
    path = toml("[profiling]\nflush_to_disk = false")
    with pytest.warns(DeprecationWarning):
        chosen = resolve(None, {"deactivate_file_output": False}, config_path=path)
    assert chosen["deactivate_file_output"] is False


def test_a_good_file_says_nothing(toml):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resolve(None, {}, config_path=toml(EVERY_KIND))
