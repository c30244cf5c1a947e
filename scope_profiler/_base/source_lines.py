"""The source of functions, by file and first line: as it was when they were registered, or as it is."""

from inspect import getblock
import linecache
import os
import re
import sys
from tokenize import TokenError

from . import file_names

# {(file, first line, qualified name): (hash of the code, the lines of the file)}
_kept = {}
# {file: (what tells whether it is still the same, its lines)}, which those above share.
_files = {}

_CYTHON_DEF = re.compile(r"(\s*)(?:cdef|cpdef|property)\b")


def keep(code, names=None):
    """Keep the source of a code object as it is now, for the file may change, or be gone. Of code that was
    kept before, the source of before stays.

    names: the globals of its function, whose loader has the source where there is no file; {} for what
        is in a file alone.
    """
    key = code.co_filename, code.co_firstlineno, code.co_qualname
    number = hash(code)
    if _kept.get(key, (None,))[0] == number:
        return
    if lines := _lines_now(code.co_filename, names):
        _kept[key] = number, lines


def block(file, first, name):
    """The lines of a function, from its first decorator on; None when they are not to be found, or
    what stands there is another function.

    name: its qualified name. Of a module ("<module>") the whole text.
    """
    lines = _kept.get((file, first, name), (None, None))[1] or _lines(file)
    if name == "<module>":
        return lines[max(first, 1) - 1:] or None
    found = block_in(lines, first)
    return found if found and _is_of(name, found) else None


def text_of(code, last):
    """The source of a code object as one text, of a module up to the line `last`; None when it is not
    to be found."""
    lines = block(code.co_filename, code.co_firstlineno, code.co_qualname)
    if lines and code.co_qualname == "<module>":
        lines = lines[:last]
    return "".join(lines) if lines else None


def block_in(lines, first):
    """The lines of the function or class that begins in this line, of all of a file; understands
    Cython. The rest of the file where it cannot be told how far that goes."""
    rest = lines[max(first, 1) - 1:]
    plain = rest
    if rest and (rest[0].lstrip().startswith("@") or _CYTHON_DEF.match(rest[0])):
        plain = [_CYTHON_DEF.sub(r"\1def", line) for line in rest]
    try:
        return rest[:len(getblock(plain))]
    except (TokenError, SyntaxError, IndexError):
        return rest


def _lines_now(file, names):
    """The same in the middle of the program, whose linecache stays as it is."""
    known = file_names.identity(file)
    if known is None or _files.get(file, (None,))[0] != known:
        was_there = file in linecache.cache
        _files[file] = known, _lines(file, names)
        if not was_there:
            linecache.cache.pop(file, None)
    return _files[file][1]


def _lines(file, names=None):
    """All lines of a file as it is now; [] when it cannot be found."""
    linecache.checkcache(file)
    if file not in linecache.cache and not os.path.exists(file):
        linecache.lazycache(file, _globals_of(file) if names is None else names)
    return linecache.getlines(file)


def _globals_of(file):
    """Of the module that comes from a file, which may be in an archive: its loader is in them."""
    for module in [*sys.modules.values()]:
        if getattr(module, "__file__", None) == file:
            return vars(module)
    return None


def _is_of(name, lines):
    """Whether the lines may be those of the function: its name is in its `def`."""
    name = name.rpartition(".")[2]
    return not name.isidentifier() or any(re.search(rf"\b{name}\b", line) for line in lines)
