"""The API of memory_profiler, with the recorder of scope_profiler.

    from scope_profiler.memory import profile, memory_usage

is the only change that a program needs. Every name is loaded when it is first asked for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: {name: the module that has it}
_LAZY = {
    "LineProfiler": "memory_profiler",
    "MemoryProfiler": "memory_profiler",
    "TimeStamper": "timestamps",
    "choose_backend": "usage",
    "memory_usage": "usage",
    "profile": "memory_decorator",
    "show_results": "usage_table",
    "LogFile": "usage_table",
}

__all__ = [*_LAZY, "load_ipython_extension", "__version__"]


def load_ipython_extension(shell: "Any") -> None:
    """Called by `%load_ext scope_profiler.memory`."""
    from .memory_magics import load_ipython_extension

    load_ipython_extension(shell)


def __getattr__(name: str) -> "Any":
    value: Any
    if name == "__version__":
        from .._version import __version__

        value = __version__
    elif name in _LAZY:
        from importlib import import_module

        value = getattr(import_module(f".{_LAZY[name]}", __name__), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
