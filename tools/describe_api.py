"""Print the public interface of the scope_profiler that is installed, as JSON.

Runs under ours and under 0.7.5 alike: {subject: {member: what it is}}, where a subject is a
function, a class, an object of it or the rows that a method gives. What a member is: its parameters
in parentheses, or a word; the member "()" is the subject when it is called.
"""

import contextlib
import importlib
import inspect
import io
import json
import pkgutil
import sys
import threading

import scope_profiler as sp

# Modules that have classes which are not at the top level.
MODULES = ("profile_config", "concurrency")

CLASSES = (
    "ProfileManager", "ProfilingOptions", "GPUOptions", "HDF5Options", "MemrayOptions",
    "SetupOptions", "TaskInfo", "CallArrays",
)
EXCEPTIONS = (
    "CorruptProfileError", "EventDataUnavailableError", "JSONProfileError", "NestingError",
)

#: What is described of a region: in each mode, by the settings that choose it.
MODES = {
    "a region": {},
    "a region, aggregation_mode": {"aggregation_mode": True},
    "a region, track_threads": {"track_threads": True},
    "a region, use_line_profiler": {"use_line_profiler": True},
    "a region, deactivate_profiling": {"deactivate_profiling": True},
}


def main():
    with contextlib.redirect_stdout(io.StringIO()):
        described = describe()
    json.dump(described, sys.stdout, indent=0, sort_keys=True)
    print()


def describe():
    named = {name: getattr(sp, name) for name in sp.__all__ if hasattr(sp, name)}
    return {
        "scope_profiler": dict.fromkeys(named, "name"),
        "modules": modules(),
        **{name: functions(value) for name, value in named.items() if is_function(name, value)},
        **{name: {"()": parameters(find(name)), **members(find(name))} for name in CLASSES},
        **{name: bases(getattr(sp, name)) for name in EXCEPTIONS if hasattr(sp, name)},
        **objects(),
    }


def modules():
    return {found.name: "module" for found in pkgutil.iter_modules(sp.__path__)
            if not found.name.startswith("_") and found.name != "tests"}


def is_function(name, value):
    """Whether it is one that is not described elsewhere."""
    return (callable(value) and not isinstance(value, type)
            and not hasattr(sp.ProfileManager, name))


def functions(value):
    return {"()": parameters(value)}


def find(name):
    """The class of that name, wherever this version has it."""
    for module in MODULES:
        with contextlib.suppress(ImportError, AttributeError):
            return getattr(importlib.import_module(f"scope_profiler.{module}"), name)
    return getattr(sp, name)


def bases(error):
    return {base.__name__: "base" for base in error.__mro__ if base.__module__ == "builtins"}


def members(thing):
    """The public attributes and methods of a class or object."""
    # What dicts and tuples have is not ours to describe, and differs between Pythons.
    names = {*dir(thing)} - {*dir(dict), *dir(tuple)} | {*getattr(thing, "__annotations__", ())}
    return {name: member(thing, name) for name in names if not name.startswith("_")}


def member(thing, name):
    with contextlib.suppress(AttributeError):
        static = inspect.getattr_static(thing, name)
        if not isinstance(static, property) and callable(getattr(thing, name)):
            return parameters(getattr(thing, name))
    return "attribute"


def parameters(callable):
    """As they would stand in a `def`, without self; "(...)" when they are not to be found out."""
    try:
        signature = inspect.signature(callable)
    except (TypeError, ValueError):
        return "(...)"
    kept = [plain(one) for one in signature.parameters.values() if one.name != "self"]
    text = str(inspect.Signature(kept)).replace("Ellipsis", "...")
    return "(...)" if text == "(*args, **kwargs)" else text  # 3.13 says that of anything in C


def plain(parameter):
    """Without its annotation, and `...` for a default that has no form in source."""
    default = parameter.default
    if default is not parameter.empty and not is_plain(default):
        default = ...
    return parameter.replace(annotation=parameter.empty, default=default)


def is_plain(value):
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return isinstance(value, (bool, int, float, str, type(None)))


def objects():
    """What objects have, and the keys of the dicts that they give."""
    found = {}
    for mode, settings in MODES.items():
        manager = sp.ProfileManager()
        manager.setup(deactivate_file_output=True, **settings)
        found[mode] = members(manager.region("r"))

    manager = sp.ProfileManager()
    config = manager.get_config()
    factory = manager.region_factory("made")
    found["ProfilingConfig"] = {"()": parameters(type(config)), **members(config)}
    found["defaults in effect"] = {
        name: repr(getattr(config, name)) for name in members(config)
        if name != "start_time_ns" and is_plain(getattr(config, name))
    }
    found["RegionHandle"] = members(manager.define_region("handled"))
    found["RegionFactory"] = {"()": parameters(factory), **members(factory)}

    run = recorded(manager)
    results = run.results
    found["ProfilingRun"] = members(run)
    found["ProfilingResults"] = {"()": parameters(type(results)), **members(results)}
    region = results["f"]
    for one in (region, region[0]):
        found[type(one).__name__] = {"()": parameters(type(one)), **members(one)}
    found["ThreadInfo"] = members(results.threads[0][0])
    rows = {
        "ProfilingResults.summary()": results.summary(),
        "ProfilingResults.events()": results.events(),
        "ProfilingResults.call_stack()": results.call_stack(),
        "ProfilingResults.call_graph()": results.call_graph(),
        "ProfilingResults.thread_summary()": results.thread_summary(),
        "MPIRegion.get_summary()": [region.get_summary()],
        "Region.get_summary()": [region[0].get_summary()],
        "Region.events()": region[0].events(),
    }
    for name, dicts in rows.items():
        found[f"keys of {name}"] = dict.fromkeys((key for row in dicts for key in row), "key")
    found["results.metadata"] = dict.fromkeys(results.metadata, "key")
    return found


def recorded(manager):
    """A finalized run of two threads, with nesting, recursion and metadata."""

    @manager.profile("f")
    def f(n):
        with manager.region("loop"), manager.metadata(n=n):
            return n and f(n - 1)

    run = manager.setup(deactivate_file_output=True, track_threads=True, track_async=True,
                        label="described")
    f(1)
    thread = threading.Thread(target=f, args=(1,))
    thread.start()
    thread.join()
    run.finalize(verbose=False)
    return run


if __name__ == "__main__":
    main()
