"""Comparing runs: what has become slower, and how sure that is; and budgets."""
