"""Settings of the API of line_profiler from TOML files, as that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
import os
from pathlib import Path
from typing import Any, TypeAlias

#: A file; None or True to look for one; False for the defaults.
ConfigArgument: TypeAlias = str | os.PathLike[str] | bool | None

NAMESPACE = ("tool", "line_profiler")
TARGETS = ("line_profiler.toml", "pyproject.toml")
ENV_VAR = "LINE_PROFILER_RC"

_DEFAULT_FILE = Path(__file__).with_name("line_profiler.toml")


@dataclass
class ConfigSource:
    """Settings, and where they are from.

    conf_dict: the settings of the file's table [tool.line_profiler], and those that it does not
    have by default. path: the file. subtable: the names of the tables on the way to them.
    """

    conf_dict: dict[str, Any]
    path: Path
    subtable: list[str]

    def copy(self) -> ConfigSource:
        """One of its own, whatever becomes of this one."""
        return ConfigSource(deepcopy(self.conf_dict), self.path, [*self.subtable])

    def get_subconfig(
        self, *headers: str, allow_absence: bool = False, copy: bool = False
    ) -> ConfigSource:
        """The settings of a table inside.

        headers: the names of the tables on the way there. allow_absence: without the table, no
        settings. copy: of its own; else those of this one. Raises KeyError when the table is not
        there, and TypeError when it is no table.
        """
        table = _table(self.conf_dict, headers, allow_absence)
        return ConfigSource(deepcopy(table) if copy else table, self.path, [*self.subtable, *headers])

    @classmethod
    def from_default(cls, *, copy: bool = True) -> ConfigSource:
        """The defaults, which are in a file of the package. copy: of one's own; else those that all
        share."""
        default = _default()
        return default.copy() if copy else default

    @classmethod
    def from_config(cls, config: ConfigArgument = None, *, read_env: bool = True) -> ConfigSource:
        """The settings of a file.

        config: a path; None or True for the file that the variable LINE_PROFILER_RC names, else
        the first line_profiler.toml or pyproject.toml that can be read in the working folder or
        one above it, else the defaults; False for the defaults. read_env: whether to look at the
        variable.

        Settings that there are not by default are left out. Raises FileNotFoundError or ValueError
        when a file that was named cannot be read, is no TOML or has a value where a table belongs.
        A file that was found is passed over then.
        """
        if config is False:
            return cls.from_default()
        named = None if config is None or config is True else Path(config)
        default = _default()
        for path in _candidates(named, read_env):
            try:
                tables = _tables(_parsed(path), default.conf_dict)
            except OSError as error:
                if named is not None:
                    raise FileNotFoundError(
                        f"config = {os.fspath(named)!r} cannot be read: {error.strerror}"
                    ) from error
            except ValueError as error:  # no TOML, or no UTF-8
                if named is not None:
                    raise ValueError(
                        f"config = {os.fspath(named)!r} is not TOML: {error}") from error
            except TypeError as error:
                if named is not None:
                    raise ValueError(f"config = {os.fspath(named)!r}: {error}") from None
                break  # the file is there, and is not right: no other one is looked for
            else:
                return cls(_merged(default.conf_dict, tables), path, [*NAMESPACE])
        return default.copy()


@cache
def _default() -> ConfigSource:
    return ConfigSource(_table(_parsed(_DEFAULT_FILE), NAMESPACE), _DEFAULT_FILE, [*NAMESPACE])


def _candidates(named: Path | None, read_env: bool) -> Iterator[Path]:
    from_environment = os.environ.get(ENV_VAR) if read_env else None
    if named is not None:
        yield named.absolute()
    elif from_environment:
        yield Path(from_environment).absolute()
    else:
        here = Path.cwd()
        for folder in (here, *here.parents):
            yield from (folder / name for name in TARGETS)


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib

    with open(path, "rb") as file:
        return tomllib.load(file)


def _tables(content: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """The tables of [tool.line_profiler]. Raises TypeError where a value is in the place of one."""
    tables = _table(content, NAMESPACE, True)
    for name, settings in default.items():
        table = _table(tables, (name,), True, NAMESPACE)
        for inner, value in settings.items():
            if isinstance(value, dict):
                _table(table, (inner,), True, (*NAMESPACE, name))
    return tables


def _table(
    table: dict[str, Any], names: tuple[str, ...], allow_absence: bool = False,
    above: tuple[str, ...] = (),
) -> dict[str, Any]:
    for end, name in enumerate(names, 1):
        value = table.get(name, {}) if allow_absence else table[name]
        if not isinstance(value, dict):
            path = ".".join((*above, *names[:end]))
            raise TypeError("expected a table at each of these keys: "
                            f"{path!r} is of type {type(value).__name__}: {value!r}")
        table = value
    return table


def _merged(default: Any, given: Any) -> Any:
    """What is given, of what there is by default; the defaults where nothing is."""
    if not (isinstance(default, dict) and isinstance(given, dict)):
        return deepcopy(given)
    return {name: _merged(value, given.get(name, value)) for name, value in default.items()}
