"""Every setting of a run: its default, and the values that it takes.

A check is called with the name to use in messages and a value that is not None, and returns the
value in the form in which it is kept. It raises TypeError or ValueError, saying what the setting
takes and what it got.
"""

import operator
import os

from .._base.warning import warn


def boolean(name, value):
    """True or False, also as numpy's bools and as 0 and 1."""
    kind = type(value)
    if kind is bool:
        return value
    if kind is int and value in (0, 1):
        return value == 1
    if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
        return bool(value)
    raise _wrong_type(name, "True or False", value)


def switch(name, value):
    """True or False; None is False, as what is not given."""
    return value is not None and boolean(name, value)


def text(name, value):
    if not isinstance(value, str):
        raise _wrong_type(name, "a str", value)
    return value


def path(name, value):
    """A path, as a str."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str):
        raise _wrong_type(name, "a path (str or os.PathLike)", value)
    if not value or "\0" in value or not _encodes(value):
        raise ValueError(f"{name} takes a path, got {value!r}")
    return value


def _encodes(path):
    """Whether the file system can have it."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def stream(name, value):
    """What can be printed to."""
    if not callable(getattr(value, "write", None)):
        raise _wrong_type(name, "a text file", value)
    return value


def strings(name, value):
    """One str or several, as a tuple."""
    if isinstance(value, str):
        value = (value,)
    try:
        value = tuple(value)
    except TypeError:
        raise _wrong_type(name, "a str or several", value) from None
    for item in value:
        if not isinstance(item, str):
            raise _wrong_type(name, "a str or several", item)
        if not item:
            raise ValueError(f"{name} takes non-empty str, got ''")
    return value


def compression(name, value):
    """A filter of HDF5; "none" stays a word here, as None would mean: not set."""
    return one_of("none", "auto", "gzip", "lzf", "zstd")(
        name, (value.strip().lower() or "none") if isinstance(value, str) else value
    )


def anything(name, value):
    return value


def one_of(*choices):
    """The check for one of these str."""
    *first, last = map(repr, choices)
    takes = f"{', '.join(first)} or {last}"

    def check(name, value):
        if not isinstance(value, str):
            raise _wrong_type(name, takes, value)
        if value not in choices:
            raise ValueError(f"{name} takes {takes}, got {value!r}")
        return value

    return check


def whole(minimum):
    """The check for an int of at least minimum."""
    takes = f"an int of at least {minimum}"

    def check(name, value):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise _wrong_type(name, takes, value)
        value = operator.index(value)
        if value < minimum:
            raise ValueError(f"{name} takes {takes}, got {value}")
        return value

    return check


def finalizing(verbose, return_results, native_traces, verbose_line_profiler, style):
    """The arguments of finalize(), checked, as a dict."""
    if native_traces is not None:
        raise ValueError(
            f"native_traces={native_traces!r}: this version does not read traces of native code"
        )
    lines = verbose_line_profiler
    return {
        "verbose": None if verbose is None else boolean("verbose", verbose),
        "return_results": boolean("return_results", return_results),
        "verbose_line_profiler": None if lines is None else boolean("verbose_line_profiler", lines),
        "style": one_of("table", "blocks")("style", style),
    }


def _wrong_type(name, takes, value):
    return TypeError(f"{name} takes {takes}, got {type(value).__name__}: {value!r}")


#: {name: check}
CHECKS = {
    "file_path": path,
    "label": text,
    "use_likwid": boolean,
    "perf_events": strings,
    "use_line_profiler": boolean,
    "use_memray": boolean,
    "memory_profile_path": path,
    "memray_native_traces": boolean,
    "memray_trace_python_allocators": boolean,
    "memray_follow_fork": boolean,
    "deactivate_profiling": boolean,
    "use_nvtx": boolean,
    "use_gpu_timing": boolean,
    "gpu_timing_backend": anything,
    "gpu_sync_on_exit": boolean,
    "deactivate_file_output": boolean,
    "recursive_profile": boolean,
    "aggregation_mode": boolean,
    "profile_mpi_calls": boolean,
    "track_threads": boolean,
    "track_async": boolean,
    "capture_region_source": boolean,
    "metadata_detail": one_of("minimal", "full"),
    "buffer_limit": whole(1),
    "output_mode": one_of("auto", "direct", "parallel"),
    "hdf5_compression": compression,
    "hdf5_compression_level": whole(0),
    "hdf5_chunk_size": whole(1),
    "enable_tags": strings,
    "verbose": boolean,
}

#: {name: value where nothing is set}; switches are off, but verbose.
DEFAULTS = {
    **{name: False if check is boolean else None for name, check in CHECKS.items()},
    "file_path": "profiling_data.h5",
    "perf_events": (),
    "gpu_timing_backend": "auto",
    "metadata_detail": "minimal",
    "buffer_limit": 1024,
    "output_mode": "auto",
    "enable_tags": (),
    "verbose": True,
}

#: Older spellings, each a switch: {name: that of today's, which means the opposite}.
OPPOSITES = {
    "profiling_activated": "deactivate_profiling",
    "time_trace": "aggregation_mode",
    "flush_to_disk": "deactivate_file_output",
}


def renamed(settings, where=""):
    """The settings that are set (not None), older spellings replaced by today's.

    DeprecationWarning for each of those, with `where` in front of the message. TypeError when
    both spellings of one setting are given.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    for old, new in OPPOSITES.items():
        if old not in chosen:
            continue
        value = boolean(old, chosen.pop(old))
        if new in chosen:
            raise TypeError(f"{old} is an older spelling of {new}, and both are given")
        warn(f"{where}{old}={value} is spelled {new}={not value} today", DeprecationWarning)
        chosen[new] = not value
    return chosen


def unknown(names, known):
    """What to say of unknown names: each with the known one that it resembles, if any."""
    from difflib import get_close_matches

    said = []
    for name in sorted(names):
        close = get_close_matches(name, known, 1)
        said.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"unknown setting{'s' if len(said) > 1 else ''} {', '.join(said)}"
