"""What this package does in the middle of the user's program is not the user's: meanwhile the thread
records nothing, in whatever mode, and nothing is prepared for being recorded. Signal handlers and
garbage collection wait (src/aside.c); calls that were open before may end."""

from functools import wraps

from ._core import unrecorded as here


def unrecorded(function):
    """The function, with nothing recorded that it calls."""

    @wraps(function)
    def call(*args, **kwargs):
        with here:
            return function(*args, **kwargs)

    return call
