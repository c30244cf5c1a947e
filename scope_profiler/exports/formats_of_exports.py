"""Which format a file for other programs has, and writing it in that."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from .._base import above
from .._base.arguments import file_of, instance, one_of
from .._base.file_names import EXPORTS, format_of
from ..results import ProfilingResults

#: The module and the function that write each.
_WRITERS = {
    "prof": ("prof", "write_prof"),
    "speedscope": ("speedscope", "write_speedscope"),
    "collapsed": ("collapsed", "write_collapsed"),
    "chrome-trace": ("chrome_trace", "write_chrome_trace"),
    "perfetto": ("perfetto", "write_perfetto"),
    "callgrind": ("callgrind", "write_callgrind"),
    "flamegraph": ("flamegraph", "write_flamegraph"),
}

_format = one_of(*EXPORTS)


def export(
    results: ProfilingResults,
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    **settings: Any,
) -> list[Path]:
    """Write results for another program, and return the paths of the files.

    A file that was there is replaced in one step: it is whole at any time.

    path: The name says the format: ``x.prof``, ``x.speedscope.json``, ``x.collapsed`` or ``x.folded``,
        ``x.trace.json`` (or ``.gz``), ``x.perfetto-trace``, ``callgrind.out.x`` or ``x.callgrind``,
        ``x.svg``, ``x.html``.
    format: "prof", "speedscope", "collapsed", "chrome-trace", "perfetto", "callgrind",
        "flamegraph" or "html", whatever the name; None for what the name says.
    ranks, include, exclude: Of which ranks and regions; see `ProfilingResults.print_summary`.
    settings: Those of the format: ``call_paths`` of "prof"; ``width, threshold, scalable`` of
        "flamegraph"; those of `ProfilingResults.to_html`.

    Raises TypeError or ValueError when no format has this name, or takes such a setting.
    Raises OSError when the file cannot be written; it is then as it was.
    """
    instance(ProfilingResults)("results", results)
    path = file_of("path", path)
    if format is None:
        format = format_of(path)
        if format not in EXPORTS:
            known = ", ".join(suffix for suffixes in EXPORTS.values() for suffix in suffixes)
            raise ValueError(f"path must end in one of {known} or begin with callgrind.out; "
                             f"got {str(path)!r}")
    return writer(_format("format", format))(results, path, ranks, include, exclude, **settings)


def writer(format: str) -> Callable[..., list[Path]]:
    """The function that writes the format, `write_<format>`; it is imported now."""
    if format == "html":  # of a package above this one
        return above.get("write_html")
    module, function = _WRITERS[format]
    found: Callable[..., list[Path]] = getattr(
        import_module(f".{module}", __name__.rpartition(".")[0]), function)
    return found
