"""Every-function tracing: while it is on, each call of a Python function that is wanted is a call of
a region named after the function, in whatever thread, and without touching the code.

    from scope_profiler import ProfileManager, calls

    manager = ProfileManager()
    manager.setup()
    with calls.tracing(manager, include=["solver.*"]):
        main()
"""

from ._instrument.call_tracing import start, stop, tracing

__all__ = ["start", "stop", "tracing"]
