"""Modules that are imported from now on: their code, before it runs.

A finder in front of the others asks these for the module, compiles it, shows the code object and
hands it to the loader, which runs that one. When the module runs none of our frames is on the stack,
so the tracebacks of imports are as ever.
"""

from copy import copy
from importlib.machinery import SourceFileLoader
import sys

from .._base.unrecorded import here
from .._base.warning import complain

# That of files of source and bytecode, and of zip files: it asks get_code() and runs what that says.
_RUNS_CODE = SourceFileLoader.exec_module


class ImportHook:
    """While it is on, modules are shown as they are imported.

    wanted(name, path): whether the module of that name and file (None without any) is to be shown.
    found(name, path, code): called with its code object, before it runs.
    """

    def __init__(self, wanted, found):
        self._wanted = wanted
        self._found = found

    def __enter__(self):
        sys.meta_path.insert(0, self)
        return self

    def __exit__(self, *exception):
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name, path=None, target=None):
        """What import calls."""
        spec = self._from_others(name, path, target)
        if spec is not None:
            with here:
                self._show(name, spec)
        return spec

    def _from_others(self, name, path, target):
        finders = list(sys.meta_path)
        after = finders.index(self) + 1 if self in finders else 0
        for finder in finders[after:]:
            find_spec = getattr(finder, "find_spec", None)
            spec = find_spec(name, path, target) if find_spec is not None else None
            if spec is not None:
                return spec
        return None

    def _show(self, name, spec):
        loader, file = spec.loader, spec.origin if spec.has_location else None
        if getattr(type(loader), "exec_module", None) is not _RUNS_CODE or not self._wanted(name, file):
            return
        try:
            code = loader.get_code(name)
        except Exception:
            return  # the import fails by itself, with its own traceback
        if code is None:
            return
        try:
            self._found(name, file, code)
        except Exception as error:
            complain(f"the functions of {name} are not profiled", error)
        spec.loader = copy(loader)  # that of a zip file is for all modules in it
        spec.loader.get_code = {name: code}.__getitem__


class AfterImport(ImportHook):
    """The same for modules right after they have run, before those that import them go on.

    found(name, module) is called then; path is None for wanted().
    """

    def _show(self, name, spec):
        if hasattr(spec.loader, "exec_module") and self._wanted(name, None):
            spec.loader = _Loader(spec.loader, self._after)

    def _after(self, module):
        name = module.__name__
        try:
            self._found(name, sys.modules.get(name, module))
        except Exception as error:
            complain(f"the functions of {name} are not profiled", error)


class _Loader:
    """What loads a module in the place of its loader, which the module has for its own when it runs."""

    def __init__(self, loader, after):
        self._loader = loader
        self._after = after

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def give_back(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        return self._loader

    def after(self, module):
        with here:
            self._after(module)


# It claims to be of importlib, which Python leaves out of the tracebacks of imports.
_EXEC_MODULE = """
def exec_module(self, module):
    self.give_back(module).exec_module(module)
    self.after(module)
"""
exec(compile(_EXEC_MODULE, SourceFileLoader.exec_module.__code__.co_filename, "exec"), namespace := {})
_Loader.exec_module = namespace.pop("exec_module")  # type: ignore[attr-defined]
