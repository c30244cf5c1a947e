"""Settings from environment variables. A variable that is empty counts as one that is not set."""

import os

_FLAGS = {"1": True, "true": True, "yes": True, "on": True,
          "0": False, "false": False, "no": False, "off": False}


def disabled():
    """Whether SCOPE_PROFILER_DISABLE turns everything off.

    A value that is neither yes nor no warns and leaves profiling on: it must not end a program
    that merely imports this package.
    """
    try:
        return bool(_flag("SCOPE_PROFILER_DISABLE"))
    except ValueError as error:
        from .._base.warning import warn

        warn(f"{error}; profiling stays on")
        return False


def settings(**overrides):
    """The keyword arguments for setup() that the environment gives, as a dict.

    SCOPE_PROFILER_CONFIG, _OUTPUT: paths, for config_path and output.
    SCOPE_PROFILER_RECURSIVE, _AUTO_FINALIZE, _VERBOSE: 1, true, yes, on or 0, false, no, off, for
    recursive_profile, auto_finalize and verbose.

    The overrides are keyword arguments for setup() too and win; those that are None do not count,
    but output=None does. ValueError, naming the variable, for a value that it does not take.
    """
    overrides = {name: value for name, value in overrides.items()
                 if value is not None or name == "output"}
    found = {
        "config_path": _text("SCOPE_PROFILER_CONFIG"),
        "recursive_profile": _flag("SCOPE_PROFILER_RECURSIVE"),
        "auto_finalize": _flag("SCOPE_PROFILER_AUTO_FINALIZE"),
        "verbose": _flag("SCOPE_PROFILER_VERBOSE"),
    }
    if not overrides.keys() & {"output", "file_path"}:
        # output= decides, against a configuration file too, that there is a file. Where an
        # override has decided that, what is left to say is where.
        decided = overrides.keys() & {"deactivate_file_output", "flush_to_disk"}
        found["file_path" if decided else "output"] = _text("SCOPE_PROFILER_OUTPUT")
    return {**{name: value for name, value in found.items() if value is not None}, **overrides}


def enabled_tags():
    """The opt-in tags in SCOPE_PROFILER_ENABLE_TAGS, which commas separate: a tuple of str."""
    tags = os.environ.get("SCOPE_PROFILER_ENABLE_TAGS", "").split(",")
    return tuple(stripped for tag in tags if (stripped := tag.strip()))


def _text(name):
    return os.environ.get(name) or None


def _flag(name):
    value = os.environ.get(name, "").strip()
    if not value:
        return None
    if value.lower() not in _FLAGS:
        raise ValueError(
            f"{name} takes 1, true, yes or on, or 0, false, no or off; got {value!r}"
        )
    return _FLAGS[value.lower()]


#: As it was when the package was imported.
DISABLED = disabled()
