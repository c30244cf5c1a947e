"""Which regions a line counts for: random blocks of several regions and managers in one frame."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
import itertools

from hypothesis import HealthCheck, Phase, given, settings, strategies as st
import pytest

from conftest import examples
from scope_profiler import ProfileManager, _core
from scope_profiler._instrument.lines import counted_lines, watch
from scope_profiler._model.counted_lines import once

fast = settings(
    max_examples=examples(60), deadline=None, derandomize=True, phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
REGIONS = st.sampled_from([(manager, region) for manager in (0, 1) for region in "abc"])
#: A block is (its region, what is inside); what is inside are blocks and the lines between them.
BLOCKS = st.recursive(st.just(()), lambda inside: st.lists(st.tuples(REGIONS, inside),
                                                           max_size=3).map(tuple), max_leaves=12)


def source_of(blocks, yields, open_ones, expected, numbers, indent="    "):
    """The lines of a function; expected: {(manager, region): {line: ns}} of those that tick."""
    def tick():
        number = next(numbers)
        for manager, name in open_ones:
            expected.setdefault((manager, name), {})[number] = 10 ** (number % 7)
            expected.setdefault((manager, None), {})[number] = 10 ** (number % 7)
        return f"{indent}tick({10 ** (number % 7)})  # {number}"

    yield tick()
    for region, inside in blocks:
        yield f"{indent}with regions[{region!r}]:"
        yield from source_of(inside, yields, open_ones | {region}, expected, numbers,
                             indent + "    ")
        if yields:
            yield f"{indent}    yield"
        yield tick()


def counted(records, source):
    """{number of a tick: ns} of the lines, each of which was hit once."""
    lines = source.split("\n")
    found = {}
    for _, rows in records:
        for line, hits, ns, *_ in rows:
            if "#" in lines[line - 1]:
                assert hits == 1, lines[line - 1]
                found[int(lines[line - 1].split("#")[1])] = ns
    return found


def in_steps(generator):
    for _ in generator:
        pass


def in_many_threads(generator):
    """Each step in another thread than the one before."""
    pools = [ThreadPoolExecutor(1) for _ in range(3)]
    for pool in itertools.cycle(pools):
        if pool.submit(next, generator, "over").result() == "over":
            break
    for pool in pools:
        pool.shutdown()


@fast
@given(BLOCKS, st.sets(REGIONS, max_size=2), st.sets(REGIONS, max_size=2))
def check(steps, blocks, decorators, watchers):
    watchers = set() if steps is in_many_threads else watchers  # they are open in one alone
    managers = [ProfileManager(), ProfileManager()]
    for manager in managers:
        manager.setup(use_line_profiler=True, deactivate_file_output=True)
    regions = {(i, name): manager.region(name) for i, manager in enumerate(managers)
               for name in "abc"}
    now = [1_000]

    def tick(ns):
        now[0] += ns
        _core._fake_clock(now[0])

    expected = {}
    body = source_of(blocks, steps is not None, decorators | watchers, expected, itertools.count())
    source = "\n".join(["def f():", "    yield" if steps else "", *body, ""])
    names = {"regions": regions, "tick": tick}
    exec(compile(source, "<random>", "exec"), names)
    function = names["f"]
    for region in watchers:
        watch(regions[region], [function])
    for manager, name in sorted(decorators):
        function = managers[manager].profile(name)(function)
    _core._fake_clock(now[0])
    try:
        with ExitStack() as around:
            for region in sorted(watchers):
                around.enter_context(regions[region])
            result = function()
            if steps is not None:
                steps(result)
        for (i, name), ticks in expected.items():
            region = None if name is None else regions[i, name]
            tables = counted_lines(managers[i], region)
            rows = once(tables) if region is None else [(each.code, each.rows) for each in tables]
            assert counted(rows, source) == ticks, (i, name, source)
    finally:
        _core._fake_clock(None)
        for manager in managers:
            manager.reset()


@pytest.mark.parametrize("steps", [None, in_steps, in_many_threads])
def test_each_line_counts_for_the_regions_that_are_open(steps):
    check(steps)
