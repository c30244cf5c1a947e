"""Functions of others that are replaced for a while."""

import sys


class Patches:
    """What is replaced, until undo()."""

    def __init__(self):
        self._before = {}  # (owner, name): what was there
        self._ours = set()  # ids of what is there now
        self._waiting = {}  # name of a module: what is to be called with it

    def put(self, owner, name, make):
        """Put make(what is there) in the place of the attribute, where there is one; once."""
        before = getattr(owner, name, None)
        if before is None or id(before) in self._ours:
            return
        function = make(before)
        self._before[owner, name] = before, function
        self._ours.add(id(function))
        setattr(owner, name, function)

    def when_there(self, name, patch):
        """Call patch(module), now or, once imported() is told of it, when the program has imported that."""
        module = sys.modules.get(name)
        if module is None:
            self._waiting[name] = patch
        else:
            patch(module)

    def waits_for(self, name, path=None):
        """Whether something is to be done with a module of that name."""
        return name in self._waiting

    def imported(self, name, module):
        """The module was imported."""
        self._waiting.pop(name)(module)

    def undo(self):
        """Put back what was there, unless somebody else has replaced ours."""
        for (owner, name), (before, function) in self._before.items():
            if getattr(owner, name, None) is function:
                setattr(owner, name, before)
        self._before.clear()
        self._ours.clear()
        self._waiting.clear()
