"""Where 0.7.5 has ProfileManager."""

from . import ProfileManager, ProfilingRun, RegionFactory, RegionHandle

__all__ = ["ProfileManager", "ProfilingRun", "RegionFactory", "RegionHandle"]
