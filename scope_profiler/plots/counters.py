"""Charts of hardware counters: files that have none are refused, and it is said what there is instead."""

from __future__ import annotations

from typing import Any

from .._base.arguments import text
from ..results.chart_data import runs_of
from .picture import check_output


def plot_likwid(
    profiling_data: Any, metric: str, ranks: Any = None, include: Any = None, exclude: Any = None,
    labels: Any = None, filepath: Any = None, show: bool = False, verbose: bool = True,
    cmap: str = "tab20", log_scale: bool = False, data_filepath: Any = None, data_format: str = "csv",
    backend: str = "matplotlib",
) -> None:
    """Raises ValueError, as this version keeps no counters of LIKWID."""
    check_output(filepath, data_filepath, data_format, backend)
    raise _none(f"a chart of {text('metric', metric)}", profiling_data, "LIKWID's counters")


def plot_perf_events(
    profiling_data: Any, metric: str = "ipc", ranks: Any = None, include: Any = None, exclude: Any = None,
    labels: Any = None, filepath: Any = None, show: bool = False, verbose: bool = True,
    cmap: str = "tab20", backend: str = "matplotlib",
) -> None:
    """Raises ValueError, as this version keeps no counters of perf events."""
    check_output(filepath, None, "csv", backend)
    raise _none(f"a chart of {text('metric', metric)}", profiling_data, "counters of perf events")


def _none(what: str, profiling_data: Any, needs: str) -> ValueError:
    labels = ", ".join(runs_of(profiling_data))
    return ValueError(f"{what} needs {needs}, which {labels} does not have: this version keeps no hardware "
                      "counters")
