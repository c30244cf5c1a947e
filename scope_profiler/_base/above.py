"""Calls from plain data up to what reads and prints it, as `results.print_summary()` makes them.

A package imports what is below it alone. So a method asks here for the function that it needs, and
`scope_profiler/__init__.py`, which is above all, has said how to get that.
"""

_imports = {}


def offer(**imports):
    """Say how to get functions: {name: what imports the function and gives it}."""
    _imports.update(imports)


def get(name):
    """The function of that name."""
    return _imports[name]()
