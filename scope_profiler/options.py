"""The settings of a profiling run: their names, defaults and checks."""

from dataclasses import dataclass, fields
from os import PathLike, fspath
import warnings

# Settings of scope-profiler 0.7.5 that need a part this version does not have. Off is fine;
# switching one on is an error, never silently ignored.
ABSENT = {
    "use_likwid": "LIKWID counters",
    "perf_events": "perf events",
    "use_nvtx": "NVTX ranges",
    "use_gpu_timing": "GPU timing",
    "use_memray": "memray recording",
    "memray": "memray recording",
    "gpu": "GPU timing",
    "profile_mpi_calls": "profiling of MPI calls",
    "recursive_profile": "tracing of every function",
    "track_threads": "rows per thread",
    "track_async": "rows per task",
    "region_tags": "region tags",
    "config_path": "configuration files",
}

# Settings that are taken and have no effect here, with the reason.
MEANINGLESS = {
    "buffer_limit": "the log grows as it needs",
    "hdf5_compression": "files are written uncompressed",
    "hdf5_compression_level": "files are written uncompressed",
    "hdf5_chunk_size": "files are written contiguously",
    "hdf5": "files are written uncompressed and contiguously",
    "output_mode": "there is one way of writing",
}


@dataclass(frozen=True, kw_only=True)
class ProfilingOptions:
    """The settings of a run; None means the default.

    file_path: where finalize() writes, "profiling_data.h5".
    label: a name for the run in reports and in the file.
    use_line_profiler: count and time the lines of decorated functions and of `with` blocks.
    deactivate_profiling: record nothing; the instrumentation stays in the code.
    deactivate_file_output: write no file.
    aggregation_mode: keep statistics, percentiles and the tree, and no single calls.
    """

    file_path: "str | PathLike | None" = None
    label: "str | None" = None
    use_line_profiler: "bool | None" = None
    deactivate_profiling: "bool | None" = None
    deactivate_file_output: "bool | None" = None
    aggregation_mode: "bool | None" = None

    def __post_init__(self):
        for name, value in self.to_kwargs().items():
            _check(name, value)

    def to_kwargs(self):
        """The settings that are set, as a dict."""
        return {f.name: v for f in fields(self) if (v := getattr(self, f.name)) is not None}


DEFAULTS = {
    "file_path": "profiling_data.h5",
    "label": None,
    "use_line_profiler": False,
    "deactivate_profiling": False,
    "deactivate_file_output": False,
    "aggregation_mode": False,
}


def _check(name, value):
    if name == "file_path":
        if not isinstance(value, (str, PathLike)) or not fspath(value):
            raise TypeError(f"file_path takes a path (str or os.PathLike), got {value!r}")
    elif name == "label":
        if not isinstance(value, str):
            raise TypeError(f"label takes a str, got {type(value).__name__}: {value!r}")
    elif not isinstance(value, bool):
        raise TypeError(f"{name} takes True or False, got {type(value).__name__}: {value!r}")


def _known(settings):
    """The settings without those that are absent or meaningless here."""
    known = {k: settings.pop(k) for k in ("enable_tags","capture_region_source") if k in settings}
    for name, value in settings.items():
        if name in DEFAULTS:
            if value is not None:
                known[name] = value
        elif name in ABSENT:
            if value:
                raise ValueError(f"{name}={value!r}: this version has no {ABSENT[name]}")
        elif name in MEANINGLESS:
            if value is not None:
                warnings.warn(f"{name} has no effect: {MEANINGLESS[name]}", stacklevel=4)
        else:
            from difflib import get_close_matches

            close = get_close_matches(name, [*DEFAULTS, *ABSENT, *MEANINGLESS], 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise TypeError(f"setup() got an unknown setting {name!r}{hint}")
    return known


def resolve(options, settings, config_path=None, region_tags=None, output=0):
    """The effective settings: keywords before options before defaults.

    Raises TypeError for an unknown setting or a value of the wrong type, ValueError for one that
    this version does not have, both naming the setting.
    """
    if options is not None and not isinstance(options, ProfilingOptions):
        raise TypeError(
            f"options takes a ProfilingOptions, got {type(options).__name__}: {options!r}"
        )
    chosen = ProfilingOptions(**_known(settings)).to_kwargs()
    return {'region_tags': region_tags, 'enable_tags': None,'recursive_profile':False, 'capture_region_source':False, 'metadata_detail': 'minimal', **DEFAULTS, **(options.to_kwargs() if options else {}), **chosen}
