"""The beginning of a process that a program under the profiler has started, and that is recorded with it.
The hook in startup/ calls this before the process runs anything of its own."""

from .._runtime import following
from .host import Host
from .programs import trace


def begin(manager, told):
    """Record this process into the run that has told it so; see following.py."""
    settings = told["settings"]
    following.join(told)
    manager.setup(**settings, auto_finalize=True)
    # The program may set up runs of its own.
    manager._host = Host(manager, settings)
    if told["tracing"] is not None:
        trace(manager, **told["tracing"])
