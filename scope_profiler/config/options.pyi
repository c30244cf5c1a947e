# Written by tools/generate.py from the table of settings.
from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from os import PathLike
from typing import Any, ClassVar

CLASSES: dict[str, type[Any]]

class _Group:
    FLAT: ClassVar[dict[str, str]]
    def to_kwargs(self) -> dict[str, Any]: ...

class _Options:
    def __post_init__(self, *older: bool | None) -> None: ...
    def to_kwargs(self) -> dict[str, Any]: ...

@dataclass
class MemrayOptions(_Group):
    enabled: bool | None = None
    path: str | PathLike[str] | None = None
    native_traces: bool | None = None
    trace_python_allocators: bool | None = None
    follow_fork: bool | None = None

@dataclass
class GPUOptions(_Group):
    timing: bool | None = None
    backend: Any = None
    nvtx: bool | None = None
    sync_on_exit: bool | None = None

@dataclass
class HDF5Options(_Group):
    compression: str | None = None
    compression_level: int | None = None
    chunk_size: int | None = None

@dataclass
class ProfilingOptions(_Options):
    file_path: str | PathLike[str] | None = None
    label: str | None = None
    use_likwid: bool | None = None
    perf_events: str | Iterable[str] | None = None
    use_line_profiler: bool | None = None
    use_memray: bool | None = None
    memory_profile_path: str | PathLike[str] | None = None
    memray_native_traces: bool | None = None
    memray_trace_python_allocators: bool | None = None
    memray_follow_fork: bool | None = None
    deactivate_profiling: bool | None = None
    use_nvtx: bool | None = None
    use_gpu_timing: bool | None = None
    gpu_timing_backend: Any = None
    deactivate_file_output: bool | None = None
    recursive_profile: bool | None = None
    aggregation_mode: bool | None = None
    profile_mpi_calls: bool | None = None
    track_threads: bool | None = None
    track_async: bool | None = None
    capture_region_source: bool | None = None
    metadata_detail: str | None = None
    buffer_limit: int | None = None
    output_mode: str | None = None
    hdf5_compression: str | None = None
    hdf5_compression_level: int | None = None
    hdf5_chunk_size: int | None = None
    enable_tags: str | Iterable[str] | None = None
    memray: MemrayOptions | None = None
    gpu: GPUOptions | None = None
    hdf5: HDF5Options | None = None
    gpu_sync_on_exit: bool | None = None
    verbose: bool | None = None
    memory: bool | None = None
    line_memory: bool | None = None
    line_details: bool | None = None
    trace_c: bool | None = None
    max_depth: int | None = None
    min_duration: float | None = None
    trace_gc: bool | None = None
    trace_imports: bool | None = None
    journal: bool | None = None
    max_memory: int | str | None = None
    max_events: int | None = None
    on_full: str | None = None
    keep_every: int | None = None
    keep: int | None = None
    follow_children: bool | None = None
    mpi_timeout: float | None = None
    parallel_hdf5: bool | None = None
    sample: float | None = None
    sample_clock: str | None = None
    report_file: str | PathLike[str] | None = None
    track_executors: bool | None = None
    on_slow: Mapping[str, float] | str | Iterable[str] | None = None
    slow_callback: Callable[..., object] | None = None
    throttle_calls: int | None = None
    throttle_time: float | None = None
    comm: Any = None
    record_while: str | PathLike[str] | None = None
    profiling_activated: InitVar[bool | None] = field(default=None, kw_only=True)
    time_trace: InitVar[bool | None] = field(default=None, kw_only=True)
    flush_to_disk: InitVar[bool | None] = field(default=None, kw_only=True)
