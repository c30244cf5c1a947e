"""The names of files: their formats, the fields that they may have, those that belong together."""

import os
import re

#: Of each format that holds results, how the names of its files end.
FORMATS = {"hdf5": (".h5", ".hdf5", ".hdf"), "json": (".json", ".json.gz")}
HDF5, JSON = FORMATS.values()

#: Folders in Parquet, and traces of native code: no run writes them.
PARQUET, SPT = (".parquet",), (".spt",)

#: The file of a rank in a folder of Parquet.
PARQUET_PART = "calls.parquet"

#: The same of those that other programs read, and this package does not.
EXPORTS = {
    "prof": (".prof", ".pstats"),
    "speedscope": (".speedscope.json",),
    "collapsed": (".collapsed", ".folded"),
    "chrome-trace": (".trace.json", ".trace.json.gz"),
    "perfetto": (".perfetto-trace", ".pftrace"),
    "callgrind": (".callgrind",),
    "flamegraph": (".svg",),
    "html": (".html", ".htm"),
}

#: Of these the formats that draw threads and tasks beside each other.
TIMELINES = {"chrome-trace", "perfetto", "speedscope"}

_CALLGRIND = "callgrind.out"  # names of its files begin so

#: What may stand in braces in file_path, and an example of each.
FIELDS = {"pid": 4711, "rank": 0, "host": "node", "time": "20260131T235959", "run": 1}


def expanded(path, fields):
    """The path with what stands for its fields. Raises ValueError for a field that there is not."""
    from string import Formatter

    try:
        names = [name for _, name, _, _ in Formatter().parse(path) if name is not None]
        if {*names} <= {*FIELDS}:
            return path.format(**fields)
    except ValueError:
        pass
    raise ValueError(
        f"file_path={path!r} has a field in braces that is not known: it takes "
        + ", ".join(f"{{{name}}}" for name in FIELDS) + ", and {{ and }} for braces"
    )


def _known_suffix(path):
    """The suffix that says the format, and the name of that; "" and None for others."""
    name = os.path.basename(os.fspath(path)).lower()
    if name.startswith(_CALLGRIND):
        return "", "callgrind"
    known = ((suffix, format) for formats in (FORMATS, EXPORTS)
             for format, suffixes in formats.items() for suffix in suffixes)
    # ".trace.json" ends in ".json", too.
    return max((each for each in known if name.endswith(each[0])), default=("", None),
               key=lambda each: len(each[0]))


def format_of(path):
    """The name of the format in FORMATS or EXPORTS that the name of a file says; None for others."""
    return _known_suffix(path)[1]


def split(path):
    """The path without its suffix, and the suffix, which says the format: (str, str)."""
    suffix, format = _known_suffix(path)
    if format is None:
        return os.path.splitext(path)
    end = len(path) - len(suffix)
    return (path[:end], path[end:]) if os.path.basename(path[:end]) else (path, "")


def in_a_name(label):
    """The label as a part of the name of a file."""
    return re.sub(r"[^\w.+-]+", "_", label).strip("_") or "run"


def all_different(names):
    """The names, with _2 and so on behind those that were there before: a list."""
    found = {}
    for name in names:
        number, one = 1, name
        while one in found:
            number += 1
            one = f"{name}_{number}"
        found[one] = None
    return [*found]


def identity(path):
    """A value that differs between a file and one that has replaced it; None without a file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


def check_name(path, given):
    """ValueError, beginning with `given`, for a name that ends as those of no format here do."""
    suffix = split(path)[1].lower()
    # That of "run-1.5" is none.
    if suffix and not suffix[1:2].isdigit() and format_of(path) is None:
        raise ValueError(
            f"{given}: no format is called {suffix!r}; names "
            f"in {' and '.join(JSON)} are written as JSON, those in {', '.join(HDF5)} or without any "
            "as HDF5; and for other programs there are "
            + ", ".join(suffix for suffixes in EXPORTS.values() for suffix in suffixes)
        )


def beside(path):
    """The files that have names as children of the program, and other ranks, write when the path is
    its file: a list of paths, sorted."""
    path = os.fspath(path)
    folder, name = os.path.split(path)
    stem, suffix = split(name)
    pattern = re.compile(rf"{re.escape(stem)}(\.rank\d+)?(\.\d+)?{re.escape(suffix)}")
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return []
    return [os.path.join(folder, found) for found in sorted(names)
            if found != name and pattern.fullmatch(found)]


def children_of(path):
    """The folder in which children that are followed leave their results for the run of this path."""
    return f"{os.fspath(path)}.children"
