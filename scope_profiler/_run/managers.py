"""All managers of the process, and which of them a method acts on."""

from functools import update_wrapper
from types import MethodType

from .._base.unrecorded import keep_weakly


class on_class_or_instance:
    """A method that acts on the instance, or on the process-wide manager when it is called on
    the class."""

    def __init__(self, function):
        self.function = function
        update_wrapper(self, function)

    def __get__(self, manager, cls):
        return MethodType(self.function, cls._default if manager is None else manager)


_managers = {}  # {id: weak reference}


def register(manager):
    """Count the manager among them until it is deleted."""
    keep_weakly(_managers, manager)


def every():
    """All managers of the process: a list."""
    references = list(_managers.values())
    return [manager for reference in references if (manager := reference()) is not None]


def paths():
    """Where the current runs of all managers write."""
    return [each._file.shared_path for manager in every() if manager._run is not None
            for each in manager._run._destinations()]
