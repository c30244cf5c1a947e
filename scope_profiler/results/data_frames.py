"""Data frames, which need pandas."""

from __future__ import annotations

from typing import Any


def pandas(method: str) -> Any:
    """The module pandas. Raises ImportError, naming the method that needs it."""
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            f"{method}() needs pandas, which is not installed: pip install pandas"
        ) from error
    return pandas
