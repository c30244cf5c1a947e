"""ProfilingOptions and its groups: the settings of the table, as objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping  # noqa: F401 - in annotations, as PathLike
from dataclasses import InitVar, field, make_dataclass
from os import PathLike  # noqa: F401
from typing import Any, ClassVar

from .._base.arguments import instance
from .names import renamed, unknown
from .table import CHECKS, GROUPS, OPPOSITES, TABLE, annotation, members, sections


class _Checked:
    """Every value is checked when it is set, and kept in the form that the check gives it."""

    def __setattr__(self, name, value):
        if name not in self.__dataclass_fields__:
            raise AttributeError(unknown({name}, [*self.__dataclass_fields__]))
        if value is not None:
            value = self._CHECKS[name](name, value)
        object.__setattr__(self, name, value)


class _Group(_Checked):
    """Some settings under shorter names: what is set of them, in ProfilingOptions or here, is the
    same."""

    FLAT: ClassVar[dict[str, str]]  # {name here: name in ProfilingOptions}

    def to_kwargs(self) -> dict[str, Any]:
        """The settings that are set, as a dict, under their names in ProfilingOptions."""
        return {flat: value for name, flat in self.FLAT.items()
                if (value := getattr(self, name)) is not None}


class _Options(_Checked):
    def __post_init__(self, *older):
        today = {new: getattr(self, new) for new in OPPOSITES.values()}
        for name, value in renamed({**dict(zip(OPPOSITES, older)), **today}).items():
            setattr(self, name, value)

    def to_kwargs(self) -> dict[str, Any]:
        """The settings that are set, as a dict; those of groups under their own names here.

        Raises ValueError when one is set here and in its group.
        """
        flat = {name: value for name in CHECKS if (value := getattr(self, name)) is not None}
        for name in CLASSES:
            group = getattr(self, name)
            settings = group.to_kwargs() if group is not None else {}
            twice = sorted(settings.keys() & flat.keys())
            if twice:
                raise ValueError(
                    f"{twice[0]} is given both directly and in the group {name}: {group!r}"
                )
            flat.update(settings)
        return flat


def _class_of(group):
    rows = members(group)
    namespace = {
        "__module__": __name__,
        "__doc__": f"{group.sentence}\n\n{_listed(rows.items())}\n",
        "FLAT": {name: row.name for name, row in rows.items()},
        "_CHECKS": {name: row.kind.check for name, row in rows.items()},
    }
    fields = [(name, annotation(row), None) for name, row in rows.items()]
    return make_dataclass(group.type, fields, bases=(_Group,), namespace=namespace)


def _listed(rows):
    return "\n".join(f"{name}: {row.sentence}" for name, row in rows)


def _docstring():
    parts = ["The settings of a run; None means that it is not set here. They are checked at once."]
    for heading, rows in sections().items():
        parts.append(f"{heading}:\n\n{_listed((row.name, row) for row in rows)}")
    parts[-1] += ("\n\nThose are of scope-profiler 0.7.5. Off they are right; setup() raises "
                  "ValueError for what cannot be had, and warns of what has no effect.")
    parts.append(f"Groups of these:\n\n{_listed((group.name, group) for group in GROUPS)}")
    parts.append(f"{', '.join(OPPOSITES)} are older spellings of the opposite of "
                 f"{', '.join(OPPOSITES.values())}.")
    return "\n\n".join(parts) + "\n"


#: {name of a group, as a field and as a table in TOML: its class}
CLASSES = {group.name: _class_of(group) for group in GROUPS}
MemrayOptions, GPUOptions, HDF5Options = CLASSES["memray"], CLASSES["gpu"], CLASSES["hdf5"]

ProfilingOptions = make_dataclass(
    "ProfilingOptions",
    [*((row.name, annotation(row), None) for row in TABLE),
     *((old, InitVar["bool | None"], field(default=None, kw_only=True)) for old in OPPOSITES)],
    bases=(_Options,),
    namespace={
        "__module__": __name__,
        "__doc__": _docstring(),
        "_CHECKS": {**CHECKS, **{name: instance(kind) for name, kind in CLASSES.items()}},
    },
)
