"""The printed report: the region tree, the line tables, and what to know about both."""

import sys

from ..snapshot import summarize
from . import line_table, region_table
from .notes import notes
from .style import printer


def print_run(manager, stream=None, *, regions=True, lines=True):
    """Print the report of the manager's current run to stream (sys.stdout): the table of regions
    with the notes, and in line mode the tables of lines."""
    summary = summarize(manager)
    out = printer(sys.stdout if stream is None else stream)
    if regions:
        region_table.show(summary, out)
    for code, rows in summary.line_records if lines else ():
        line_table.show(code, rows, out)
    for note in notes(summary) if regions else ():
        out.line(note)


def print_region(region, stream=None):
    """Print one region's statistics, and in line mode its line tables."""
    from ..lines import line_records

    out = printer(sys.stdout if stream is None else stream)
    region_table.show_block(region.get_stats(), out)
    if region.manager._line_mode:
        for code, rows in line_records(region.manager, region):
            line_table.show(code, rows, out)
