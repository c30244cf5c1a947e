from collections.abc import Callable
from typing import (
    Any,
    Literal,
    ParamSpec,
    Self,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
    type_check_only,
)

from ..results import ProfilingResults

_P = ParamSpec("_P")
_R = TypeVar("_R")

@type_check_only
class _Finalizing(TypedDict, total=False):
    native_traces: None
    verbose_line_profiler: bool | None
    style: Literal["table", "blocks"]

class ProfilingRun:
    start_time_ns: int
    finalize_time_ns: int | None
    def __init__(self, manager: Any, settings: dict[str, Any]) -> None: ...
    @property
    def file_path(self) -> str | None: ...
    @property
    def label(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def is_paused(self) -> bool: ...
    @property
    def results(self) -> ProfilingResults | None: ...
    @overload
    def finalize(
        self,
        verbose: bool | None = None,
        return_results: Literal[True] = True,
        **settings: Unpack[_Finalizing],
    ) -> ProfilingResults: ...
    @overload
    def finalize(
        self, verbose: bool | None = None, *, return_results: bool, **settings: Unpack[_Finalizing]
    ) -> ProfilingResults | None: ...

class Session:
    ROOT: str
    def __init__(
        self,
        manager: Any,
        options: Any,
        settings: dict[str, Any],
        finalizing: dict[str, Any],
    ) -> None: ...
    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> Literal[False]: ...
    @property
    def results(self) -> ProfilingResults | None: ...
    @property
    def file_path(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...
    def finalize(
        self,
        *,
        verbose: bool | None = None,
        return_results: bool = True,
        **settings: Unpack[_Finalizing],
    ) -> ProfilingResults | None: ...

class _Root:
    def __init__(self, region: Any) -> None: ...
    def close(self, exception: tuple[object, ...]) -> None: ...
