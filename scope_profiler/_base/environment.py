"""Environment variables. One that is empty counts as one that is not set."""

import os

_FLAGS = {"1": True, "true": True, "yes": True, "on": True,
          "0": False, "false": False, "no": False, "off": False}


def text(name):
    """What the variable says, or None."""
    return os.environ.get(name) or None


def flag(name):
    """Whether the variable says yes, or None. Raises ValueError, naming it, when that is not to be told."""
    value = os.environ.get(name, "").strip()
    if not value:
        return None
    if value.lower() not in _FLAGS:
        raise ValueError(
            f"{name} takes 1, true, yes or on, or 0, false, no or off; got {value!r}"
        )
    return _FLAGS[value.lower()]


def known_flag(name):
    """As `flag`, but None also for what cannot be told."""
    return _FLAGS.get(os.environ.get(name, "").strip().lower())


def whole(name):
    """The int that the variable says, or None. Raises ValueError, naming it, when it is none."""
    value = os.environ.get(name, "").strip()
    try:
        return int(value) if value else None
    except ValueError:
        raise ValueError(f"{name} takes an int; got {value!r}") from None


def words(name):
    """The words of the variable, which commas separate: a tuple of str."""
    stripped = (word.strip() for word in os.environ.get(name, "").split(","))
    return tuple(word for word in stripped if word)


def enabled_tags():
    """The opt-in tags that every run enables: a tuple of str."""
    return words("SCOPE_PROFILER_ENABLE_TAGS")


def disabled():
    """Whether SCOPE_PROFILER_DISABLE turns everything off.

    A value that is neither yes nor no warns and leaves profiling on: it must not end a program
    that merely imports this package.
    """
    try:
        return bool(flag("SCOPE_PROFILER_DISABLE"))
    except ValueError as error:
        from .warning import warn

        warn(f"{error}; profiling stays on")
        return False


#: As it was when the package was imported.
DISABLED = disabled()
