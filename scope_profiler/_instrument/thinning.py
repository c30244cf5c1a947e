"""Thinning: of which calls of a region start and end are kept."""

from .._base.arguments import integer

_MOST = 2**32 - 1


def normal_thinning(keep_every, keep):
    """(keep_every, keep), 0 for what is None; None when both are. Raises TypeError or ValueError when they
    are no ints of at least 1, or both are given."""
    if keep_every is None and keep is None:
        return None
    if keep_every is not None and keep is not None:
        raise ValueError(f"keep_every={keep_every!r} and keep={keep!r} do not go together")
    return _count("keep_every", keep_every), _count("keep", keep)


def _count(name, value):
    if value is None:
        return 0
    if (value := integer(name, value, 1)) > _MOST:
        raise ValueError(f"{name} takes an int below 2**32, got {value}")
    return value


def thin(region, keep_every, keep):
    """Have the region keep them so. Raises ValueError when it has another thinning of its own."""
    thinning = normal_thinning(keep_every, keep)
    own = region._thinning
    if own == thinning:
        return
    if own != (0, 0):
        known, given = (_text(*each) for each in (own, thinning))
        raise ValueError(f"region {region.name!r} has {known}, not {given}")
    region._thin(*thinning)
    region.manager._thins = True


def _text(keep_every, keep):
    return f"keep={keep}" if keep else f"keep_every={keep_every}"
