"""The stubs and the page that come from the table of settings."""

from pathlib import Path
from textwrap import fill

from scope_profiler.config.kinds import SWITCH
from scope_profiler.config.table import (
    ABSENT,
    ARGUMENTS,
    GROUPS,
    OPPOSITES,
    TABLE,
    annotation,
    members,
    sections,
)

PROFILING_CONFIG = (Path(__file__).resolve().parents[2]
                    / "scope_profiler" / "_run" / "profiling_config.pyi")
WRITTEN = "# Written by tools/generate.py from the table of settings.\n"
BEGIN = "    # The settings in effect, written by tools/generate.py from the table of settings.\n"

OPTIONS = """\
from collections.abc import Callable, Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from os import PathLike
from typing import Any, ClassVar

CLASSES: dict[str, type[Any]]

class _Group:
    FLAT: ClassVar[dict[str, str]]
    def to_kwargs(self) -> dict[str, Any]: ...

class _Options:
    def __post_init__(self, *older: bool | None) -> None: ...
    def to_kwargs(self) -> dict[str, Any]: ...
"""

SETUP_OPTIONS = """\
from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, TypedDict

from .options import GPUOptions, HDF5Options, MemrayOptions

class SetupOptions(TypedDict, total=False):
"""

PAGE = """\
# Settings

```python
import scope_profiler as sp

with sp.session(label="night", use_line_profiler=True, output=None):
    ...
```

The same from a file, `session(config_path="profiling.toml")`:

```toml
[profiling]
label = "night"
use_line_profiler = true

[profiling.hdf5]
compression = "gzip"
```

The same for a program as it is: `scope-profiler run --label night --line-profile program.py`.

`setup()`, `session()`, `ProfilingOptions` and `ProfilingConfig` take the settings by these names. None
means that a setting is not given. What is given by keyword wins over `options=`, that over the file of
`config_path=`, and that over the default. A name that is no setting, or a value that a setting does
not take, is an error at once. In a TOML file the settings stand in the table `[profiling]`, or at the
top level where there is no such table. Variables of the environment are read by `setup_from_env()`; a
switch is 1, true, yes or on, or 0, false, no or off there. `tools/generate.py` writes this page.
"""

READ_BY_ALL = """\
## Variables that every run reads

| | |
|---|---|
| `SCOPE_PROFILER_DISABLE` | Record nothing, whatever the settings say; read at the import. |
| `SCOPE_PROFILER_ENABLE_TAGS` | Opt-in tags between commas, `*` for all: they add to `enable_tags`. |
"""


def options_stub():
    parts = [WRITTEN + OPTIONS]
    for group in GROUPS:
        fields = [f"    {name}: {annotation(row)} = None\n" for name, row in members(group).items()]
        parts.append(f"@dataclass\nclass {group.type}(_Group):\n{''.join(fields)}")
    fields = [f"    {row.name}: {annotation(row)} = None\n" for row in TABLE]
    fields += [f"    {old}: InitVar[bool | None] = field(default=None, kw_only=True)\n"
               for old in OPPOSITES]
    parts.append(f"@dataclass\nclass ProfilingOptions(_Options):\n{''.join(fields)}")
    return "\n".join(parts)


def setup_options_stub():
    return WRITTEN + SETUP_OPTIONS + "".join(
        f"    {row.name}: {annotation(row)}\n" for row in TABLE)


def profiling_config_stub():
    """Up to the settings it is written by hand."""
    by_hand = PROFILING_CONFIG.read_text(encoding="utf-8").partition(BEGIN)[0]
    return by_hand + BEGIN + "".join(
        f"    @property\n    def {row.name}(self) -> {kept(row)}: ...\n"
        for rows in sections().values() for row in rows)


def kept(row):
    """The type of a setting that is in effect."""
    is_set = row.default is not None or row.kind.kept == "Any"
    return row.kind.kept if is_set else f"{row.kind.kept} | None"


def page():
    parts = [PAGE]
    for heading, rows in sections().items():
        parts.append(f"## {heading}\n\n{refused() if heading == ABSENT else ''}{listed(rows)}")
    parts.append("## How a run begins\n\n"
                 "Arguments of `setup()` and `session()`, but no settings of the run.\n\n"
                 + listed(ARGUMENTS))
    parts.append(READ_BY_ALL)
    parts.append("## Older spellings\n\n"
                 "Each means the opposite of today's, with a DeprecationWarning.\n\n"
                 + table(("older", "today"), ((f"`{old}`", f"`{new}`")
                                              for old, new in OPPOSITES.items())))
    parts.append("## Groups\n\nObjects that have some of the settings under shorter names.\n\n"
                 + table(("argument", "class", "its names"),
                         ((f"`{group.name}`", f"`{group.type}`", names(members(group)))
                          for group in GROUPS)))
    return "\n".join(parts)


def refused():
    return fill("Those of scope-profiler 0.7.5. Off they are right. Where one asks for what is not "
                "there, `setup()` raises ValueError; what has no effect is said in a warning.",
                100) + "\n\n"


def listed(rows):
    return table(("setting", "takes", "default", "what it is", "given elsewhere"), (
        (f"`{row.name}`", row.kind.takes, default(row), sentence(row), elsewhere(row))
        for row in rows))


def default(row):
    return f"`{row.default!r}`" if row.default or row.kind is SWITCH else ""


def sentence(row):
    return f"{row.sentence} No effect: {row.no_effect}." if row.no_effect else row.sentence


def elsewhere(row):
    """TOML, when it stands in a table of its own, the command, the environment."""
    found = []
    if row.key is not None:
        group, _, key = row.key.partition(".")
        found.append(f"`[profiling.{group}] {key}`")
    if row.option is not None and not row.option.hidden:
        found += [f"`{name}`" for name in row.option.names.replace("/", " ").split()]
    if row.variable is not None:
        found.append(f"`{row.variable}`")
    return ", ".join(found)


def names(found):
    return ", ".join(f"`{name}`" for name in found)


def table(headings, rows):
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"{' '.join(f'| {cell}'.rstrip() for cell in cells)} |\n" for cells in lines)
