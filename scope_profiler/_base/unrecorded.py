"""Code of this package that runs in the middle of the user's program is not recorded: meanwhile the
thread records nothing, in whatever mode, and no code is prepared for being recorded. Signal handlers and
garbage collection wait (src/base/callout.c); calls that were open before may end."""

from functools import wraps
import os
import weakref

from .._core import unrecorded as here

#: The folder of this package: code in there is not the user's.
PACKAGE = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")


def unrecorded(function):
    """The function, with nothing recorded that it calls."""

    @wraps(function)
    def call(*args, **kwargs):
        with here:
            return function(*args, **kwargs)

    return call


def keep_weakly(kept, value):
    """Put a weak reference to the value into the dict, by its id, as long as it lives.

    The collections of weakref would do, but for code of theirs that runs when something dies, which
    may be in the middle of the program where every function is traced. Ours is passed over there.
    """
    number = id(value)
    kept[number] = weakref.ref(value, lambda _: kept.pop(number, None))


def is_kept(kept, value):
    """Whether it was put there."""
    reference = kept.get(id(value))
    return reference is not None and reference() is value
