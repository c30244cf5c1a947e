"""instrument(): decorate the functions of a module, or the methods of a class, by name."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import partial
from types import FunctionType, ModuleType

from .._base.arguments import instance, text
from .decorator import is_decorated
from .tags import normal_tags

# What a property consists of: the attribute, the method that replaces it, and what follows the
# property's name in the region's.
_PROPERTY_PARTS = (("fget", "getter", ""), ("fset", "setter", ".setter"),
                   ("fdel", "deleter", ".deleter"))

_check_module = instance((ModuleType, type), "a module or a class")


def instrument(manager, module, *, include=("*",), exclude=(), prefix=None, tags=None):
    """Put profile() on the functions of a module, or on the methods of a class, in place.

    module: a module, whose own functions are decorated, or a class, whose own methods are:
        plain, static and class methods, and the functions of properties. Own are Python functions
        that were defined there; imported and inherited ones are left alone. So are those that
        profile() has decorated already: a second call adds nothing.
    include, exclude: glob patterns, or one, of the names. Names like `__eq__` are meant by
        patterns that begin with "__" only, but for `__init__` and `__call__`. What include has
        by its very name is decorated wherever it was defined, and builtins and other callables
        too, but classes.
    prefix: regions are named "prefix.name"; None for the name of the module or class. The setter
        and deleter of a property are "prefix.name.setter" and "prefix.name.deleter". What has
        several names there is decorated once, for the first of them.
    tags: of the regions, see profile().

    Returns a dict {name: what is there now} of what was decorated. Code that took a function out
    of the module before (`from module import f`) goes on with the undecorated one.

    Raises TypeError when module is no module and no class, or a pattern, prefix or tag is no str;
    Raises ValueError when a region of that name has other tags. Nothing is decorated then.
    """
    _check_module("module", module)
    include, exclude, prefix, tags = check(include, exclude, prefix, tags).values()
    home = module.__module__ if isinstance(module, type) else module.__name__
    changed, replacements = {}, {}  # the latter by the address of what is replaced
    for name, value in list(vars(module).items()):
        if _includes(include, name) and not _matches(exclude, name):
            region_name = f"{prefix or module.__name__}.{name}"
            wanted = _is_callable if name in include else partial(_is_of, home)
            decorated = replacements.get(id(value))
            if decorated is None:
                decorated = _decorated(manager, value, wanted, region_name, tags)
            if decorated is not value:
                changed[name] = replacements[id(value)] = decorated
    for name, decorated in changed.items():  # only now: all of it or nothing
        setattr(module, name, decorated)
    return changed


def check(include, exclude, prefix, tags):
    """These arguments of instrument(), as it uses them. Raises TypeError."""
    if prefix is not None:
        text("prefix", prefix)
    return {"include": _globs("include", include), "exclude": _globs("exclude", exclude),
            "prefix": prefix, "tags": None if tags is None else normal_tags("tags", tags)}


def _globs(argument, patterns):
    """The patterns as a tuple. Raises TypeError when they are no str and no iterable of str."""
    if isinstance(patterns, str) or not isinstance(patterns, Iterable):
        patterns = (patterns,)
    patterns = tuple(patterns)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(
                f"{argument} takes glob patterns, got {type(pattern).__name__}: {pattern!r}"
            )
    return patterns


def _includes(patterns, name):
    if name[:2] == name[-2:] == "__" and name not in ("__init__", "__call__"):
        patterns = [pattern for pattern in patterns if pattern.startswith("__")]
    return _matches(patterns, name)


def _matches(patterns, name):
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_of(home, function):
    return isinstance(function, FunctionType) and function.__module__ == home


def _is_callable(value):
    return callable(value) and not isinstance(value, type)


def _decorated(manager, value, wanted, region_name, tags):
    """What takes the place of an attribute's value: itself when there is nothing to decorate."""
    if isinstance(value, property):
        for part, attach, suffix in _PROPERTY_PARTS:
            function = getattr(value, part)
            timed = _decorated(manager, function, wanted, region_name + suffix, tags)
            if timed is not function:
                value = getattr(value, attach)(timed)
        return value
    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    if wanted(function) and not is_decorated(function):
        return manager.profile(region_name, tags=tags)(value)
    return value
