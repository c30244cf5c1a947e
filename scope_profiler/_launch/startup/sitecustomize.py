"""What Python imports as it starts in a process that inherits this folder in PYTHONPATH: a child of a
program that is profiled with its children (scope_profiler/_runtime/following.py).

It makes room for the sitecustomize that there would have been, and then records the process. This runs
in whatever Python the program starts, of any version, so it is written for all; a Python other than the
parent's is left alone.
"""

import os
import sys


def _make_room():
    """Import the sitecustomize of the user, if there is one, in the place of this."""
    ours = sys.modules.pop("sitecustomize", None)
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != folder]
    try:
        import sitecustomize  # noqa: F401
    except ImportError as error:
        if getattr(error, "name", None) != "sitecustomize" and sys.version_info[0] > 2:
            raise
    finally:
        sys.modules.setdefault("sitecustomize", ours)


def _is_helper():
    """Whether the process runs nothing of the program: it looks after what others leave behind."""
    return any("resource_tracker import main" in text for text in sys.orig_argv)


def _record():
    text = os.environ.get("SCOPE_PROFILER_FOLLOW")
    implementation = getattr(sys, "implementation", None)
    if not text or implementation is None or sys.version_info < (3, 11):
        return
    import json

    told = json.loads(text)
    if told["python"] != [implementation.cache_tag, sys.abiflags] or _is_helper():
        return
    # The process that has begun it all may have become another program, by os.execv().
    again = " again" if told["root"] == os.getpid() else ""
    os.environ["SCOPE_PROFILER_FOLLOWED"] = str(os.getpid()) + again
    _import_from(told["package"])
    from importlib import import_module

    manager = import_module("scope_profiler").ProfileManager._default
    import_module("scope_profiler._launch.child").begin(manager, told)


def _import_from(folder):
    """Import the package from where the parent has it: this process may have another sys.path."""
    if "scope_profiler" in sys.modules:
        return
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("scope_profiler", os.path.join(folder, "__init__.py"),
                                   submodule_search_locations=[folder])
    module = sys.modules["scope_profiler"] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules["scope_profiler"]
        raise


try:
    _make_room()
finally:
    try:
        _record()
    except Exception as error:  # the process runs all the same
        sys.stderr.write("scope-profiler: a child process is not recorded: "
                         + type(error).__name__ + ": " + str(error) + "\n")
