"""The table of lines as HTML, for notebooks: one piece, without scripts, in light and dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from .._base.shown import shown
from .._model.counted_lines import CountedLine
from ..report import line_columns
from ..report.style import format_time
from .whole_calls import TITLE

if TYPE_CHECKING:
    from .stats import Key, LineStats

# Colours are those of the page, or let it shine through: so they suit light pages and dark ones.
_STYLE = """\
<style>
.sp-lines { color: inherit; font-size: 13px; line-height: 1.45; overflow-x: auto; }
.sp-lines summary { cursor: pointer; margin: 0.6em 0 0.2em; }
.sp-lines summary span { opacity: 0.65; }
.sp-lines table { border-collapse: collapse; margin: 0 0 1em; border: 0; }
.sp-lines th, .sp-lines td { background: none; color: inherit; border: 0; padding: 0 0.7em; text-align: right;
  white-space: nowrap; font-variant-numeric: tabular-nums; vertical-align: baseline; }
.sp-lines th { border-bottom: 1px solid rgba(128, 128, 128, 0.5); font-weight: 600; }
.sp-lines tbody tr { background: none; }
.sp-lines tbody tr:hover { background: rgba(128, 128, 128, 0.15); }
.sp-lines td:first-child { opacity: 0.55; }
.sp-lines .sp-heat { min-width: 5em; }
.sp-lines th.sp-source, .sp-lines td.sp-source { text-align: left !important; white-space: pre;
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; tab-size: 8; }
.sp-lines .sp-idle { opacity: 0.6; }
</style>
"""


#: The columns where it is memory that was asked for: with all of them the source would be out of sight.
MEMORY = ("hits", "memory", "increment", "allocated", "freed", "peak", "blocks")


def html(stats: LineStats, columns: Sequence[str] = tuple(line_columns.COLUMNS)) -> str:
    """A piece of HTML with a table for each function that ran, those that took most open. columns: of
    line_columns, those that may be there."""
    sources = stats.known_sources()
    ran = [key for key, rows in stats.timings.items() if any(hits for _, hits, _ in rows)]
    whole = sum(_total(stats, key) for key in ran)
    parts = [part for key in ran for part in _function(stats, key, sources.get(key, []), whole, columns)]
    text = "".join(parts) + "".join(_calls(stats)) or "<p>No line was counted.</p>"
    return f'<div class="sp-lines">\n{_STYLE}{text}</div>\n'


def _total(stats: LineStats, key: Key) -> float:
    return sum(time for _, _, time in stats.timings[key])


def _function(
    stats: LineStats, key: Key, source: list[str], whole: float, wanted: Sequence[str]
) -> Iterator[str]:
    file, first, name = key
    rows = {row.line: row for row in stats.counted(key)}
    total = line_columns.total_ns(rows.values())
    columns = [column for column in line_columns.chosen([*rows.values()]) if column in wanted]
    grown = sum(map(_growth, rows.values()))
    texts = dict(enumerate(source, first))
    is_open = " open" if _total(stats, key) >= 0.05 * whole else ""
    yield (f"<details{is_open}><summary><b>{_text(name)}</b> – {format_time(total)} "
           f"<span>{_text(file)}:{first}</span></summary>\n")
    if not texts:
        yield "<p>Its source is not to be found: lines are shown without their contents.</p>\n"
    headings = "".join(f"<th>{escape(line_columns.HEADINGS[column])}</th>" for column in columns)
    yield (f'<table><thead><tr><th>Line</th>{headings}<th class="sp-source">Source</th></tr></thead>'
           "<tbody>\n")
    for line in sorted({*rows, *texts}):
        row = rows.get(line)
        cells = "".join(_cell(column, row, total, grown) for column in columns)
        idle = "" if row else " sp-idle"
        yield (f'<tr><td>{line}</td>{cells}<td class="sp-source{idle}">'
               f'{_text(texts.get(line, "").rstrip())}</td></tr>\n')
    yield "</tbody></table></details>\n"


def _calls(stats: LineStats) -> Iterator[str]:
    if not stats.calls:
        return
    yield (f"<p>{escape(TITLE)}</p>\n<table><thead><tr><th>Calls</th><th>Time</th><th>Per call</th>"
           '<th class="sp-source">Function</th></tr></thead><tbody>\n')
    for name, (count, time) in stats.calls.items():
        time_ns = round(time * stats.unit / 1e-9)
        each = format_time(round(time_ns / count)) if count else ""
        yield (f"<tr><td>{count}</td><td>{format_time(time_ns)}</td><td>{each}</td>"
               f'<td class="sp-source">{_text(name)}</td></tr>\n')
    yield "</tbody></table>\n"


def _growth(row: CountedLine) -> int:
    return max(row.increment_bytes or 0, 0)


def _cell(column: str, row: CountedLine | None, total: int, grown: int) -> str:
    if row is None:
        return "<td></td>"
    text = _text(line_columns.cell(column, row, total))
    if column not in ("share", "increment"):
        return f"<td>{text}</td>"
    share = line_columns.share(row, total) if column == "share" else _growth(row) / (grown or 1)
    # A bar as long as the share, and the warmer the longer it is.
    colour = f"rgba({round(235 - 15 * share)}, {round(170 - 110 * share)}, 40, {0.25 + 0.45 * share:.2f})"
    end = f"{100 * share:.1f}%"
    return (f'<td class="sp-heat" style="background: linear-gradient(to right, {colour} {end}, '
            f'transparent {end})">{text}</td>')


def _text(text: str) -> str:
    return escape("\t".join(map(shown, text.split("\t"))))
