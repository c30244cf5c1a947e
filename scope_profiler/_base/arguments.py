"""Checks of arguments, for everything that takes some.

A check is called with the name of the argument and its value, and returns the value in the form in
which it is kept. It raises TypeError for a wrong type and ValueError for a wrong value; the message
names the argument, what it takes and what it got. Nothing is imported here that is not loaded
already.
"""

import operator
import os


class _Unset:
    __slots__ = ()

    def __repr__(self):
        return "UNSET"


#: The default of an argument for which None is a value.
UNSET = _Unset()


def wrong_type(name, takes, value):
    """The TypeError that says so."""
    return TypeError(f"{name} takes {takes}, got {type(value).__name__}: {value!r}")


def anything(name, value):
    return value


def boolean(name, value):
    """True or False, also as numpy's bools and as 0 and 1."""
    kind = type(value)
    if kind is bool:
        return value
    if kind is int and value in (0, 1):
        return value == 1
    if kind.__module__ == "numpy" and kind.__name__ in ("bool", "bool_"):
        return bool(value)
    raise wrong_type(name, "True or False", value)


def switch(name, value):
    """True or False; None is False, as what is not given."""
    return value is not None and boolean(name, value)


def text(name, value):
    if not isinstance(value, str):
        raise wrong_type(name, "a str", value)
    return value


def path(name, value):
    """A path, as a str."""
    value = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(value, str):
        raise wrong_type(name, "a path (str or os.PathLike)", value)
    if not value or "\0" in value or not _encodes(value):
        raise ValueError(f"{name} takes a path, got {value!r}")
    return value


def _encodes(path):
    """Whether the file system can have it."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True


def stream(name, value):
    """What can be printed to."""
    if not callable(getattr(value, "write", None)):
        raise wrong_type(name, "a text file", value)
    return value


def strings(name, value):
    """One str or several, as a tuple."""
    if isinstance(value, str):
        value = (value,)
    try:
        value = tuple(value)
    except TypeError:
        raise wrong_type(name, "a str or several", value) from None
    for item in value:
        if not isinstance(item, str):
            raise wrong_type(name, "a str or several", item)
        if not item:
            raise ValueError(f"{name} takes non-empty str, got ''")
    return value


def any_of(choices):
    """The choices as a message has them: 'a', 'b' or 'c'."""
    *first, last = map(repr, choices)
    return f"{', '.join(first)} or {last}" if first else last


def one_of(*choices):
    """The check for one of these str."""
    takes = any_of(choices)

    def check(name, value):
        if not isinstance(value, str):
            raise wrong_type(name, takes, value)
        if value not in choices:
            raise ValueError(f"{name} takes {takes}, got {value!r}")
        return value

    return check


def whole(minimum):
    """The check for an int of at least minimum."""
    takes = f"an int of at least {minimum}"

    def check(name, value):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise wrong_type(name, takes, value)
        value = operator.index(value)
        if value < minimum:
            raise ValueError(f"{name} takes {takes}, got {value}")
        return value

    return check


def instance(kind, takes=None):
    """The check for an object of that class; takes: how messages call it."""

    def check(name, value):
        if not isinstance(value, kind):
            raise wrong_type(name, takes or kind.__name__, value)
        return value

    return check
