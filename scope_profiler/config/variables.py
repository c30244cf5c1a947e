"""Settings from environment variables."""

from __future__ import annotations

from .table import ARGUMENTS, SETTINGS


def settings(**overrides):
    """The keyword arguments for setup() that the environment gives, as a dict: see the variables
    in the table of settings.

    The overrides are keyword arguments for setup() too and win; those that are None do not count,
    but output=None does. Raises ValueError, naming the variable, for a value that it does not take.
    """
    overrides = {name: value for name, value in overrides.items()
                 if value is not None or name == "output"}
    found = {row.name: value for row in (*ARGUMENTS, *SETTINGS) if row.variable is not None
             and (value := row.kind.from_environment(row.variable)) is not None}
    output = found.pop("output", None)
    if output is not None and not overrides.keys() & {"output", "file_path"}:
        # output= decides, against a configuration file too, that there is a file. Where an
        # override has decided that, what is left to say is where.
        decided = overrides.keys() & {"deactivate_file_output", "flush_to_disk"}
        found["file_path" if decided else "output"] = output
    return {**found, **overrides}
