"""Switching on and off what a run records: calls, lines, what functions call, threads and tasks."""

from .._instrument.tags import Selection
from .._runtime import own_files, process_end, record_while
from . import checkpoint, finalizing, journal, kept, managers, ranks, traced  # noqa: F401

# process_end and finalizing are needed later, when importing them would not be safe: in the child of a
# fork, and while another thread forks.


def start(manager, run):
    """Recording begins, with nothing recorded yet."""
    settings = run._settings
    on = not settings["deactivate_profiling"]
    lined = manager._line_mode
    measures = on and settings["memory"], on and settings["line_memory"]
    details = on and settings["line_details"]
    _set_line_mode(manager, on and settings["use_line_profiler"], details)  # may fail, as the next
    try:
        slow = _slow_calls(run) if on and settings["on_slow"] else None
        sampler = _new_sampler(run) if on and settings["sample"] else None  # it may fail, too
        _set_memory(manager, any(measures))
        traced.begin(manager, settings, on)
        _set_tracing(manager, on, on and settings["recursive_profile"])
    except BaseException:
        _set_line_mode(manager, lined, lined and manager._run._settings["line_details"])
        raise
    _release_file(manager)
    _stop_sampler(manager)
    journal.discard(manager)
    manager._run = run
    own_files.writes_to(managers.paths())
    manager._selection = Selection(settings["region_tags"], settings["enable_tags"])
    manager._select()
    manager._tagged.clear()
    _watch_interpreter(manager, on and settings["trace_gc"], on and settings["trace_imports"],
                       on and settings["profile_mpi_calls"])
    _watch_threads(manager, on and settings["track_threads"])
    _watch_tasks(manager, on and settings["track_async"])
    _follow_children(manager, on and settings["follow_children"])
    _follow_submitted(manager, on and settings["track_executors"])
    manager._on_slow = slow
    manager._begin(not settings["aggregation_mode"], manager._line_mode,
                   manager._selection.wanted is not None, manager._tasks is not None, measures[0],
                   details, measures[1], 1e9 * (settings["min_duration"] or 0), journal.begin(run),
                   *kept.limits(settings))
    manager._on_checkpoint = checkpoint.make
    traced.time_throttled(manager)
    manager._record(on)
    if on:
        ranks.begun(run)
        if settings["record_while"]:
            record_while.start(run, settings["record_while"])
    run._slow_calls = slow
    if sampler is not None:
        run._sampler = sampler
        sampler.start(manager)


def stop(manager):
    """The run is over; what it recorded stays."""
    manager._run._over = True
    if manager._run._children is not None and manager._run.finalize_time_ns is not None:
        manager._run._children.discard()
    _stop_sampler(manager)
    _release_file(manager)
    manager._record(False)
    if manager._tasks is not None:
        manager._tasks.stop()
    _set_tracing(manager, False)
    _watch_interpreter(manager)
    _set_line_mode(manager, False, forget=False)
    _set_memory(manager, False)
    _follow_children(manager, False)
    _follow_submitted(manager, False)


def forget(manager):
    """There is no run any more."""
    _stop_sampler(manager)
    journal.discard(manager)
    manager._begin(False, False)
    manager._record(False)
    _watch_threads(manager, False)
    _watch_tasks(manager, False)
    _watch_interpreter(manager)
    _set_tracing(manager, False)
    _set_line_mode(manager, False)
    _set_memory(manager, False)
    _release_file(manager)
    _follow_children(manager, False)
    _follow_submitted(manager, False)
    manager._run = None


def recurse(manager, region, recursive):
    """Have traced what functions decorated with the region call, or not."""
    from .._instrument import call_tracing

    call_tracing.recurse(region, recursive)
    manager._recursive |= recursive
    if recursive and not manager._traces and manager._run is not None and manager._run.is_active:
        _set_tracing(manager, True)


def _release_file(manager):
    """Others may replace the file of the run, which is over."""
    if manager._run is not None and manager._run._file is not None:
        manager._run._file.release()


def _new_sampler(run):
    from .._instrument.sampler import RunSampler

    return RunSampler(run._settings["sample"], run._settings["sample_clock"])


def _slow_calls(run):
    from .limits import SlowCalls, log

    return SlowCalls(run._settings["on_slow"], run._settings["slow_callback"] or log)


def _stop_sampler(manager):
    """What it has counted stays."""
    if manager._run is not None and manager._run._sampler is not None:
        manager._run._sampler.stop()


def _set_line_mode(manager, on, details=False, forget=True):
    if on:
        from .._instrument import lines

        lines.start(manager, details)
        manager._arm = lines.arm
    elif manager._arm is not None:
        from .._instrument import lines

        lines.stop(manager)
    if on or forget:
        manager._line_mode = on


def _set_memory(manager, on):
    if on or manager._measures_memory:
        from .._instrument import memory

        memory.start(manager) if on else memory.stop(manager)
    manager._measures_memory = on


def _set_tracing(manager, on, of_all=False):
    """Have traced what decorated functions call: those that ask for it, or all that do not say
    that they do not want it."""
    on = on and (manager._recursive or of_all)
    if on or manager._traces:
        from .._instrument import call_tracing

        call_tracing.trace_spans(manager, on, of_all)
    manager._traces = on


def _watch_interpreter(manager, gc=False, imports=False, mpi=False):
    """Make regions of garbage collections, of imports, and of calls of MPI, or not."""
    for before in manager._interpreter_regions:
        before.stop()
    watched = []
    if gc:
        from .._instrument.gc_regions import GCRegions

        watched.append(GCRegions(manager))
    if imports:
        from .._instrument.import_regions import ImportRegions

        watched.append(ImportRegions(manager))
    if mpi:
        from ..mpi.recorded_calls import MPICalls

        watched.append(MPICalls(manager))
    manager._interpreter_regions = tuple(watched)
    for each in watched:
        each.start()


def _watch_threads(manager, on):
    if on:
        from .._runtime.thread_watch import ThreadWatch
    manager._on_thread = ThreadWatch() if on else None


def _follow_children(manager, on):
    """Have processes that the program starts recorded with it, or not. One manager at a time has that."""
    if on or manager._follows_children:
        from .._runtime import following

        run = manager._run
        if not on:
            following.end()
        else:
            if manager._host is None and following.is_root():  # of the run before
                following.end()
            following.begin(manager, run._settings, run.file_path)
            if following.is_root():
                from .children import Children

                run._children = Children(following.folder())
                if following.is_temporary():
                    process_end.call_at_exit(run._children.remove)
    manager._follows_children = on


def _follow_submitted(manager, on):
    """Put what other threads do below where it was submitted, or not."""
    if manager._submitting is not None:
        manager._submitting.stop()
    manager._submitting = None
    if on:
        from .._runtime.submitting import Submitting

        manager._submitting = Submitting(manager)
        manager._submitting.start()


def _watch_tasks(manager, on):
    before = manager._tasks
    if before is not None:
        before.stop()
    manager._tasks = None
    if on:
        from .._runtime.task_watch import TaskWatch

        manager._tasks = TaskWatch(manager, before)
        manager._tasks.start()
