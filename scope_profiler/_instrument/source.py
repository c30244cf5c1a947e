"""The source text of regions: of the statement that begins on a line."""

import ast
from functools import lru_cache
import linecache
import os
import sys

# A longer text is not kept: it says no more, and an attribute of an HDF5 file holds 64 KB.
LONGEST = 60_000


def text_at(file, line):
    """The text of the outermost statement that begins on this line (a function from its first
    decorator on), or None when it is not to be found or too long."""
    lines = linecache.getlines(file)
    end = _ends(file, len(lines)).get(line)
    if end is None:
        return None
    text = "".join(lines[line - 1 : end])
    return text if len(text) <= LONGEST else None


def shown_path(path):
    """A path without what is private to the machine: from the working directory on, or from the longest
    of the import path's entries that it lies in; else the bare name."""
    path = os.path.abspath(path)
    imports = sorted((os.path.abspath(entry) for entry in sys.path if entry), key=len)
    for root in (os.getcwd(), *reversed(imports)):
        if path.startswith(os.path.join(root, "")):
            return os.path.relpath(path, root)
    return os.path.basename(path)


@lru_cache(maxsize=64)
def _ends(file, length):
    """{first line: last line} of the statements of a file; its length differs after most changes."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    ends = {}
    for node in ast.walk(tree):  # outer ones come first
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", ())
            first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
            ends.setdefault(first, node.end_lineno)
    return ends
