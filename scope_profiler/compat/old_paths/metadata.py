"""Where 0.7.5 has the facts about a run and its machine."""

import sys
from types import ModuleType

from ._run import run_metadata
from .manager import ProfileManager

__all__ = ["METADATA_DETAILS", "collect_metadata"]

METADATA_DETAILS = ("minimal", "full")


def collect_metadata(mpi_size=1, detail="minimal"):
    """See run_metadata.collect_metadata()."""
    return run_metadata.collect_metadata(mpi_size=mpi_size, detail=detail)


class _Callable(ModuleType):
    """Importing this module puts it in the place of the function `scope_profiler.metadata`."""

    def __call__(self, **values):
        return ProfileManager.metadata(**values)


sys.modules[__name__].__class__ = _Callable
