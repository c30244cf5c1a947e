# Written by tools/generate.py from the table of settings.
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, TypedDict

from .options import GPUOptions, HDF5Options, MemrayOptions

class SetupOptions(TypedDict, total=False):
    file_path: str | PathLike[str] | None
    label: str | None
    use_likwid: bool | None
    perf_events: str | Iterable[str] | None
    use_line_profiler: bool | None
    use_memray: bool | None
    memory_profile_path: str | PathLike[str] | None
    memray_native_traces: bool | None
    memray_trace_python_allocators: bool | None
    memray_follow_fork: bool | None
    deactivate_profiling: bool | None
    use_nvtx: bool | None
    use_gpu_timing: bool | None
    gpu_timing_backend: Any
    deactivate_file_output: bool | None
    recursive_profile: bool | None
    aggregation_mode: bool | None
    profile_mpi_calls: bool | None
    track_threads: bool | None
    track_async: bool | None
    capture_region_source: bool | None
    metadata_detail: str | None
    buffer_limit: int | None
    output_mode: str | None
    hdf5_compression: str | None
    hdf5_compression_level: int | None
    hdf5_chunk_size: int | None
    enable_tags: str | Iterable[str] | None
    memray: MemrayOptions | None
    gpu: GPUOptions | None
    hdf5: HDF5Options | None
    gpu_sync_on_exit: bool | None
    verbose: bool | None
    memory: bool | None
    line_memory: bool | None
    line_details: bool | None
    trace_c: bool | None
    max_depth: int | None
    min_duration: float | None
    trace_gc: bool | None
    trace_imports: bool | None
    journal: bool | None
    max_memory: int | str | None
    max_events: int | None
    on_full: str | None
    keep_every: int | None
    keep: int | None
    follow_children: bool | None
    mpi_timeout: float | None
    parallel_hdf5: bool | None
    sample: float | None
    sample_clock: str | None
    report_file: str | PathLike[str] | None
    track_executors: bool | None
    on_slow: Mapping[str, float] | str | Iterable[str] | None
    slow_callback: Callable[..., object] | None
    throttle_calls: int | None
    throttle_time: float | None
    comm: Any
    record_while: str | PathLike[str] | None
