"""What the sampler has counted, as tables: functions and lines by their share of the samples."""

import os

from .._base.shown import cut, shown
from .._model.samples import together
from .style import format_count, many

#: How many rows are shown unless all are wanted.
_ROWS = 15
_LEAST_PLACE = 20  # cells
_HEADS = "Own %", "95 % interval", "Total %", "Samples"


def show(every, out, whole=False):
    """Print the tables of several processes together. every: of Samples; nothing is printed where there
    are none. whole: all rows, not the first ones only."""
    samples = together(every)
    if samples is None:
        return
    out.line()
    total = samples.total
    out.title(f"{many(total, 'sample')} at {samples.hz:g} Hz of {_CLOCKS[samples.clock]}")
    if total:
        _table(samples, samples.functions(), "Function", _function, out, whole)
        _table(samples, samples.lines(), "Line", _line, out, whole)
    out.line()
    for text in notes(samples):
        out.note(text)


def show_of(results, out, ranks=None, whole=False):
    """Print those of results. ranks: a set or None for all."""
    show([known.samples for rank, known in results.recorded.items()
          if known.samples is not None and (ranks is None or rank in ranks)], out, whole)


_CLOCKS = {"wall": "wall time", "cpu": "processor time"}


def notes(samples):
    """Sentences on what samples lack."""
    if not samples.total:
        yield ("No sample was taken: the program used less processor time than there is between two."
               if samples.clock == "cpu" else "No sample was taken: the run was too short.")
    if samples.missed:
        whole = samples.missed + samples.ticks
        yield (f"{format_count(samples.missed)} of {format_count(whole)} ticks were missed, as the "
               "processor was busy with other programs: shares are less sure.")
    if samples.unreadable:
        yield f"{many(samples.unreadable, 'sample')} could not be read, and count nowhere."


def _table(samples, counted, head, place, out, whole):
    rows = counted if whole else [one for one in counted[:_ROWS] if one.own]
    texts = [(*_cells(samples, one), place(one.place)) for one in rows]
    widths = [max(map(len, column)) for column in zip(_HEADS, *(row[:-1] for row in texts))]
    room = max((out.width or 1_000_000) - sum(widths) - 2 * len(widths), _LEAST_PLACE)

    def joined(values):
        numbers = (f"{value:>{width}}" for value, width in zip(values, widths))
        return "  ".join((*numbers, cut(values[-1], room))).rstrip()

    out.line()
    out.head(joined((*_HEADS, head)))
    last = max((len(cut(row[-1], room)) for row in texts), default=0)
    out.head("─" * (sum(widths) + 2 * len(widths) + last))
    for row, one in zip(texts, rows):
        out.line(joined(row), one.own / samples.total)
    if len(rows) < len(counted):
        left = sum(one.own for one in counted) - sum(one.own for one in rows)
        out.line(f"({len(counted) - len(rows)} more, {100 * left / samples.total:.1f} % together)")


def _cells(samples, one):
    own = samples.share(one.own)
    return (f"{100 * own.share:.1f}", f"{100 * own.low:.1f} – {100 * own.high:.1f}",
            f"{100 * one.total / samples.total:.1f}", format_count(one.own))


def _function(place):
    return shown(f"{place.name} ({_file(place)}:{place.first_line})")


def _line(place):
    return shown(f"{_file(place)}:{place.line} in {place.name}")


def _file(place):
    """From the working directory on where it is below that."""
    return place.file.removeprefix(os.path.join(os.getcwd(), ""))
