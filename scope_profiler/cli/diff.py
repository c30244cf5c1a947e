"""scope-profiler diff and check: what has changed between runs, and whether that is allowed."""

import sys

import click

from .profile_files import (
    Refused, check_choice, choosing_regions, loaded, matching, ranks_of, refusing, skipping_first,
)
from .several import ReadingCommand, Several

_METRICS = ("typical", "total", "avg", "min", "max", "p50", "p95", "p99", "calls", "imbalance")


def _shared(command):
    """The options of both commands."""
    for option in reversed((
        choosing_regions,
        click.option("--metric", type=click.Choice(_METRICS), default="typical", show_default=True,
                     help="What is compared: the typical call is the one on a quiet machine."),
        click.option("--rename", "renamed", cls=Several, metavar="OLD=NEW",
                     help="The region OLD of before is NEW of after."),
        click.option("--match-renamed", "guess", is_flag=True,
                     help="Match regions on one side alone by their source or a similar name."),
        skipping_first,
        click.option("--all", "whole", is_flag=True, help="Leave no row out."),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing: for the exit status."),
    )):
        command = option(command)
    return command


@click.command(cls=ReadingCommand, short_help="Compare runs: region by region, with intervals.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("before", metavar="BEFORE", type=click.Path())
@click.argument("after", metavar="AFTER", type=click.Path())
@_shared
@click.option("--threshold", metavar="PCT", type=click.FloatRange(0), default=0.0, show_default=True,
              help="Only changes of at least so many per cent.")
@click.option("--sort", type=click.Choice(["pct", "delta", "name"]), default="pct", show_default=True,
              help="By the relative change, by the difference, or by name.")
@click.option("--lines", is_flag=True,
              help="Line by line, of functions that were recorded with --line-profile.")
def diff(before, after, threshold, sort, lines, whole, quiet, metric, **how):
    """Compare runs, region by region: each change has an interval, in which it lies with 99 %.

    BEFORE and AFTER are each a file, or several runs of the same program: a folder of files, or a pattern
    in quotes. Functions are regions where every function was recorded. The interval comes of drawing
    runs, and stretches of calls in them, again and again.

    \b
    Examples:
      scope-profiler diff before.h5 after.h5
      scope-profiler diff runs-before/ runs-after/ --metric p99
      scope-profiler diff 'old-*.h5' 'new-*.h5' --rename solve=solve_fast --lines
    """
    found, runs, work = _compared(before, after, metric, lines=lines, **how)
    kept = [each for each in found
            if each.change.change is None or 100 * abs(each.change.change) >= threshold]
    if sort == "delta":
        kept.sort(key=lambda each: -abs((each.change.after or 0) - (each.change.before or 0)))
    elif sort == "name":
        kept.sort(key=lambda each: each.shown_name)
    if not quiet:
        from ..report.changes_text import show_work
        from ..report.output import Output

        out = Output(sys.stdout)
        _show(kept, runs, found, metric, threshold / 100, whole, "line" if lines else "region", out)
        show_work(work(kept), out, threshold / 100, whole)
        out.deliver()


@click.command(cls=ReadingCommand, short_help="Fail where a region has become slower, or breaks its budget.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("files", metavar="[BEFORE] AFTER", nargs=-1, required=True, type=click.Path())
@_shared
@click.option("--max-regression", metavar="PCT", type=click.FloatRange(0), default=2.0, show_default=True,
              help="So many per cent more are allowed.")
@click.option("--fail-on-new", is_flag=True, help="Fail for regions that are not in BEFORE, too.")
@click.option("--budget", metavar="FILE",
              help='Limits of regions in TOML: [regions."request"] max_p99 = "5 ms", max_calls, max_memory.')
@click.option("--junit", metavar="FILE", help="Write the result as JUnit XML, too.")
@click.option("--annotations", is_flag=True, help="Print a line that GitHub shows for each failure.")
def check(files, max_regression, fail_on_new, budget, junit, annotations, whole, quiet, metric, **how):
    """Exit with 1 where a region has become slower than allowed, or takes more than its budget.

    BEFORE and AFTER are as for diff. A region has become slower where the whole interval of the change is
    beyond --max-regression. How often regions are called counts as well, unless --metric says what does.
    With --budget, BEFORE may be left out.

    \b
    Examples:
      scope-profiler check before.h5 after.h5 --max-regression 5
      scope-profiler check runs-before/ runs-after/ --junit check.xml --annotations
      scope-profiler check run.h5 --budget budget.toml
    """
    from ..report import changes_text as text
    from ..report.output import Output

    if len(files) > 2 or len(files) == 1 and budget is None:
        raise click.UsageError("check takes BEFORE and AFTER, or AFTER and --budget")
    limit, cases, out = max_regression / 100, [], Output(None if quiet else sys.stdout)
    for one in (("typical", "calls") if metric == "typical" else (metric,)) if len(files) == 2 else ():
        found, runs, _ = _compared(*files, one, lines=False, **how)
        for each in found:
            verdict = each.verdict(limit)
            if one == "calls" and verdict in ("new", "gone", "unknown"):
                verdict = _more_calls(each, limit)
            failed = verdict == "slower" or fail_on_new and verdict == "new"
            name = each.shown_name if one == metric else f"{each.shown_name}: calls"
            cases.append((name, _sentence(each, limit, one) if failed else None))
        if one == metric:
            _show(found, runs, found, metric, limit, whole, "region", out)
    if budget is not None:
        with refusing():
            from .._compare.budgets import check_budgets, read_budgets

            limits = read_budgets(budget)
        for path in matching(files[-1:]):
            checked = check_budgets(loaded(path, how["warm_up"]), limits)
            text.show_budgets(checked, out)
            cases += [(f"{each.limit.region}: {each.limit.key}",
                       None if each.is_kept else text.budget_finding(each)) for each in checked]
    failures = [failure for _, failure in cases if failure is not None]
    out.line()
    for failure in failures:
        out.note(f"FAILED {failure}")
    out.head("FAILED" if failures else "passed")
    out.deliver()
    if annotations and not quiet:
        for failure in failures:
            click.echo(text.annotation(failure))
    if junit is not None:
        with refusing(junit), open(junit, "w", encoding="utf-8") as file:
            file.write(text.junit(cases))
    return 1 if failures else 0


def _more_calls(each, limit):
    """The verdict on how often a region was called in one run on each side, where that has no interval."""
    if each.name is None or each.new_name is None or not each.calls[0]:
        return "same"
    return "slower" if each.calls[1] / each.calls[0] - 1 > max(limit, 0.05) else "same"


def _sentence(each, limit, metric):
    from ..report.changes_text import finding

    if metric == "calls":
        return f"{each.shown_name}: called {each.calls[1]:g} times, {each.calls[0]:g} before"
    return finding(each, limit)


def _compared(before, after, metric, include, exclude, ranks, renamed, guess, warm_up, lines=False):
    """What was compared, how many runs there are of each side, and a function that gives the rates of work
    of some of what was compared."""
    from .._base.arguments import name_filter
    from .._compare.comparison import compare
    from .._compare.line_changes import compare_lines
    from .._compare.work_changes import work_changes

    sides = [[loaded(path, warm_up) for path in matching([each])] for each in (before, after)]
    ranks = ranks_of(ranks)
    check_choice([*sides[0], *sides[1]], include, exclude, ranks)
    with refusing():
        wanted = name_filter(include or None, exclude or None)
        if lines:
            found = compare_lines(*sides, ranks)
            if not found:
                raise Refused("no function has lines on both sides: record with --line-profile")
        else:
            found = compare(*sides, metric, wanted, ranks, dict(map(_renaming, renamed)), guess)
    return found, tuple(map(len, sides)), lambda some: [] if lines else work_changes(some, *sides, ranks)


def _renaming(text):
    old, equals, new = text.partition("=")
    if not (old and equals and new):
        raise click.BadParameter(f"--rename takes OLD=NEW; got {text!r}")
    return old, new


def _show(shown, runs, found, metric, limit, whole, what, out):
    from .._compare.comparison import common_change
    from .._compare.metrics import METRICS
    from ..report.changes_text import show_changes

    show_changes(shown, out, what=what, metric=metric, is_time=METRICS[metric].is_time, limit=limit,
                 runs=runs, whole=whole, common=common_change(found))
