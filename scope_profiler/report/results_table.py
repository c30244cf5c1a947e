"""The table of regions of results: of what was recorded, or else of the calls."""

import sys
from collections.abc import Iterable
from typing import NamedTuple

from numpy import array

from .._base.arguments import boolean, name_filter, rank_set, text_or_none
from .._base.shown import shown
from .._model.counted_lines import once, sources
from ..results import EventDataUnavailableError, MPIRegion, NestingError
from ..results.call_stack import tree_of_calls
from ..results.line_entries import all_lines
from . import counter_table, line_table, notes, sample_tables, table_columns as known
from .output import Output
from .largest import rows_worth_showing
from .region_table import Totals, print_table
from .rows import add_single_calls, in_order, region_row, tree_rows
from .style import many

#: Columns of single calls, which the recorder's tree does not have.
_OF_CALLS = {"first", "last"}


def show(results, include=None, exclude=None, ranks=None, *, sort="total", title=None,
         stream=None, suppress_notes=False, columns=None, percentage_mode="coverage", whole=False,
         lines=True):
    """Print the table of a ProfilingResults, whose print_summary() says what it takes."""
    columns = chosen_columns(columns)
    suppress_notes, whole = boolean("suppress_notes", suppress_notes), boolean("whole", whole)
    lines = boolean("lines", lines)
    text_or_none("title", title)
    check_sort("sort", sort)
    check_choice("percentage_mode", percentage_mode, known.PERCENTAGE_MODES)
    out = Output(sys.stdout if stream is None else stream)
    ranks = rank_set(ranks)
    table = table_of(results, include, exclude, ranks, sort=sort, columns=columns, whole=whole)
    table.show(out, results.default_title() if title is None else title, "print_summary(whole=True)",
               columns=columns, percentage_mode=percentage_mode, whole=whole,
               with_notes=not suppress_notes)
    sample_tables.show_of(results, out, ranks, whole)
    counter_table.show(results.counters(ranks), out)
    if lines:
        names = None if include is exclude is None else {
            region.name for region in results.get_regions(include, exclude)}
        tables = [each for each in all_lines(results.line_profile, ranks)
                  if names is None or each.region in names]
        texts = sources(tables)
        for code, rows in once(tables):
            line_table.show(code, rows, out, texts.get(code))
    out.deliver()


class ResultsTable(NamedTuple):
    """The rows of a table of regions, and what there is to know of them; see `print_table`."""

    rows: list
    wall_ns: int
    run_ns: int
    processes: int
    remarks: list
    totals: "Totals | None" = None

    def show(self, out, title, how, **settings):
        """Print it; settings: of print_table()."""
        print_table(out, title, self.run_ns, self.rows, self.wall_ns, how, self.processes,
                    remarks=self.remarks, totals=self.totals, **settings)


def table_of(results, include=None, exclude=None, ranks=None, *, sort="total", columns=None,
             flat=False, whole=True):
    """The ResultsTable of results. ranks: a set or None. flat: of the regions, not of the tree. whole: not
    only of the rows that are worth showing."""
    regions = _on_ranks(results.get_regions(include, exclude), ranks)
    of_calls = _OF_CALLS & {sort, *(columns or ())}
    recorded = _recorded(results, regions, ranks)
    worth = None
    if recorded:
        wanted = name_filter(include, exclude)
        if len(recorded) == 1 and include is exclude is None and sort == "total" and not (
                whole or flat or of_calls):
            worth = rows_worth_showing(recorded, sum(tree.wall_ns for tree in recorded.values()))
        roots = [] if flat or worth else tree_rows(
            {rank: tree.only(wanted) for rank, tree in recorded.items()})
        wall, remarks = sum(tree.wall_ns for tree in recorded.values()), []
        if of_calls and not flat:
            _add_single_calls(roots, regions, recorded, wanted)
        if include is exclude is ranks is None:
            facts = notes.together(tree.facts for tree in recorded.values())
            lacking = results.dropped
            dropped = sorted(((region.name, region.num_events, region.num_calls) for region in regions
                              if region.name in lacking), key=lambda one: -one[2])
            remarks = [*notes.recording(facts, wall), *notes.dropped(dropped, facts.get("on_full", "")),
                       *notes.throttled([(region.name, calls, region.num_calls + calls) for region in regions
                                         if (calls := region.throttled_calls)]),
                       *notes.uneven(results)]
    else:
        roots, remarks = _rows_of_calls(results, regions)
        wall = _wall(results, regions)
    if flat:
        roots = [*map(region_row, regions)]
    rows, totals = worth or (in_order(roots, known.sort_key(sort), sort not in known.ASCENDING), None)
    return ResultsTable(rows, wall, round(_run_time(results) * 1e9), len(recorded) or len(_ranks_of(regions)),
                        remarks, totals)


def _add_single_calls(roots, regions, recorded, wanted):
    node_ids = {}
    for region in regions:
        for rank in region:
            ids = region[rank].node_ids
            if ids is not None:
                # The place of each node among those that are shown.
                places = array(recorded[rank].places(wanted))
                node_ids.setdefault(rank, {})[region.name] = places[ids]
    add_single_calls(roots, {region.name: region for region in regions}, node_ids)


def chosen_columns(columns):
    """Those columns, or None for what fits."""
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        columns = (columns,)
    columns = tuple(columns)
    if not columns:
        raise ValueError(f"columns takes at least one of {', '.join(known.HEADINGS)}; got none")
    for column in columns:
        if not isinstance(column, str) or column != "name" and not known.is_column(column):
            check_choice("columns", column, known.HEADINGS)
    return tuple("region" if column == "name" else column for column in columns)


def check_sort(name, value):
    if not isinstance(value, str) or known.sort_key(value) is None:
        check_choice(name, value, known.SORT_KEYS)


def check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} takes {', '.join(choices)}; got {value!r}")


def _on_ranks(regions, ranks):
    """The regions as they are on `ranks` (None: all), without those that none of these called."""
    if ranks is not None:
        regions = [
            MPIRegion(region.name, {rank: region[rank] for rank in region if rank in ranks})
            for region in regions
        ]
    return [region for region in regions if region.num_calls]


def _ranks_of(regions):
    return {rank for region in regions for rank in region}


def _recorded(results, regions, ranks):
    """What was recorded on `ranks` (None: all); nothing unless it is known of every one that called
    something."""
    recorded = {
        rank: tree for rank, tree in results.recorded.items() if ranks is None or rank in ranks
    }
    return recorded if _ranks_of(regions) <= recorded.keys() else {}


def _run_time(results):
    """Seconds from setup to finalize, or else from the first start to the last end."""
    total = results.total_time
    return results.time_span if total is None else total


def _wall(results, regions):
    """The nanoseconds that all ranks had together."""
    return round(_run_time(results) * 1e9) * len(_ranks_of(regions))


def _rows_of_calls(results, regions):
    """The tree, which is flat where the nesting is not known; and what to know of it."""
    missing = sum(region.num_calls - region.num_events for region in regions)
    if not results.has_event_data:
        return [*map(region_row, regions)], [
            "Only aggregates were kept: it is not known which calls are inside which."
        ]
    trees, node_ids = {}, {}
    try:
        for rank in sorted(_ranks_of(regions)):
            trees[rank], node_ids[rank] = tree_of_calls(regions, rank)
    except (EventDataUnavailableError, NestingError) as error:
        return [*map(region_row, regions)], [
            f"It is not known which calls are inside which: {shown(error)}."
        ]
    roots = tree_rows(trees)
    add_single_calls(roots, {region.name: region for region in regions}, node_ids)
    return roots, [f"{many(missing, 'call')} without start and end are left out."] if missing else []
