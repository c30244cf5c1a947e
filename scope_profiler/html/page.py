"""The page: results and a template make one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from .._base import needs
from .._base.arguments import file_of, instance, one_of, text_or_none
from .._base.shown import shown
from .._version import __version__
from ..io.progress_bar import progress
from ..io.safe_file import written
from ..report import changes_text, table_columns
from ..report.style import format_count, format_time
from ..results import ProfilingResults
from . import memory_table, slow_tables
from .compared import ComparedRuns, compared_runs
from .packed import compressed, script_json
from .run_choice import Choice
from .run_contents import STEPS, RunContents, contents_of

_STYLES = ("report.css",)
_SCRIPTS = ("report.js", "drawing.js", "timeline.js", "flame.js", "charts.js")

_sort = one_of(*table_columns.SORT_KEYS)


def write_html(
    results: ProfilingResults,
    path: str | os.PathLike[str],
    ranks: int | Iterable[int] | None = None,
    include: str | Iterable[str] | None = None,
    exclude: str | Iterable[str] | None = None,
    *,
    others: Iterable[ProfilingResults] = (),
    title: str | None = None,
    sort: str = "total",
    place: Callable[[str, str], None] = os.replace,
) -> list[Path]:
    """Write the report of a run, and of others beside it; see `ProfilingResults.to_html`.

    place: See `io.safe_file.replacing`.
    """
    missing = needs.missing_for_html()
    if missing:
        raise ModuleNotFoundError(missing)
    runs = [instance(ProfilingResults)("results", results),
            *(instance(ProfilingResults)("others", each) for each in others)]
    target, title = file_of("path", path), text_or_none("title", title)
    choice = Choice.of(include, exclude, ranks, _sort("sort", sort))
    with progress(f"Writing {target.name}", STEPS * len(runs)) as advance:
        contents = [contents_of(run, choice, advance) for run in runs]
        compared = [compared_runs(runs[0], run, choice) for run in runs[1:]]
        with written(target, place) as file:
            for piece in _page(contents, compared, title or contents[0].title):
                file.write(piece.encode("utf-8", "backslashreplace"))
    return [target]


def _page(runs: list[RunContents], compared: list[ComparedRuns], title: str) -> Iterable[str]:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters["script_json"] = lambda value: _markup(script_json(value))
    environment.filters["time"], environment.filters["count_text"] = format_time, format_count
    return environment.get_template("report.html").generate(
        title=shown(title), runs=runs, compared=compared, change_headings=changes_text.HEADINGS,
        work_headings=changes_text.WORK_HEADINGS[:-1],
        version=__version__, data={"runs": [run.data for run in runs]},
        styles=[_markup(_resource(name)) for name in _STYLES],
        memory_columns=[table_columns.heading(name) for name in memory_table.COLUMNS],
        slow_columns=[table_columns.heading(name) for name in slow_tables.COLUMNS],
        plotly=_markup(_plotly()),
        scripts=[_markup(_resource(name)) for name in _SCRIPTS],
    )


def _markup(text: str) -> Any:
    """Text of ours, which is not escaped."""
    from markupsafe import Markup

    return Markup(text)


@cache
def _plotly() -> str:
    """The script of plotly, as it is installed, compressed."""
    from importlib.util import find_spec

    found = find_spec("plotly")
    [folder] = found.submodule_search_locations if found and found.submodule_search_locations else [""]
    return compressed(Path(folder, "package_data", "plotly.min.js").read_bytes())


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
