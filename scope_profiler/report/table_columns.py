"""The columns of a table of regions: what each is called and what it shows.

What was added to regions has columns for each quantity: "work:flops" is the sum, "rate:flops" that for each
second. "work" and "rate" stand for those of all quantities.
"""

from .._base.shown import shown
from .style import format_amount, format_bytes, format_count, format_share, format_time

UNKNOWN = "–"

#: What there is to choose from: {column: its heading}.
HEADINGS = {
    "region": "Region",
    "ranks": "Ranks",
    "calls": "Calls",
    "errors": "Errors",
    "percent": "% run",
    "parent_percent": "% parent",
    "total": "Total",
    "own": "Own",
    "running": "Running",
    "waiting": "Waiting",
    "net": "Net",
    "avg": "Average",
    "gpu_total": "GPU total",
    "gpu_avg": "GPU average",
    "min": "Min",
    "p50": "p50",
    "p90": "p90",
    "p95": "p95",
    "p99": "p99",
    "p999": "p99.9",
    "max": "Max",
    "std": "Std",
    "allocated": "Allocated",
    "freed": "Freed",
    "peak": "Peak",
    "allocations": "Blocks",
    "frees": "Blocks freed",
    "work": "Work",
    "rate": "Work/s",
    "first": "First",
    "last": "Last",
    "imbalance": "% imbalance",
}

#: What is shown when nothing is chosen, and in which order; some of it where there is any.
DEFAULT = ("region", "ranks", "calls", "percent", "total", "own", "running", "waiting", "net", "work", "rate",
           "avg", "min", "p50", "p99", "max", "std", "allocated", "freed", "peak", "errors")

#: What has to go first where there is not room for all comes last.
PRIORITY = ("region", "total", "percent", "calls", "ranks", "allocated", "peak", "rate", "work", "own",
            "errors", "freed", "waiting", "running", "avg", "max", "net", "p99", "p50", "min", "std")

#: Times of the finished calls: the attribute of RegionStatistics.
_OF_CALLS = {
    "running": "running_ns",
    "waiting": "waiting_ns",
    "avg": "average_ns",
    "min": "minimum_ns",
    "max": "maximum_ns",
    "std": "std_ns",
    "p50": "p50_ns",
    "p90": "p90_ns",
    "p95": "p95_ns",
    "p99": "p99_ns",
    "p999": "p999_ns",
}


def _net(row):
    own, net = row.own_ns, row.statistics.corrected_exclusive_ns
    return None if own is None or net is None else net + row.statistics.open_exclusive_ns


def _of_calls(name):
    return lambda row: getattr(row.statistics, name) if row.statistics.num_calls else None


#: {column: the nanoseconds of a row, or None}.
TIMES = {
    "total": lambda row: row.total_ns,
    "own": lambda row: row.own_ns,
    "net": _net,
    "first": lambda row: row.first_call_ns,
    "last": lambda row: row.last_call_ns,
    "gpu_total": lambda row: None,
    "gpu_avg": lambda row: None,
    **{column: _of_calls(name) for column, name in _OF_CALLS.items()},
}

#: Bytes, and blocks of memory: the attribute of RegionStatistics.
_BYTES = {"allocated": "allocated_bytes", "freed": "freed_bytes", "peak": "peak_bytes"}
_BLOCKS = {"allocations": "allocations", "frees": "frees"}


def _of_statistics(name):
    return lambda row: getattr(row.statistics, name)


#: What rows can be sorted by: {key: what of a row}.
SORT_KEYS = {
    "start": lambda row: row.first_ns,
    "name": lambda row: row.name,
    "calls": lambda row: row.statistics.counted_calls,
    **{column: value for column, value in TIMES.items() if not column.startswith("gpu")},
    "errors": lambda row: row.statistics.errors,
    **{column: _of_statistics(name) for column, name in {**_BYTES, **_BLOCKS}.items()},
    "imbalance": lambda row: row.imbalance,
}
#: Of these the least comes first.
ASCENDING = ("start", "name")

PERCENTAGE_MODES = ("coverage", "exclusive")



#: Columns of each quantity: what is known of it.
_WORK = {"work": lambda row: row.statistics.work, "rate": lambda row: row.statistics.work_rates}


def _of_quantity(column):
    """Of such a column which of these it is, and the quantity; else the column, and None."""
    kind, colon, quantity = column.partition(":")
    return (kind, quantity) if colon and kind in _WORK else (column, None)


def heading(column):
    """What heads it."""
    kind, quantity = _of_quantity(column)
    return HEADINGS[kind] if quantity is None else shown(quantity) + ("/s" if kind == "rate" else "")


def sort_key(column):
    """What rows are sorted by it; None where they cannot be."""
    kind, quantity = _of_quantity(column)
    if quantity is None:
        return SORT_KEYS.get(column)
    return lambda row: (_WORK[kind](row) or {}).get(quantity)


def priority(column):
    """Which place it has among those that have to go."""
    return PRIORITY.index(_of_quantity(column)[0])


def is_column(name):
    """Whether there is such a column."""
    kind, quantity = _of_quantity(name)
    return name in HEADINGS or quantity is not None


def expanded(columns, rows):
    """The columns, with those of each quantity that the rows have in the place of "work" and "rate"."""
    quantities = dict.fromkeys(name for row in rows for name in row.statistics.work or ())
    found = []
    for column in columns:
        if column not in _WORK or not quantities:
            found.append(column)
        elif column == "work" and "rate" in columns:  # side by side
            found += [f"{kind}:{name}" for name in quantities for kind in _WORK]
        elif column == "work" or "work" not in columns:
            found += [f"{column}:{name}" for name in quantities]
    return found


def chosen(rows):
    """The columns to show when nothing is chosen."""
    without = set()
    if len({frozenset(row.by_rank) for row in rows}) < 2:
        without.add("ranks")
    if not any(row.statistics.errors != 0 for row in rows):
        without.add("errors")
    if not any(row.statistics.waiting_ns for row in rows):
        without |= {"running", "waiting"}
    if all(row.statistics.corrected_exclusive_ns is None for row in rows):
        without.add("net")
    if all(row.statistics.allocated_bytes is None for row in rows):
        without |= {*_BYTES}
    if not any(row.statistics.work for row in rows):
        without |= {*_WORK}
    return expanded([column for column in DEFAULT if column not in without], rows)


def cell(row, column, wall_ns, percentage_mode="coverage"):
    """The text of a row in a column other than that of the regions."""
    if column == "ranks":
        return ranks_text(sorted(row.by_rank))
    if column == "calls":
        return format_count(row.statistics.counted_calls)
    if column == "errors":
        errors = row.statistics.errors
        return UNKNOWN if errors is None else format_count(errors) if errors else ""
    if column == "imbalance":
        return f"{row.imbalance:.1f}"
    if column == "percent":
        return _share(row.total_ns if percentage_mode == "coverage" else row.own_ns, wall_ns)
    if column == "parent_percent":
        return _share(row.total_ns, row.parent and row.parent.total_ns)
    for names, written in ((_BYTES, format_bytes), (_BLOCKS, format_count)):
        if column in names:
            value = getattr(row.statistics, names[column])
            return UNKNOWN if value is None else written(value)
    kind, quantity = _of_quantity(column)
    if kind in _WORK:
        amount = (_WORK[kind](row) or {}).get(quantity)
        return "" if amount is None else format_amount(amount)
    ns = TIMES[column](row)
    if ns is None:
        return UNKNOWN
    # An estimate: what it takes off can be more than there was.
    return "< overhead" if column == "net" and ns < 0 else format_time(ns)


def ranks_text(ranks):
    """Which they are, as in 0,2-5; of more than four such pieces how many there are."""
    known = {*ranks}
    firsts = [rank for rank in ranks if rank - 1 not in known]
    lasts = [rank for rank in ranks if rank + 1 not in known]
    if len(firsts) > 4:
        return f"{format_count(len(ranks))} of {ranks[0]}-{ranks[-1]}"
    return ",".join(f"{first}" if first == last else f"{first}-{last}"
                    for first, last in zip(firsts, lasts))


def raw(row, wall_ns):
    """A row for machines: {column, with its unit: what it is, None where that is unknown}."""
    values = {"region": row.name, "depth": row.depth, "ranks": len(row.by_rank)}
    for column, value in SORT_KEYS.items():
        name = f"{column}_ns" if column in TIMES or column == "start" else column
        name = f"{column}_bytes" if column in _BYTES else name
        values["imbalance_percent" if column == "imbalance" else name] = value(row)
    del values["name"]
    values["throttled_calls"] = row.statistics.throttled_calls
    values.update({name: of(row) for name, of in _WORK.items()})
    values["run_percent"] = _percent(row.total_ns, wall_ns)
    values["parent_percent"] = _percent(row.total_ns, row.parent and row.parent.total_ns)
    return values


def _percent(part, whole):
    return 100 * part / whole if whole and part is not None else None


def _share(part, whole):
    return format_share(part, whole) if whole and part is not None else UNKNOWN
