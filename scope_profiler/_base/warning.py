"""Warnings that point at the user's line, and messages on failures that must not stop the program."""

from contextlib import suppress
import sys

# Packages that a warning passes over: this one, what imports it, what enters a session for the user.
_PASSED = {
    "scope_profiler", "importlib", "_frozen_importlib", "_frozen_importlib_external", "contextlib",
}


def warn(message, category=UserWarning):
    """Issue a warning at the innermost line outside of this package."""
    import warnings

    from .shown import shown

    frame = sys._getframe(1)
    while frame.f_back is not None and _module(frame).partition(".")[0] in _PASSED:
        frame = frame.f_back
    # Not with a stacklevel: warnings.warn() counts frames in its own way during an import.
    warnings.warn_explicit(
        shown(message), category, frame.f_code.co_filename, frame.f_lineno, _module(frame),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _module(frame):
    return str(frame.f_globals.get("__name__", "<unknown>"))


def complain(what, error):
    """Say on standard error, in one line, what failed and why."""
    from .shown import shown

    say(f"{what}: {type(error).__name__}: {shown(error) or 'interrupted'}")


def say(text):
    """Say it on standard error, in one line."""
    with suppress(Exception):  # there may be no such stream, or a closed one
        sys.stderr.write(f"scope-profiler: {text}\n")
