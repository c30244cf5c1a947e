"""Tool ids of sys.monitoring, on CPython 3.12 and newer: taking a free one and giving it back."""

import sys

AVAILABLE = hasattr(sys, "monitoring")

_NAME = "scope_profiler"
_FREE = (3, 4, 5)  # 3 and 4 have no meaning; 0, 1 and 2 are for other kinds of tools


class Tool:
    """A tool id of our own, with its callbacks."""

    def __init__(self, what, callbacks):
        """Take a free id. what: what needs it; callbacks: {event: callable}. Raises RuntimeError when
        every id is taken."""
        for number in _FREE:
            if sys.monitoring.get_tool(number) is None:
                break
        else:
            held = ", ".join(f"{i} by {sys.monitoring.get_tool(i)!r}" for i in _FREE)
            raise RuntimeError(f"{what} needs a free tool id of sys.monitoring; taken: {held}")
        sys.monitoring.use_tool_id(number, _NAME)
        self.number = number
        self._callbacks = callbacks
        for event, callback in callbacks.items():
            sys.monitoring.register_callback(number, event, callback)

    def watch(self, without=()):
        """Have all the callbacks called for every code, also for what they had enough of; but for
        those of some events."""
        wanted = sum(event for event in self._callbacks if event not in without)
        sys.monitoring.set_events(self.number, wanted)
        sys.monitoring.restart_events()

    def is_ours(self):
        """Whether the id is still ours."""
        return sys.monitoring.get_tool(self.number) == _NAME

    def free(self):
        """Give the id back, with no event set for all code; those of single codes are the user's."""
        if not self.is_ours():
            return
        sys.monitoring.set_events(self.number, 0)
        for event in self._callbacks:
            sys.monitoring.register_callback(self.number, event, None)
        sys.monitoring.free_tool_id(self.number)
