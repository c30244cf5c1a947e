"""A program in the place of `__main__`: what Python does for `python script.py`, inside a process
that runs already."""

import builtins
from contextlib import contextmanager
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec, module_from_spec
import os
from pkgutil import get_importer
import sys
from types import ModuleType


class MainProgram:
    """A script, a folder or zip file with a `__main__.py`, a module, or text: loaded, not yet run.

    It is not run by runpy, because that takes the module away when its last line has run: threads
    and exit handlers that still pickle what it defines, for a pool of processes, would fail.
    """

    def __init__(self, module, code, argv0, folder=None):
        module.__builtins__ = builtins
        self._module = module
        self._code = code
        self._argv0 = argv0
        self._folder = folder  # what goes in front of sys.path, or None

    @classmethod
    def from_path(cls, path):
        """The script, folder or zip file at path.

        Raises OSError when it cannot be read, ImportError when a folder or zip file has no `__main__`,
        SyntaxError or ValueError when it is no Python.
        """
        absolute = os.path.abspath(path)
        importer = get_importer(absolute)
        if importer is not None:
            spec = importer.find_spec("__main__")
            if spec is None or spec.loader is None:
                raise ImportError(f"can't find '__main__' module in {os.fspath(path)!r}")
            return cls(module_from_spec(spec), spec.loader.get_code("__main__"), path, absolute)
        if absolute.endswith(".pyc"):
            loader = SourcelessFileLoader("__main__", absolute)
            code = loader.get_code("__main__")
        else:  # not by get_code(), which would leave a .pyc
            loader = SourceFileLoader("__main__", absolute)
            code = loader.source_to_code(loader.get_data(absolute), absolute)
        module = _module(__file__=absolute, __loader__=loader, __spec__=None,
                         __package__=None, __cached__=None)
        # As with python -P, which means: nothing is imported from where the script happens to be.
        folder = None if sys.flags.safe_path else os.path.dirname(os.path.realpath(absolute))
        return cls(module, code, path, folder)

    @classmethod
    def from_module(cls, name):
        """The module of that name, or the `__main__` of the package, as with python -m.

        Raises ImportError when there is none; importing the packages above it may raise anything.
        """
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name += ".__main__"
            spec = find_spec(name)
        code = spec.loader.get_code(name) if spec is not None else None
        if code is None:
            raise ImportError(f"no module named {name!r} that can be run")
        module = _module(__file__=spec.origin, __loader__=spec.loader, __spec__=spec,
                         __package__=spec.parent, __cached__=spec.cached)
        return cls(module, code, spec.origin)

    @classmethod
    def from_text(cls, text, file, argv0):
        """A program that is no file, as with python -c. file: what its code objects have for one;
        tracebacks find the text under that. Raises SyntaxError or ValueError when it is no Python."""
        import linecache

        code = compile(text, file, "exec", dont_inherit=True)
        linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
        module = _module(__loader__=BuiltinImporter, __spec__=None, __package__=None)
        return cls(module, code, argv0, None if sys.flags.safe_path else "")

    @property
    def argv0(self):
        """Its sys.argv[0]."""
        return self._argv0

    @property
    def code(self):
        """The code object that runs."""
        return self._code

    @property
    def namespace(self):
        """The dict that it runs in."""
        return vars(self._module)

    def take_place(self, args):
        """What it finds when it runs: itself as `__main__`, these sys.argv[1:], its folder in
        sys.path. These stay its own, see restored()."""
        sys.argv = [os.fspath(self._argv0), *args]
        if self._folder is not None:
            sys.path.insert(0, self._folder)
        sys.modules["__main__"] = self._module

    def run(self, args):
        """Run it as `__main__` with these sys.argv[1:]; what it raises passes. It may have taken its
        place already."""
        if sys.modules.get("__main__") is not self._module:
            self.take_place(args)
        exec(self._code, vars(self._module))

    def traceback_of(self, error):
        """The error's traceback from the program's first frame on, or None without any."""
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_globals is not vars(self._module):
            traceback = traceback.tb_next
        return traceback


def _module(**attributes):
    module = ModuleType("__main__")
    if sys.version_info >= (3, 15):  # which does away with it
        attributes.pop("__cached__", None)
    vars(module).update(attributes)
    return module


@contextmanager
def restored():
    """On the way out sys.argv, sys.path and `__main__` are what they were before."""
    argv, path, main = sys.argv, list(sys.path), sys.modules["__main__"]
    try:
        yield
    finally:
        sys.argv, sys.path[:], sys.modules["__main__"] = argv, path, main
