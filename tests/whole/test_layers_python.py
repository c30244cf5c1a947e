"""The packages of scope_profiler: what each may import, read from the source itself.

Counted is every import, also those in functions, but for what types alone need (TYPE_CHECKING).
"""

import ast
from collections import Counter
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from conftest import ROOT

PACKAGE = ROOT / "scope_profiler"

# From the bottom up: what is here imports nothing that comes later.
LAYERS = (
    "_core", "_version", "_base", "config", "_model", "results", "io", "exports", "plots", "_compare",
    "report", "html",
    "_instrument", "_runtime", "mpi", "_run", "_launch", "manager", "_servers", "asgi", "wsgi", "dask",
    "calls", "line_profiler", "cprofile", "memory", "compat", "cli",
    "scope_profiler", "compat.old_paths", "__main__",
)

# The folder of modules that are found beside the package's own: see its __init__.py.
OLD_PATHS = "compat/old_paths"


def module_of(path):
    """The dotted name of a file, below the package: "" for the package itself."""
    parts = [*path.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports(module):
    """The modules of the package that a module imports."""
    path = FILES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    if OLD_PATHS in path.as_posix():
        package = ""  # it is imported as a module of the package itself
    for node in nodes_at_run_time(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".") if package else []
            base = ["scope_profiler", *above[:len(above) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            names = [".".join([*base, alias.name]) for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] == "scope_profiler":
                yield known(name.partition(".")[2])


def known(name):
    """The module that has the name, or is it."""
    while name not in FILES and name != "_core":
        name = name.rpartition(".")[0]
    return name


def nodes_at_run_time(node):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from nodes_at_run_time(child)


@cache  # and not at once: many processes collect the tests
def graph():
    """{module: what it imports of the package}."""
    return {module: {target for target in imports(module) if target != module} for module in FILES}


def package_of(module):
    if module.startswith("compat.old_paths."):
        return "compat.old_paths"
    return module.partition(".")[0] or "scope_profiler"


def layer(module):
    return LAYERS.index(package_of(module))


def test_imports_are_seen():
    assert {"_base.above", "results.region"} <= graph()["results.profiling_results"]
    assert {"_instrument.lines", "_core"} <= graph()["_instrument.regions"] | graph()["manager"]
    assert "io" in graph()["compat.old_paths.h5reader"]


def test_every_package_has_its_layer():
    assert {*map(package_of, FILES)} | {"_core"} == {*LAYERS}


def test_no_import_points_up():
    upward = {(module, target) for module, targets in graph().items() for target in targets
              if layer(target) > layer(module)}
    assert upward == set()


def test_no_circle_of_modules():
    try:
        TopologicalSorter(graph()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_module_name_is_there_twice():
    names = Counter(path.stem for path in FILES.values()
                    if path.stem not in ("__init__", "__main__") and OLD_PATHS not in path.as_posix())
    assert [name for name, times in names.items() if times > 1] == []


def test_no_file_is_long():
    lengths = {name: len(path.read_text(encoding="utf-8").splitlines())
               for name, path in FILES.items()}
    assert {name for name, lines in lengths.items() if lines > 500} == set()


def test_the_interpreter_is_read_in_one_module():
    words = ("import dis", "get_instructions", "threading._", "from threading import _",
             "._inheriting", "co_code", "opname")
    found = {(module, word) for module, path in FILES.items() for word in words
             if word in path.read_text(encoding="utf-8")}
    assert {module for module, _ in found} == {"_base.interpreter"}
