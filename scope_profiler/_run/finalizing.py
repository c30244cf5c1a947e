"""finalize(): from one snapshot the results, the files and the report."""

from contextlib import suppress

from .._base import environment
from .._base.needs import explained
from .._base.warning import complain
from .._runtime import process_end, processes
from .moment import now


def finalize(manager, verbose, return_results, lines, style):
    """See ProfileManager.finalize. lines: its verbose_line_profiler."""
    run = manager._run
    if verbose is None:
        verbose = run is None or run._settings["verbose"]
    if run is None or run._settings["deactivate_profiling"]:
        return _finalize_nothing(run, verbose, return_results)
    printing = verbose or lines
    files = run._destinations()
    wanted = return_results or bool(files)
    moment = now(manager, wanted)  # before anything is imported, which takes its time
    run.finalize_time_ns = moment.taken_ns
    with processes.unforked():
        _load(files, return_results, printing)
    from .snapshot import take_snapshot

    snapshot = take_snapshot(manager, wanted, moment)
    if files:
        from dataclasses import replace

        with process_end.writing():
            for each in files:
                each._file.write(snapshot.results)
        run._written_calls = moment.counters["calls"]
        snapshot = replace(snapshot, file_path=run.file_path)  # another name, where others had taken it
    run._results = snapshot.results if return_results else None
    if printing:
        _report(snapshot, regions=verbose, lines=lines is not False, style=style,
                seen=run._lines_printed)
    return run._results


def snapshot(manager, events):
    """See ProfileManager.snapshot."""
    if manager._run._settings["deactivate_profiling"]:
        return _nothing()
    moment = now(manager, events)
    with processes.unforked():
        _load((), True, False)
    from .snapshot import take_snapshot

    return take_snapshot(manager, moment=moment).results


def _finalize_nothing(run, verbose, return_results):
    if verbose and not environment.DISABLED:
        why = "setup() has not been called" if run is None else "profiling is deactivated"
        with suppress(OSError, ValueError):  # of a stream that is closed
            print(f"scope-profiler: nothing to report: {why}")
    return _nothing() if return_results else None


def _nothing():
    from ..results import ProfilingResults

    return ProfilingResults({})


def _load(files, return_results, printing):
    """Import what this needs."""
    from . import snapshot  # noqa: F401

    with explained():
        if return_results or files:
            from .. import results  # noqa: F401
            from . import run_metadata  # noqa: F401
        for each in files:
            each._file.load()
    if printing:
        from .. import report  # noqa: F401


def _report(snapshot, **how):
    """Print it. The program's results are there, and it must go on whatever happens here."""
    try:
        from ..report import print_run

        print_run(snapshot, **how)
    except Exception as error:
        complain("the report could not be printed", error)
