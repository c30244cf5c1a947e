"""Names of settings: older spellings, and what to say of unknown ones."""

from .._base.arguments import boolean
from .._base.warning import warn
from .table import OPPOSITES


def renamed(settings, where=""):
    """The settings that are set (not None), older spellings replaced by today's.

    DeprecationWarning for each of those, with `where` in front of the message. Raises TypeError when
    both spellings of one setting are given.
    """
    chosen = {name: value for name, value in settings.items() if value is not None}
    for old, new in OPPOSITES.items():
        if old not in chosen:
            continue
        value = boolean(old, chosen.pop(old))
        if new in chosen:
            raise TypeError(f"{old} is an older spelling of {new}, and both are given")
        warn(f"{where}{old}={value} is spelled {new}={not value} today", DeprecationWarning)
        chosen[new] = not value
    return chosen


def unknown(names, known):
    """What to say of unknown names: each with the known one that it resembles, if any."""
    from difflib import get_close_matches

    said = []
    for name in sorted(names):
        close = get_close_matches(name, known, 1)
        said.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"unknown setting{'s' if len(said) > 1 else ''} {', '.join(said)}"
