"""Code objects: those of the functions that a module's code defines, found without running it.

Line mode counts in code objects. All functions made of one share it, so what is registered by code
is counted whoever calls it, through whatever reference, and however it was decorated.
"""

from fnmatch import fnmatchcase
import os
from types import CodeType

_OF_FUNCTION = 0x1 | 0x2  # CO_OPTIMIZED and CO_NEWLOCALS: the body of a class has neither

# Functions that Python makes for its own use, of annotations (3.14) and of type parameters (3.12).
_MADE_BY_PYTHON = ("__annotate__", "<generic parameters of ")


def functions_in(code, *, nested=False, nameless=False):
    """The code objects of the functions that `code` defines, in the order of the source.

    code: of a module, class or function; it is not among them itself.
    nested: also of those that are defined inside of functions.
    nameless: also of lambdas, generator expressions and, where Python makes functions of them (3.11),
        comprehensions.
    """
    for constant in code.co_consts:
        if not isinstance(constant, CodeType):
            continue
        goes_on = True
        if is_function(constant):
            goes_on = nested
            if nameless or constant.co_name[:1] != "<":
                yield constant
        if goes_on:
            yield from functions_in(constant, nested=nested, nameless=nameless)


def is_function(code):
    """Whether it is that of a function of the user's, and not that of a module or class."""
    return (code.co_flags & _OF_FUNCTION == _OF_FUNCTION
            and not code.co_name.startswith(_MADE_BY_PYTHON))


def is_path(pattern):
    """Whether a pattern is about files; it is about dotted names otherwise."""
    return pattern.endswith((".py", ".pyc")) or os.sep in pattern or "/" in pattern


def is_glob(pattern):
    """Whether it has any of the letters that stand for others."""
    return any(letter in pattern for letter in "*?[")


class Pattern:
    """One glob of what is meant: files ("src/*.py") or dotted names ("package.solver*").

    A dotted name stands for a module, for a function or class in it ("package.solver.Grid.step"),
    and for all that is below it: "package" has its modules, "package.Grid" its methods. below=False:
    not for that. "package.solver:Grid.step" is the same, as entry points are written.
    """

    def __init__(self, text, below=True):
        self.text = text
        self._below = below
        self.is_path = is_path(text)
        self._glob = os.path.abspath(text) if self.is_path else text.replace(":", ".")

    def has_file(self, path):
        """Whether it is about files, and this one is among them, or below such a folder."""
        if not self.is_path or not path:
            return False
        path = os.path.abspath(path)
        while path != (above := os.path.dirname(path)):
            if fnmatchcase(path, self._glob):
                return True
            path = above
        return False

    def has_name(self, name):
        """Whether it is about names, and has this dotted one or one that it is below."""
        if self.is_path:
            return False
        while name:
            if fnmatchcase(name, self._glob):
                return True
            name = name.rpartition(".")[0] if self._below else None
        return False

    def may_have_part_of(self, module):
        """Whether functions of the module of this name may be meant."""
        if self.is_path:
            return False
        sure = self._glob[:next((at for at, letter in enumerate(self._glob) if letter in "*?["), None)]
        return f"{module}.".startswith(sure) or f"{sure}.".startswith(f"{module}.")


class NamedFunctions:
    """The functions that some patterns mean, by their code and full name; those of the program itself
    ("__main__.solve") by the name without the module, too. It remembers which patterns meant none."""

    def __init__(self, patterns):
        self._patterns = [Pattern(text) for text in patterns]
        self._idle = list(self._patterns)
        self._names = set()

    def has(self, code, name):
        """Whether a pattern means the function. name: "module.qualified name". False for the code of a
        module or class itself."""
        if not is_function(code):
            return False
        name = name.replace(".<locals>", "")
        names = (name, name.removeprefix("__main__.")) if name.startswith("__main__.") else (name,)
        if len(self._names) < _MOST_NAMES:
            self._names.update(names)
        meaning = [pattern for pattern in self._patterns
                   if pattern.has_file(code.co_filename) or any(map(pattern.has_name, names))]
        self._idle = [pattern for pattern in self._idle if pattern not in meaning]
        return bool(meaning)

    def texts(self):
        """The patterns as they were given: a list of str."""
        return [pattern.text for pattern in self._patterns]

    def idle(self):
        """[(pattern that meant no function so far, names that are like it), ...]"""
        return [(pattern.text, alike(pattern.text, self._names)) for pattern in self._idle]


_MOST_NAMES = 20_000


def alike(text, names):
    """The names that somebody may have meant who wrote this."""
    from difflib import get_close_matches

    return get_close_matches(text, names, n=3)


def meant(patterns, module, path, code, **which):
    """The code objects of the functions of a module that any of the patterns means.

    module: its name; path: its file, or None; code: what runs when it is imported; which: as for
    functions_in().
    """
    patterns = list(patterns)
    whole = any(pattern.has_file(path) or pattern.has_name(module) for pattern in patterns)
    return [function for function in functions_in(code, **which)
            if whole or any(pattern.has_name(f"{module}.{_plain(function)}") for pattern in patterns)]


def _plain(code):
    """The qualified name without what says that a function is inside of another."""
    return code.co_qualname.replace(".<locals>", "")
