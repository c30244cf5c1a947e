"""The decorator's part in Python: what may be decorated, and how the result is dressed."""

from functools import update_wrapper


def decorate(manager, region_name, function):
    """The function, timed under the region; see ProfileManager.profile."""
    if isinstance(function, type):
        raise TypeError(
            f"profile() decorates functions, got the class {function.__qualname__!r}: "
            "decorate its methods, or __init__ to time construction"
        )
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(decorate(manager, region_name, function.__func__))
    if isinstance(function, property):
        raise TypeError(
            "profile() decorates functions, got a property: put @property above @profile"
        )
    if not callable(function):
        raise TypeError(
            f"profile() decorates a callable, got {type(function).__name__}: {function!r}"
        )
    if region_name is None:
        region_name = name_of(function)
    return update_wrapper(manager._wrap(manager.profile_region(region_name), function), function)


def name_of(function):
    """The name of a callable; of one that has none (a partial, say) that of what it calls, or of
    its type."""
    while not hasattr(function, "__name__"):
        inner = getattr(function, "func", None)
        if inner is None:
            return type(function).__name__
        function = inner
    return function.__name__
