"""The command `scope-profiler`; click is loaded when it runs, not with the package."""

import sys


def main(argv=None):
    """Run the command with these arguments (sys.argv[1:]); returns its exit status, or raises
    SystemExit and, under `run`, what the profiled program raises.

    Called with arguments, as programs call it, it has done all when it returns: the results of `run`
    are written, and sys.argv, sys.path and `__main__` are as before. Without, it is the command
    itself, which finalizes when the process ends.
    """
    return _called(None, "scope-profiler", argv)


def main_of_kernprof(argv=None):
    """The same for the command `sp-kernprof`, which is `scope-profiler kernprof`."""
    return _called("kernprof", "sp-kernprof", argv)


def _called(command, name, argv):
    if argv is None:
        return _main(command, name, None)
    from .._launch.main_program import restored

    with restored():
        return _main(command, name, list(argv))


def _main(command, name, argv):
    from .._base.needs import explained

    with explained():
        import click

        from .group import group

    chosen = group if command is None else group.get_command(None, command)
    try:
        result = chosen.main(argv, name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        print("Aborted.", file=sys.stderr)
        return 1
    # A command that runs somebody's program hands it out, to be run outside click, which has
    # ideas of its own about KeyboardInterrupt, EOFError and broken pipes.
    return result(is_process=argv is None) if callable(result) else result
