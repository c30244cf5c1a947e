"""The sentences below a table: what its percentages are of, our own cost, what was missed, and where
it was written."""

import os
import shlex

from .._base.file_names import FORMATS, beside, format_of
from .._model.recorded import OTHER_PATHS
from .._base.shown import shown
from .style import format_count, format_time, many


def recording(facts, wall_ns):
    """What there is to say of a recording. facts: of a Recorded, or of several, added up."""
    if "overhead_ns" in facts:
        yield overhead(facts, wall_ns)
    yield from missed(facts)


def together(all_facts):
    """The facts of several recordings: numbers are added up."""
    facts = {}
    for one in all_facts:
        for name, value in one.items():
            if isinstance(value, str):
                facts[name] = facts.get(name) or value
            else:
                facts[name] = facts.get(name, 0) + value
    return facts


def below(totals, shown_rows, columns, wall_ns, processes, how, which=", of those that took least"):
    """What there is to say right below a table: which rows it leaves out, and what its percentages
    are of where that is not the wall time of the one process. how: to see all rows. which: are left out."""
    if len(shown_rows) < totals.rows:
        yield f"… and {many(totals.rows - len(shown_rows), 'row')} not shown{which}; all: {how}"
    if totals.has_other_paths:
        yield (f"{OTHER_PATHS}: there were too many to tell them apart; of the calls on these the tree "
               "shows the regions alone.")
    if "percent" in columns and processes > 1:
        yield (f"% run: of the wall time of {processes} processes together, "
               f"{format_time(wall_ns)}.")
    if "percent" in columns and 0 < wall_ns < max(row.total_ns for row in shown_rows):
        yield "×: the calls of a row ran at the same time, and took so many times the run together."


def overhead(facts, wall_ns):
    """What measuring has cost, and one of each of the kinds that most of it went to."""
    spent = facts["overhead_ns"]
    parts = [", ".join(f"{total / n:.0f} ns per {what}" for what, n, total in _kinds(facts)
                       if total >= _LEAST_COST * spent)]
    share = f", {100 * spent / wall_ns:.1f} % of the run" if wall_ns > 0 else ""
    parts.append(f"{format_time(round(spent))} in total{share}")
    return f"Own overhead: {'; '.join(filter(None, parts))}. Net: own time less that."


_MOST_KINDS = 3
_LEAST_COST = 0.01  # of all

_KINDS = {
    "decorated": "decorated call",
    "traced": "traced call",
    "traced_c": "traced call of a C function",
    "generator": "decorated generator or coroutine",
    "traced_generator": "traced generator or coroutine",
    "step": "step of a decorated one",
    "traced_step": "step of a traced one",
    "metadata": "metadata scope",
    "annotation": "call in one",
    "outcome": "outcome",
    "line": "line",
    "work": "add()",
    "throttled": "throttled call",
}


def _kinds(facts):
    """[(what, how many, nanoseconds in all), ...] of the kinds of overhead.COSTS that took most."""
    each = {name: (facts[f"{name}_costs"], facts[f"{name}_costs_ns"])
            for name in (*_KINDS, "block", "lookup") if facts.get(f"{name}_costs")}
    blocks, blocks_ns = each.pop("block", (0, 0.0))
    lookups, lookups_ns = each.pop("lookup", (0, 0.0))
    kinds = [(_KINDS[name], *costs) for name, costs in each.items()]
    named = min(blocks, lookups)
    if named:
        named_ns = named * (blocks_ns / blocks + lookups_ns / lookups)
        kinds.append(("with by name", named, named_ns))
    if blocks > named:
        kinds.append(("with of a region kept", blocks - named, blocks_ns * (1 - named / blocks)))
    if lookups > named:
        kinds.append(("region by name", lookups - named, lookups_ns * (1 - named / lookups)))
    return sorted(kinds, key=lambda kind: kind[2], reverse=True)[:_MOST_KINDS]


_MOST_NAMED = 5


def _most(regions):
    """The first of them, and how many of their calls: (name, so many, calls)."""
    named = ", ".join(f"{shown(name)} {format_count(some)} of {format_count(count)}"
                      for name, some, count in regions[:_MOST_NAMED])
    more = len(regions) - _MOST_NAMED
    return named + (f", and {many(more, 'more region')}" if more > 0 else "")


def dropped(regions, on_full=""):
    """What is to be said of regions that keep not every call by itself: (name, calls kept, calls), those
    with most calls first."""
    if not regions:
        return
    kept, calls = (sum(one[place] for one in regions) for place in (1, 2))
    how = f' (on_full="{on_full}")' if on_full else ""
    yield (f"Single calls: {format_count(kept)} of {format_count(calls)} are kept with start and end{how}, "
           f"all in the statistics: {_most(regions)}.")


def throttled(regions):
    """What is to be said of regions some of whose calls are throttled: (name, how many, all calls)."""
    if not regions:
        return
    regions = sorted(regions, key=lambda one: -one[1])
    yield (f"Throttled: {_most(regions)}, called often and for a short time, were counted and not timed. "
           "Their times are those of the other calls; the rest is in the own time of what called them.")


_MISSED = (
    ("open", "still open: shown with what it has come to, counted when it ends",
     "still open: shown with what they have come to, counted when they end"),
    ("moved", "left by another thread than entered it: counted in the one that did", None),
    ("unmatched", "left without having been entered in this run: not counted", None),
    ("lost", "not recorded: no memory was left", None),
    ("dropped", "kept in the statistics without start and end: no memory was left", None),
)


def missed(facts):
    """What is not in the numbers, or not as one would think."""
    for key, of_one, of_several in _MISSED:
        count = facts.get(key, 0)
        if count:
            yield f"{many(count, 'call')} {of_several if of_several and count > 1 else of_one}."
    if facts.get("work_lost"):
        yield (f"{format_count(facts['work_lost'])} times add() found no open call of its region in its "
               "thread, or more than 32 quantities: that work is not counted.")
    if facts.get("counter_values_lost"):
        yield (f"{format_count(facts['counter_values_lost'])} of {format_count(facts['counter_values'])} "
               "values of counters are not kept: they found no room, or there were more than 32 counters.")
    times = facts.get("metadata_lost", 0)
    if times:
        yield (f"{format_count(times)} times metadata could not be noted; the first time: "
               f"{shown(facts['metadata_error'])}.")
    if facts.get("slow_calls"):
        yield f"{many(facts['slow_calls'], 'call')} took longer than the limit (on_slow)."
    if facts.get("slow_failed"):
        yield (f"slow_callback has failed {format_count(facts['slow_failed'])} times; the first time: "
               f"{shown(facts['slow_error'])}.")
    if facts.get("lines_lost"):
        yield f"{format_count(facts['lines_lost'])} times lines could not be recorded."
    if facts.get("journal_error"):
        yield (f"The journal has ended early: {shown(facts['journal_error'])}. Recording went on in memory "
               "alone.")


_UNEVEN = 1.1  # the rank that took longest, over the mean
_MOST_UNEVEN = 3
_LEAST_SHARE = 0.01  # of the run, of what that rank took more


def uneven(results):
    """Which regions took some rank of a job longer than the others, those first where it is most."""
    if "launched_ranks" not in results.metadata:
        return
    found = []
    for region in results:
        totals = {rank: ns for rank in region if (ns := region[rank].inclusive_duration_ns)}
        if len(totals) < 2:
            continue
        mean = sum(totals.values()) / len(totals)
        more = max(totals.values()) - mean
        if more >= (_UNEVEN - 1) * mean and more / 1e9 >= _LEAST_SHARE * (results.total_time or 0):
            found.append((more, region.name, mean, totals))
    for more, name, mean, totals in sorted(found, key=lambda one: -one[0])[:_MOST_UNEVEN]:
        slowest = sorted(totals, key=totals.get, reverse=True)[:3]
        others = "" if len(totals) < 4 else f"; then {', '.join(map(str, slowest[1:]))}"
        yield (f"{shown(name)} is uneven: rank {slowest[0]} took {1 + more / mean:.2f} times the mean of "
               f"{len(totals)} ranks, {format_time(round(more))} more{others}.")


def written(paths, begun):
    """Where the results are. begun: of the run, seconds since the epoch."""
    for path in filter(os.path.exists, paths):
        yield f"Written: {shown(path)} ({_size(os.path.getsize(path))})"
        # Files of earlier runs may lie there, too; other ranks write theirs.
        number = sum(os.path.getmtime(file) >= begun for file in beside(path)
                     if ".rank" not in os.path.basename(file))
        if number:
            yield (f"Child processes wrote {many(number, 'file')} beside it: "
                   f"load_processes({path!a}) reads all.")


def next_commands(path, has_lines):
    """What shows more of the file. Nothing where there is none."""
    if path is not None and format_of(path) in FORMATS and os.path.exists(path):
        file = shlex.quote(shown(path))
        lines = f", scope-profiler line-profile {file}" if has_lines else ""
        yield f"Next: scope-profiler inspect {file}, scope-profiler report {file}{lines}"


def _size(size):
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
