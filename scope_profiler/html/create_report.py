"""create_html_report(), by which 0.7.5 writes an HTML report."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .._base.arguments import wrong_type
from .._base.needs import explained
from .._base.warning import warn
from ..io import load
from ..results import ProfilingResults

_Source = ProfilingResults | str | os.PathLike[str]

#: What 0.7.5 takes, and its defaults, for which there is nothing here to choose.
_NO_EFFECT = {"columns": None, "charts_cdn": False, "include_charts": True, "individual_reports": True,
              "scaling": "both", "speedup_x": "auto"}


def create_html_report(
    profiling_data: _Source | Iterable[_Source],
    filepath: str | os.PathLike[str],
    *,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    ranks: int | Iterable[int] | None = None,
    sort: str = "start",
    columns: Any = None,
    charts_cdn: bool = False,
    include_charts: bool = True,
    individual_reports: bool = True,
    scaling: str = "both",
    speedup_x: str = "auto",
) -> Path:
    """Write an HTML report, and return its path: `ProfilingResults.to_html`, of several results too.

    profiling_data: Results or the path of a file of them, or several of these; each but the first is
        compared with the first.
    include, exclude, ranks, sort: As in `to_html`.

    The report has all columns and charts in it and asks no server, whatever the other arguments say, of
    which it warns. Raises ValueError without results, and what `load` and `to_html` raise.
    """
    given = {"columns": columns, "charts_cdn": charts_cdn, "include_charts": include_charts,
             "individual_reports": individual_reports, "scaling": scaling, "speedup_x": speedup_x}
    for name, value in given.items():
        if value != _NO_EFFECT[name]:
            warn(f"{name}={value!r} has no effect: the report has all in it")
    one = isinstance(profiling_data, (ProfilingResults, str, os.PathLike))
    if not one and not isinstance(profiling_data, Iterable):
        raise wrong_type("profiling_data", "results, or files of them", profiling_data)
    several: Iterable[Any] = [profiling_data] if one else profiling_data  # type: ignore[assignment]
    runs = [each if isinstance(each, ProfilingResults) else load(each) for each in several]
    if not runs:
        raise ValueError("profiling_data takes results, or files of them; got none")
    with explained():  # jinja2 and plotly are needed from here on
        from .page import write_html
    [written] = write_html(runs[0], filepath, ranks, include, exclude, others=runs[1:], sort=sort)
    return written
