"""The API of line_profiler, with the recorder of scope_profiler.

    from scope_profiler.line_profiler import LineProfiler, profile

is the only change that a program needs. Every name is loaded when it is first asked for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: {name: the module that has it}; a name after itself is a module.
_LAZY = {
    "LineProfiler": "profiler",
    "LineStats": "stats",
    "line_profiler": "line_profiler",
    "load_stats": "stats",
    "main": "command",
    "show_func": "text",
    "show_text": "text",
    "profile": "explicit",
}

__all__ = [*_LAZY, "load_ipython_extension", "__version__"]


def load_ipython_extension(shell: "Any") -> None:
    """Called by `%load_ext scope_profiler.line_profiler`."""
    from .ipython_extension import load_ipython_extension

    load_ipython_extension(shell)


def __getattr__(name: str) -> "Any":
    value: Any
    if name == "__version__":
        from .._version import __version__

        value = __version__
    elif name in _LAZY:
        from importlib import import_module

        value = import_module(f".{_LAZY[name]}", __name__)
        if name != _LAZY[name]:
            value = getattr(value, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
