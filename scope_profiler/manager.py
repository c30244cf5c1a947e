"""ProfileManager: the life of a profiling run, from setup() to finalize()."""

import atexit
from functools import update_wrapper, wraps
import os
from time import perf_counter_ns
from types import MethodType
import weakref

from . import _core
from .decorator import decorate
from .regions import Region

# What is needed from setup() on only is imported there: the import stays cheap for the many
# programs that carry instrumentation and do not use it today.


class _on_class_or_instance:
    """A method that acts on the instance, or on the process-wide manager when it is called on
    the class."""

    def __init__(self, function):
        self.function = function
        update_wrapper(self, function)

    def __get__(self, manager, cls):
        return MethodType(self.function, cls._default if manager is None else manager)


class ProfilingRun:
    """One run, from a setup() on: what setup() returns."""

    def __init__(self, manager, settings):
        self._manager = weakref.ref(manager)
        self._settings = settings
        self.start_time_ns = perf_counter_ns()
        self.finalize_time_ns = None
        self._results = None

    def __repr__(self):
        state = "active" if self.is_active else "over"
        return f"<ProfilingRun {self._settings['label'] or self.file_path!r}: {state}>"

    @property
    def file_path(self):
        """Where finalize() writes, or None when nothing is written."""
        if self._settings["deactivate_file_output"] or self._settings["deactivate_profiling"]:
            return None
        return os.fspath(self._settings["file_path"])

    @property
    def label(self):
        """The run's name, or None."""
        return self._settings["label"]

    @property
    def is_active(self):
        """Whether this is its manager's current run and records."""
        manager = self._manager()
        return manager is not None and manager._run is self and manager._recording

    @property
    def results(self):
        """The ProfilingResults of the last finalize(), or None before it."""
        return self._results

    def finalize(self, verbose=True, return_results=True):
        """ProfileManager.finalize() of this run. RuntimeError when setup() has replaced it."""
        manager = self._manager()
        if manager is None or manager._run is not self:
            raise RuntimeError("this run was replaced by a later setup()")
        return manager.finalize(verbose=verbose, return_results=return_results)


class _Session:
    """setup(), a region around everything, finalize(): see ProfileManager.session."""

    ROOT = "scope_profiler.session"

    def __init__(self, manager, options, verbose, return_results, settings):
        self._manager = manager
        self._options = options
        self._verbose = verbose
        self._return_results = return_results
        self._settings = settings
        self._run = None

    def __call__(self, function):
        @wraps(function)
        def in_session(*args, **kwargs):
            with _Session(self._manager, self._options, self._verbose, self._return_results,
                          self._settings):
                return function(*args, **kwargs)

        return in_session

    def __enter__(self):
        self._run = self._manager.setup(self._options, **self._settings)
        self._root = self._manager._start_root(self.ROOT)
        return self

    def __exit__(self, *exception):
        self._root.close(exception)
        manager = self._manager
        if manager._run is self._run:
            manager.finalize(verbose=self._verbose, return_results=self._return_results)
            manager._stop()
        return False

    @property
    def results(self):
        """The ProfilingResults, once the session is over and with return_results=True."""
        return self._run.results if self._run else None

    @property
    def file_path(self):
        """Where the session is written, or None."""
        return self._run.file_path if self._run else None

    @property
    def is_active(self):
        """Whether the session records now."""
        return self._run is not None and self._run.is_active


class _Root:
    """The open region around a session. It is entered and left from this one frame, a suspended
    generator's, so that leaving pairs with entering wherever the session ends."""

    def __init__(self, region):
        self._steps = self._scope(region)
        next(self._steps)

    @staticmethod
    def _scope(region):
        exception = None
        region.__enter__()
        exception = yield
        region.__exit__(*exception)
        yield

    def close(self, exception):
        self._steps.send(exception)


class ProfileManager(_core.Manager):
    """Named regions with their calls, times and lines.

    The methods act on the process-wide manager when called on the class, and on the instance
    when called on one: ProfileManager() makes an independent manager. The attributes

    profile_region(region_name), region(region_name)
        give the Region of that name, made when it does not exist: a context manager that times
        what runs inside it. TypeError or ValueError when the name is not a non-empty str.
    """

    def __init__(self):
        _managers.add(self)
        self._region_type = Region
        self.profile_region = self.region = _opener(self)
        self._run = None
        self._line_mode = False

    # ---- Life cycle

    @_on_class_or_instance
    def setup(self, options=None, *, auto_finalize=False, replace=False, **settings):
        """Begin a run; returns its ProfilingRun.

        What was recorded before is forgotten, regions and decorators stay and record again.
        Settings are those of ProfilingOptions, by keyword or as `options`; keywords win, None
        means the default. auto_finalize: call finalize() when the process ends.

        RuntimeError when a run is active already and replace is not True; TypeError for an
        unknown setting or a value of the wrong type, ValueError for a setting that this version
        does not have.
        """
        if self._run is not None and self._run.is_active and not self._run.finalize_time_ns:
            if not replace:
                raise RuntimeError(
                    "profiling is set up already: call finalize() first, or pass replace=True"
                )
        from .options import resolve

        chosen = resolve(options, settings)
        on = not chosen["deactivate_profiling"]
        self._set_line_mode(on and chosen["use_line_profiler"])
        self._begin(not chosen["aggregation_mode"], self._line_mode)
        self._record(on)
        self._run = ProfilingRun(self, chosen)
        if auto_finalize and on:
            _finalize_at_exit(self._run)
        return self._run

    @_on_class_or_instance
    def session(self, options=None, *, verbose=True, return_results=False, **settings):
        """A run as a context manager or decorator: setup() on the way in, finalize() on the way
        out, also when an exception passes. The region "scope_profiler.session" is around it all.

        with sp.session() as run: ...        run.results afterwards, with return_results=True
        @sp.session(file_path="x.h5")        a run for each call
        """
        return _Session(self, options, verbose, return_results, settings)

    @_on_class_or_instance
    def finalize(self, verbose=True, return_results=False):
        """Write the file and print the report of everything recorded since setup().

        A checkpoint: recording goes on, and the next finalize() has it all again and more; a
        call that is open now is in the next one, whole. verbose=False prints nothing. Returns
        the ProfilingResults if return_results, else None. Without setup() there is nothing to
        do, which a printed line says.
        """
        run = self._run
        if run is None or run._settings["deactivate_profiling"]:
            return self._finalize_nothing(run, verbose, return_results)
        run.finalize_time_ns = perf_counter_ns()
        results = None
        if return_results or run.file_path is not None:
            results = self.last_results()
        if run.file_path is not None:
            from .io import write_profile

            write_profile(results, run.file_path)
        if verbose:
            from .report import print_run

            print_run(self)
        run._results = results if return_results else None
        return run._results

    def _finalize_nothing(self, run, verbose, return_results):
        if verbose:
            why = "setup() has not been called" if run is None else "profiling is deactivated"
            print(f"scope-profiler: nothing to report: {why}")
        if not return_results:
            return None
        from .results import ProfilingResults

        return ProfilingResults({})

    def _in_forked_child(self):
        """The child of a fork starts clean, and writes beside its parent's file, not over it."""
        run = self._run
        if run is None:
            return
        recording = self._recording
        path, extension = os.path.splitext(os.fspath(run._settings["file_path"]))
        settings = {**run._settings, "file_path": f"{path}.{os.getpid()}{extension}"}
        self._run = ProfilingRun(self, settings)
        self._begin(not settings["aggregation_mode"], self._line_mode)
        self._record(recording)

    def _start_root(self, name):
        return _Root(self.profile_region(name))

    def _stop(self):
        """The run is over; what it recorded stays."""
        self._record(False)
        self._set_line_mode(False, forget=False)

    def _set_line_mode(self, on, forget=True):
        if on:
            from . import lines

            lines.start(self)
            self._arm = lines.arm
        elif self._arm is not None:
            from . import lines

            lines.stop(self)
        if on or forget:
            self._line_mode = on

    @_on_class_or_instance
    def pause(self):
        """Stop recording until resume(). RuntimeError before setup(), or in an open region."""
        self._need_run("pause")
        if self._counters()["open"]:
            raise RuntimeError("pause() inside an open region: leave it first")
        self._record(False)

    @_on_class_or_instance
    def resume(self):
        """Go on recording after pause(). RuntimeError before setup()."""
        self._need_run("resume")
        self._record(not self._run._settings["deactivate_profiling"])

    def _need_run(self, what):
        if self._run is None:
            raise RuntimeError(f"{what}() before setup()")

    @_on_class_or_instance
    def reset(self):
        """Forget the run and what it recorded. Regions and decorators stay, switched off."""
        self._begin(False, False)
        self._record(False)
        self._set_line_mode(False)
        self._run = None

    # ---- Instrumentation

    @_on_class_or_instance
    def profile(self, region_name=None):
        """Decorator: time every call of a function under a region.

        @profile("name"), or @profile and @profile() for the function's own name. It may be
        applied before setup() and follows every later one; without a run the function runs as if
        it were not there. Takes functions, methods, static and class methods in either order of
        the decorators, and any other callable but classes, which are a TypeError.
        """
        if region_name is None or isinstance(region_name, str):
            if region_name is not None:
                self.profile_region(region_name)  # a bad name is an error here, not at the use
            return lambda function: decorate(self, region_name, function)
        if callable(region_name) or isinstance(
            region_name, (staticmethod, classmethod, property)
        ):
            return decorate(self, None, region_name)
        raise TypeError(
            "region_name must be a non-empty str, got "
            f"{type(region_name).__name__}: {region_name!r}"
        )

    # ---- What there is

    @_on_class_or_instance
    def get_region(self, region_name):
        """The Region of that name, or None when there is none."""
        return self._find(region_name)

    @_on_class_or_instance
    def get_all_regions(self):
        """All regions as a dict {name: Region}, in the order in which they were made."""
        return {region.name: region for region in self._regions()}

    @_on_class_or_instance
    def registered_regions(self):
        """The names of all regions: a tuple of str."""
        return tuple(region.name for region in self._regions())

    @_on_class_or_instance
    def recorded_regions(self):
        """The names of the regions with a finished call in the current run: a tuple of str."""
        return tuple(row[1].name for row in self._collect_regions() if row[2])

    @_on_class_or_instance
    def is_active(self):
        """Whether calls are recorded now."""
        return self._recording

    @_on_class_or_instance
    def is_configured(self):
        """Whether setup() has been called."""
        return self._run is not None

    @_on_class_or_instance
    def last_results(self):
        """The ProfilingResults of the current run as of now, or None without a run."""
        if self._run is None:
            return None
        from .snapshot import take

        return take(self)


def _finalize_at_exit(run):
    def finalize():
        if run.is_active and not run.finalize_time_ns:
            run.finalize(return_results=False)

    atexit.register(finalize)


def _in_forked_child():
    for manager in list(_managers):
        manager._in_forked_child()


_managers = weakref.WeakSet()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)

def _opener(manager):
    return _core.Manager.__dict__["profile_region"].__get__(manager)


# Plain attributes, not descriptors: Python specializes the look-up of those, which was about a fifth
# of what an empty `with` block took.
ProfileManager._default = ProfileManager()
ProfileManager.profile_region = ProfileManager.region = ProfileManager._default.profile_region
_core.set_default(ProfileManager._default)
