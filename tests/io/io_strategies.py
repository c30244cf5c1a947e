"""Results of every kind that there can be, for hypothesis to make."""

from hdf5_support import run
from hypothesis import strategies as st

from scope_profiler._model.statistics import LONGEST_NS
from scope_profiler.results import (
    FLOAT_STATISTICS,
    INTEGER_STATISTICS,
    EventMetadata,
    Region,
    TaskInfo,
    ThreadInfo,
)

texts = st.text(st.characters(), max_size=8)  # of surrogates and NULs, too
integers = st.integers(-(2**63) + 1, 2**63 - 1)
totals = st.integers(0, 2**62)
ids = st.integers(-1, 2**40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda values: (
        st.lists(values, max_size=2) | st.dictionaries(texts, values, max_size=2)
    ),
    max_leaves=4,
)
tables = st.lists(st.dictionaries(texts, json_values, max_size=2), max_size=3)
ranks = st.integers(0, 2**32 - 1)


@st.composite
def regions(draw, table):
    count = draw(st.integers(0, 6))
    sized = {"min_size": count, "max_size": count}
    column = st.none() | st.lists(ids, **sized)
    known = {
        "start_times_ns": sorted(draw(st.lists(st.integers(-(2**60), 2**60), **sized))),
        "durations_ns": draw(st.lists(st.integers(0, 2**58), **sized)),
        "thread_ids": draw(column),
        "task_ids": draw(column),
        "await_ns": draw(column),
    }
    if draw(st.booleans()):
        known["call_ids"] = draw(st.lists(ids, **sized))
        known["parent_ids"] = draw(st.lists(ids, **sized))
    if draw(st.booleans()):
        chosen = draw(st.just(table) | tables)
        rows = st.integers(-1, len(chosen) - 1)
        known["event_metadata"] = EventMetadata(draw(st.lists(rows, **sized)), chosen)
    if draw(st.booleans()):
        known["statistics"] = draw(statistics(count))
    return Region(
        exclusive_total_ns=draw(st.none() | integers),
        inclusive_total_ns=draw(st.none() | integers),
        corrected_exclusive_ns=draw(st.none() | integers),
        corrected_total_ns=draw(st.none() | integers),
        errors=draw(totals),
        tags=draw(st.lists(texts, max_size=2)),
        source_file=draw(st.none() | texts),
        source_lineno=draw(st.none() | totals),
        source_text=draw(st.none() | texts),
        **known,
    )


def statistics(count):
    """Of more calls than are there: else the columns are the source, and have to agree."""
    more = {
        **dict.fromkeys(INTEGER_STATISTICS[2:], totals),
        **dict.fromkeys(FLOAT_STATISTICS, st.floats(-LONGEST_NS, LONGEST_NS, exclude_min=True)),
    }
    return st.fixed_dictionaries(
        {"count": st.integers(count + 1, count + 3), "total": totals}, optional=more
    )


@st.composite
def line_functions(draw):
    count = draw(st.integers(0, 3))
    sized = {"min_size": count, "max_size": count}
    return {
        "region": draw(texts), "filename": draw(texts), "function": draw(texts),
        "first_lineno": draw(totals), "unit": draw(st.floats()),
        "line_numbers": draw(st.lists(integers, **sized)),
        "hits": draw(st.lists(integers, **sized)),
        "times": draw(st.lists(st.floats(), **sized)),
        **draw(st.fixed_dictionaries({}, optional={"source": texts})),
    }  # fmt: skip


known_or_not = st.none() | totals
threads = st.tuples(
    st.integers(0, 2**40), texts, known_or_not, known_or_not, st.booleans(),
    known_or_not, known_or_not, known_or_not,
)  # fmt: skip
tasks = st.tuples(
    st.integers(0, 2**40), st.sampled_from(["task", "greenlet"]), texts, texts,
    known_or_not, known_or_not, known_or_not, known_or_not, known_or_not, known_or_not,
)  # fmt: skip


def lanes(kind, values):
    return st.dictionaries(ranks, st.lists(values, min_size=1, max_size=2), max_size=2).map(
        lambda by_rank: {
            rank: [kind(index, rank, *rest) for index, *rest in rows]
            for rank, rows in by_rank.items()
        }
    )


@st.composite
def results(draw):
    of_region = regions(draw(tables))
    by_name = st.dictionaries(texts, st.dictionaries(ranks, of_region, max_size=2), max_size=3)
    values = texts | integers | st.floats() | st.booleans() | st.lists(texts, max_size=3)
    return run(
        draw(by_name),
        draw(st.dictionaries(texts, values, max_size=3)),
        draw(st.dictionaries(ranks, st.lists(line_functions(), max_size=2), max_size=2)),
        threads=draw(lanes(ThreadInfo, threads)),
        tasks=draw(lanes(TaskInfo, tasks)),
        num_ranks=draw(st.none() | st.integers(0, 2**31)),
        event_data_available=draw(st.booleans()),
    )
