"""The modules of scope-profiler 0.7.5 that programs import, under the paths that they had.

The folder is in the `__path__` of the package: `compat/old_paths/h5reader.py` is
`scope_profiler.h5reader`. Nothing in the package imports them.
"""
