"""Runs and sessions: what setup() and session() return."""

from __future__ import annotations

import os
from time import perf_counter_ns
import weakref

from .._instrument.decorator import inside
from .._runtime import processes
from .run_file import RunFile

TYPE_CHECKING = False  # typing is not imported with a run
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, ParamSpec, Self, TypedDict, TypeVar, Unpack, overload

    from ..results import ProfilingResults

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

    class _Finalizing(TypedDict, total=False):
        native_traces: None
        verbose_line_profiler: bool | None
        style: Literal["table", "blocks"]
        start_over: bool
        report_file: str | os.PathLike[str] | None


def _file_of(settings, others=()):
    if settings["deactivate_profiling"]:
        return None
    if settings["follow_children"] and processes.is_child():
        from .._runtime import following

        path = following.path_of(settings)
        if path is not None:
            return RunFile(settings, path=path)
    return None if settings["deactivate_file_output"] else RunFile(settings, others)


class ProfilingRun:
    """One run, from a setup() on: what setup() returns."""

    start_time_ns: int
    finalize_time_ns: int | None
    _manager: Callable[[], Any]  # None when it is gone

    def __init__(self, manager: Any, settings: dict[str, Any], ends_by_finalize: bool = False) -> None:
        self._manager = weakref.ref(manager)
        self._settings = settings
        self._ends_by_finalize = ends_by_finalize  # when its process does
        self.start_time_ns = perf_counter_ns()
        self.finalize_time_ns = None
        self._results = None
        self._of_session = False  # which finalizes it, if it gets there: see process_end.goes_on()
        self._lines_printed = {}  # of each code object in a report, how many hits
        self._journal_error = None  # why calls were kept in memory alone
        self._journal_is_whole = True  # it has the calls of all that is recorded, none is in a file alone
        self._written_calls = None  # how many calls there were when the file was written
        self._over = settings["deactivate_profiling"]
        self._written_path = None  # and where that was
        self._paths = set()  # of its parts: see finalize(start_over=True)
        self._sampler = self._slow_calls = None
        self._also = None  # another run whose file gets the results, too: see host.py
        self._file = _file_of(settings)
        self._children = None  # the results of child processes, where they are followed
        self._held = set()  # why it does not record now: pause(), steps of sample_every()

    def _change(self, settings):
        """It goes on with these, and writes to their file."""
        if self._file is not None:
            self._file.release()
        self._settings, self._file = settings, _file_of(settings)

    def _begin_part(self, moment):
        """What is recorded from the moment on goes to a file of its own."""
        self.start_time_ns, self.finalize_time_ns = moment.taken_ns, None
        self._lines_printed = {}
        self._written_calls = None
        if self._slow_calls is not None:
            self._slow_calls.start_over()
        if self._file is not None:
            self._paths.add(self._file.path)
            self._file = _file_of(self._settings, self._paths)

    def __repr__(self):
        state = "active" if self.is_active else "over"
        return f"<ProfilingRun {self._settings['label'] or self.file_path!r}: {state}>"

    @property
    def file_path(self) -> str | None:
        """Where finalize() writes, or has written; None when nothing is written. In a child of the
        program beside the file of its parent: `<stem>.<process id>.h5`. Where another process has
        written there since the run began, or still may, finalize() takes that name too."""
        return None if self._file is None else self._file.path

    def _destinations(self):
        """The runs whose files the results are written to."""
        found = [run for run in (self, self._also) if run is not None and run.file_path is not None]
        paths = [os.path.abspath(run.file_path) for run in found]
        return found[:1] if paths[1:] == paths[:1] else found

    def _report_file(self, path):
        """The RunFile of the HTML report, at this path or where the setting says; None for none."""
        path = path or self._settings["report_file"]
        return path and RunFile({**self._settings, "file_path": path}, self._paths, beside=self._file)

    def _effective(self):
        """The settings, and where this process writes."""
        return {**self._settings, "file_path": self.file_path or self._settings["file_path"]}

    @property
    def label(self) -> str | None:
        """The run's name, or None."""
        return self._settings["label"]

    @property
    def is_active(self) -> bool:
        """Whether this is its manager's current run, and calls are recorded (or paused)."""
        manager = self._manager()
        return manager is not None and manager._run is self and not self._over

    @property
    def is_paused(self) -> bool:
        """Whether this is its manager's current run, between pause() and resume()."""
        return self.is_active and not self._manager()._recording

    @property
    def results(self) -> ProfilingResults | None:
        """The ProfilingResults of the last finalize(), or None before it."""
        return self._results

    if TYPE_CHECKING:

        @overload
        def finalize(
            self,
            verbose: bool | None = None,
            return_results: Literal[True] = True,
            **settings: Unpack[_Finalizing],
        ) -> ProfilingResults: ...
        @overload
        def finalize(
            self,
            verbose: bool | None = None,
            *,
            return_results: bool,
            **settings: Unpack[_Finalizing],
        ) -> ProfilingResults | None: ...

    def finalize(self, verbose=None, return_results=True, **settings):
        """ProfileManager.finalize() of this run. Raises RuntimeError when setup() has replaced it."""
        manager = self._current()
        return manager.finalize(verbose=verbose, return_results=return_results, **settings)

    def snapshot(self, *, events: bool = True) -> ProfilingResults:
        """ProfileManager.snapshot() of this run. Raises RuntimeError when setup() has replaced it."""
        results: ProfilingResults = self._current().snapshot(events=events)
        return results

    def _current(self):
        manager = self._manager()
        if manager is None or manager._run is not self:
            raise RuntimeError("this run was replaced by a later setup()")
        return manager


class Session:
    """setup(), a region around everything, finalize(): see ProfileManager.session."""

    ROOT = "scope_profiler.session"

    def __init__(
        self, manager: Any, options: Any, settings: dict[str, Any], finalizing: dict[str, Any]
    ) -> None:
        self._manager = manager
        self._options = options
        self._settings = settings  # with the options, what setup() is called with
        self._finalizing = finalizing  # what finalize() is called with
        self._run: ProfilingRun | None = None

    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        return inside("session()", self._again, function)

    def _again(self):
        return Session(self._manager, self._options, self._settings, self._finalizing)

    def __enter__(self) -> Self:
        self._run = self._manager.setup(self._options, **self._settings)
        self._run._of_session = True
        self._process = os.getpid()
        self._root = _Root(self._manager.profile_region(self.ROOT))
        return self

    def __exit__(self, *exception: object) -> Literal[False]:
        self._root.close(exception)
        manager = self._manager
        is_own = manager._run is self._run
        if is_own or manager.is_active():  # the run of a setup(replace=True) inside it
            self._run = manager._run
            quiet = {} if os.getpid() == self._process else {"verbose": False}  # as all children
            try:
                manager.finalize(**{**self._finalizing, **quiet})
            finally:
                if is_own and manager._host is None:
                    manager._stop()
        return False

    @property
    def results(self) -> ProfilingResults | None:
        """The ProfilingResults, once the session is over and with return_results=True."""
        return self._run.results if self._run else None

    @property
    def file_path(self) -> str | None:
        """Where the session is written, or None."""
        return self._run.file_path if self._run else None

    @property
    def is_active(self) -> bool:
        """Whether the session records now."""
        return self._run is not None and self._run.is_active

    def finalize(
        self,
        *,
        verbose: bool | None = None,
        return_results: bool = True,
        **settings: Unpack[_Finalizing],
    ) -> ProfilingResults | None:
        """A checkpoint of the session; see ProfilingRun.finalize. Raises RuntimeError outside it."""
        return self._begun().finalize(verbose, return_results=return_results, **settings)

    def snapshot(self, *, events: bool = True) -> ProfilingResults:
        """ProfilingRun.snapshot() of the session's run. Raises RuntimeError outside it."""
        return self._begun().snapshot(events=events)

    def _begun(self) -> ProfilingRun:
        if self._run is None:
            raise RuntimeError("the session has not begun: enter it with `with`")
        return self._run


class _Root:
    """The open region around a session. It is entered and left from this one frame, a suspended
    generator's, so that leaving pairs with entering wherever the session ends."""

    def __init__(self, region):
        region._locate(None, 0)  # it stands nowhere in the program
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
