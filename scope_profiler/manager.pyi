"""ProfileManager, whose methods act on the process-wide manager when called on the class, and on
the instance when called on one. To type checkers both look like class methods."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from os import PathLike
from subprocess import CompletedProcess
from types import ModuleType
from typing import (
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeAlias,
    TypeVar,
    TypeVarTuple,
    Unpack,
    overload,
    type_check_only,
)

from . import _core
from .config.options import ProfilingOptions
from ._run.profiling_config import ProfilingConfig
from ._instrument.regions import Region
from .results import ProfilingResults
from ._run.runs import ProfilingRun, Session
from .config.setup_options import SetupOptions

_R = TypeVar("_R")
_Arguments = TypeVarTuple("_Arguments")
_Path: TypeAlias = str | PathLike[str]
_Several: TypeAlias = str | Iterable[str]

# What profile() takes and gives back in kind: a classmethod object is not callable.
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any] | classmethod[Any, Any, Any])
_Metadata: TypeAlias = dict[str, Any] | Callable[..., dict[str, Any]]

@type_check_only
class _Decorator(Protocol):
    def __call__(self, function: _Decorated, /) -> _Decorated: ...

# What goes through to setup(), by what else the method takes itself.

@type_check_only
class _WithoutOutput(SetupOptions, total=False):
    auto_finalize: bool
    replace: bool
    region_tags: _Several | None
    config_path: _Path | None

@type_check_only
class _Setup(_WithoutOutput, total=False):
    output: _Path | None

@type_check_only
class _FromEnv(_Setup, total=False):
    options: ProfilingOptions | None

@type_check_only
class _Script(_WithoutOutput, total=False):
    options: ProfilingOptions | None

@type_check_only
class _Session(_Script, total=False):
    verbose_line_profiler: bool | None
    return_results: bool
    native_traces: None
    style: Literal["table", "blocks"]

@type_check_only
class _ProfileStep(Protocol):
    def __call__(self, timestep: int) -> AbstractContextManager[bool, None]: ...

@type_check_only
class _Command(CompletedProcess[bytes]):
    profile_results: ProfilingResults | None

class ProfileManager:
    _default: ClassVar[ProfileManager]
    profile_region: ClassVar[_core.profile_region]
    region: ClassVar[_core.profile_region]

    # ---- Life cycle

    @classmethod
    def setup(
        cls,
        options: ProfilingOptions | None = None,
        *,
        auto_finalize: bool = False,
        output: _Path | None = ...,
        replace: bool = False,
        region_tags: _Several | None = None,
        config_path: _Path | None = None,
        **settings: Unpack[SetupOptions],
    ) -> ProfilingRun: ...
    @classmethod
    def setup_from_env(cls, **settings: Unpack[_FromEnv]) -> ProfilingRun: ...
    @classmethod
    def session(
        cls,
        options: ProfilingOptions | None = None,
        *,
        verbose_line_profiler: bool | None = None,
        return_results: bool = False,
        native_traces: None = None,
        style: Literal["table", "blocks"] = "table",
        **settings: Unpack[_Setup],
    ) -> Session: ...
    @overload
    @classmethod
    def finalize(
        cls,
        verbose: bool | None = None,
        return_results: Literal[False] = False,
        native_traces: None = None,
        verbose_line_profiler: bool | None = None,
        *,
        style: Literal["table", "blocks"] = "table",
        start_over: bool = False,
        report_file: str | PathLike[str] | None = None,
    ) -> None: ...
    @overload
    @classmethod
    def finalize(
        cls,
        verbose: bool | None,
        return_results: Literal[True],
        native_traces: None = None,
        verbose_line_profiler: bool | None = None,
        *,
        style: Literal["table", "blocks"] = "table",
        start_over: bool = False,
        report_file: str | PathLike[str] | None = None,
    ) -> ProfilingResults: ...
    @overload
    @classmethod
    def finalize(
        cls,
        verbose: bool | None = None,
        *,
        return_results: Literal[True],
        native_traces: None = None,
        verbose_line_profiler: bool | None = None,
        style: Literal["table", "blocks"] = "table",
        start_over: bool = False,
        report_file: str | PathLike[str] | None = None,
    ) -> ProfilingResults: ...
    @overload
    @classmethod
    def finalize(
        cls,
        verbose: bool | None = None,
        return_results: bool = False,
        native_traces: None = None,
        verbose_line_profiler: bool | None = None,
        *,
        style: Literal["table", "blocks"] = "table",
        start_over: bool = False,
        report_file: str | PathLike[str] | None = None,
    ) -> ProfilingResults | None: ...
    @classmethod
    def snapshot(cls, *, events: bool = True) -> ProfilingResults: ...
    @classmethod
    def pause(cls) -> None: ...
    @classmethod
    def resume(cls) -> None: ...
    @classmethod
    def sample_every(
        cls, every: int, start: int = 0
    ) -> AbstractContextManager[_ProfileStep, None]: ...
    @classmethod
    def reset(cls) -> None: ...
    @classmethod
    def _reset(cls) -> None: ...

    # ---- Instrumentation

    @overload
    @classmethod
    def profile(
        cls,
        region_name: _Decorated,
        recursive: bool | None = None,
        metadata: _Metadata | None = None,
        record_outcome: bool = False,
        tags: _Several | None = None,
        keep_every: int | None = None,
        keep: int | None = None,
    ) -> _Decorated: ...
    @overload
    @classmethod
    def profile(
        cls,
        region_name: str | None = None,
        recursive: bool | None = None,
        metadata: _Metadata | None = None,
        record_outcome: bool = False,
        tags: _Several | None = None,
        keep_every: int | None = None,
        keep: int | None = None,
    ) -> _Decorator: ...
    @classmethod
    def add(cls, **amounts: float) -> None: ...
    @classmethod
    def counter(cls, name: str, value: float, /) -> None: ...
    @classmethod
    def metadata(cls, **values: Any) -> _core.MetadataScope[dict[str, Any]]: ...
    @classmethod
    def define_region(
        cls,
        region_name: str,
        functions: Iterable[Callable[..., Any]] | None = None,
        tags: _Several | None = None,
        keep_every: int | None = None,
        keep: int | None = None,
    ) -> Region: ...
    @classmethod
    def region_factory(
        cls, region_name: str, *, tags: _Several | None = None
    ) -> _core.RegionFactory: ...
    @classmethod
    def instrument(
        cls,
        module: ModuleType | type[Any] | str,
        *names: str,
        include: _Several = ("*",),
        exclude: _Several = (),
        prefix: str | None = None,
        tags: _Several | None = None,
    ) -> dict[str, Any]: ...
    @staticmethod
    def register_opt_in_tag(*tags: str) -> None: ...

    # ---- Whole programs

    @classmethod
    def run(
        cls,
        func: Callable[[Unpack[_Arguments]], _R],
        *args: Unpack[_Arguments],
        output: _Path | None = None,
        **session_settings: Unpack[_Session],
    ) -> _R: ...
    @classmethod
    def run_script(
        cls,
        script_path: _Path,
        script_args: Iterable[_Path] | None = None,
        region_name: str | None = None,
        only_user_code: bool = True,
        recursive: bool = True,
        include_patterns: Iterable[str] = (),
        exclude_patterns: Iterable[str] = (),
        entrypoint: str | None = None,
    ) -> None: ...
    @classmethod
    def profile_script(
        cls,
        script_path: _Path,
        *,
        script_args: Iterable[_Path] | None = None,
        output: _Path | None = None,
        **settings: Unpack[_Script],
    ) -> ProfilingResults: ...
    @classmethod
    def profile_command(
        cls,
        command: Iterable[_Path],
        *,
        output: _Path | None = None,
        recursive: bool = False,
        all: bool = False,
        mpi_calls: Literal[False] = False,
    ) -> _Command: ...

    # ---- What there is

    @classmethod
    def get_region(cls, region_name: str) -> Region | None: ...
    @classmethod
    def get_all_regions(cls) -> dict[str, Region]: ...
    @classmethod
    def registered_regions(cls) -> tuple[str, ...]: ...
    @classmethod
    def recorded_regions(cls) -> tuple[str, ...]: ...
    @classmethod
    def is_active(cls) -> bool: ...
    @classmethod
    def is_configured(cls) -> bool: ...
    @classmethod
    def get_config(cls) -> ProfilingConfig: ...
    @classmethod
    def set_config(cls, config: ProfilingConfig) -> None: ...
    @classmethod
    def last_results(cls) -> ProfilingResults | None: ...
    @classmethod
    def read_results(cls) -> ProfilingResults: ...
