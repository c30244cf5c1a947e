"""finalize(): from one snapshot the results, the files and the report."""

from contextlib import suppress
from dataclasses import replace
import sys

from .._base import collection, environment, needs
from .._base.needs import explained
from .._base.warning import complain
from .._runtime import own_files, process_end, processes
from . import journal, managers, ranks, traced
from .moment import now
from .rooms import rooms


@collection.put_off()
def finalize(manager, verbose, return_results, lines, style, start_over, report_file=None):
    """See ProfileManager.finalize. lines: its verbose_line_profiler."""
    run = manager._run
    if verbose is None:
        verbose = run is None or run._settings["verbose"]
    if run is None or run._settings["deactivate_profiling"]:
        return _finalize_nothing(run, verbose, return_results)
    printing = verbose or lines
    files = run._destinations()
    children = run._children
    job = ranks.job(run) if needs.is_there("numpy") else None
    if job is not None and job.rank:
        printing = verbose = lines = False  # rank 0 prints
    report = None if job is not None and job.rank else run._report_file(report_file)
    wanted = return_results or bool(files) or report is not None or children is not None or job is not None
    if start_over:  # nothing may fail between taking the part and having it
        with processes.unforked():
            _load(files, return_results, printing, report)
    by_itself = files and not (return_results or start_over or report)
    on_disk = rooms(manager, files[0].file_path) if by_itself else None
    run._journal_error = journal.error(manager)
    # before anything is imported, which takes its time
    moment = now(manager, wanted, start_over, on_disk, cut=bool(files))
    if files:
        run._journal_is_whole = start_over
    run.finalize_time_ns = moment.taken_ns
    if not (wanted or printing or start_over):
        run._results = None  # last_results() takes them when they are asked for
        return None
    with processes.unforked():
        _load(files, return_results, printing, report)
    process_end.use_h5py(run)
    from .snapshot import take_snapshot

    snapshot = take_snapshot(manager, wanted, moment)
    if children is not None:
        snapshot = replace(snapshot, results=children.with_them(snapshot.results))
    run._results = snapshot.results if return_results or start_over or children is not None else None
    printed, files = run._lines_printed, [each._file for each in files]
    if start_over:
        _begin_part(manager, moment)
    with process_end.writing():
        for file in files:
            file.write(snapshot.results)
    done = None
    if job is not None:
        done = ranks.together(run, job, snapshot.results, files)
        snapshot = replace(snapshot, results=done.results)
        if run._results is not None:
            run._results = snapshot.results
    if files:
        if done is not None:
            with process_end.writing():
                done.write(files)
        journal.written(manager)
        paths = [file.path for file in files]  # other names, where others had taken them
        run._written_path = (done and done.where) or paths[0]
        if start_over:
            for file in files:
                file.release()
        else:
            run._written_calls = moment.counters["calls"]
        snapshot = replace(snapshot, file_path=paths[0], paths=paths)
    if report is not None:
        with process_end.writing():
            report.write(snapshot.results)
        if start_over:
            run._paths.add(report.path)
        snapshot = replace(snapshot, paths=[*snapshot.paths, report.path])
    if children is not None and (run._over or start_over):
        children.discard()
    if done is not None:
        done.written()
    if printing:
        _report(snapshot, regions=verbose, lines=lines is not False, style=style, seen=printed,
                ranks=done)
    if verbose and manager._named_targets is not None:
        _tell_missing(manager._named_targets.missing())
    return snapshot.results if return_results else None


def _begin_part(manager, moment):
    """What is recorded from the moment on is the next part of the run."""
    for run in (manager._run, manager._run._also):
        if run is not None:
            run._begin_part(moment)
    if manager._on_thread is not None:
        manager._on_thread.forget_ended(moment.taken_ns, moment.counters["threads"])
    if manager._tasks is not None:
        manager._tasks.forget_done(moment.taken_ns)
    traced.time_throttled(manager)
    own_files.writes_to(managers.paths())


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


def _load(files, return_results, printing, report=None):
    """Import what this needs."""
    from . import snapshot  # noqa: F401

    with explained():
        if return_results or files or report is not None:
            from .. import results  # noqa: F401
            from . import run_metadata  # noqa: F401
        for file in (*(each._file for each in files), report):
            if file is not None:
                file.load()
    if printing:
        from .. import report


def _report(snapshot, **how):
    """Print it. The program's results are there, and it must go on whatever happens here."""
    try:
        from ..report import print_run

        print_run(snapshot, **how)
    except Exception as error:
        complain("the report could not be printed", error)


def _tell_missing(targets):
    """Say which functions were to be regions and are not there."""
    with suppress(OSError, ValueError, AttributeError):  # of a stream that is closed, or not there
        for text, why in targets:
            print(f"scope-profiler: instrument({text!r}): {why}", file=sys.stderr)
