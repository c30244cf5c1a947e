"""The table of regions, made of results: of what was recorded, or else of the calls."""

import sys
from collections.abc import Iterable

from .._base.arguments import boolean, name_filter, rank_set, text_or_none
from ..results import EventDataUnavailableError, MPIRegion, NestingError
from ..results.call_tree import call_tree
from .._base.shown import shown
from . import table_columns as known
from . import head, notes, region_table
from .output import Output
from .rows import add_calls, call_rows, in_order, recorded_rows, region_row
from .style import many

#: Columns of single calls, which the recorder's tree does not have.
_OF_CALLS = {"first", "last"}


def show(results, include=None, exclude=None, ranks=None, *, sort="total", title=None,
         stream=None, suppress_notes=False, columns=None, percentage_mode="coverage", whole=False):
    """Print the table of a ProfilingResults, whose print_summary() says what it takes."""
    columns = _chosen_columns(columns)
    suppress_notes, whole = boolean("suppress_notes", suppress_notes), boolean("whole", whole)
    text_or_none("title", title)
    _check_choice("sort", sort, known.SORT_KEYS)
    _check_choice("percentage_mode", percentage_mode, known.PERCENTAGE_MODES)
    out = Output(sys.stdout if stream is None else stream)
    ranks = rank_set(ranks)
    regions = _on_ranks(results.get_regions(include, exclude), ranks)
    recorded = _recorded(results, regions, ranks)
    of_calls = _OF_CALLS & {sort, *(columns or ())}
    if recorded:
        wanted = name_filter(include, exclude)
        roots = recorded_rows({rank: tree.only(wanted) for rank, tree in recorded.items()})
        if of_calls:
            add_calls(roots, _tree(regions)[0] or [])
        wall = sum(tree.wall_ns for tree in recorded.values())
        remarks = []
    else:
        roots, remarks = _rows_of_calls(results, regions)
        wall = _wall(results, regions)
    rows = in_order(roots, known.SORT_KEYS[sort], sort not in known.ASCENDING)

    name = results.default_title() if title is None else title
    head(name, round(_run_time(results) * 1e9), rows, out)
    if rows:
        printed, of = region_table.show(rows, wall, out, columns, percentage_mode, whole)
        processes = len(recorded) or len(_ranks_of(regions))
        for remark in notes.below(rows, printed, () if suppress_notes else of, wall, processes,
                                  "print_summary(whole=True)"):
            out.note(remark)
    if not suppress_notes:
        if recorded and include is exclude is ranks is None:
            facts = notes.together(tree.facts for tree in recorded.values())
            remarks += notes.recording(facts, wall)
        if rows and remarks:
            out.line()
            for remark in remarks:
                out.note(remark)
    out.deliver()


def _chosen_columns(columns):
    """Those columns, or None for what fits."""
    if columns is None:
        return None
    if isinstance(columns, str) or not isinstance(columns, Iterable):
        columns = (columns,)
    columns = tuple(columns)
    if not columns:
        raise ValueError(f"columns takes at least one of {', '.join(known.HEADINGS)}; got none")
    for column in columns:
        if not isinstance(column, str) or column != "name":
            _check_choice("columns", column, known.HEADINGS)
    return tuple("region" if column == "name" else column for column in columns)


def _check_choice(name, value, choices):
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


def _tree(regions):
    """The tree of the calls, and remarks; None where the nesting is not known, which one says."""
    try:
        return call_tree(regions, _ranks_of(regions)), []
    except (EventDataUnavailableError, NestingError) as error:
        return None, [f"It is not known which calls are inside which: {shown(error)}."]


def _rows_of_calls(results, regions):
    """The tree, which is flat where the nesting is not known; and what to know of it."""
    missing = sum(region.num_calls - region.num_events for region in regions)
    if results.has_event_data:
        tree, remarks = _tree(regions)
        if tree is not None:
            if missing:
                remarks.append(f"{many(missing, 'call')} without start and end are left out.")
            return call_rows(tree), remarks
    else:
        remarks = ["Only aggregates were kept: it is not known which calls are inside which."]
    return list(map(region_row, regions)), remarks
