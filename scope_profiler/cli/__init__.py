"""The command `scope-profiler`; click is loaded when it runs, not with the package."""

import sys


def main(argv=None):
    """Run the command with these arguments (sys.argv[1:]); returns its exit status, or raises
    SystemExit and, under `run`, what the profiled program raises.

    Called with arguments, as programs call it, it has done all when it returns: the results of `run`
    are written, and sys.argv, sys.path and `__main__` are as before. Without, it is the command
    itself, which finalizes when the process ends.
    """
    if argv is None:
        return _main(None)
    from .._launch.main_program import restored

    with restored():
        return _main(list(argv))


def _main(argv):
    from .._base.needs import explained

    with explained():
        import click

        from .group import group

    try:
        result = group.main(argv, "scope-profiler", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        print("Aborted.", file=sys.stderr)
        return 1
    # A command that runs somebody's program hands it out, to be run outside click, which has
    # ideas of its own about KeyboardInterrupt, EOFError and broken pipes.
    return result(is_process=argv is None) if callable(result) else result
