"""The page of the commands."""

import inspect

from scope_profiler.cli.group import COMMANDS, group
from scope_profiler.cli.export_plot_data import plot_data

from .settings import table

PAGE = """\
# Commands

```sh
scope-profiler run simulate.py --steps 100
```

`python -m scope_profiler` is the same command. `tools/generate.py` writes this page.
"""


def page():
    pages = [PAGE]
    for name in COMMANDS:
        pages.append(command(name, group.get_command(None, name)))
        if name == "export":
            pages.append(command("export plot-data", plot_data))
    return "\n".join(pages)


def command(name, one):
    arguments = " ".join(param.metavar or param.name.upper() for param in one.params
                         if param.param_type_name == "argument")
    text = inspect.cleandoc(one.help).replace("\b\n", "")
    paragraphs, _, examples = text.partition("Examples:\n")
    options = [param for param in one.params
               if param.param_type_name == "option" and not param.hidden]
    return "\n".join([
        f"## `scope-profiler {name} [OPTIONS] {arguments}`\n",
        f"{paragraphs.strip()}\n",
        f"```sh\n{inspect.cleandoc(examples)}\n```\n",
        table(("option", "what it does"), ((spelled(param), param.help) for param in options)),
    ])


def spelled(option):
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return f"{names} {option.metavar}" if option.metavar else names
