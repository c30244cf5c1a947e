"""The settings of a profiling run: where they come from, and which of them are in effect."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
import os
from os import PathLike
from typing import Any, ClassVar

from .._runtime import processes
from .._run import run_file
from .._base.warning import warn
from . import UNSET, environment
from .settings import CHECKS, DEFAULTS, OPPOSITES, boolean, path, renamed, strings, unknown

# What this version does not have: {setting that asks for it: its name}. Off is fine; switching one
# on is an error, never silently ignored.
_ABSENT = {
    "use_likwid": "LIKWID counters",
    "perf_events": "perf events",
    "use_nvtx": "NVTX ranges",
    "use_gpu_timing": "GPU timing",
    "gpu_sync_on_exit": "GPU timing",
    "use_memray": "memray recording",
    "profile_mpi_calls": "profiling of MPI calls",
}

# Settings that are taken and have no effect here, with the reason.
_MEANINGLESS = {
    "buffer_limit": "what is recorded grows as it needs",
    "output_mode": "there is one way of writing files",
    "gpu_timing_backend": "this version has no GPU timing",
    "memory_profile_path": "this version has no memray recording",
    "memray_native_traces": "this version has no memray recording",
    "memray_trace_python_allocators": "this version has no memray recording",
    "memray_follow_fork": "this version has no memray recording",
}

_LEVELS = {"auto": (0, 9), "gzip": (0, 9), "zstd": (1, 22)}


class _Checked:
    """Every value is checked when it is set, and kept in the form that the check gives it."""

    def __setattr__(self, name, value):
        if name not in self.__dataclass_fields__:
            raise AttributeError(unknown({name}, [*self.__dataclass_fields__]))
        if value is not None:
            value = self._check(name, value)
        object.__setattr__(self, name, value)


class _Group(_Checked):
    """Some settings under shorter names: what is set of them, in ProfilingOptions or here, is the
    same."""

    FLAT: ClassVar[dict[str, str]]  # {name here: name in ProfilingOptions}

    def _check(self, name, value):
        return CHECKS[self.FLAT[name]](name, value)

    def to_kwargs(self) -> dict[str, Any]:
        """The settings that are set, as a dict, under their names in ProfilingOptions."""
        return {flat: value for name, flat in self.FLAT.items()
                if (value := getattr(self, name)) is not None}


@dataclass
class MemrayOptions(_Group):
    """Settings of memray recording, which this version does not have."""

    enabled: bool | None = None
    path: str | PathLike | None = None
    native_traces: bool | None = None
    trace_python_allocators: bool | None = None
    follow_fork: bool | None = None

    FLAT: ClassVar[dict[str, str]] = {
        "enabled": "use_memray",
        "path": "memory_profile_path",
        "native_traces": "memray_native_traces",
        "trace_python_allocators": "memray_trace_python_allocators",
        "follow_fork": "memray_follow_fork",
    }


@dataclass
class GPUOptions(_Group):
    """Settings of GPU timing and NVTX ranges, which this version does not have."""

    timing: bool | None = None
    backend: Any = None
    nvtx: bool | None = None
    sync_on_exit: bool | None = None

    FLAT: ClassVar[dict[str, str]] = {
        "timing": "use_gpu_timing",
        "backend": "gpu_timing_backend",
        "nvtx": "use_nvtx",
        "sync_on_exit": "gpu_sync_on_exit",
    }


@dataclass
class HDF5Options(_Group):
    """How columns are stored in HDF5 files: the settings hdf5_* of ProfilingOptions."""

    compression: str | None = None
    compression_level: int | None = None
    chunk_size: int | None = None

    FLAT: ClassVar[dict[str, str]] = {
        "compression": "hdf5_compression",
        "compression_level": "hdf5_compression_level",
        "chunk_size": "hdf5_chunk_size",
    }


#: {name of a group, as a field and as a table in TOML: its class}
GROUPS = {"memray": MemrayOptions, "gpu": GPUOptions, "hdf5": HDF5Options}

#: Every name by which something can be set.
NAMES = (*CHECKS, *GROUPS, *OPPOSITES)


@dataclass
class ProfilingOptions(_Checked):
    """The settings of a run; None means that it is not set here. They are checked at once.

    What is recorded:

    use_line_profiler: count and time the lines of decorated functions and of `with` blocks.
    aggregation_mode: keep statistics, percentiles and the tree, and no single calls.
    track_threads: tell which thread each call ran on.
    track_async: tell also which task; implies track_threads.
    recursive_profile: what @profile does without recursive=: time what the function calls, too.
    enable_tags: opt-in tags whose regions record, a str or several; "*" for all. They add to
        those in the environment variable SCOPE_PROFILER_ENABLE_TAGS.
    capture_region_source: keep where each region is, and its text.
    deactivate_profiling: record nothing; the instrumentation stays in the code.

    What is kept of it:

    file_path: where finalize() writes, "profiling_data.h5". A name in .json or .json.gz makes it
        JSON, one in .h5, .hdf5, .hdf or without such an end HDF5. {pid}, {rank}, {host}, {time} and
        {run} in it stand for the process, its rank in a job, the machine, when the run began, and
        its number in the process.
    deactivate_file_output: write no file.
    label: a name for the run in reports and in the file.
    metadata_detail: "minimal", or "full" for user, host, folders and environment too.
    hdf5_compression: "gzip", "lzf", "zstd", "auto" for large runs only, or "none", the default.
    hdf5_compression_level: 0 to 9 with "gzip" and "auto", 1 to 22 with "zstd".
    hdf5_chunk_size: how many calls are stored together.
    hdf5: the last three, as a group.
    verbose: print the report in finalize() and, with auto_finalize, at the end of the process, unless
        finalize(verbose=) says otherwise; on unless it is set.

    Of scope-profiler 0.7.5, and not here: use_likwid, perf_events, use_nvtx, use_gpu_timing,
    use_memray, profile_mpi_calls and what belongs to them; setup() raises ValueError when one is
    on. buffer_limit and output_mode have no effect, which setup() says in a warning.

    profiling_activated, time_trace and flush_to_disk are older spellings of the opposite of
    deactivate_profiling, aggregation_mode and deactivate_file_output.
    """

    file_path: str | PathLike | None = None
    label: str | None = None
    use_likwid: bool | None = None
    perf_events: str | Iterable[str] | None = None
    use_line_profiler: bool | None = None
    use_memray: bool | None = None
    memory_profile_path: str | PathLike | None = None
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
    profiling_activated: InitVar[bool | None] = field(default=None, kw_only=True)
    time_trace: InitVar[bool | None] = field(default=None, kw_only=True)
    flush_to_disk: InitVar[bool | None] = field(default=None, kw_only=True)

    def __post_init__(self, *older):
        today = {new: getattr(self, new) for new in OPPOSITES.values()}
        for name, value in renamed({**dict(zip(OPPOSITES, older)), **today}).items():
            setattr(self, name, value)

    def _check(self, name, value):
        if name in CHECKS:
            return CHECKS[name](name, value)
        if not isinstance(value, GROUPS[name]):
            raise TypeError(
                f"{name} takes {GROUPS[name].__name__}, got {type(value).__name__}: {value!r}"
            )
        return value

    def to_kwargs(self) -> dict[str, Any]:
        """The settings that are set, as a dict; those of groups under their own names here.

        ValueError when one is set here and in its group.
        """
        flat = {name: value for name in CHECKS if (value := getattr(self, name)) is not None}
        for name in GROUPS:
            group = getattr(self, name)
            settings = group.to_kwargs() if group is not None else {}
            twice = sorted(settings.keys() & flat.keys())
            if twice:
                raise ValueError(
                    f"{twice[0]} is given both directly and in the group {name}: {group!r}"
                )
            flat.update(settings)
        return flat


def resolve(options, settings, *, config_path=None, output=UNSET, region_tags=None):
    """The settings in effect for a run: {name: value} of all, and "region_tags".

    Parameters: those of setup(), its settings by keyword as a dict. Keywords come before options,
    those before the file config_path, that before defaults; None means not set. output is where
    to write, or None for nowhere.

    Of type bool, int and str, but: enable_tags and perf_events, tuples of str; region_tags, a
    frozenset of str, or None for no choice; gpu_timing_backend, anything.

    Raises TypeError for an unknown setting, a value of the wrong type, and for one setting given
    in two ways; ValueError for a value that a setting does not take, settings that do not go
    together, those that this version does not have, and whatever is wrong with the file. Warns
    of settings without effect, and of older spellings.
    """
    keywords = _given(options, settings, output)
    from_file, places = {}, {}
    if config_path is not None:
        from .toml import read

        from_file, places = read(config_path)
    chosen = {**DEFAULTS, **from_file, **keywords}
    places = {name: f" ({place})" for name, place in places.items() if name not in keywords}
    if region_tags is not None:
        region_tags = frozenset(strings("region_tags", region_tags))
    _check(chosen, places)
    _warn_of_meaningless(chosen, places)
    return {**_effective(chosen), "region_tags": region_tags}


def checked(options, settings):
    """What setup() is to be called with later: a ProfilingOptions, and the keyword arguments that
    are no settings as a dict.

    Parameters: those of setup(), its keywords as a dict. Raises as resolve() does, but for what
    is wrong with the file of config_path or together with it. Warns of older spellings.
    """
    settings = dict(settings)
    others = {name: settings.pop(name) for name in _CHECKS_OF_OTHERS if name in settings}
    output = settings.pop("output", UNSET)
    keywords = _given(options, settings, output)
    others = {name: _CHECKS_OF_OTHERS[name](name, value) for name, value in others.items()
              if value is not None}
    if "config_path" not in others:
        _check({**DEFAULTS, **keywords}, {})
    return ProfilingOptions(**keywords), others


# Arguments of setup() that are no settings.
_CHECKS_OF_OTHERS = {"auto_finalize": boolean, "replace": boolean, "region_tags": strings,
                     "config_path": path}


def _given(options, settings, output):
    """What options, keywords and output= set: {name: value}, groups taken apart."""
    if options is not None and not isinstance(options, ProfilingOptions):
        raise TypeError(
            f"options takes a ProfilingOptions, got {type(options).__name__}: {options!r}"
        )
    if not settings.keys() <= {*NAMES}:
        raise TypeError(unknown(settings.keys() - {*NAMES}, NAMES))
    keywords = ProfilingOptions(**settings).to_kwargs()
    if output is not UNSET:
        _add_output(output, keywords)
    return {**(options.to_kwargs() if options is not None else {}), **keywords}


def _check(chosen, places):
    """What can be wrong with settings of which each alone is right."""
    _refuse_absent(chosen, places)
    _check_level(chosen, places)
    if not chosen["deactivate_file_output"]:
        _check_destination(chosen["file_path"], places)


def _add_output(output, keywords):
    """output=, as settings."""
    twice = [name for name in ("file_path", "deactivate_file_output") if name in keywords]
    if twice:
        [other, *_] = twice
        raise TypeError(f"output={output!r} and {other}={keywords[other]!r} do not go together")
    if output is not None:
        keywords["file_path"] = CHECKS["file_path"]("output", output)
    keywords["deactivate_file_output"] = output is None


def _refuse_absent(chosen, places):
    for name, what in _ABSENT.items():
        if chosen[name]:
            place = places.get(name, "")
            raise ValueError(f"{name}={chosen[name]!r}{place}: this version has no {what}")


def _check_level(chosen, places):
    """The level of compression, against what is compressed with."""
    name = "hdf5_compression_level"
    level, compression = chosen[name], chosen["hdf5_compression"]
    if level is None or compression is None or compression == "none":
        return
    given = f"{name}={level}{places.get(name, '')}"
    if compression not in _LEVELS:
        raise ValueError(f"{given}: {compression!r} has no levels")
    least, most = _LEVELS[compression]
    if not least <= level <= most:
        raise ValueError(f"{given}: {compression!r} takes {least} to {most}")


def _check_destination(path, places):
    """What could not be written is refused before anything is recorded."""
    given = f"file_path={path!r}{places.get('file_path', '')}"
    if not os.path.basename(path) or os.path.isdir(path):
        raise ValueError(f"{given} is a folder; it takes the path of a file")
    run_file.check_name(processes.expanded(path, processes.fields(1, 0)), given)


def _warn_of_meaningless(chosen, places):
    reasons = dict(_MEANINGLESS)
    if chosen["hdf5_compression"] in (None, "none"):
        reasons["hdf5_compression_level"] = "hdf5_compression is off"
    for name, reason in reasons.items():
        if chosen[name] != DEFAULTS[name]:
            warn(f"{name}={chosen[name]!r}{places.get(name, '')} has no effect: {reason}")


def _effective(chosen):
    """The settings as they are in effect, with what one of them implies for another."""
    compression = chosen["hdf5_compression"]
    return {
        **chosen,
        "label": chosen["label"] or None,
        "deactivate_profiling": chosen["deactivate_profiling"] or environment.DISABLED,
        "memory_profile_path": None,
        "track_threads": chosen["track_threads"] or chosen["track_async"],
        "hdf5_compression": None if compression == "none" else compression,
    }
