"""A plain table: a line of headings, a rule, and lines of texts."""

from .._base.shown import cells, padded, shortened

_LEAST = 12  # cells that a column keeps which is too wide


def print_grid(out, headings, rows, left=(0,), shares=None):
    """Print rows of texts below their headings, columns set right but for those in `left`.

    A column of those is shortened where a line would not fit. shares: the part of the whole that each
    row stands for, for colours; None for none.
    """
    widths = [max(map(cells, column)) for column in zip(headings, *rows)]
    for column in sorted(left, key=lambda each: -widths[each]):
        over = sum(widths) + 2 * (len(widths) - 1) - (out.width or 10**9)
        if over > 0:
            widths[column] = min(widths[column], max(widths[column] - over, _LEAST))

    def line(texts):
        return "  ".join(
            padded(shortened(text, width), width, right=place not in left)
            for place, (text, width) in enumerate(zip(texts, widths))
        ).rstrip()

    out.head(line(headings))
    out.head("─" * (sum(widths) + 2 * (len(widths) - 1)))
    for place, texts in enumerate(rows):
        out.line(line(texts), shares and shares[place])
