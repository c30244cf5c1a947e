"""The printed report: the region tree, the line tables, and what to know about both."""

import sys

from .._base.shown import shown
from .._model.counted_lines import once, sources
from . import blocks, counter_table, line_table, notes, sample_tables, table_columns as columns
from .output import Output
from .region_table import print_table
from .rows import in_order, tree_rows
from .style import many


def print_run(snapshot, stream=None, *, regions=True, lines=True, style="table", seen=None,
              ranks=None):
    """Print the report of a Snapshot to stream (sys.stdout): the regions, as "table" or as
    "blocks", with notes, and the tables of lines.

    seen: {code: hits} of the lines that have been printed, which is brought up to date: only those
    of functions that ran since are printed. ranks: what has become of the ranks of a job, with
    `remarks`, and where those of others have come, `gathered`: then the results of all are shown.

    What fails is one line in the place of what it would have said.
    """
    out = Output(sys.stdout if stream is None else stream)
    summary = snapshot.recorded
    together = ranks is not None and ranks.is_of_all
    has_children = snapshot.results is not None and snapshot.results.num_ranks > 1
    if regions and together:
        _part(out, "regions", _show_all_ranks, snapshot, out)
    elif regions and style == "blocks":
        _part(out, "regions", blocks.show, snapshot.regions, out)
    elif regions and has_children:
        _part(out, "regions", _show_processes, snapshot, out)
    elif regions:
        _part(out, "regions", _show_regions, snapshot, out)
    if regions and summary.samples is not None:
        _part(out, "the samples", _show_samples, snapshot, out)
    if regions:
        _part(out, "the counters", _show_counters, snapshot, out)
    if lines and has_children:
        _part(out, "lines", _show_lines_of_all, snapshot.results, out)
    elif lines:
        _show_lines(snapshot.lines, {} if seen is None else seen, out)
    if regions:
        out.line()
        for text in ranks.remarks if ranks is not None else ():
            out.note(text)
        for what, function, *arguments in (
            *([] if together else [("measuring", notes.recording, summary.facts, summary.wall_ns)]),
            ("single calls", notes.dropped, snapshot.dropped, summary.facts.get("on_full", "")),
            ("throttling", notes.throttled, _throttled(snapshot.regions)),
            ("the file", notes.written, snapshot.paths, snapshot.begun),
        ):
            for text in _part(out, what, lambda: list(function(*arguments))) or ():
                out.note(text)
        if out.is_terminal:
            for text in notes.next_commands(snapshot.file_path, bool(snapshot.lines)):
                out.line(text)  # in one piece, to be copied
    out.deliver()


def _throttled(regions):
    return [(one.name, one.throttled_calls, one.counted_calls) for one in regions if one.throttled_calls]


def print_statistics(statistics, stream=None):
    """Print the RegionStatistics of one region, with its line tables if there are any."""
    from .._model.counted_code import CountedCode

    out = Output(sys.stdout if stream is None else stream)
    blocks.show_one(statistics, out)
    for code, rows in (statistics.lines or {}).items():
        line_table.show(CountedCode(*code), rows, out)
    out.deliver()


def _part(out, what, function, *arguments):
    """What function(*arguments) gives; None and a line that says so when it fails."""
    try:
        return function(*arguments)
    except Exception as error:
        out.line(f"scope-profiler: what there is to say of {what} cannot be printed: "
                 f"{type(error).__name__}: {shown(error)}")


def _show_regions(snapshot, out):
    wall, trees = snapshot.recorded.wall_ns, {0: snapshot.recorded}
    how = ("finalize(return_results=True)" if snapshot.file_path is None
               else f"load({snapshot.file_path!a})")
    rows = totals = None
    if snapshot.results is not None:  # and so numpy
        from .largest import rows_worth_showing

        rows, totals = rows_worth_showing(trees, wall) or (None, None)
    if rows is None:
        rows = in_order(tree_rows(trees), columns.SORT_KEYS["total"])
    print_table(
        out, snapshot.label or snapshot.file_path or "in memory", wall, rows, wall,
        f"{how}.print_summary(whole=True)", totals=totals,
    )


def _show_processes(snapshot, out):
    """Those of the process and the children that it follows, together."""
    from .facts_text import show_processes
    from .results_table import table_of

    results = snapshot.results
    table = table_of(results)._replace(remarks=[])
    table.show(out, results.default_title(), "print_summary(whole=True)")
    show_processes(results, out)


def _show_lines_of_all(results, out):
    from ..results.line_entries import all_lines

    tables = [*all_lines(results.line_profile, None)]
    texts = sources(tables)
    for code, rows in once(tables):
        line_table.show(code, rows, out, texts.get(code))


def _show_all_ranks(snapshot, out):
    from .results_table import table_of

    path = snapshot.file_path
    how = "finalize(return_results=True)" if path is None else f"load({path!a})"
    table_of(snapshot.results).show(out, snapshot.results.default_title(),
                                    f"{how}.print_summary(whole=True)")


def _show_counters(snapshot, out):
    """Those of all processes that the results have."""
    if snapshot.results is None:
        counter_table.show({name: {0: known} for name, known in snapshot.recorded.counters.items()}, out)
    else:
        counter_table.show(snapshot.results.counters(), out)


def _show_samples(snapshot, out):
    """Those of all processes that the results have."""
    if snapshot.results is None:
        sample_tables.show([snapshot.recorded.samples], out)
    else:
        sample_tables.show_of(snapshot.results, out)


_NO_LINES = (
    "No line was counted: line mode counts those of functions with @profile and of `with region` "
    "blocks, and with `scope-profiler run --recursive --line-profile` those of every function."
)


def _show_lines(lines, seen, out):
    """lines: of CountedLines, or None where there was no line mode."""
    left = 0
    if lines is not None and not lines:
        out.line()
        out.note(_NO_LINES)
    for code, rows in once(lines or ()):
        hits = sum(row.hits for row in rows)
        if seen.get(code) == hits:
            left += 1
            continue
        seen[code] = hits
        _part(out, f"the lines of {shown(code.co_qualname)}", line_table.show, code, rows, out)
    if left:
        out.line()
        out.note(f"The lines of {many(left, 'function')} that did not run since the last report are "
                 "not printed again.")
