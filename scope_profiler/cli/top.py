"""scope-profiler top: the regions of a program that runs, from its journal."""

import glob
from itertools import chain
from pathlib import Path
import shutil
import sys
import time

import click

from .._base.shown import shown
from .profile_files import Refused

_HOW = ("a run has one from its first call on, where it has an output file and not journal=False; a child "
        "process with journal=True")


@click.command("top", short_help="Watch programs that run, by their journals.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", metavar="PATH|PID")
@click.option("--last", metavar="SECONDS", type=click.FloatRange(0.1),
              help="Only calls that ended in so many last seconds: 60 for the last minute.")
@click.option("--once", is_flag=True, help="Print one table and end.")
@click.option("--interval", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=1.0,
              show_default=True, help="How often the table is made anew.")
@click.option("--sort", type=click.Choice(["own", "total", "calls", "rate", "average", "longest", "open"]),
              default="own", show_default=True, help="What comes first.")
def top(target, last, once, interval, sort):
    """Show the regions of running programs, the ones with the most time first, until they end or Ctrl-C.

    PATH is a journal; or the file of results that it lies beside, with the child processes that are
    followed; or a folder with journals, or a pattern in quotes: what several processes record is
    added up. PID is the number of a process. The programs have to have a journal, as runs with an output
    file do; that they are watched costs them nothing. Calls are seen when they are over. One that is open is
    seen when it is the first on its path, or when one inside it is over: then it has been open for at
    least as long as is shown.

    \b
    Examples:
      scope-profiler top 4711
      scope-profiler top profiling_data.h5 --interval 0.5
      scope-profiler top run.h5 --last 60
      scope-profiler top profiling_data.h5.4711.journal --once
    """
    find = _finder(target)
    try:
        if not find():
            parent = Path(target).parent
            raise Refused(f"{target}: there is no such file" if not parent.is_dir() else
                          f"{target}: there is no journal of a program that runs: {_HOW}")
        _show(target, find, last, once, interval, sort)
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from None


def _finder(target):
    """What gives the journals that are meant, each time those that there are then."""
    from ..io.formats import sniff_profile_format
    from ..io.journal_files import all_journals, journals_of

    path, children = Path(target), Path(f"{target}.children")
    if target.isdecimal() and not path.exists():
        own = _of_process(int(target))
        return lambda: [own]
    if path.is_dir():
        return lambda: [journal for folder in (path, *path.glob("*.children"))
                        for journal in all_journals(folder)]
    if path.exists() and sniff_profile_format(path) == "journal":
        return lambda: [path]
    if path.exists() or not glob.has_magic(target):
        return lambda: [*journals_of(path), *(all_journals(children) if children.is_dir() else ())]
    patterns = target, f"{target}.*.journal", f"{target}.children/*.journal"
    return lambda: [Path(name) for name in sorted({*chain(*map(glob.glob, patterns))})
                    if name.endswith(".journal")]


def _of_process(number):
    from ..io.journal_follower import journal_of_process

    try:
        found = journal_of_process(number)
    except (ProcessLookupError, OverflowError):
        raise Refused(f"there is no process {number}") from None
    except PermissionError:
        raise Refused(f"process {number} belongs to another user") from None
    if found is None:
        raise Refused(f"process {number} writes no journal: {_HOW}")
    return found


def _show(target, find, last, once, interval, sort):
    from ..io.journal_followers import JournalFollowers

    screen, followers = _Screen(live=not once), JournalFollowers(find, last)
    try:
        while True:
            live, facts = followers.update(), followers.facts()
            screen.show(_title(target, facts, len(followers.following)), live, sort, _note(facts, last))
            # Where children are followed, others may be about to begin.
            over = not followers.following and not Path(f"{target}.children").is_dir()
            if once or over:
                break
            time.sleep(interval)
    except KeyboardInterrupt:
        over = False
    finally:
        screen.close()
        followers.close()
    if over and not once:
        click.echo(_end(facts, [path for path in find() if path.exists()]))


def _title(target, facts, running):
    if len(facts) != 1:
        return f"scope-profiler: {shown(target)}, {running} of {len(facts)} processes are running"
    label = facts[0].get("metadata", {}).get("label")
    what = f"{label} - " if label else ""
    path = shown(facts[0].get("file_path", ""))
    return f"scope-profiler: {shown(what)}{path}, process {facts[0].get('process_id')}"


def _note(facts, last):
    """What is counted, and what not."""
    notes = [] if last is None else [f"Calls that ended in the last {last:g} s."]
    if any(each.get("aggregated") for each in facts):
        notes.append("The run keeps no single calls (aggregation_mode), so they are not seen here.")
    elif any(each.get("limited") for each in facts):
        notes.append("The run does not keep every call: what is counted here are those that it keeps.")
    return " ".join(notes) or None


def _end(facts, left):
    if left:
        more = f" and {len(left) - 1} more" if len(left) > 1 else ""
        return f"The process is over without finalize(): scope-profiler recover {shown(left[0])}{more}"
    return f"The run is over: its results are in {shown(facts[0].get('file_path', '') if facts else '')}"


class _Screen:
    """The terminal, which shows the last table alone; elsewhere tables follow one another."""

    def __init__(self, live):
        from ..report.output import Output

        self._out = Output(sys.stdout)
        self._is_live = live and self._out.is_terminal
        if self._is_live:
            self._write("\x1b[?1049h\x1b[?25l")  # a screen of its own, without a cursor
        self._last = None

    def show(self, *table):
        from ..report.live_table import print_live

        height = None
        if self._is_live:
            height = shutil.get_terminal_size().lines
            self._write("\x1b[H\x1b[2J")
        print_live(self._out, *table, height=height)
        if not self._is_live and self._last is not None:
            self._write("\n")
        self._out.deliver()
        self._last = table

    def close(self):
        """Leave the last table where the terminal was before."""
        if not self._is_live:
            return
        self._write("\x1b[?25h\x1b[?1049l")
        if self._last is not None:
            from ..report.live_table import print_live

            print_live(self._out, *self._last)
            self._out.deliver()

    @staticmethod
    def _write(text):
        sys.stdout.write(text)
        sys.stdout.flush()
