"""The settings of a run: what there is, where they come from, and which are in effect."""


class _Unset:
    __slots__ = ()

    def __repr__(self):
        return "UNSET"


#: The default of an argument for which None is a value.
UNSET = _Unset()
