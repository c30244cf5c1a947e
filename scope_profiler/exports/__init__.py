"""Results in the formats of other programs: what `scope_profiler.load` does not read again.

Each format has a module with `write_<format>(results, path, ...)`, and `export_<format>(...)`, which
takes several runs, as functions of 0.7.5 did. Nothing is imported until it is asked for.
"""

from __future__ import annotations

from typing import Any

_LAZY = {
    "export": "formats_of_exports",
    "export_callgrind": "callgrind",
    "export_chrome_trace": "chrome_trace",
    "export_collapsed": "collapsed",
    "export_flamegraph_svg": "flamegraph",
    "export_perfetto": "perfetto",
    "export_prof": "prof",
    "export_speedscope": "speedscope",
    "load_prof": "prof",
    "stats_of": "prof",
    "to_pstats": "prof",
}

__all__ = [name for name in _LAZY if name != "stats_of"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        from .._base.needs import explained

        with explained():
            return getattr(import_module(f".{_LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
