"""Where 0.7.5 has the table that print_summary() prints."""

from .report.table_columns import SORT_KEYS

#: What the table may be sorted by.
SORT_KEYS = (*SORT_KEYS,)

__all__ = ["SORT_KEYS"]
