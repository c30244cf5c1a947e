"""A program under the profiler that begins runs itself: they go into the run that is on."""

from .._base.warning import warn
from .._run import recording
from .._run.runs import ProfilingRun
from ..config.table import ARGUMENTS, DEFAULTS, SETTINGS, STAYS_ON
from ..report.style import many

# What decides how calls are recorded: where that changes, the run begins anew. What is on stays on.
_RECORDING = [row.name for row in (*SETTINGS, *ARGUMENTS) if row.in_host]
_SWITCHES = [row.name for row in SETTINGS if row.in_host == STAYS_ON]


class Host:
    """What a manager has while it runs such a program. Its setup() takes settings over into the
    current run, but for those that this run was given; its finalize() and the ends of its sessions
    are checkpoints. The results are written to both files."""

    def __init__(self, manager, given=()):
        settings = manager._run._settings
        self._manager = manager
        self._run = ProfilingRun(manager, settings)  # for where it is written
        self._wins = {name: value for name, value in settings.items()
                      if name in given or value != DEFAULTS.get(name)}
        for name in ("file_path", "deactivate_file_output"):
            self._wins.pop(name, None)
        self._wins["deactivate_profiling"] = settings["deactivate_profiling"]

    def take_over(self, chosen):
        """What setup() does: the run is on, with these settings."""
        from .._runtime import process_end

        manager, settings = self._manager, {**chosen, **self._wins}
        run = manager._run
        is_on = run is not None and run.is_active
        if is_on:
            settings.update({name: True for name in _SWITCHES if run._settings[name]})
        if is_on and all(settings[name] == run._settings[name] for name in _RECORDING):
            run._change(settings)
        else:
            if is_on:
                _tell_what_is_left_out(manager, run, settings)
            ends = run is not None and process_end.ends(run)
            recording.start(manager, ProfilingRun(manager, settings, ends))
            process_end.follows(manager, run, manager._run)
        manager._run._also = self._run

    def was_forked(self):
        """In the child of a fork, it writes to a file of its own."""
        self._run = ProfilingRun(self._manager, self._run._settings)

    def leave(self):
        """The program is over. The run is written to its own file first, as before."""
        run = self._manager._run
        if run is not None and run._also is self._run:
            run._settings, self._run._settings = self._run._settings, run._settings
            run._file, self._run._file = self._run._file, run._file


def _tell_what_is_left_out(manager, run, settings):
    """Where the run begins anew, of what was recorded before."""
    calls = manager._counters()["calls"]
    lines = manager._line_mode and any(rows for *_, rows, _ in manager._lines(None))
    if calls or lines:
        what = " and ".join([many(calls, "call")] * bool(calls) + ["lines"] * lines)
        changed = ", ".join(name for name in _RECORDING if settings[name] != run._settings[name])
        warn(f"the run begins anew here, with another {changed}; what was recorded before is left out: "
             f"{what}")
