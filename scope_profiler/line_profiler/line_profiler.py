"""The names of line_profiler.line_profiler, for programs that import them from there."""

from typing import Any

from . import __getattr__ as _of_package

_ELSEWHERE = {"get_code_block": "text", "get_column_widths": "text", "is_generated_code": "text",
              "ScopingPolicy": "scoping_policy"}


def __getattr__(name: str) -> Any:
    if name not in _ELSEWHERE:
        return _of_package(name)
    from importlib import import_module

    return getattr(import_module(f".{_ELSEWHERE[name]}", __package__), name)
