"""What line mode counted in: a code object, by its name and place."""

from collections import namedtuple


class CountedCode(namedtuple("CountedCode", "co_filename co_firstlineno co_qualname")):
    """The code object that lines were counted in, which may be gone by now: what it was called."""

    __slots__ = ()

    @property
    def co_name(self):
        return self.co_qualname.rpartition(".")[2]
