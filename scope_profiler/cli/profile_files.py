"""Files that commands read: found by name or pattern, loaded, and what is said of those that cannot be."""

from contextlib import contextmanager
import difflib
import glob
import os

import click

from .._base.shown import shown
from .several import Several


class Refused(click.ClickException):
    """Ends the command with one line that says what cannot be done, and what to do."""

    exit_code = 2

    def __init__(self, message):
        super().__init__(shown(message))


def matching(patterns):
    """The files that are meant, each a path, a pattern as the shell has them, or a folder of profiles.

    Refuses what there is not.
    """
    paths = []
    for pattern in patterns:
        if os.path.isdir(pattern) and not pattern.rstrip(os.sep).endswith(".parquet"):
            found = [path for path in sorted(glob.glob(os.path.join(glob.escape(pattern), "*")))
                     if path.endswith((".h5", ".hdf5", ".hdf", ".json", ".json.gz"))]
            if not found:
                raise Refused(f"{pattern}: there is no profile in this folder")
        else:
            found = [pattern] if os.path.exists(pattern) else sorted(glob.glob(pattern))
        if not found:
            raise Refused(f"{pattern}: there is no such file{_suggested(pattern)}")
        paths += found
    return paths


def _suggested(path):
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or os.curdir)
    except OSError:
        return f"; there is no folder {folder!r}"
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    return f"; did you mean {', '.join(os.path.join(folder, each) for each in close)}?" if close else ""


@contextmanager
def refusing(path=None):
    """What the package raises inside becomes one line. path: of the file it is about."""
    from ..io import CorruptProfileError, JSONProfileError
    from ..results import EventDataUnavailableError

    where = "" if path is None else f"{path}: "
    try:
        yield
    except (CorruptProfileError, JSONProfileError) as error:
        raise Refused(f"{where}{error.reason}") from None
    except EventDataUnavailableError as error:
        raise Refused(f"{where}{error}; record without --aggregation-mode") from None
    except KeyError as error:
        raise Refused(f"{where}{error.args[0]}") from None
    except BrokenPipeError:  # is for the group of commands
        raise
    except OSError as error:
        if not where and error.filename is not None:
            where = f"{os.fspath(error.filename)}: "
        raise Refused(f"{where}{error.strerror or error}") from None
    except (ValueError, ImportError) as error:  # also of formats that are not supported
        raise Refused(str(error) if str(path) in str(error) else f"{where}{error}") from None


def check_choice(runs, include, exclude, ranks):
    """Refuses a choice that leaves no region of any run."""
    from ..results.chart_data import chosen_regions

    if include or exclude or ranks is not None:
        known = {rank for run in runs for region in run for rank in region.ranks}
        with refusing():
            chosen_regions(dict(enumerate(runs)), ranks and ranks & known or ranks, include or None,
                           exclude or None)


def labels_of(words, paths):
    """What --label says of each file: its name, or None. Refuses too few and too many."""
    if words and len(words) != len(paths):
        raise click.UsageError(f"--label has to be given once for each of the {len(paths)} files")
    return words or [None] * len(paths)


def loaded(path, warm_up=None, label=None):
    """The results in a file; refuses what is no profile. warm_up: What `skipping_first` gives. label: The
    name that they get; None for their own."""
    from ..io import load

    with refusing(path):
        results = load(path) if warm_up is None else load(path).skip_first(*warm_up)
    if label is not None:
        results.label = label
    return results


def choosing_regions(command):
    """The options by which a command is about some regions and ranks alone."""
    for option in (
        click.option("-r", "--ranks", "--rank", cls=Several, metavar="RANKS",
                     help="Only these ranks: 0 2, 0,2 or 0-3."),
        click.option("-e", "--exclude", cls=Several, metavar="REGEX",
                     help="Not regions whose name these match."),
        click.option("-i", "--include", cls=Several, metavar="REGEX",
                     help="Only regions whose name these match at its beginning."),
    ):
        command = option(command)
    return command


def skipping_first(command):
    """The option by which a command leaves out warm-up."""
    return click.option(
        "--skip-first", "warm_up", metavar="[KEY=]N", callback=_warm_up,
        help="Without the first N calls of each region on each rank; with KEY without the calls of the "
             "first N values that their metadata have under it: step=3.")(command)


def _warm_up(ctx, param, text):
    if text is None:
        return None
    key, _, count = text.rpartition("=")
    if not count.isdecimal() or "=" in text and not key:
        raise click.BadParameter(f"takes N or KEY=N, such as 3 or step=3; got {text!r}")
    return int(count), key or None


def ranks_of(texts):
    """The set of ranks that "0", "0,2" and "0-3" mean; None for none given."""
    ranks = set()
    for word in ",".join(texts).replace(" ", ",").split(","):
        first, dash, last = word.partition("-")
        if not word:
            continue
        if not first.isdecimal() or dash and not last.isdecimal():
            raise click.BadParameter(f"takes ranks such as 0, 0,2 or 0-3; got {word!r}")
        ranks.update(range(int(first), int(last if dash else first) + 1))
    return ranks if texts else None
