"""Where 0.7.5 prints what is in a file."""

from .report.inspection import inspect_file

__all__ = ["inspect_file"]
