"""Options of the commands that line_profiler has: switches that take a value as well, and their
defaults in TOML files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
import sys
from typing import TYPE_CHECKING, Any

from .toml_config import ConfigArgument, ConfigSource

if TYPE_CHECKING:
    import argparse

_FALSE = ("", "0", "off", "false", "f", "no", "n")
_TRUE = ("1", "on", "true", "t", "yes", "y")


def add_argument(
    parser: Any, *flags: str, hide_complementary_options: bool = True, **keywords: Any
) -> argparse.Action:
    """Add an option to a parser of argparse.

    With action="store_true" or "store_false" it is a switch that is None unless it is given. Its
    long forms take a value as well (--rich=no), the short ones do not, so that they can be put
    together (-rz); and each long one has an opposite (--no-rich), which the help does not show
    unless hide_complementary_options is False. Other options are as those of argparse.
    """
    import argparse  # a program that is not profiled needs none

    if keywords.get("action") not in ("store_true", "store_false"):
        added: argparse.Action = parser.add_argument(*flags, **keywords)
        return added
    value = keywords.pop("action") == "store_true"
    long = [flag for flag in flags if flag.startswith("--")]
    short = [flag for flag in flags if flag not in long]
    keywords.setdefault("default", None)
    if not long:
        return parser.add_argument(*short, action="store_const", const=value, **keywords)
    given = _switch if value else _opposite
    about = keywords.pop("help", None)
    if short and about != argparse.SUPPRESS:
        about = _with_forms(about, short)
    shared = {"nargs": "?", "metavar": "yes|no", **keywords}
    added = parser.add_argument(*long, const=value, type=given, help=about, **shared)
    shared["dest"] = keywords["dest"] = added.dest
    if short:
        parser.add_argument(*short, action="store_const", const=value, help=argparse.SUPPRESS,
                            **keywords)
    if value:
        hidden = argparse.SUPPRESS
        about = hidden if hide_complementary_options else f"The opposite of {', '.join(flags)}"
        opposites = (f"--no-{flag[2:]}" for flag in long)
        parser.add_argument(*opposites, const=False, type=_opposite, help=about, **shared)
    return added


def _with_forms(text: str | None, short: list[str]) -> str:
    """The help of the long forms, which has the short ones at its end."""
    forms = f"hort form{'s' if len(short) > 1 else ''}: {', '.join(short)}"
    if text and text.endswith((")", "]")):
        return f"{text[:-1]}; s{forms}{text[-1]}"
    return f"{text + ' ' if text else ''}(S{forms})"


def boolean(value: str, *, fallback: bool | None = None, invert: bool = False) -> bool:
    """What a text says: yes, on, true, 1 and their first letters, or the opposite.

    invert: the other way round. fallback: what other texts say. Raises ValueError for these without
    one.
    """
    text = value.casefold()
    if text in _TRUE or text in _FALSE:
        return (text in _TRUE) is not invert
    if fallback is None:
        raise ValueError(f"value takes one of {', '.join((*_TRUE, *_FALSE[1:]))}, got {value!r}")
    return fallback


def _switch(value: str) -> bool:
    return boolean(value)


def _opposite(value: str) -> bool:
    return boolean(value, invert=True)


def positive_float(value: str) -> float:
    """The number in a text. Raises ValueError unless it is positive and finite."""
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError(f"value takes a positive number, got {value!r}")
    return number


_switch.__name__ = _opposite.__name__ = "switch"
positive_float.__name__ = "positive number"  # argparse says "invalid positive number value: …"


def get_cli_config(
    subtable: str, /, config: ConfigArgument = None, *, read_env: bool = True
) -> ConfigSource:
    """The defaults of a command's options, with the names that Python has for them: see
    ConfigSource.from_config()."""
    source = ConfigSource.from_config(config, read_env=read_env).get_subconfig(subtable)
    source.conf_dict = {key.replace("-", "_"): value for key, value in source.conf_dict.items()}
    return source


def get_python_executable() -> str:
    """What to type to run this Python."""
    import shutil

    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and sys.executable and Path(found).samefile(sys.executable):
            return name
    return short_string_path(sys.executable or "python")


def short_string_path(path: str | PathLike[str]) -> str:
    """The path, absolute or from the working folder on, whichever is shortest."""
    path = Path(path)
    here = Path.cwd()
    full = path.absolute()
    inside = [full.relative_to(here)] if full.is_relative_to(here) else []
    return min(map(str, (path, full, *inside)), key=len)
