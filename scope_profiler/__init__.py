"""scope_profiler: named regions of a Python program, timed by a C core.

    import scope_profiler as sp

    @sp.profile("solve")
    def solve(): ...

    with sp.session():
        with sp.region("assemble"):
            ...
        solve()

Every function of the module acts on the process-wide manager, as the methods of the class
``ProfileManager`` do; ``ProfileManager()`` makes an independent one.

Importing the package loads the C core and nothing heavy: numpy, h5py and rich come in when
results are taken, written or shown.
"""

from ._version import __version__
from .manager import ProfileManager, ProfilingRun
from .regions import Region as ProfileRegion

setup = ProfileManager.setup
session = ProfileManager.session
finalize = ProfileManager.finalize
profile = ProfileManager.profile
profile_region = region = ProfileManager.profile_region
get_region = ProfileManager.get_region
get_all_regions = ProfileManager.get_all_regions
is_active = ProfileManager.is_active
is_configured = ProfileManager.is_configured
registered_regions = ProfileManager.registered_regions
recorded_regions = ProfileManager.recorded_regions
last_results = ProfileManager.last_results
pause = ProfileManager.pause
resume = ProfileManager.resume
reset = ProfileManager.reset

# Loaded when it is first asked for.
_LAZY = {
    "ProfilingOptions": "options",
    "RegionStatistics": "statistics",
    "load": "io",
    "write_profile": "io",
    "CorruptProfileError": "io",
    "ProfilingResults": "results",
    "MPIRegion": "results",
    "Region": "results",
}

__all__ = [
    "__version__",
    "ProfileManager",
    "ProfileRegion",
    "ProfilingRun",
    "finalize",
    "get_all_regions",
    "get_region",
    "is_active",
    "is_configured",
    "last_results",
    "pause",
    "profile",
    "profile_region",
    "recorded_regions",
    "region",
    "registered_regions",
    "reset",
    "resume",
    "session",
    "setup",
    *_LAZY,
]


def __getattr__(name):
    if name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
