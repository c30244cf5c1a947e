"""A page that links HTML reports."""

from __future__ import annotations

from collections.abc import Sequence
import html
import os
from pathlib import Path
import re
from urllib.parse import quote

from .._base.arguments import text
from .._base.shown import shown
from ..io.safe_file import written

_HEAD = 1 << 16  # bytes of a report that its title is in
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
li {{ margin: .5rem 0; overflow-wrap: anywhere; }}
small {{ display: block; opacity: .75; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<ul>
{entries}
</ul>
</main>
</body>
</html>
"""


def create_catalogue(
    reports: Sequence[str | os.PathLike[str]], filepath: str | os.PathLike[str], *,
    title: str = "Profiling reports",
) -> Path:
    """Write a page with a link to each report, by its title, and return its path. Links are relative to
    the page, so that both can be moved together.

    Raises FileNotFoundError or another OSError when a report cannot be read or the page not be written,
    TypeError or ValueError when there is no report, or the page is one of them.
    """
    page = Path(filepath)
    text("title", title)
    if isinstance(reports, (str, bytes, os.PathLike)):
        raise TypeError(f"reports must be several paths; got {reports!r}")
    entries = []
    for report in map(Path, reports):
        if report.resolve() == page.resolve():
            raise ValueError(f"filepath must not be one of the reports; got {os.fspath(filepath)!r}")
        where = os.path.relpath(report.resolve(), page.resolve().parent).replace(os.sep, "/")
        link = quote(where.encode("utf-8", "surrogateescape"))
        name, path = (html.escape(shown(one)) for one in (_title(report), where))
        entries.append(f'<li><a href="{link}">{name}</a><small>{path}</small></li>')
    if not entries:
        raise ValueError("reports must have at least one path; got none")
    content = _PAGE.format(title=html.escape(shown(title)), entries="\n".join(entries))
    with written(page) as file:
        file.write(content.encode())
    return page


def _title(report: Path) -> str:
    """The title of a page, or else the name of its file."""
    with open(report, "rb") as file:
        head = file.read(_HEAD).decode("utf-8", "replace")
    found = re.search(r"<title[^>]*>(.*?)</title>", head, re.I | re.S)
    title = html.unescape(" ".join(found[1].split())) if found else ""
    return title or report.stem
