"""instrument("package.module:Class.method"): functions that are named by text are decorated as soon as
their module is imported, or at once where it is.

Names are "package.module:function", "package.module:Class.method" (also with globs in the last part),
"package.module:Class" or "package.module". Other modules that have imported a function have the decorated
one then, too. Regions are named "package.module.Class.method". finalize() says what was not found.
"""

import sys
from types import ModuleType
from typing import NamedTuple
import weakref

from .._base.arguments import wrong_type
from . import by_name
from .code_finder import alike, is_glob
from .import_hook import AfterImport

_waiting = {}  # name of a module: [(weak reference to a NamedTargets, Target), ...]


def instrument(manager, module, names, include, exclude, prefix, tags):
    """See ProfileManager.instrument."""
    if isinstance(module, str):
        if manager._named_targets is None:
            manager._named_targets = NamedTargets(manager)
        return manager._named_targets.add((module, *names), include, exclude, prefix, tags)
    if names:
        raise TypeError(f"instrument() takes one module or class, or names as str, got also {names!r}")
    return by_name.instrument(manager, module, include=include, exclude=exclude, prefix=prefix, tags=tags)


class Target(NamedTuple):
    """What is to be decorated."""

    text: str  # as it was given
    module: str
    path: tuple  # from there: of a function, method or class; () for the module
    how: dict  # include, exclude, prefix, tags

    @classmethod
    def parse(cls, text, how):
        """Raises ValueError when the text is no such name, TypeError when it is no text."""
        if not isinstance(text, str):
            raise wrong_type("instrument()", "names as str", text)
        module, colon, rest = text.partition(":")
        path = tuple(rest.split(".")) if colon else ()
        plain = [*module.split("."), *path[:-1]]
        if not all(name.isidentifier() for name in plain) or path and not path[-1]:
            raise ValueError("instrument() takes names like 'package.module:function', "
                             f"'package.module:Class.method' or 'package.module', got {text!r}")
        return cls(text, module, path, how)


class NamedTargets:
    """Those of a manager, and what became of them."""

    def __init__(self, manager):
        self._manager = weakref.ref(manager)
        self._missing = {}  # text of a Target: why it is not there

    def add(self, names, include=("*",), exclude=(), prefix=None, tags=None):
        """Decorate these, now or when their modules are imported: {name in the module: what is there now}
        of those that were decorated now. The rest is as for by_name.instrument()."""
        changed = {}
        how = by_name.check(include, exclude, prefix, tags)
        for target in [Target.parse(name, how) for name in names]:
            module = sys.modules.get(target.module)
            if isinstance(module, ModuleType):
                changed.update(self._decorate(target, module))
            else:
                self._missing[target.text] = "its module was not imported"
                _wait_for(target.module, weakref.ref(self), target)
        return changed

    def missing(self):
        """[(text of a target that was not found, why), ...]"""
        return list(self._missing.items())

    def imported(self, target, module):
        """Its module has been imported."""
        if self._manager() is not None:
            self._decorate(target, module)

    def _decorate(self, target, module):
        self._missing.pop(target.text, None)
        owner, full = module, target.module
        for at, name in enumerate(target.path):
            is_last = at + 1 == len(target.path)
            if is_last and (is_glob(name) or not isinstance(vars(owner).get(name), type)):
                return self._decorate_in(owner, full, name, target)
            if not isinstance(vars(owner).get(name), type):
                return self._lacks(target, owner, name)
            owner, full = vars(owner)[name], f"{full}.{name}"
        how = {**target.how, "prefix": target.how["prefix"] or full}
        return by_name.instrument(self._manager(), owner, **how)

    def _decorate_in(self, owner, full, name, target):
        if not is_glob(name) and name not in vars(owner):
            return self._lacks(target, owner, name)
        how = {**target.how, "prefix": target.how["prefix"] or full, "include": (name,)}
        before = dict(vars(owner))
        changed = by_name.instrument(self._manager(), owner, **how)
        if not changed and is_glob(name):
            return self._lacks(target, owner, name)
        if isinstance(owner, ModuleType):
            for each, decorated in changed.items():
                if getattr(before[each], "__module__", None) == owner.__name__:
                    _replace_references(before[each], decorated)
        return changed

    def _lacks(self, target, owner, name):
        near = alike(name, [each for each in vars(owner) if not each.startswith("__")])
        if name in vars(owner):  # on the way to what it has
            name, near = f"class {name}", []
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        if any(name in vars(base) for base in getattr(owner, "__mro__", ())):
            hint = "; it is inherited: name the class that has it"
        self._missing[target.text] = f"there is no {name} in {owner.__name__}{hint}"
        return {}


def _replace_references(before, after):
    """Other modules may have imported the function itself."""
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType):
            for name, value in list(vars(module).items()):
                if value is before and name != "__wrapped__":
                    setattr(module, name, after)


def _wait_for(module, targets, target):
    _waiting.setdefault(module, []).append((targets, target))
    if _HOOK not in sys.meta_path:  # programs may take away what they have not put there
        _HOOK.__enter__()


def _imported(name, module):
    for targets, target in _waiting.pop(name, ()):
        targets = targets()
        if targets is not None:
            targets.imported(target, module)
    if not _waiting:
        _HOOK.__exit__()


_HOOK = AfterImport(lambda name, _: name in _waiting, _imported)
