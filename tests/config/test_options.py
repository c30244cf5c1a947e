"""options.py: where settings come from, which are in effect, and what is refused."""

import dataclasses
import inspect
from pathlib import Path
import subprocess
import sys
import warnings

from hypothesis import given, strategies as st
import pytest
from conftest import NEEDS_H5PY

from scope_profiler import ProfileManager, ProfilingOptions
from scope_profiler._base.arguments import UNSET
from scope_profiler.config.options import CLASSES, GPUOptions, HDF5Options, MemrayOptions
from scope_profiler.config.resolve import resolve
from scope_profiler.config.table import CHECKS, DEFAULTS, OPPOSITES

# As they are in 0.7.5, in this order.
ARGUMENTS = """file_path label use_likwid perf_events use_line_profiler use_memray
    memory_profile_path memray_native_traces memray_trace_python_allocators memray_follow_fork
    deactivate_profiling use_nvtx use_gpu_timing gpu_timing_backend deactivate_file_output
    recursive_profile aggregation_mode profile_mpi_calls track_threads track_async
    capture_region_source metadata_detail buffer_limit output_mode hdf5_compression
    hdf5_compression_level hdf5_chunk_size enable_tags memray gpu hdf5 gpu_sync_on_exit""".split()
OURS = ["verbose", "memory", "line_memory", "line_details", "trace_c", "max_depth",
        "min_duration", "trace_gc", "trace_imports", "journal", "max_memory", "max_events",
        "on_full", "keep_every", "keep", "follow_children", "mpi_timeout", "parallel_hdf5",
        "sample", "sample_clock", "report_file", "track_executors", "on_slow",
        "slow_callback", "throttle_calls", "throttle_time", "comm",
        "record_while"]  # after those
GROUP_ARGUMENTS = {
    "memray": ["enabled", "path", "native_traces", "trace_python_allocators", "follow_fork"],
    "gpu": ["timing", "backend", "nvtx", "sync_on_exit"],
    "hdf5": ["compression", "compression_level", "chunk_size"],
}
SWITCHED_OFF = {
    "use_likwid": False, "perf_events": [], "use_nvtx": False, "use_gpu_timing": False,
    "gpu_timing_backend": "auto", "gpu_sync_on_exit": False, "use_memray": False,
    "memray_native_traces": False, "memray_trace_python_allocators": False,
    "memray_follow_fork": False, "profile_mpi_calls": False, "buffer_limit": 1024,
    "output_mode": "auto",
}
GROUPS_OFF = {"memray": MemrayOptions(enabled=False), "gpu": GPUOptions(backend="auto"),
              "hdf5": HDF5Options()}


# ---- The options object


@pytest.mark.parametrize("kind, names", [
    (ProfilingOptions, ARGUMENTS + OURS), *((CLASSES[name], GROUP_ARGUMENTS[name]) for name in CLASSES),
])
def test_arguments_are_those_of_the_peer_in_its_order(kind, names):
    parameters = list(inspect.signature(kind).parameters.values())[:len(names)]
    assert [p.name for p in parameters] == names == [f.name for f in dataclasses.fields(kind)]
    assert all(p.default is None and p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters)


def test_older_spellings_come_in_the_order_of_their_table():
    assert list(inspect.signature(ProfilingOptions).parameters)[-len(OPPOSITES):] == [*OPPOSITES]


def test_every_setting_is_an_option():
    assert {*ARGUMENTS, *OURS} == CHECKS.keys() | CLASSES.keys()


def test_options_tell_what_is_set():
    options = ProfilingOptions("x.h5", "x")
    assert options.to_kwargs() == {"file_path": "x.h5", "label": "x"}
    assert dataclasses.replace(options, label="y") == ProfilingOptions("x.h5", "y")


def test_what_is_set_later_is_checked_as_well():
    options, group = ProfilingOptions(), HDF5Options()
    options.file_path, options.label, options.hdf5 = Path("x.h5"), "y", group
    group.compression = "GZIP"
    assert options.to_kwargs() == {
        "file_path": "x.h5", "label": "y", "hdf5_compression": "gzip"
    }
    options.label = None
    assert "label" not in options.to_kwargs()
    with pytest.raises(TypeError, match="label takes a str, got int: 3"):
        options.label = 3
    with pytest.raises(TypeError, match="hdf5 takes HDF5Options, got int: 3"):
        options.hdf5 = 3
    with pytest.raises(ValueError, match="hdf5_compression takes|compression takes"):
        group.compression = "zip"
    with pytest.raises(AttributeError, match="unknown setting 'lable' .did you mean 'label'"):
        options.lable = "z"


def test_options_keep_values_in_one_form():
    options = ProfilingOptions(file_path=Path("x.h5"), enable_tags=iter("ab"), use_likwid=1)
    assert options.to_kwargs() == {
        "file_path": "x.h5", "enable_tags": ("a", "b"), "use_likwid": True
    }


def test_groups_set_flat_names():
    options = ProfilingOptions(
        memray=MemrayOptions(True, "m.bin", True, True, True),
        gpu=GPUOptions(True, "cupy", True, True),
        hdf5=HDF5Options("gzip", 4, 8),
    )
    assert options.to_kwargs() == {
        "use_memray": True, "memory_profile_path": "m.bin", "memray_native_traces": True,
        "memray_trace_python_allocators": True, "memray_follow_fork": True,
        "use_gpu_timing": True, "gpu_timing_backend": "cupy", "use_nvtx": True,
        "gpu_sync_on_exit": True,
        "hdf5_compression": "gzip", "hdf5_compression_level": 4, "hdf5_chunk_size": 8,
    }
    assert ProfilingOptions(hdf5=HDF5Options()).to_kwargs() == {}


def test_one_setting_both_flat_and_in_a_group():
    options = ProfilingOptions(hdf5_chunk_size=3, hdf5=HDF5Options(chunk_size=3))
    message = "^hdf5_chunk_size is given both directly and in the group hdf5: HDF5Options"
    with pytest.raises(ValueError, match=message):
        options.to_kwargs()
    with pytest.raises(ValueError, match=message):
        ProfileManager.setup(options)


@pytest.mark.parametrize("make, error, message", [
    (lambda: ProfilingOptions(label=3), TypeError, "^label takes a str, got int: 3$"),
    (lambda: ProfilingOptions(buffer_limit=0), ValueError, "^buffer_limit takes an int of at"),
    (lambda: HDF5Options("bzip2"), ValueError, "^compression takes 'none', .* got 'bzip2'$"),
    (lambda: GPUOptions(nvtx="x"), TypeError, "^nvtx takes True or False, got str: 'x'$"),
    (lambda: MemrayOptions(path=3), TypeError, "^path takes a path"),
    (lambda: ProfilingOptions(hdf5="gzip"), TypeError, "^hdf5 takes HDF5Options, got str: 'gzip'"),
    (lambda: ProfilingOptions(gpu=HDF5Options()), TypeError, "^gpu takes GPUOptions, got HDF5Opt"),
    (lambda: ProfilingOptions(memray={}), TypeError, "^memray takes MemrayOptions, got dict: {}"),
    (lambda: ProfilingOptions(flush_to_disk="x"), TypeError, "^flush_to_disk takes True or False"),
])
def test_options_are_checked_at_once(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("old, new", OPPOSITES.items())
def test_older_spellings(old, new):
    with pytest.warns(DeprecationWarning, match=f"^{old}=False is spelled {new}=True today$") as w:
        options = ProfilingOptions(**{old: False})
    assert options.to_kwargs() == {new: True}
    assert w[0].filename == __file__
    assert ProfilingOptions(**{old: None}) == ProfilingOptions()
    assert dataclasses.replace(options, label="x").to_kwargs() == {new: True, "label": "x"}
    with pytest.warns(DeprecationWarning) as w:
        assert resolve(None, {old: False})[new] is True
    assert w[0].filename == __file__


@pytest.mark.parametrize("old, new", OPPOSITES.items())
def test_both_spellings(old, new):
    message = f"^{old} is an older spelling of {new}, and both are given"
    for call in (ProfilingOptions, ProfileManager.setup, ProfileManager().setup):
        with pytest.raises(TypeError, match=message):
            call(**{old: True, new: False})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_keyword_wins_over_options_in_whichever_spelling():
    assert resolve(ProfilingOptions(deactivate_profiling=True), {"profiling_activated": True})[
        "deactivate_profiling"] is False
    assert resolve(ProfilingOptions(profiling_activated=True), {"deactivate_profiling": True})[
        "deactivate_profiling"] is True


# ---- Where settings come from


def test_defaults():
    assert resolve(None, {}) == {**DEFAULTS, "region_tags": None}
    assert DEFAULTS["file_path"] == "profiling_data.h5"


VALUES = {"label": st.text(min_size=1), "aggregation_mode": st.booleans(),
          "track_threads": st.booleans(), "hdf5_chunk_size": st.integers(1, 2**63 - 1)}
SETTINGS = st.fixed_dictionaries({}, optional=VALUES)


@given(SETTINGS, SETTINGS, st.sets(st.sampled_from([*VALUES])))
def test_keywords_win_over_options_over_defaults(options, keywords, unset):
    given_keywords = {**dict.fromkeys(unset), **keywords}
    chosen = resolve(ProfilingOptions(**options), given_keywords)
    expected = {**DEFAULTS, **options, **keywords}
    assert {name: chosen[name] for name in DEFAULTS} == expected


@pytest.mark.parametrize("settings, error, message", [
    ({"use_line_profile": True}, TypeError,
     r"^unknown setting 'use_line_profile' \(did you mean 'use_line_profiler'\?\)$"),
    ({"zzz": None}, TypeError, "^unknown setting 'zzz'$"),
    ({"label": 3}, TypeError, "^label takes a str, got int: 3$"),
    ({"file_path": ""}, ValueError, "^file_path takes a path, got ''$"),
    ({"use_line_profiler": "yes"}, TypeError, "^use_line_profiler takes True or False, got str"),
    ({"output_mode": "sharded"}, ValueError, "^output_mode takes 'auto', 'direct' or 'parallel'"),
    ({"metadata_detail": "some"}, ValueError, "^metadata_detail takes 'minimal' or 'full', got"),
])
def test_errors_name_the_setting(settings, error, message):
    with pytest.raises(error, match=message):
        ProfileManager().setup(**settings)


def test_wrong_options_object():
    with pytest.raises(TypeError, match="^options takes a ProfilingOptions, got dict"):
        ProfileManager().setup({"label": "x"})


def test_a_failed_setup_changes_nothing(manager):
    with manager.profile_region("x"):
        pass
    with pytest.raises(TypeError):
        manager.setup(replace=True, labell="x")
    assert manager.is_active() and manager.get_region("x").num_calls == 1


def test_what_is_in_effect():
    chosen = resolve(None, {"label": "", "track_async": True, "hdf5_compression": "None"})
    assert chosen["label"] is None and chosen["hdf5_compression"] is None
    assert chosen["track_threads"] is True
    assert resolve(ProfilingOptions(hdf5_compression="gzip"), {"hdf5_compression": "none"})[
        "hdf5_compression"] is None


@pytest.mark.parametrize("path, tracked", [
    ("x.trace.json", True), ("x.perfetto-trace", True), ("x.speedscope.json", True), ("x.json", False),
    ("x.prof", False), (None, False),
])
def test_files_that_draw_threads_and_tasks_have_them(path, tracked, tmp_path):
    for chosen in (resolve(None, {}, output=path), resolve(ProfilingOptions(file_path=path), {})):
        assert chosen["track_async"] is chosen["track_threads"] is tracked
    chosen = resolve(ProfilingOptions(track_async=False), {"file_path": path})
    assert chosen["track_async"] is chosen["track_threads"] is False
    (tmp_path / "x.toml").write_text("track_async = false")
    assert resolve(None, {"file_path": path}, config_path=tmp_path / "x.toml")["track_async"] is False


@pytest.mark.parametrize("tags, kept", [
    (None, None), ("abc", {"abc"}), (["a", "b", "a"], {"a", "b"}), ([], frozenset()),
])
def test_region_tags(tags, kept):
    assert resolve(None, {}, region_tags=tags)["region_tags"] == kept


@pytest.mark.parametrize("tags, error, message", [
    (3, TypeError, "^region_tags takes a str or several, got int: 3$"),
    ([3], TypeError, "^region_tags takes a str or several, got int: 3$"),
    ([""], ValueError, "^region_tags takes non-empty str, got ''$"),
])
def test_wrong_region_tags(tags, error, message):
    with pytest.raises(error, match=message):
        resolve(None, {}, region_tags=tags)


# ---- Where it is written


def test_output_is_a_place_or_none():
    away = ProfilingOptions(file_path="options.h5", deactivate_file_output=True)
    for path in ("x.h5", Path("x.h5")):
        chosen = resolve(away, {}, output=path)
        assert (chosen["file_path"], chosen["deactivate_file_output"]) == ("x.h5", False)
    chosen = resolve(ProfilingOptions(file_path="options.h5"), {}, output=None)
    assert chosen["deactivate_file_output"] is True
    assert resolve(None, {}, output=UNSET) == resolve(None, {})
    assert repr(UNSET) == "UNSET"


@pytest.mark.parametrize("settings, message", [
    ({"file_path": "y.h5"}, "file_path='y.h5'"),
    ({"deactivate_file_output": False}, "deactivate_file_output=False"),
    ({"flush_to_disk": True}, "deactivate_file_output=False"),
])
@pytest.mark.parametrize("output", [None, "x.h5"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_output_and_another_word_on_it(settings, message, output):
    with pytest.raises(TypeError, match=f"^output={output!r} and {message} do not go together$"):
        resolve(None, settings, output=output)


def test_output_beside_keywords_that_are_none():
    settings = {"file_path": None, "deactivate_file_output": None}
    assert resolve(None, settings, output="x.h5")["file_path"] == "x.h5"


@pytest.mark.parametrize("output, error, message", [
    (3, TypeError, r"^output takes a path \(str or os.PathLike\), got int: 3$"),
    (False, TypeError, r"^output takes a path \(str or os.PathLike\), got bool: False$"),
    ("", ValueError, "^output takes a path, got ''$"),
])
def test_wrong_output(output, error, message):
    with pytest.raises(error, match=message):
        resolve(None, {}, output=output)


@pytest.mark.parametrize("name", [
    "x", "x.h5", "x.hdf5", "x.json", "x.JSON.gz", "run-1.5", "x{pid}.h5", ".hidden", "html", "a.html/x",
])
def test_names_that_can_be_written(name):
    for chosen in (resolve(None, {"file_path": name}), resolve(None, {}, output=name)):
        assert chosen["file_path"] == name


@pytest.mark.parametrize("name, message", [
    ("x.xyz", "^file_path='x.xyz': no format is called '.xyz'; names in .json and .json.gz"),
    ("x.PARQUET", "no format is called '.parquet'"), ("x.json.zst", "no format is called '.zst'"),
    ("a/", "^file_path='a/' is a folder; it takes the path of a file$"),
    (".", r"^file_path='\.' is a folder; it takes the path of a file$"),
])
def test_what_could_not_be_written_is_refused_before_anything_is_recorded(name, message):
    with pytest.raises(ValueError, match=message):
        ProfileManager.setup(file_path=name)
    with pytest.raises(ValueError, match=message):
        resolve(None, {}, output=name)
    assert not ProfileManager.is_configured()
    resolve(None, {"file_path": name, "deactivate_file_output": True})


@NEEDS_H5PY
def test_paths_are_taken(tmp_path):
    manager = ProfileManager()
    run = manager.setup(file_path=Path(tmp_path) / "x.h5")
    assert run.file_path == str(tmp_path / "x.h5")
    manager.reset()


# ---- What this version does not have


@pytest.mark.parametrize("settings, message", [
    ({"use_likwid": True}, "use_likwid=True: this version has no LIKWID counters"),
    ({"perf_events": "cycles"}, r"perf_events=\('cycles',\): this version has no perf events"),
    ({"use_nvtx": True}, "use_nvtx=True: this version has no NVTX ranges"),
    ({"use_gpu_timing": True}, "use_gpu_timing=True: this version has no GPU timing"),
    ({"gpu_sync_on_exit": True}, "gpu_sync_on_exit=True: this version has no GPU timing"),
    ({"use_memray": True}, "use_memray=True: this version has no memray recording"),
    ({"gpu": GPUOptions(nvtx=True)}, "use_nvtx=True: this version has no NVTX ranges"),
    ({"gpu": GPUOptions(timing=True, backend="cupy")}, "use_gpu_timing=True: this version has no"),
    ({"memray": MemrayOptions(True)}, "use_memray=True: this version has no memray recording"),
])
def test_switching_on_what_is_not_there(settings, message):
    options = ProfilingOptions(**settings)      # may be made, as it need not be used
    for call in (lambda: ProfileManager.setup(**settings), lambda: ProfileManager.setup(options),
                 lambda: ProfileManager.session(options)):
        with pytest.raises(ValueError, match=f"^{message}"):
            call()


def test_off_is_accepted_silently():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for settings in (SWITCHED_OFF, GROUPS_OFF, dict.fromkeys({**SWITCHED_OFF, **GROUPS_OFF})):
            assert resolve(None, settings) == resolve(None, {})
            assert resolve(ProfilingOptions(**settings), {}) == resolve(None, {})


def test_a_keyword_may_switch_off_what_options_switch_on():
    options = ProfilingOptions(use_likwid=True, gpu=GPUOptions(timing=True))
    chosen = resolve(options, {"use_likwid": False, "use_gpu_timing": False})
    assert chosen["use_gpu_timing"] is False


@pytest.mark.parametrize("settings, message", [
    ({"buffer_limit": 5}, "buffer_limit=5 has no effect: what is recorded grows as it needs"),
    ({"output_mode": "direct"}, "output_mode='direct' has no effect: there is one way of writing"),
    ({"gpu_timing_backend": "cupy"}, "gpu_timing_backend='cupy' has no effect: this version has"),
    ({"memory_profile_path": "m"}, "memory_profile_path='m' has no effect: this version has"),
    ({"memray_native_traces": True}, "memray_native_traces=True has no effect: this version has"),
    ({"memray_trace_python_allocators": True}, "memray_trace_python_allocators=True has no effect"),
    ({"memray_follow_fork": True}, "memray_follow_fork=True has no effect: this version has"),
    ({"memray": MemrayOptions(path="m")}, "memory_profile_path='m' has no effect: this version"),
    ({"hdf5_compression_level": 4}, "hdf5_compression_level=4 has no effect: hdf5_compression is"),
    ({"hdf5_compression_level": 4, "hdf5_compression": "none"}, "hdf5_compression_level=4 has no"),
])
def test_settings_without_effect_warn_once(settings, message):
    for source in ((None, settings), (ProfilingOptions(**settings), {})):
        with pytest.warns(UserWarning, match=f"^{message}") as caught:
            chosen = resolve(*source)
        assert [warning.filename for warning in caught] == [__file__]
    assert chosen["buffer_limit"] == settings.get("buffer_limit", 1024)
    assert chosen["memory_profile_path"] is None


def test_an_error_comes_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="use_likwid"):
            resolve(None, {"buffer_limit": 5, "use_likwid": True})


# ---- What goes together


@pytest.mark.parametrize("compression, level", [
    ("gzip", 0), ("gzip", 9), ("auto", 0), ("auto", 9), ("zstd", 1), ("zstd", 22), ("lzf", None),
    ("gzip", None), ("zstd", None), (None, None),
])
def test_levels(compression, level):
    settings = {"hdf5_compression": compression, "hdf5_compression_level": level}
    chosen = resolve(None, settings)
    assert settings.items() <= chosen.items()


@pytest.mark.parametrize("compression, level, message", [
    ("gzip", 10, "hdf5_compression_level=10: 'gzip' takes 0 to 9$"),
    ("auto", 10, "hdf5_compression_level=10: 'auto' takes 0 to 9$"),
    ("zstd", 0, "hdf5_compression_level=0: 'zstd' takes 1 to 22$"),
    ("zstd", 23, "hdf5_compression_level=23: 'zstd' takes 1 to 22$"),
    ("lzf", 1, "hdf5_compression_level=1: 'lzf' has no levels$"),
])
def test_wrong_levels(compression, level, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        resolve(ProfilingOptions(hdf5_compression=compression), {"hdf5_compression_level": level})


def test_what_the_peer_forbids_together_goes_together_here():
    together = dict.fromkeys(
        ["aggregation_mode", "use_line_profiler", "track_threads", "track_async",
         "recursive_profile", "capture_region_source"], True)
    assert together.items() <= resolve(None, together).items()


def test_a_setup_loads_only_what_it_needs():
    program = ("import sys, scope_profiler; scope_profiler.setup(label='x', output_mode='auto')\n"
               "print(sorted({'tomllib', 'difflib', 'numpy', 'h5py', 'rich', 'typing_extensions'}"
               " & {*sys.modules}))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
