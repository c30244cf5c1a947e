"""What the middlewares of asgi.py and wsgi.py have in common: the region of a request, and which requests
have one."""

from contextlib import contextmanager, nullcontext
from functools import cached_property
import re
from threading import Lock

from ._base.arguments import text, whole
from .manager import ProfileManager

_TRACE = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

#: What is said of a request that the application has no route for, and of those beyond `max_names`.
NO_ROUTE, OTHERS = "(no route)", "(others)"

_YES = ("1", "true", "yes", "on")


class Requests:
    """The regions of requests, for one application.

    manager: a ProfileManager; None for the process-wide one. switch: the name of a header or of a parameter
    of the query; then a run records while there are requests under way that have it, with 1, true, yes or on
    for value, and these alone have a region. max_names: so many regions are made; further requests are one.
    """

    def __init__(self, manager, switch, max_names):
        if manager is not None and not isinstance(manager, ProfileManager):
            raise TypeError(f"manager takes a ProfileManager or None, got {manager!r}")
        self._manager = ProfileManager._default if manager is None else manager
        self._switch = None if switch is None else text("switch", switch).lower()
        self._max_names = whole(1)("max_names", max_names)
        self._names = set()
        self._lock = Lock()
        self._switched = 0  # requests under way that are

    def are_off(self):
        """Whether no run is on."""
        return not self._manager.is_active()

    def is_wanted(self, header, query):
        """Whether a request has a region. header(name): its value, or None; query: a str."""
        if self._switch is None:
            return True
        value = header(self._switch)
        if value is None:
            found = re.search(rf"(?:^|&){re.escape(self._switch)}=([^&]*)", query, re.IGNORECASE)
            value = found and found[1]
        return value is not None and value.strip().lower() in _YES

    def region(self, method, route):
        """The region of requests by that method to that route."""
        name = f"{method} {route}"
        if name not in self._names:
            if len(self._names) >= self._max_names:
                name = f"{method} {OTHERS}"
            else:
                self._names.add(name)
        return self._manager.profile_region(name)

    def metadata(self, header):
        """A context manager: calls inside carry the id of the trace that the request belongs to."""
        found = _TRACE.fullmatch((header("traceparent") or "").strip().lower())
        return self._manager.metadata(trace_id=found[1]) if found else nullcontext()

    @contextmanager
    def switched(self):
        """Around a request that is wanted."""
        if self._switch is None:
            yield
            return
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, change):
        with self._lock:
            self._switched += change
            run = self._manager._run
            if run is None:
                return
            if self._switched:
                self._manager._release(run, self._reason)
            else:
                self._manager._hold(self._reason)

    def begin(self):
        """Before any request: a run with a switch records nothing between those that are wanted."""
        if self._switch is not None and not self._switched and self._manager._run is not None:
            run = self._manager._run
            if self._reason not in run._held:
                self._manager._hold(self._reason)

    @cached_property
    def _reason(self):
        return f"switch={self._switch!r}"
