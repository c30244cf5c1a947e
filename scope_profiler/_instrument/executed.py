"""What the standard library's trace module tells of a program, from line mode and every-function tracing:
how often each line ran, each of them as it runs, and which functions were called."""

import linecache
import os

from .. import _core
from .._base.warning import complain
from . import lines


class Executed:
    """What is asked for, of the functions of one call_tracing.start(), and which were called.

    lists_lines: print each line as it runs, to sys.stdout, below a line for each call. counts_lines: count
    as that module does: also each round of a comprehension, where line mode has one hit for all.
    notes_callers: note which functions have called which.
    """

    def __init__(self, counts_lines=True, lists_lines=False, notes_callers=False):
        self.counts_lines, self.lists_lines = counts_lines, lists_lines
        self.notes_callers = notes_callers
        self.functions = {}  # by the name of its region: (file, name of the module, of the function)
        self.callers = []  # pairs of regions that called one another: (name, name)

    def options(self):
        """What another process is to be told, for its own."""
        return {"counts_lines": self.counts_lines, "lists_lines": self.lists_lines}

    def begin(self, manager):
        if self.counts_lines:
            lines.count_each_round(manager)
        if self.notes_callers:
            _core.note_call_pairs(manager)

    def end(self, manager):
        self.callers = _core.call_pairs(manager)
        failure = _core.end_listing() if self.lists_lines else None
        if failure is not None:
            complain("lines are printed no longer", failure)

    def meet(self, name, code, namespace):
        """A function is called for the first time. name: of its region."""
        self.functions[name] = code.co_filename, _module_of(code.co_filename), code.co_qualname
        self.meet_lines(code, namespace)

    def meet_lines(self, code, namespace):
        """The same of what is no function to those who call it."""
        if self.lists_lines:
            _core.list_lines(code, _texts(code, namespace))


def _module_of(file):
    """The name that the trace module has for a file."""
    return os.path.splitext(os.path.basename(file))[0]


def _texts(code, namespace):
    """What is printed of the code's calls and lines, as _core.list_lines() takes it."""
    file = os.path.basename(code.co_filename)
    source = linecache.getlines(code.co_filename, namespace)
    first, last = lines.first_and_last(code)
    module = namespace.get("__file__")  # of code that is made as the program runs, of whoever runs it
    module = _module_of(module if isinstance(module, str) else code.co_filename)
    return (f" --- modulename: {module}, funcname: {code.co_name}\n",
            *(f"{file}({line}): {source[line - 1]}" if 0 < line <= len(source) else f"{file}({line})\n"
              for line in range(first, last + 1)))
