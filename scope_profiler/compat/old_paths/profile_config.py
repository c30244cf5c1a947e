"""Where 0.7.5 has the settings."""

from . import (
    GPUOptions, HDF5Options, MemrayOptions, ProfilingConfig, ProfilingOptions, SetupOptions,
)

__all__ = ["GPUOptions", "HDF5Options", "MemrayOptions", "ProfilingConfig", "ProfilingOptions",
           "SetupOptions"]
