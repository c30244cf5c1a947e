"""Which format a file has, and reading and writing it in that."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._base import collection
from .._base.arguments import boolean, file_of, instance
from .._base.file_names import EXPORTS, HDF5, JSON, PARQUET, SPT, format_of
from .._base.needs import explained
from .._base.shown import shown
from .allowance import check_max_bytes
from .unreadable import CorruptProfileError, UnsupportedProfileError

if TYPE_CHECKING:
    from ..results import ProfilingResults



class _Format(NamedTuple):
    """A format of files.

    suffixes: What their names end in.
    beginnings: What they begin with.
    reader, writer: The functions, as a module of this folder and a name in it; None for none.
    """

    suffixes: tuple[str, ...]
    beginnings: tuple[bytes, ...]
    reader: str | None
    writer: str | None


_FORMATS = {
    "hdf5": _Format(
        HDF5, (b"\x89HDF\r\n\x1a\n",), "hdf5_reader.read_hdf5", "hdf5_writer.write_hdf5"
    ),
    "json": _Format(JSON, (b"\x1f\x8b", b"{"), "json_reader.read_json_file", "json_writer.write_json"),
    "parquet": _Format(
        PARQUET, (b"PAR1",), "parquet_reader.read_parquet", "parquet_writer.write_parquet"
    ),
    "spt": _Format(SPT, (b"SCOPEPRF",), "spt_reader.read_spt", None),
    "journal": _Format((), (b"SPJRNL\r\n",), "journal_reader.read_journal", None),
    "html": _Format((".html", ".htm"), (b"<",), None, None),
}
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def _function(name: str) -> Callable[..., Any]:
    """A reader or writer, imported."""
    module, attribute = name.split(".")
    with explained():
        return getattr(import_module(f".{module}", __package__), attribute)


def _named(path: Path) -> str | None:
    """The format that a suffix stands for; None for others."""
    for name in ("parquet", "spt", "html"):
        if path.name.lower().endswith(_FORMATS[name].suffixes):
            return name
    return format_of(path)


def _sniffed(path: Path) -> str | None:
    """The format that the contents of a file, or of a folder, have; None for others."""
    _check_regular(path)
    if path.is_dir() and any(path.glob("rank=*/*.parquet")):
        return "parquet"
    with open(path, "rb") as file:
        head = file.read(512)
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    for name, known in _FORMATS.items():
        if head.startswith(known.beginnings) or text.startswith(known.beginnings):
            return name
    return None


def _check_regular(path: Path) -> None:
    """Raises CorruptProfileError for pipes and devices, which may keep a reader waiting for ever."""
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise CorruptProfileError(path, "this is no regular file")


def sniff_profile_format(path: str | os.PathLike[str]) -> str:
    """ "hdf5", "json", "parquet", "spt", "journal" or "html": by the contents of a file, or else by its name.

    Gzip is taken to be JSON. What neither contents nor name tell is "hdf5".

    Raises FileNotFoundError, IsADirectoryError or PermissionError when there is no such file.
    """
    path = file_of("path", path)
    name = _sniffed(path) or _named(path)
    return name if name in _FORMATS else "hdf5"


def load_file(
    path: str | os.PathLike[str], verbose: bool = False, *, max_bytes: int | None = None
) -> ProfilingResults:
    """The results in one file; see `load`."""
    path = file_of("path", path)
    name = _sniffed(path)
    if name is None:
        reason = "this is not a profile; it starts with neither HDF5, JSON nor HTML, Parquet nor SCOPEPRF"
        raise CorruptProfileError(path, reason if path.stat().st_size else "the file is empty")
    return _read(name, path, verbose, check_max_bytes(max_bytes))


def metadata_of(path: Path) -> dict[str, Any]:
    """The metadata of the results in a file, in HDF5 without reading the rest; raises as `load`."""
    if _sniffed(path) == "hdf5":
        with explained():
            from .hdf5_reader import read_hdf5_metadata

        return read_hdf5_metadata(path)
    return load_file(path).metadata


def read_profile(file_path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
    """As `load`, but the name of the file decides: HDF5, where it does not end in ".json"."""
    path = file_of("file_path", file_path)
    return _read(_named(path) or "hdf5", path, verbose)


def read_h5(file_path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
    """As `load`, of a file in HDF5."""
    return _read("hdf5", file_of("file_path", file_path), verbose)


def read_json(file_path: str | os.PathLike[str], verbose: bool = False) -> ProfilingResults:
    """As `load`, of a file in JSON, compressed or not.

    Raises JSONProfileError when it is truncated, damaged, of a later version or no profile.
    """
    return _read("json", file_of("file_path", file_path), verbose)


def _read(
    name: str, path: Path, verbose: bool, max_bytes: int | None = None
) -> ProfilingResults:
    boolean("verbose", verbose)
    if name == "html":
        raise UnsupportedProfileError(
            f"{path} is an HTML report, which shows results and does not hold them; "
            "read the HDF5 or JSON file that it was made from"
        )
    if name in EXPORTS:
        raise UnsupportedProfileError(
            f"{path} has the name of a file for other programs, which does not hold all of the results; "
            "read the HDF5 or JSON file that it was made from"
        )
    _check_regular(path)
    read = _function(_FORMATS[name].reader or "")
    with collection.put_off():
        results = read(path, max_bytes)
    return _announced(results, verbose)


def read_h5_summary(
    file_path: str | os.PathLike[str],
    verbose: bool = False,
    *,
    fallback: bool = True,
    include_likwid: bool = True,
    include_line_profile: bool = True,
    regions: str | Iterable[str] | None = None,
    ranks: int | Iterable[int] | None = None,
) -> ProfilingResults:
    """What an HDF5 file knows without its calls, which are not read.

    Counts, totals, extremes and standard deviations are there, percentiles
    only where they are stored; `has_event_data` is false.

    file_path, verbose: As for `load`.
    fallback: Read the calls of a file that has no summary, as those of early versions; otherwise it
        is an error.
    include_likwid: Without effect, as no hardware counters are read.
    include_line_profile: Whether to read the line profile too.
    regions, ranks: Names of regions, and ranks, one or several, to which to keep; None for all.

    Raises FileNotFoundError, IsADirectoryError, PermissionError or CorruptProfileError as `load`
    does.
    Raises UnsupportedProfileError as `load` does, and without `fallback` when there is no summary.
    """
    with explained():
        from .hdf5_summary import read_hdf5_summary

    path = file_of("file_path", file_path)
    boolean("verbose", verbose)
    boolean("fallback", fallback)
    boolean("include_likwid", include_likwid)
    boolean("include_line_profile", include_line_profile)
    _check_regular(path)
    results = read_hdf5_summary(
        path,
        fallback=fallback,
        include_line_profile=include_line_profile,
        regions=regions,
        ranks=ranks,
    )
    return _announced(results, verbose)


def _announced(results: ProfilingResults, verbose: bool) -> ProfilingResults:
    """The results, after a line that says how many regions, ranks and calls there are."""
    if verbose:
        print(
            f"{shown(results.file_path)}: {len(results)} region(s) on {results.num_ranks} rank(s), "
            f"{sum(region.num_calls for region in results)} call(s)"
        )
    return results


def write_profile(
    results: ProfilingResults, file_path: str | os.PathLike[str], **settings: Any
) -> Path:
    """Write results to a file, whose suffix decides on the format; return its path.

    A file that was there is replaced in one step: it stays whole whatever
    happens while writing. Nothing of the results is lost in any of the formats.

    results: The results.
    file_path: Ends in .h5, .hdf5 or .hdf for HDF5, in .json or .json.gz for JSON, in .parquet for a
        folder of Parquet.
    settings: Those of `write_hdf5`, `write_json` or `write_parquet`.

    Raises ValueError when no format has this suffix.
    Raises OSError when the file cannot be written.
    """
    from ..results import ProfilingResults

    instance(ProfilingResults)("results", results)
    path = file_of("file_path", file_path)
    name = _named(path)
    writer = _FORMATS[name].writer if name in _FORMATS else None
    if writer is None:
        hint = "; export() writes files for other programs" if name in EXPORTS else ""
        raise ValueError(f"file_path must end in one of {_writable()}; got {str(path)!r}{hint}")
    write = _function(writer)
    with collection.put_off():
        return write(results, path, **settings)


def convert(
    source: str | os.PathLike[str], target: str | os.PathLike[str], **settings: Any
) -> Path:
    """Write what one file holds to another, in the format that the name of that says; return its path.

    All formats that can be written hold all that there is of results, so nothing is lost.

    source, target: The files; of `source` the contents decide.
    settings: Those of `write_profile`.

    Raises as `load` and `write_profile` do.
    """
    return write_profile(load_file(source), target, **settings)


def _writable() -> str:
    suffixes = (known.suffixes for known in _FORMATS.values() if known.writer is not None)
    return ", ".join(suffix for of_format in suffixes for suffix in of_format)
