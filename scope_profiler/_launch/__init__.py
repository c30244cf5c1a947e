"""Programs under the profiler: functions, scripts and commands."""
