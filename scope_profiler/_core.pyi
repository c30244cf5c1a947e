"""What users meet of the core; the rest is between it and the modules beside it."""

from collections.abc import Callable, Iterable
from typing import Any, Generic, ParamSpec, Self, TypeVar, final

from ._instrument import regions
from .manager import ProfileManager

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Entered = TypeVar("_Entered", covariant=True)

class Region:
    """The part of a region that is in C."""

    @property
    def name(self) -> str: ...
    @property
    def manager(self) -> ProfileManager: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def source_file(self) -> str | None: ...
    @property
    def source_lineno(self) -> int | None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

@final
class profile_region:
    """The callable ProfileManager.profile_region."""

    def __call__(
        self,
        region_name: str,
        functions: Iterable[Callable[..., Any]] | None = None,
        tags: str | Iterable[str] | None = None,
        keep_every: int | None = None,
        keep: int | None = None,
    ) -> regions.Region: ...

@final
class MetadataScope(Generic[_Entered]):
    """What metadata() gives, and a RegionFactory when it is called."""

    def __enter__(self) -> _Entered: ...
    def __exit__(self, *exception: object) -> None: ...
    def __call__(self, function: Callable[_P, _R]) -> Callable[_P, _R]: ...

@final
class RegionFactory:
    """Called with metadata, a context manager that is region and metadata in one."""

    @property
    def name(self) -> str: ...
    @property
    def region(self) -> regions.Region: ...
    def __call__(self, **metadata: Any) -> MetadataScope[regions.Region]: ...

class LineSwitch:
    """The part of LineProfiler that is in C."""

    enable_count: int
    _region: Any

    def enable(self) -> None: ...
    def disable(self) -> None: ...
    def enable_by_count(self) -> None: ...
    def disable_by_count(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

def __getattr__(name: str) -> Any: ...
