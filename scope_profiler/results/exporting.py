"""`Exporting`: results as files for other programs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._base import above


class Exporting:
    """What `ProfilingResults` can be written as, besides the formats that are read again."""

    def export(
        self,
        path: str | os.PathLike[str],
        format: str | None = None,
        *,
        ranks: int | Iterable[int] | None = None,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        **settings: Any,
    ) -> list[Path]:
        """Write the results for another program, and return the paths of the files.

        A file that was there is replaced in one step: it is whole at any time.

        path: The name says the format: ``x.prof``, ``x.speedscope.json``, ``x.collapsed`` or
            ``x.folded``, ``x.trace.json`` (or ``.gz``), ``x.perfetto-trace``, ``callgrind.out.x`` or
            ``x.callgrind``, ``x.svg``, ``x.html``.
        format: "prof", "speedscope", "collapsed", "chrome-trace", "perfetto", "callgrind",
            "flamegraph" or "html", whatever the name; None for what the name says.
        ranks, include, exclude: Of which ranks and regions; see `print_summary`.
        settings: Those of the format: ``call_paths`` of "prof"; ``width, threshold, scalable`` of
            "flamegraph"; those of `to_html`.

        Raises TypeError or ValueError when no format has this name, or takes such a setting.
        Raises OSError when the file cannot be written; it is then as it was.
        """
        found: list[Path] = above.get("export")(
            self, path, format, ranks=ranks, include=include, exclude=exclude, **settings)
        return found

    def export_prof(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` for pstats and snakeviz, functions as cProfile has them."""
        return self.export(path, "prof", **settings)

    def export_speedscope(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` for https://www.speedscope.app."""
        return self.export(path, "speedscope", **settings)

    def export_collapsed(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` as collapsed stacks, a line for each path with its own time in nanoseconds."""
        return self.export(path, "collapsed", **settings)

    def export_chrome_trace(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` as a trace in JSON, for Perfetto and Chrome."""
        return self.export(path, "chrome-trace", **settings)

    def export_perfetto(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` as a trace in Perfetto's own format."""
        return self.export(path, "perfetto", **settings)

    def export_callgrind(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` for KCachegrind."""
        return self.export(path, "callgrind", **settings)

    def export_flamegraph_svg(self, path: str | os.PathLike[str], **settings: Any) -> list[Path]:
        """`export` as a flame graph, a picture that browsers show."""
        return self.export(path, "flamegraph", **settings)

    def to_html(
        self,
        path: str | os.PathLike[str],
        *,
        others: Iterable[Any] = (),
        title: str | None = None,
        ranks: int | Iterable[int] | None = None,
        include: str | Iterable[str] | None = None,
        exclude: str | Iterable[str] | None = None,
        sort: str = "total",
    ) -> Path:
        """Write the results as an HTML report, and return its path: one file that any browser opens, and
        that asks no server for anything. Its numbers are those of `print_summary`.

        A file that was there is replaced in one step: it is whole at any time.

        others: Further `ProfilingResults`, which are beside these in the report, each compared with these.
        title: What heads it; None for `default_title`.
        ranks, include, exclude, sort: As in `print_summary`.

        Raises TypeError or ValueError when an argument is not that.
        Raises ModuleNotFoundError where the packages of ``scope-profiler[html]`` are not installed.
        Raises OSError when the file cannot be written; it is then as it was.
        """
        [written] = above.get("write_html")(
            self, path, ranks, include, exclude, others=others, title=title, sort=sort)
        return Path(written)
