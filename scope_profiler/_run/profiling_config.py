"""The settings of a run, to read: what ProfileManager.get_config() returns."""

from functools import partial
from time import perf_counter_ns

from .._runtime import launcher
from ..config.resolve import resolve
from ..config.table import DEFAULTS, SETTINGS


class ProfilingConfig:
    """The settings in effect for a run, each a read-only attribute of its name in
    ProfilingOptions.

    ProfilingConfig(**settings) is one that has not run yet, for ProfileManager.set_config(); it
    checks the settings as setup() does.
    """

    __slots__ = ("_settings", "_run", "_made_ns", "_metadata")

    tracker = None  # of 0.7.5, and none in this version

    def __init__(self, **settings):
        self._fill(resolve(None, settings), None)

    @classmethod
    def of_run(cls, run, settings):
        """The config of a ProfilingRun, whose settings are those that resolve() returned."""
        config = cls.__new__(cls)
        config._fill(settings, run)
        return config

    def _fill(self, settings, run):
        self._settings = settings
        self._run = run
        self._made_ns = perf_counter_ns()
        self._metadata = None

    def __repr__(self):
        changed = (f"{name}={self._settings[name]!r}" for name, default in DEFAULTS.items()
                   if self._settings[name] != default)
        return f"ProfilingConfig({', '.join(changed)})"

    def __eq__(self, other):
        if not isinstance(other, ProfilingConfig):
            return NotImplemented
        return self._settings == other._settings

    __hash__ = None

    @property
    def start_time_ns(self):
        """When the run began, or this was made, on the axis of time.perf_counter_ns()."""
        return self._made_ns if self._run is None else self._run.start_time_ns

    @property
    def paused(self):
        """Whether the run is on, and does not record now: as between pause() and resume()."""
        run = self._run
        return run is not None and run.is_active and not run._manager()._recording

    @property
    def comm(self):
        """The communicator whose ranks make one result: the setting, or else MPI.COMM_WORLD where the program
        has imported mpi4py; None where there is none."""
        given = self._settings["comm"]
        return launcher.communicator() if given is None else given.communicator

    @property
    def metadata(self):
        """Facts about the run and the machine, a dict: see collect_metadata()."""
        if self._metadata is None:
            from .run_metadata import collect_metadata

            self._metadata = collect_metadata(
                self.label, detail=self.metadata_detail, start_time_ns=self.start_time_ns,
                members=self._settings["comm"],
            )
            del self._metadata["finalize_time_ns"]  # it is not over yet
        return dict(self._metadata)


def _setting(name, config):
    return config._settings[name]


for _row in SETTINGS:
    if not hasattr(ProfilingConfig, _row.name):
        setattr(ProfilingConfig, _row.name, property(partial(_setting, _row.name), doc=_row.sentence))
