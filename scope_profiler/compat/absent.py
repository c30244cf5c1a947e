"""What scope-profiler 0.7.5 has at its top level, and this version has not."""

# {reason: names}. The reason is in the message of the AttributeError.
_NAMES = {
    "this version has no LIKWID counters": "LikwidRegionResult",
    "this version has no perf events": "PerfEventError PerfEventTotals",
}

#: {name: why it is not there, or what is there instead}
ABSENT = {name: reason for reason, names in _NAMES.items() for name in names.split()}


def explain(name):
    """What to say to one who asks scope_profiler for a name that it does not have."""
    if name in ABSENT:
        return f"scope_profiler has no {name}: {ABSENT[name]}"
    return f"module 'scope_profiler' has no attribute {name!r}"
