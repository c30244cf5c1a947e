"""What settings can be: each kind with its check, its type, and how it is written elsewhere."""

from __future__ import annotations

from collections.abc import Callable
import os
from typing import Any, NamedTuple

from .._base import environment
from .._base.arguments import (
    any_of,
    anything,
    boolean,
    function,
    hertz,
    not_negative,
    one_of,
    path,
    seconds_by_name,
    size,
    strings,
    text,
    whole,
    wrong_type,
)


class Kind(NamedTuple):
    """What values a setting takes."""

    check: Callable[[str, Any], Any]  # as those of arguments.py
    annotation: str  # what is taken, for type checkers
    kept: str  # what is kept of it
    takes: str  # for people
    metavar: str | None = None  # what stands for a value on the command line; None for a switch
    from_environment: Callable[[str], Any] = environment.text  # the value of a variable, or None


def _compression(name, value):
    """A filter of HDF5; "none" stays a word here, as None would mean: not set."""
    return one_of(*_FILTERS)(
        name, (value.strip().lower() or "none") if isinstance(value, str) else value
    )


def _several(name):
    return environment.words(name) or None


class Members(NamedTuple):
    """The ranks that make one result together. MPI may have ended by then, so what it says of its
    communicator is asked when that is given.

    rank, size: Of this process in the communicator, and how many there are.
    """

    communicator: Any
    rank: int
    size: int


def _members(name, value):
    """A communicator as Members."""
    if isinstance(value, Members):
        return value
    if any(not hasattr(value, each) for each in ("Get_rank", "Get_size", "Is_inter", "Iprobe")):
        raise wrong_type(name, "a communicator of mpi4py", value)
    if not value or value.Is_inter():
        raise ValueError(f"{name} takes a communicator of mpi4py that this process is a rank of, with one "
                         f"group; got {value!r}")
    return Members(value, value.Get_rank(), value.Get_size())


def _absolute(name, value):
    return os.path.abspath(path(name, value))


#: The levels of each filter that columns of HDF5 files are compressed with.
_LEVELS = {"auto": range(10), "gzip": range(10), "lzf": range(0), "zstd": range(1, 23)}
_FILTERS = ("none", *_LEVELS)


def check_level(compression, level, given):
    """Raise ValueError, which begins with `given`, when the filter has no such level."""
    levels = _LEVELS[compression]
    if not levels:
        raise ValueError(f"{given}: {compression!r} has no levels")
    if level not in levels:
        raise ValueError(f"{given}: {compression!r} takes {levels[0]} to {levels[-1]}")


SWITCH = Kind(boolean, "bool", "bool", "True or False", from_environment=environment.flag)
TEXT = Kind(text, "str", "str", "a str", "TEXT")
PLACE = Kind(_absolute, "str | PathLike[str]", "str", "a path", "FILE")
PATH = Kind(path, "str | PathLike[str]", "str", "a path", "FILE")
STRINGS = Kind(
    strings, "str | Iterable[str]", "tuple[str, ...]", "a str or several", "TEXT", _several
)
ANYTHING = Kind(anything, "Any", "Any", "anything")
LIMITS = Kind(
    seconds_by_name, "Mapping[str, float] | str | Iterable[str]", "dict[str, float]",
    "{name or glob pattern: seconds}, or texts such as \"request=0.5\"", "NAME=SECONDS", _several,
)
FUNCTION = Kind(function, "Callable[..., object]", "Callable[..., object]", "a callable")
COMMUNICATOR = Kind(_members, "Any", "Any", "a communicator of mpi4py")
COMPRESSION = Kind(_compression, "str", "str", any_of(_FILTERS), "NAME")


def bytes_at_least(minimum):
    """The kind of a number of bytes."""
    takes = f'bytes, at least {minimum}, as an int or a text such as "200 MB"'
    return Kind(size(minimum), "int | str", "int", takes, "SIZE")


def at_least(minimum):
    """The kind of an int."""
    takes = f"an int of at least {minimum}"
    return Kind(whole(minimum), "int", "int", takes, "N", environment.whole)


HERTZ = Kind(hertz, "float", "float", "how often a second, as a number up to 10000", "HZ")
SECONDS = Kind(not_negative, "float", "float", "seconds, as a number of at least 0", "SECONDS")


def choice(*words):
    """The kind of one of these words."""
    return Kind(one_of(*words), "str", "str", any_of(words), "NAME")
