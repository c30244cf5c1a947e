"""Checks of the arguments that reading and writing have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .._base import arguments


def file_of(name: str, path: Any) -> Path:
    """The path; TypeError or ValueError, by that name, when it is none."""
    return Path(arguments.path(name, path))


def check_switches(**switches: Any) -> None:
    """TypeError when one is no bool."""
    for name, value in switches.items():
        arguments.boolean(name, value)


def check_results(name: str, results: Any) -> None:
    """TypeError, by that name, when they are no ProfilingResults."""
    from ..results import ProfilingResults

    if not isinstance(results, ProfilingResults):
        raise TypeError(
            f"{name} takes ProfilingResults, got {type(results).__name__}: {results!r}"
        )


def check_suffix(name: str, path: Path, suffixes: tuple[str, ...]) -> None:
    """ValueError when the path has another suffix than these; one without any is right."""
    if path.suffix and not path.name.lower().endswith(suffixes):
        raise ValueError(f"{name} must end in {' or '.join(suffixes)}; got {str(path)!r}")
