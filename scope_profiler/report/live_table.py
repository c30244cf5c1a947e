"""The table of a run that goes on: regions, the one with the most time first, and the calls that are open."""

from .._base.shown import cells, shortened, shown
from .grid import print_grid
from .style import format_count, format_time, format_amount, many

#: How high a bar of the sparkline is.
_BARS = "▁▂▃▄▅▆▇█"
_TREND = 16
#: Of which work rates are shown where there is room.
_QUANTITIES = 3

#: What regions are sorted by: the largest first.
KEYS = {
    "own": lambda region: region.own,
    "total": lambda region: region.total,
    "calls": lambda region: region.calls,
    "rate": lambda region: region.rates[-1],
    "average": lambda region: region.total / max(region.calls, 1),
    "longest": lambda region: region.longest,
    "open": lambda region: region.open_for or 0.0,
}


def print_live(out, title, live, sort="own", note=None, height=None):
    """Print a `Live`. note: a sentence about what it counts. height: lines that there is room for; None
    for no limit."""
    out.head(shortened(title, out.width or 10**6))
    out.line(f"{format_count(live.calls)} calls in {seconds(live.elapsed)}, {many(live.threads, 'thread')}")
    if note:
        out.note(note)
    out.line()
    regions = sorted(live.regions, key=KEYS[sort], reverse=True)
    room = len(regions)
    open_rows = min(len(live.open), 5)
    if height is not None:
        room = max(height - 6 - (open_rows + 2 if live.open else 0), 3)
    _print_regions(out, regions[:room], live)
    if len(regions) > room:
        out.line(f"… {len(regions) - room} more regions")
    if live.open:
        out.line()
        out.head("Open calls")
        for path in live.open[:open_rows]:
            out.line(_open_text(path, out.width))
        if len(live.open) > open_rows:
            out.line(f"… {len(live.open) - open_rows} more")


def _print_regions(out, regions, live):
    own = sum(region.own for region in live.regions) or 1.0
    headings = ["Region", "Calls", "Calls/s", "Own", "% own", "Average", "Longest", "Open for", "Trend"]
    left = [0, 8]
    narrow = out.width is not None and out.width < 100
    rows = []
    for region in regions:
        average = region.total / region.calls if region.calls else None
        open_for = "" if region.open_for is None else seconds(region.open_for)
        rows.append([
            shown(region.name), format_count(region.calls), _rate(region.rates[-1]), seconds(region.own),
            f"{100 * region.own / own:.1f}", "" if average is None else seconds(average),
            "" if not region.calls else seconds(region.longest), open_for,
            sparkline(region.rates[-(8 if narrow else _TREND):]),
        ])
    if narrow:  # without what the others nearly say
        headings, left = [headings[at] for at in (0, 1, 2, 3, 5, 7, 8)], [0, 6]
        rows = [[row[at] for at in (0, 1, 2, 3, 5, 7, 8)] for row in rows]
    quantities = [*dict.fromkeys(name for region in regions for name in region.work_rates)]
    for name in quantities[:1 if narrow else _QUANTITIES]:
        headings.append(f"{shown(name)}/s")
        for row, region in zip(rows, regions):
            rate = region.work_rates.get(name)
            row.append("" if rate is None else format_amount(rate))
    if not rows:
        out.line("No call is over yet.")
        return
    print_grid(out, headings, rows, left=left, shares=[region.own / own for region in regions])


def seconds(value):
    """A duration in seconds as the report has it."""
    return format_time(round(value * 1e9))


def _rate(value):
    return format_count(round(value)) if value >= 100 else f"{value:.3g}"


def sparkline(values):
    """Values from 0 on as bars, of which the highest is the largest value."""
    most = max(values, default=0.0)
    if most <= 0:
        return _BARS[0] * len(values)
    return "".join(_BARS[min(int(value / most * len(_BARS)), len(_BARS) - 1)] for value in values)


def _open_text(path, width):
    end = f"{'' if path.is_exact else 'at least '}{seconds(path.seconds)}"
    text = f"  thread {path.thread}: {shown(' > '.join(path.names))}"
    return f"{shortened(text, (width or 10**6) - cells(end) - 2)}  {end}"
