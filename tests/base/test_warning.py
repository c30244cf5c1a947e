"""warning.py: a warning points at the line that led to it, however it got there."""

from contextlib import ExitStack
import subprocess
import sys

import pytest

import scope_profiler as sp
from scope_profiler import ProfileManager, ProfilingOptions

LIMIT = {"buffer_limit": 7, "deactivate_file_output": True}


def through_the_class():
    ProfileManager.setup(**LIMIT)


def through_the_module():
    sp.setup(**LIMIT)


def through_a_manager():
    ProfileManager().setup(**LIMIT)


def through_a_session():
    with sp.session(verbose=False, **LIMIT):
        pass


def through_an_exit_stack():
    with ExitStack() as stack:
        stack.enter_context(sp.session(verbose=False, **LIMIT))


def through_a_decorator():
    @sp.session(verbose=False, **LIMIT)
    def work():
        pass

    work()


def through_options():
    ProfilingOptions(flush_to_disk=True)


def through_an_older_keyword():
    sp.setup(flush_to_disk=False)


@pytest.mark.parametrize("way", [
    through_the_class, through_the_module, through_a_manager, through_a_session,
    through_an_exit_stack, through_a_decorator, through_options, through_an_older_keyword,
], ids=lambda way: way.__name__)
def test_the_line_is_that_of_the_user(way):
    with pytest.warns((UserWarning, DeprecationWarning)) as caught:
        way()
    [warning] = caught
    assert warning.filename == __file__
    code = way.__code__
    assert code.co_firstlineno < warning.lineno <= max(line for *_, line in code.co_lines() if line)


def test_the_same_place_warns_once(tmp_path):
    program = ("import scope_profiler as sp\n"
               "for _ in range(3):\n"
               "    sp.setup(buffer_limit=7, replace=True)\n")
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, tmp_path / "program.py"], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert done.stderr.count("UserWarning: buffer_limit=7 has no effect") == 1
    assert "program.py:3: UserWarning" in done.stderr


def test_without_a_user_it_points_at_the_outermost_frame(recwarn):
    # A module named as if it were ours, with nothing around it.
    exec("from scope_profiler._base.warning import warn\nwarn('x')",
         {"__name__": "scope_profiler.y"})
    assert recwarn.pop(UserWarning).filename == __file__
    program = "__name__ = 'scope_profiler.y'\nfrom scope_profiler._base.warning import warn\nwarn('x')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, "<string>:3: UserWarning: x" in done.stderr) == (0, True)
