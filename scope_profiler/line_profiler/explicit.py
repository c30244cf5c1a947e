"""`profile`, a decorator that does nothing unless the program is run for its lines' sake."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import cached_property
import os
import sys
from typing import TYPE_CHECKING, Any, TypeVar

from .._base.warning import complain
from .._runtime import processes
from .cli_utils import boolean, get_python_executable
from .toml_config import ConfigArgument, ConfigSource

if TYPE_CHECKING:
    from .stats import LineStats

_F = TypeVar("_F", bound=Callable[..., Any])


class GlobalProfiler:
    """A decorator that counts lines when it is enabled, and prints and writes them when the process
    ends. As long as it is not enabled, it returns what it is given.

        from scope_profiler.line_profiler import profile

        @profile
        def solve(): ...

    It is enabled by `LINE_PROFILE=1 python program.py`, by `python program.py --line-profile`, by
    kernprof, or by profile.enable().

    config: a TOML file, see ConfigSource; it is read when one of these is first asked for:
    setup_config: {"environ_flags": variables, "cli_flags": arguments} that enable it. write_config:
    {"lprof", "text", "timestamped_text", "stdout": whether it goes there}. show_config: {"sort",
    "stripzeros", "rich", "details", "summarize"}, of show_text(). output_prefix: what the names of
    its files begin with.
    enabled: None until it is known, with the first function that is decorated.
    """

    enabled: bool | None

    def __init__(self, config: ConfigArgument = None) -> None:
        self._config_argument = config
        self._profile: Any = None
        self._owner_pid: int | None = None
        self.enabled = None

    @cached_property
    def _source(self) -> ConfigSource:
        return ConfigSource.from_config(self._config_argument)

    @cached_property
    def setup_config(self) -> dict[str, list[str]]:
        return self._part("setup")

    @cached_property
    def write_config(self) -> dict[str, bool]:
        return self._part("write", without="output_prefix")

    @cached_property
    def show_config(self) -> dict[str, Any]:
        return self._part("show", without="column_widths")

    @cached_property
    def output_prefix(self) -> str:
        prefix: str = self._part("write")["output_prefix"]
        return prefix

    def _part(self, table: str, without: str = "") -> dict[str, Any]:
        settings = self._source.get_subconfig(table, copy=True).conf_dict
        settings.pop(without, None)
        return settings

    def __call__(self, func: _F) -> _F:
        """Count the lines of what is given, if it is enabled."""
        if self.enabled is None:
            self._implicit_setup()
        if not self.enabled:
            return func
        profiled: _F = self._profile(func)
        return profiled

    def enable(self, output_prefix: str | None = None) -> None:
        """Count the lines of what is decorated from now on. output_prefix: what the names of the
        files begin with that are written when the process ends.

        Processes that multiprocessing starts do not: their files would replace each other's.
        """
        if processes.is_worker() or processes.is_server():
            self.enabled = False
            return
        if self._profile is None:
            from .profiler import LineProfiler

            self._profile = LineProfiler()
            atexit.register(self.show)
        self._owner_pid = os.getpid()
        self.enabled = True
        if output_prefix is not None:
            self.output_prefix = output_prefix

    def disable(self) -> None:
        """Leave what is decorated from now on as it is."""
        self.enabled = False

    def show(self) -> None:
        """Print and write what was counted, as write_config says. Called when the process ends; in
        its children it does nothing.

        What cannot be written is said on standard error.
        """
        if self._profile is None or self._owner_pid not in (None, os.getpid()):
            return
        stats: LineStats = self._profile.get_stats()
        prefix, wanted = os.fspath(self.output_prefix), self.write_config
        if wanted["stdout"]:
            _attempt("the lines cannot be printed",
                     lambda: stats.print(config=self._source.path, **self.show_config))
        texts = [".txt"] if wanted["text"] else []
        if wanted["timestamped_text"]:
            from time import strftime

            texts.append(f"_{strftime('%Y-%m-%dT%H%M%S')}.txt")
        text = self._text(stats) if texts else b""
        for ending in texts:
            _written(prefix + ending, lambda path: _write(path, text))
        if wanted["lprof"] and _written(f"{prefix}.lprof", stats.to_file):
            print(f"To view details run:\n{get_python_executable()} -m scope_profiler.line_profiler "
                  f"-rtmz {prefix}.lprof")

    def _text(self, stats: LineStats) -> bytes:
        from io import StringIO

        stream = StringIO()
        settings = {**self.show_config, "rich": False, "details": True}
        stats.print(stream, config=self._source.path, **settings)
        return stream.getvalue().encode("utf-8", "backslashreplace")

    def _implicit_setup(self) -> None:
        variables, arguments = (self.setup_config[name] for name in ("environ_flags", "cli_flags"))
        if (any(boolean(os.environ.get(name, ""), fallback=True) for name in variables)
                or any(argument in sys.argv for argument in arguments)):
            self.enable()
        else:
            self.disable()

    def _kernprof_overwrite(self, profile: Any) -> None:
        """kernprof counts with its own, and writes what it has counted itself."""
        self._profile = profile
        self.enabled = True


def _written(path: str, write: Callable[[str], None]) -> bool:
    """Whether a file could be written; it is said either way."""
    written = _attempt(f"{path} cannot be written", lambda: write(path))
    if written:
        print(f"Wrote profile results to {path}")
    return written


def _attempt(failure: str, function: Callable[[], None]) -> bool:
    """Call a function, and say on standard error when it fails: the program ends, and there is more
    to be written."""
    try:
        function()
    except Exception as error:
        complain(failure, error)
        return False
    return True


def _write(path: str, content: bytes) -> None:
    from ..io import replacing

    with replacing(path) as file:
        file.write(content)


#: The one that programs use.
profile = GlobalProfiler()
