"""Why our interface is not that of 0.7.5, where it is not; see compare_api.py.

The patterns are those of fnmatch; what scope_profiler.absent explains is not repeated.
"""

EXPLANATIONS = {}
