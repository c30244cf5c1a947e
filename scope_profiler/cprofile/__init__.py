"""`cProfile`, on this package's tracing of every function: `import scope_profiler.cprofile as cProfile`.

    with Profile() as profile:
        main()
    profile.print_stats("cumulative")
    pstats.Stats(profile).dump_stats("main.prof")

What is different: a generator or coroutine is one call, however often it is resumed; comprehensions are
part of the function that they stand in; functions of all threads are recorded, not those of one; in a
recursion all calls count as primitive, for who made the outermost one. docs/exports.md has more.
"""

from __future__ import annotations

from typing import Any

from .function_profiler import Profile

__all__ = ["Profile", "run", "runctx"]


def run(statement: str, filename: str | None = None, sort: Any = -1) -> None:
    """Run a statement in `__main__` and print what it called, or write that to a file for pstats.

    sort: A key of `pstats.Stats.sort_stats`, or several in a tuple. SystemExit ends the statement
    alone; what else it raises passes, after the printing.
    """
    import __main__

    runctx(statement, vars(__main__), vars(__main__), filename, sort)


def runctx(
    statement: str,
    globals: dict[str, Any],
    locals: Any,
    filename: str | None = None,
    sort: Any = -1,
) -> None:
    """As `run`, in these namespaces."""
    profile = Profile()
    try:
        profile.runctx(statement, globals, locals)
    except SystemExit:
        pass
    finally:
        if filename is None:
            profile.print_stats(sort)
        else:
            profile.dump_stats(filename)
