"""What magics of IPython share: a statement run under a profiler, and its results shown."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.page import page

from .._base.warning import warn
from .._instrument.without_lines import refusal
from .html import html
from .magic_words import MagicWords

if TYPE_CHECKING:
    from .profiler import LineProfiler
    from .stats import LineStats


def add_functions(profiler: LineProfiler, words: MagicWords, shell: Any) -> None:
    """Register what the options -f and -m name. Raises UsageError for what is not found."""
    for name in words.all("f"):
        with _found("function", name):
            function = eval(name, shell.user_global_ns, shell.user_ns)
            if not profiler.add_callable(function):
                warn(f"-f {name}: {refusal(function)}")
    for name in words.all("m"):
        with _found("module", name):
            profiler.add_module(__import__(name, fromlist=[""]))


class Run:
    """What a call came to."""

    def __init__(self, call: Callable[[], object]) -> None:
        #: What ended it, where that is no error.
        self.message: str | None = None
        begun = perf_counter()
        try:
            call()
        except (SystemExit, KeyboardInterrupt) as end:
            self.message = f"{type(end).__name__} exception caught in code being profiled."
        #: How long it took.
        self.seconds = perf_counter() - begun


@contextmanager
def _found(what: str, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise UsageError(
            f"Could not find {what} {name}.\n{type(error).__name__}: {error}") from None


@contextmanager
def builtin(profiler: Any) -> Iterator[None]:
    """Inside, `profile` is the profiler wherever it is undefined."""
    names = vars(builtins)
    before = dict(names)
    names["profile"] = profiler
    try:
        yield
    finally:
        if "profile" in before:
            names["profile"] = before["profile"]
        else:
            names.pop("profile", None)


def tell(
    shell: Any, profiler: LineProfiler, text: str, run: Run, words: MagicWords,
    to_html: Callable[[LineStats], str] = html,
) -> Any:
    """Show what was counted, as a table in a notebook and as text elsewhere; write the file of -T.
    The profiler where -r asks for it. to_html: makes that table."""
    text = text.rstrip()
    if getattr(shell, "kernel", None) is None:
        page(text)
    else:
        shell.display_pub.publish({"text/plain": text, "text/html": to_html(profiler.get_stats())})
    if (path := words.last("D")) is not None:
        profiler.dump_stats(path)
        print(f"\n*** Profile stats pickled to file {path!r}.")
    if (path := words.last("T")) is not None:
        with open(path, "w", encoding="utf-8") as file:
            print(text, file=file)
        print(f"\n*** Profile printout saved to text file {path!r}.")
    if run.message:
        print(f"\n*** {run.message}")
    return profiler if words.has("r") else None
