"""What has changed between runs, as a table, as JUnit XML and as annotations of a job."""

from xml.etree import ElementTree

from .._base.shown import shown
from .._compare.change import CONFIDENCE, LEAST_RUNS
from .grid import print_grid
from .style import format_bytes, format_count, format_time, format_amount, many
from .table_columns import UNKNOWN

_MOST = 30


#: Of the columns behind the name.
HEADINGS = ("Calls", "Before", "After", "Change", f"{CONFIDENCE:g} % interval", "Verdict")


def change_cells(each, write, limit):
    """The texts of a Compared, its name first. write: what makes text of its values."""
    low, high = each.change.low, each.change.high
    return (shown(each.shown_name), _calls(each), _value(each.change.before, write),
            _value(each.change.after, write), percent(each.change.change),
            UNKNOWN if low is None else f"{percent(low)} … {percent(high)}", each.verdict(limit))


def show_changes(found, out, *, what="region", metric="typical", is_time=True, limit=0.0, runs=(1, 1),
                 whole=False, common=0.0):
    """Print what was Compared, those first that have changed. limit: beyond which a change counts."""
    write = format_time if is_time else format_count
    rows = found if whole else _worth_showing(found, limit)
    out.line()
    out.title(f"scope-profiler: {many(len(found), what)}, {many(runs[0], 'run')} before and {runs[1]} after; "
              f"{', '.join(_counted(found, limit)) or 'nothing to compare'}")
    out.line()
    if not rows:
        return
    print_grid(
        out,
        (what.capitalize(), *HEADINGS),
        [change_cells(each, write, limit) for each in rows],
        left=(0, 6), shares=[_SHARES.get(each.verdict(limit)) for each in rows],
    )
    if len(rows) < len(found):
        out.note(f"… and {many(len(found) - len(rows), 'row')} not shown: --all")
    for note in notes(found, metric, limit, runs, common):
        out.note(note)


def _worth_showing(found, limit):
    """What has changed, and others as long as the table is short; in the order of all."""
    by_worth = sorted(found, key=lambda each: each.verdict(limit) in ("same", "unknown"))
    worth = {*map(id, by_worth[:_MOST])}
    return [each for each in found if id(each) in worth]


_SHARES = {"slower": 1.0, "faster": 0.1, "new": 0.1, "gone": 0.1}


def _counted(found, limit):
    verdicts = [each.verdict(limit) for each in found]
    for name in ("slower", "faster", "new", "gone", "same", "unknown"):
        if name in verdicts:
            yield f"{verdicts.count(name)} {name}"


def notes(found, metric, limit, runs, common):
    """What there is to say of the numbers, in sentences."""
    if metric == "typical":
        yield ("Before, after: what the fastest calls take in the fastest tenth of the run, as other work on "
               "the machine only adds to it.")
    yield (f"A change counts where all of its interval is beyond {percent(limit)}, and it is more than "
           "parts of one side differ by.")
    if min(runs) == 1:
        more = "" if abs(common) < 0.02 else f", and {percent(common)} is common to most"
        yield ("One run tells little of how runs differ, so only large changes count" + more
               + ": compare several runs of each, in folders.")
    if any(each.verdict(limit) == "unknown" for each in found):
        yield f"unknown: too few calls for an interval; {LEAST_RUNS} runs of each have one."


#: Of the columns behind the region.
WORK_HEADINGS = ("Work", "Before", "After", "Rate before", "Rate after", "Change", "Verdict")


def work_cells(each, limit):
    """The texts of a WorkChange, its region first. There is a verdict where there is an interval."""
    change = each.change
    return (shown(each.name), shown(each.quantity), *map(_amount, each.amounts), *map(_rate, change[:2]),
            percent(change.change), "" if change.low is None else each.verdict(limit))


def show_work(found, out, limit=0.0, whole=False):
    """Print WorkChanges; nothing where there are none."""
    rows = found if whole else found[:_MOST]
    if not rows:
        return
    out.line()
    print_grid(out, ("Region", *WORK_HEADINGS), [work_cells(each, limit) for each in rows], left=(0, 1, 7),
               shares=[_SHARES.get(each.verdict(limit)) for each in rows])
    if len(rows) < len(found):
        out.note(f"… and {many(len(found) - len(rows), 'row')} of work not shown: --all")


def _amount(value):
    return UNKNOWN if value is None else format_amount(value)


def _rate(value):
    return UNKNOWN if value is None else f"{format_amount(value)}/s"


def percent(change):
    """A change as per cent, with its sign."""
    return UNKNOWN if change is None else f"{100 * change:+.1f} %"


def _calls(each):
    before, after = (f"{number:g}" for number in each.calls)
    return before if before == after else f"{before} → {after}"


def _value(value, write):
    return UNKNOWN if value is None else write(round(value))


def finding(each, limit):
    """One sentence on what was Compared."""
    verdict, name = each.verdict(limit), shown(each.shown_name)
    if verdict in ("new", "gone"):
        return f"{name} is {verdict}"
    if verdict == "unknown":
        return f"{name}: too few calls to tell"
    return (f"{name}: {percent(each.change.change)} ({CONFIDENCE:g} % interval {percent(each.change.low)} to "
            f"{percent(each.change.high)})")


# ---- Budgets


def show_budgets(checked, out):
    """Print Kept limits."""
    out.line()
    broken = sum(not each.is_kept for each in checked)
    out.title(f"scope-profiler: {many(len(checked), 'limit')}, {broken} not kept")
    out.line()
    print_grid(out, ("Region", "Limit", "At most", "It has", ""),
               [(shown(each.limit.region), each.limit.key, *_of_limit(each),
                 "kept" if each.is_kept else "not kept") for each in checked],
               left=(0, 1, 4), shares=[None if each.is_kept else 1.0 for each in checked])


def _of_limit(each):
    write = {"time": format_time, "memory": format_bytes, "count": format_count}[each.limit.kind]
    return write(round(each.limit.most)), "not measured" if each.value is None else write(round(each.value))


def budget_finding(each):
    """One sentence on a Kept limit."""
    most, value = _of_limit(each)
    has = "was not called, or not measured" if each.value is None else f"has {value}"
    return f"{shown(each.limit.region)}: {each.limit.key} is {most}, it {has}"


# ---- For other programs


def junit(cases):
    """JUnit XML. cases: [(name, failure or None), ...]."""
    failures = sum(failure is not None for _, failure in cases)
    suite = ElementTree.Element("testsuite", name="scope-profiler check", tests=str(len(cases)),
                                failures=str(failures), errors="0")
    for name, failure in cases:
        case = ElementTree.SubElement(suite, "testcase", classname="scope-profiler", name=shown(name))
        if failure is not None:
            ElementTree.SubElement(case, "failure", message=failure).text = failure
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def annotation(text):
    """A line that GitHub shows beside the job."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=scope-profiler check::{text}"
