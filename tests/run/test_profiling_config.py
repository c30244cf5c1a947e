"""profiling_config.py: the settings of a run, to read."""

from types import SimpleNamespace

import pytest

from scope_profiler.config.resolve import resolve
from scope_profiler._run.profiling_config import ProfilingConfig
from scope_profiler.config.table import DEFAULTS

# The read-only names of 0.7.5, and what each is in a run without any settings.
OF_PEER = {
    "deactivate_profiling": False, "buffer_limit": 1024, "file_path": "profiling_data.h5",
    "output_mode": "auto", "hdf5_compression": None, "hdf5_compression_level": None,
    "hdf5_chunk_size": None, "use_likwid": False, "perf_events": (), "enable_tags": (),
    "use_line_profiler": False, "use_memray": False, "memory_profile_path": None,
    "use_nvtx": False, "gpu_sync_on_exit": False, "use_gpu_timing": False,
    "gpu_timing_backend": "auto", "deactivate_file_output": False, "recursive_profile": False,
    "metadata_detail": "minimal", "capture_region_source": False, "aggregation_mode": False,
    "profile_mpi_calls": False, "track_threads": False, "track_async": False, "tracker": None,
    "paused": False, "label": None, "comm": None,
}


def test_it_has_what_that_of_the_peer_has():
    config = ProfilingConfig()
    assert {name: getattr(config, name) for name in OF_PEER} == OF_PEER
    assert {name: getattr(config, name) for name in DEFAULTS} == DEFAULTS
    assert type(config.start_time_ns) is int


@pytest.mark.parametrize("name", [*OF_PEER, "start_time_ns", "metadata", "a_new_one"])
def test_it_is_read_only(name):
    with pytest.raises(AttributeError):
        setattr(ProfilingConfig(), name, 1)


def test_settings_are_those_in_effect():
    config = ProfilingConfig(file_path="x.json", track_async=True, hdf5_compression="GZIP")
    assert (config.file_path, config.track_threads) == ("x.json", True)
    assert config.hdf5_compression == "gzip"
    assert repr(config) == ("ProfilingConfig(file_path='x.json', track_threads=True, "
                            "track_async=True, hdf5_compression='gzip')")


def test_settings_are_checked():
    with pytest.raises(TypeError, match="^unknown setting 'labell'"):
        ProfilingConfig(labell="x")
    with pytest.raises(TypeError, match="^label takes a str, got int: 3$"):
        ProfilingConfig(label=3)


def test_it_is_equal_by_its_settings():
    assert ProfilingConfig(label="x") == ProfilingConfig(label="x") != ProfilingConfig()
    assert ProfilingConfig() != DEFAULTS


def test_that_of_a_run_tells_its_state(manager):
    run = manager.setup(label="night", replace=True)
    config = ProfilingConfig.of_run(run, run._settings)
    assert config == ProfilingConfig(label="night")
    assert (config.start_time_ns, config.label) == (run.start_time_ns, "night")
    assert not config.paused
    manager.pause()
    assert config.paused
    manager.resume()
    assert not config.paused
    manager.pause()
    manager.setup(replace=True)
    assert not config.paused        # but over


def test_metadata():
    run = SimpleNamespace(start_time_ns=5)
    config = ProfilingConfig.of_run(run, resolve(None, {"label": "night"}))
    facts = config.metadata
    assert (facts["label"], facts["start_time_ns"]) == ("night", 5)
    assert "finalize_time_ns" not in facts
    facts["label"] = "changed"
    assert config.metadata["label"] == "night"
    assert config.metadata["timestamp"] == facts["timestamp"]
