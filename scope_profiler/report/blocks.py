"""The statistics of regions as blocks of text: in seconds, as the documentation of earlier versions
shows them, and of one region with everything that is known of it."""

from .._base.shown import shown
from .style import format_amount, format_count, format_time

_RULE = "-" * 40


def show(regions, out):
    """Print a block for each of the RegionStatistics."""
    for one in regions:
        out.line(f"Region: {shown(one.name)}")
        out.line(f"  Total Calls : {one.num_calls}")
        for name, seconds in (
            ("Total Time ", one.total), ("Avg Time   ", one.average), ("Min Time   ", one.minimum),
            ("Max Time   ", one.maximum), ("Std Dev    ", one.std),
        ):
            out.line(f"  {name} : {round(seconds, 12)} s")
        out.line(_RULE)


def show_one(one, out):
    """Print the RegionStatistics of one region, a line each."""
    net = [
        "< overhead" if ns < 0 else format_time(ns)
        for ns in (one.corrected_total_ns, one.corrected_exclusive_ns)
    ]
    values = [
        ("Region", shown(one.name)),
        ("Total Calls", format_count(one.num_calls)),
        ("Total Time", format_time(one.total_ns)),
        ("Own Time", format_time(one.exclusive_ns)),
        ("Net of Overhead", f"{net[0]} in total, {net[1]} own"),
        ("Average Time", format_time(one.average_ns)),
        ("Min Time", format_time(one.minimum_ns)),
        ("Max Time", format_time(one.maximum_ns)),
        ("Std Deviation", format_time(one.std_ns)),
        ("p50 / p95 / p99", " / ".join(map(format_time, (one.p50_ns, one.p95_ns, one.p99_ns)))),
    ]
    if one.waiting_ns:
        values.append(("Running / Waiting",
                       f"{format_time(one.running_ns)} / {format_time(one.waiting_ns)}"))
    if one.errors:
        values.append(("Errors", format_count(one.errors)))
    if one.open_calls:
        values.append(("Open Calls", f"{format_count(one.open_calls)}, "
                                     f"{format_time(one.open_total_ns)} so far"))
    for quantity, amount in (one.work or {}).items():
        rate = (one.work_rates or {}).get(quantity)
        each = "" if rate is None else f", {format_amount(rate)} each second"
        values.append((f"Work in {shown(quantity)}", format_amount(amount) + each))
    for name, value in values:
        out.line(f"{name}: {value}")
    out.line()
