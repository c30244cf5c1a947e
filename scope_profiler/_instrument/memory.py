"""Measuring memory, the part that is not per event: when it is counted, and NumPy's arrays with it."""

from collections.abc import Callable
from importlib import machinery
import sys
import weakref

from .. import _core

# NumPy's core, since 2.0 and before.
_NUMPY = ("numpy._core._multiarray_umath", "numpy.core._multiarray_umath")

_users = {}  # managers whose runs measure memory: {id: weak reference}


def start(manager):
    """Count for this manager what is allocated and freed. Raises MemoryError when there is none."""
    if id(manager) in _users:
        return
    number = id(manager)
    _core.count_memory(True)
    _users[number] = weakref.ref(manager, lambda _: _leave(number))
    _count_numpy()


def stop(manager):
    """No longer for this manager; with the last one, nothing is counted any more."""
    _leave(id(manager))


def _leave(number):
    if _users.pop(number, None) is not None:
        _core.count_memory(False)


def _count_numpy():
    """Count the data of arrays too, or do so as soon as NumPy is imported."""
    for name in _NUMPY:
        module = sys.modules.get(name)
        if module is not None:
            _found(module)
            return
    if not any(isinstance(finder, _NumpyFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NumpyFinder())


def _found(module):
    api = getattr(module, "_ARRAY_API", None)
    if api is not None:
        _core.count_numpy(api)


class _NumpyFinder:
    """Finds nothing by itself: it has us told when NumPy's core has been executed."""

    def find_spec(self, name, path=None, target=None):
        if name not in _NUMPY:
            return None
        spec = machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            sys.meta_path.remove(self)
            spec.loader.exec_module = _then(spec.loader.exec_module, _found)
        return spec


def _then(function: Callable, after: Callable):
    def both(module):
        result = function(module)
        after(module)
        return result

    return both
