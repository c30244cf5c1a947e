"""The journal of a run: a file beside the run's own, in which its calls lie until that is written."""

import os

SUFFIX = ".journal"


def begin(run):
    """What the core makes the run's journal of, (path as bytes, facts), or None."""
    if run._file is None or not run._settings["journal"]:
        return None
    from .kept import limits
    from .run_metadata import collect_metadata

    path = f"{os.path.abspath(run._file.path)}.{os.getpid()}{SUFFIX}"
    settings = run._settings
    metadata = collect_metadata(label=run.label, detail=settings["metadata_detail"],
                                start_time_ns=run.start_time_ns)
    return os.fsencode(path), {
        "metadata": metadata,
        "file_path": os.path.abspath(run._file.path),
        "process_id": os.getpid(),
        "aggregated": bool(settings["aggregation_mode"]),
        "limited": any(limits(settings)) or bool(settings["min_duration"]),
        "waits": bool(settings["track_async"]),
        "track_threads": bool(settings["track_threads"]),
    }


def error(manager):
    """Why the journal has ended early, or None."""
    path, number = manager._journal() or (None, 0)
    if number == 0:
        return None
    where = "" if path is None else f" ({os.fsdecode(path)})"
    return f"{os.strerror(number)}{where}"


def written(manager):
    """The results are in their file, or are not wanted."""
    manager._journal_remove()


def discard(manager):
    """What was recorded is not wanted any more."""
    manager._journal_cut()
    manager._journal_remove()
