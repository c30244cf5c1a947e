"""What everything else may use, and what knows of no profiling: texts, warnings, imports."""
