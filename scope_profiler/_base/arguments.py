"""Checks of arguments, for everything that takes some.

A check is called with the name of the argument and its value, and returns the value in the form in
which it is kept. It raises TypeError for a wrong type and ValueError for a wrong value; the message
names the argument, what it takes and what it got.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
import operator
import os

TYPE_CHECKING = False  # typing is not imported for it
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any


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


def text_or_none(name, value):
    if value is not None and not isinstance(value, str):
        raise wrong_type(name, "a str or None", value)
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


def seconds_by_name(name, value):
    """{name: seconds}; also as texts name=seconds, one or several."""
    takes = "{name: seconds}, or texts such as 'request=0.5'"
    if not isinstance(value, Mapping):
        try:
            given = [text.rpartition("=") for text in strings(name, value)]
        except TypeError:
            raise wrong_type(name, takes, value) from None
        if not all(equals and _is_number(seconds) for _, equals, seconds in given):
            raise ValueError(f"{name} takes {takes}, got {value!r}")
        value = {key.strip(): float(seconds) for key, _, seconds in given}
    return {_key(name, takes, key): not_negative(f"{name}[{key!r}]", seconds)
            for key, seconds in value.items()}


def _key(name, takes, key):
    if not isinstance(key, str):
        raise wrong_type(name, takes, key)
    if not key:
        raise ValueError(f"{name} takes {takes}, got an empty name")
    return key


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def function(name, value):
    """What can be called."""
    if not callable(value):
        raise wrong_type(name, "a callable", value)
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


def integer(name, value, minimum=None, takes="an int"):
    """An int of 64 bits, of at least minimum."""
    if type(value) is not int:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise wrong_type(name, takes, value)
        value = operator.index(value)
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{name} takes an int of 64 bits, got {value}")
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} takes an int of at least {minimum}, got {value}")
    return value


def integer_or_none(name, value):
    return None if value is None else integer(name, value)


def whole(minimum):
    """The check for an int of at least minimum."""
    takes = f"an int of at least {minimum}"
    return lambda name, value: integer(name, value, minimum, takes)


_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}


def size(minimum):
    """The check for a number of bytes, also as a text with a unit: "200 MB", "1.5 GiB"."""
    takes = f'bytes, at least {minimum}, as an int or a text such as "200 MB"'

    def check(name, value):
        if isinstance(value, str):
            text = value.replace(" ", "").lower()
            digits = text.rstrip("bkmgti")
            factor = _UNITS.get(text[len(digits):])
            if factor is None or not digits.replace(".", "", 1).isdecimal():
                raise ValueError(f"{name} takes {takes}, got {value!r}")
            value = int(float(digits) * factor)
        return integer(name, value, minimum, takes)

    return check


def number(name, value):
    """A number, as a float."""
    if type(value) is float:
        return value
    from numbers import Real  # that numpy's are of, too

    if isinstance(value, bool) or not isinstance(value, Real):
        raise wrong_type(name, "a number", value)
    return float(value)


def finite(name, value):
    """A number that is neither infinite nor NaN, as a float."""
    result = number(name, value)
    if not isfinite(result):
        raise ValueError(f"{name} takes a finite number, got {value!r}")
    return result


def not_negative(name, value):
    """A finite number of at least 0, as a float."""
    result = finite(name, value)
    if result < 0:
        raise ValueError(f"{name} takes a number of at least 0, got {value!r}")
    return result


def hertz(name, value):
    """How often a second, up to 10 000, as a float."""
    result = finite(name, value)
    if not 0 < result <= 10_000:
        raise ValueError(f"{name} takes how often a second, above 0 and up to 10000, got {value!r}")
    return result


def check_percentile(name, value):
    """A number from 0 to 100."""
    if not 0 <= number(name, value) <= 100:
        raise ValueError(f"{name} takes 0 to 100, got {value!r}")


def mapping(name, value):
    """A mapping, as it is."""
    if not isinstance(value, Mapping):
        raise wrong_type(name, "a mapping", value)
    return value


def mapping_or_none(name, value):
    """A mapping, as it is; an empty one for None."""
    return {} if value is None else mapping(name, value)


def instance(kind, takes=None):
    """The check for an object of that class; takes: how messages call it."""

    def check(name, value):
        if not isinstance(value, kind):
            raise wrong_type(name, takes or kind.__name__, value)
        return value

    return check


def several_of(name, values, kind):
    """Several objects of that class, as a list."""
    takes = f"several {kind.__name__}"
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise wrong_type(name, takes, values)
    values = list(values)
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"{name} takes {takes}, got one of {type(value).__name__}: {value!r}")
    return values


def one_or_several(values):
    """One value or several, to iterate over; a str is one."""
    if isinstance(values, Iterable) and not isinstance(values, (str, bytes)):
        return values
    return (values,)


def rank_set(value):
    """One rank or several as a set; None, which means all, stays None."""
    if value is None:
        return None
    return {integer("ranks", rank, 0) for rank in one_or_several(value)}


def expressions(name, patterns):
    """One regular expression or several, compiled, in a list; None stays None."""
    import re

    if patterns is None:
        return None
    found = []
    for pattern in one_or_several(patterns):
        try:
            if isinstance(pattern, bytes):
                raise TypeError("it must be a str")
            found.append(re.compile(pattern))
        except (re.error, TypeError) as error:
            raise ValueError(f"{name} takes regular expressions, got {pattern!r} ({error})") from None
    return found


def name_filter(include, exclude):
    """Whether a name is chosen, a function: those that include matches, or all, but not those that
    exclude does. Both are regular expressions, one or several, or None."""
    included, excluded = expressions("include", include), expressions("exclude", exclude) or ()
    return lambda name: (
        included is None or any(pattern.match(name) for pattern in included)
    ) and not any(pattern.match(name) for pattern in excluded)


def file_of(name: str, value: Any) -> Path:
    """A path, as a Path."""
    from pathlib import Path

    return Path(path(name, value))


def file_named(name: str, value: Any, *suffixes: str) -> Path:
    """A path, as a Path; it has one of the suffixes or none."""
    file = file_of(name, value)
    if file.suffix and not file.name.lower().endswith(suffixes):
        raise ValueError(f"{name} takes a name in {' or '.join(suffixes)}, got {str(file)!r}")
    return file
