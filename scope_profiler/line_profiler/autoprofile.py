"""Profiling without decorators: modules, packages, classes, functions, files, and the program itself.

line_profiler rewrites the program's source for that. Here the source stays: functions are registered
by their code objects, which are in the code of a module before it runs.
"""

from contextlib import ExitStack, contextmanager
import builtins
from importlib.util import find_spec
from importlib import import_module
import os
from pkgutil import walk_packages
import sys
from types import ModuleType

from .._instrument.code_finder import Pattern, functions_in, is_glob, is_path, meant
from .._instrument.import_hook import ImportHook


class Targets:
    """What -p names: words with commas between them, globs, '' to forget those before."""

    def __init__(self, words):
        named = {}
        for word in words:
            if not word:
                named.clear()
                continue
            for part in [word] if os.path.isfile(word) else filter(None, word.split(",")):
                there = os.path.isfile(part) or is_path(part) and os.path.isdir(part)
                named[os.path.abspath(part) if there else part] = None
        #: Those that name one thing, files and folders by their absolute paths.
        self.plain = [name for name in named if not is_glob(name)]
        self.globs = [Pattern(name) for name in named if is_glob(name)]

    def __bool__(self):
        return bool(self.plain or self.globs)

    def dotted(self):
        """The plain ones as patterns of names; without files that cannot be imported."""
        names = [_module_at(name) if is_path(name) else name for name in self.plain]
        return [_pattern(name) for name in names if name is not None]

    def have(self, program, name):
        """Whether the program is among them. name: of its module, or None for a script."""
        file = program.code.co_filename
        if any(name == file or _is_same(name, file) for name in self.plain):
            return True
        return (any(pattern.has_file(file) for pattern in [*map(Pattern, self.plain), *self.globs])
                or name is not None and any(pattern.has_name(name)
                                            for pattern in [*self.dotted(), *self.globs]))


def _pattern(name):
    own = name.removesuffix(".__init__")
    return Pattern(own, below=own == name)


class Autoprofile:
    """Registers what targets mean with a LineProfiler, as a program is run.

    imports: also what the program imports, where it is among the targets itself. preimports: import the
    modules that are named, before the program. inner: also functions inside of those, and lambdas.
    top_level: also what runs outside of functions. Globs import nothing: they are about what is
    imported while the program runs.
    """

    def __init__(self, profiler, words, *, imports=False, preimports=True, inner=False, top_level=False):
        self._profiler = profiler
        self._targets = Targets(words)
        self._imports, self._preimports = imports, preimports
        self._inner, self._top_level = inner, top_level
        self.missing = []  # targets that could not be imported
        self.idle = list(self._targets.globs)  # of globs those that have meant nothing so far

    @contextmanager
    def around(self, program, name=None):
        """Inside the program runs, which has taken its place. name: of its module, or None for a
        script."""
        with ExitStack() as stack:
            if self._targets:
                is_meant = self._targets.have(program, name)
                self.idle = [pattern for pattern in self.idle if not (
                    pattern.has_file(program.code.co_filename) or name and pattern.has_name(name))]
                if is_meant:
                    self._add_code(program.code, functions_in(
                        program.code, nested=True, nameless=self._inner))
                if self._preimports:
                    self._import_targets(program)
                if self._targets.globs:
                    stack.enter_context(self._hook(self._targets.globs))
                if is_meant and self._imports or not self._preimports:
                    stack.enter_context(self._imports_of(program, is_meant and self._imports))
            yield

    def _add_code(self, module, functions):
        for code in [module, *functions] if self._top_level else functions:
            self._profiler.add_code(code)

    def _add(self, item):
        known = set(self._profiler._codes)
        self._profiler.add_imported_function_or_module(item)
        for code in [code for number, code in self._profiler._codes.items() if number not in known]:
            inner = functions_in(code, nested=True, nameless=True) if self._inner else ()
            for each in (code, *inner):
                self._profiler.add_code(each)

    # ---- Modules as they are imported

    def _hook(self, patterns):
        """Inside, the functions of modules that the patterns mean are registered when these are imported."""

        def wanted(name, path):
            return any(pattern.has_file(path) or pattern.may_have_part_of(name) for pattern in patterns)

        def found(name, path, code):
            functions = meant(patterns, name, path, code, nested=self._inner, nameless=self._inner)
            if functions:
                self._add_code(code, functions)
                self.idle = [pattern for pattern in self.idle if not meant(
                    [pattern], name, path, code, nested=self._inner, nameless=self._inner)]

        return ImportHook(wanted, found)

    def _import_targets(self, program):
        """Import what the targets name and register it, but for the program itself."""
        file = program.code.co_filename
        for target in self._targets.plain:
            if target == file or _is_same(target, file):
                continue
            pattern = Pattern(target) if is_path(target) else _pattern(target)
            with self._hook([pattern]):  # already where its name is looked for: that imports packages
                name = _module_at(target) if is_path(target) else target
                if name is None or not self._import(name, file):
                    self.missing.append(target)

    def _import(self, name, program_file):
        """Import what the dotted name means; whether there is such a thing."""
        own = name.removesuffix(".__init__")
        module, attributes = _split(own)
        if module is None:
            return False
        try:
            item = import_module(module)
        except ImportError:
            return False
        for attribute in attributes:
            try:
                item = getattr(item, attribute)
            except AttributeError:
                return False
        self._add(item)
        if own == name and isinstance(item, ModuleType) and hasattr(item, "__path__"):
            self._import_below(item, program_file)
        return True

    def _import_below(self, package, program_file):
        for found in walk_packages(package.__path__, package.__name__ + ".", onerror=lambda name: None):
            spec = _spec(found.name)
            if spec is None or spec.origin == program_file:
                continue
            try:
                self._add(import_module(found.name))
            except Exception:
                pass  # a module that nobody imports by hand need not be importable

    # ---- What the program imports

    @contextmanager
    def _imports_of(self, program, everything):
        """Inside, what the program's own import statements bring is registered, if it is among the
        targets or everything is."""
        original = builtins.__import__
        patterns = [*self._targets.dotted(), *self._targets.globs]

        def importing(name, globals=None, locals=None, fromlist=(), level=0):
            module = original(name, globals, locals, fromlist, level)
            if globals is program.namespace:
                for full_name, item in _brought(module, name, fromlist, level):
                    if everything or any(pattern.has_name(full_name) for pattern in patterns):
                        self._add(item)
                        self.idle = [pattern for pattern in self.idle if not pattern.has_name(full_name)]
            return module

        builtins.__import__ = importing
        try:
            yield
        finally:
            if builtins.__import__ is importing:
                builtins.__import__ = original


def _brought(module, name, names, level):
    """[(dotted name, object)] of what an import statement brings."""
    if not names:
        full_name = name if not level else module.__name__
        return [(full_name, sys.modules.get(full_name, module))]
    if "*" in names:
        names = getattr(module, "__all__", None) or [each for each in vars(module) if each[:1] != "_"]
    return [(f"{module.__name__}.{each}", getattr(module, each)) for each in names if hasattr(module, each)]


def _is_same(path, other):
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def _split(name):
    """The module of a dotted name and the rest of it, as (str or None, [str])."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        if _spec(".".join(words[:count])) is not None:
            return ".".join(words[:count]), words[count:]
    return None, words


def _spec(name):
    try:
        return find_spec(name)
    except (ImportError, ValueError, AttributeError):  # of what is above it
        return None


def _module_at(path):
    """The dotted name under which a file or folder is imported, or None."""
    path = os.path.realpath(path)
    for folder in sys.path:
        folder = os.path.join(os.path.realpath(folder or os.curdir), "")
        if path.startswith(folder):
            words = os.path.splitext(path[len(folder):])[0].split(os.sep)
            name = ".".join(words)
            if all(word.isidentifier() for word in words) and _spec(name.removesuffix(".__init__")):
                return name
    return None
