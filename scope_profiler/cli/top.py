"""scope-profiler top: the regions of a program that runs, from its journal."""

from pathlib import Path
import shutil
import sys
import time

import click

from .._base.shown import shown
from .profile_files import Refused

_HOW = ("a run has one from its first call on, where it has an output file and not journal=False; a child "
        "process with journal=True")


@click.command("top", short_help="Watch a program that runs, by its journal.",
               context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("target", metavar="PATH|PID")
@click.option("--once", is_flag=True, help="Print one table and end.")
@click.option("--interval", metavar="SECONDS", type=click.FloatRange(0.1, 3600), default=1.0,
              show_default=True, help="How often the table is made anew.")
@click.option("--sort", type=click.Choice(["own", "total", "calls", "rate", "average", "longest", "open"]),
              default="own", show_default=True, help="What comes first.")
def top(target, once, interval, sort):
    """Show the regions of a running program, the ones with the most time first, until it ends or Ctrl-C.

    PATH is a journal, or the file of results that it lies beside; PID is the number of the process. The
    program has to have a journal, as runs with an output file do; that it is watched costs it nothing.
    Calls are seen when they are over. One that is open is seen when it is the first on its path, or when one
    inside it is over: then it has been open for at least as long as is shown.

    \b
    Examples:
      scope-profiler top 4711
      scope-profiler top profiling_data.h5 --interval 0.5
      scope-profiler top profiling_data.h5.4711.journal --once
    """
    path = _journal(target)
    try:
        _show(path, once, interval, sort)
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from None


def _journal(target):
    """The journal that is meant."""
    from ..io.formats import sniff_profile_format
    from ..io.journal_files import journals_of
    from ..io.journal_follower import journal_of_process

    if target.isdecimal() and not Path(target).exists():
        try:
            found = journal_of_process(int(target))
        except (ProcessLookupError, OverflowError):
            raise Refused(f"there is no process {target}") from None
        except PermissionError:
            raise Refused(f"process {target} belongs to another user") from None
        if found is None:
            raise Refused(f"process {target} writes no journal: {_HOW}")
        return found
    path = Path(target)
    if path.exists() and sniff_profile_format(path) == "journal":
        return path
    found = journals_of(path)
    if len(found) > 1:
        raise Refused(f"{target} has several journals beside it, give one: {', '.join(map(str, found))}")
    if not found and not path.parent.is_dir():
        raise Refused(f"{target}: there is no such file")
    if not found:
        raise Refused(f"{target}: there is no journal of a program that runs: {_HOW}")
    return found[0]


def _show(path, once, interval, sort):
    from ..io.journal_follower import JournalFollower

    screen, follower = _Screen(live=not once), JournalFollower(path)
    try:
        while True:
            over = not _goes_on(follower, path)
            screen.show(_title(follower), follower.update(), sort, _note(follower))
            if once or over:
                break
            time.sleep(interval)
            if follower.is_removed and path.exists():  # finalize() has begun another part
                follower.close()
                follower = JournalFollower(path)
    except KeyboardInterrupt:
        over = False
    finally:
        screen.close()
        follower.close()
    if over and not once:
        click.echo(_end(follower, path))


def _goes_on(follower, path):
    from ..io.journal_files import is_in_use

    try:
        return not follower.is_removed and is_in_use(path)
    except FileNotFoundError:
        return False


def _title(follower):
    facts = follower.journal.facts
    label = facts.get("metadata", {}).get("label")
    what = f"{label} - " if label else ""
    path = shown(facts.get("file_path", ""))
    return f"scope-profiler: {shown(what)}{path}, process {facts.get('process_id')}"


def _note(follower):
    """What is not counted."""
    if follower.journal.facts.get("aggregated"):
        return "The run keeps no single calls (aggregation_mode), so they are not seen here."
    if follower.journal.facts.get("limited"):
        return "The run does not keep every call: what is counted here are those that it keeps."
    return None


def _end(follower, path):
    if not path.exists():
        return f"The run is over: its results are in {shown(follower.journal.facts.get('file_path', ''))}"
    return f"The process is over without finalize(): scope-profiler recover {shown(path)}"


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
