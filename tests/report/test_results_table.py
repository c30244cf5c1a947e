"""The table made of results: what it shows, in which order, and what it says it does not show."""

import io

import pytest
from results_support import AGGREGATES, SECOND, region, results

from scope_profiler.report.table_columns import HEADINGS, SORT_KEYS
from scope_profiler.report.rows import region_row
from scope_profiler.results import MPIRegion, ProfilingResults, Region

US = 1_000
MEMORY_COLUMNS = ("allocated", "freed", "peak", "allocations", "frees")


@pytest.fixture
def run():
    """solve( inner inner ) setup, on two ranks, in a run of 100 µs."""

    def at(*calls, **facts):
        return region(*((a * US, b * US) for a, b in calls), **facts)

    return ProfilingResults(
        {
            "solve": MPIRegion("solve", {0: at((10, 60)), 1: at((10, 40))}),
            "inner": MPIRegion("inner", {0: at((20, 30), (35, 55))}),
            "setup": MPIRegion("setup", {0: at((2, 4)), 1: at((3, 5))}),
        },
        {"start_time_ns": 0, "finalize_time_ns": 100 * US},
        file_path="x.h5",
    )


def printed(run, sort="start", **arguments):
    stream = io.StringIO()
    run.print_summary(stream=stream, sort=sort, **arguments)
    return stream.getvalue().splitlines()


def column(run, name, **arguments):
    """The texts of one column, without its heading."""
    lines = printed(run, columns=name, suppress_notes=True, **arguments)
    return [line.strip() for line in lines[5:]]


def test_the_table(run):
    assert printed(run) == [
        "",
        "scope-profiler: x.h5 (2 ranks) – 100.0 µs, 3 regions, 6 calls",
        "",
        "Region    Ranks  Calls  % run     Total       Own   Average       Min       p50       p99"
        "       Max       Std",
        "─" * 109,
        "setup       0-1      2    2.0  4.000 µs  4.000 µs  2.000 µs  2.000 µs  2.000 µs  2.000 µs"
        "  2.000 µs      0 ns",
        "solve       0-1      2   40.0  80.00 µs  50.00 µs  40.00 µs  30.00 µs  40.00 µs  49.80 µs"
        "  50.00 µs  10.00 µs",
        "└─ inner      0      2   15.0  30.00 µs  30.00 µs  15.00 µs  10.00 µs  15.00 µs  19.90 µs"
        "  20.00 µs  5.000 µs",
        "% run: of the wall time of 2 processes together, 200.0 µs.",
    ]


def test_the_longest_comes_first_as_in_the_report(run):
    stream = io.StringIO()
    run.print_summary(stream=stream, columns="region")
    assert [line.strip() for line in stream.getvalue().splitlines()[5:8]] == [
        "solve", "└─ inner", "setup"]


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("region", ["setup", "solve", "└─ inner"]),
        ("name", ["setup", "solve", "└─ inner"]),
        ("ranks", ["0-1", "0-1", "0"]),
        ("calls", ["2", "2", "2"]),
        ("total", ["4.000 µs", "80.00 µs", "30.00 µs"]),
        ("percent", ["2.0", "40.0", "15.0"]),
        ("parent_percent", ["–", "–", "37.5"]),
        ("own", ["4.000 µs", "50.00 µs", "30.00 µs"]),
        ("errors", ["", "", ""]),
        ("net", ["–", "–", "–"]),
        ("running", ["–", "–", "–"]),
        ("waiting", ["–", "–", "–"]),
        ("avg", ["2.000 µs", "40.00 µs", "15.00 µs"]),
        ("gpu_total", ["–", "–", "–"]),
        ("gpu_avg", ["–", "–", "–"]),
        ("min", ["2.000 µs", "30.00 µs", "10.00 µs"]),
        ("max", ["2.000 µs", "50.00 µs", "20.00 µs"]),
        ("first", ["2.000 µs", "50.00 µs", "10.00 µs"]),
        ("last", ["2.000 µs", "50.00 µs", "20.00 µs"]),
        ("std", ["0 ns", "10.00 µs", "5.000 µs"]),
        ("p50", ["2.000 µs", "40.00 µs", "15.00 µs"]),
        ("p90", ["2.000 µs", "48.00 µs", "19.00 µs"]),
        ("p95", ["2.000 µs", "49.00 µs", "19.50 µs"]),
        ("p99", ["2.000 µs", "49.80 µs", "19.90 µs"]),
        ("p999", ["2.000 µs", "49.98 µs", "19.99 µs"]),
        ("imbalance", ["0.0", "25.0", "0.0"]),
        *((name, ["–", "–", "–"]) for name in MEMORY_COLUMNS),
        ("work", ["", "", ""]),
        ("rate", ["", "", ""]),
    ],
)
def test_columns(run, name, texts):
    assert column(run, name) == texts


def test_every_column_is_tested():
    [(_, cases)] = [mark.args for mark in test_columns.pytestmark]
    assert {name for name, _ in cases} == {"name", *HEADINGS}


def test_columns_in_the_order_given(run):
    assert printed(run, columns=["calls", "region", "percent"])[3:8] == [
        "Calls  Region    % run",
        "──────────────────────",
        "    2  setup       2.0",
        "    2  solve      40.0",
        "    2  └─ inner   15.0",
    ]


@pytest.mark.parametrize("sort", [
    key for key in SORT_KEYS if key not in ("start", *MEMORY_COLUMNS)])
def test_rows_are_sorted_below_the_same_parent(sort):
    # In each respect a is the least of the three.
    calls = {
        "b": (((50, 52), (60, 64), (70, 76)), ((0, 9),)),
        "c": (((80, 83), (84, 90), (90, 97), (97, 99)), ((100, 150),)),
        "a": (((10, 11),), ((10, 11),)),
    }
    run = ProfilingResults(
        {
            name: MPIRegion(name, {0: region(*first), 1: region(*second)})
            for name, (first, second) in calls.items()
        }
    )
    names = column(run, "region", sort=sort)
    if sort == "name":
        assert names == ["a", "b", "c"]
    else:
        assert names[-1] == ("c" if sort in ("running", "waiting", "net", "errors") else "a")
        values = [SORT_KEYS[sort](region_row(run[name])) for name in names]
        if values[0] is not None:
            assert values == sorted(values, reverse=True)
    assert column(run, "region") == ["b", "a", "c"]


def test_parents_keep_their_children_however_sorted(run):
    for sort in SORT_KEYS:
        names = column(run, "region", sort=sort)
        assert names.index("└─ inner") == names.index("solve") + 1
    assert column(run, "region", sort="total") == ["solve", "└─ inner", "setup"]


def test_ranks(run):
    assert column(run, "total", ranks=1) == ["2.000 µs", "30.00 µs"]
    assert column(run, "percent", ranks=[1]) == ["2.0", "30.0"]
    assert printed(run, ranks=[7])[-1] == "No region was entered."


def test_regions_are_chosen(run):
    assert column(run, "region", include="in") == ["inner"]
    assert column(run, "region", exclude=["se", "x"]) == ["solve", "└─ inner"]
    # The time of a region that is not shown is not its parent's.
    assert column(run, "own", exclude="inner") == ["4.000 µs", "50.00 µs"]


def test_percentage_mode(run):
    assert column(run, "percent", percentage_mode="exclusive") == ["2.0", "25.0", "15.0"]


def test_title(run):
    assert printed(run, title="Now")[1].startswith("scope-profiler: Now – 100.0 µs")
    run.label = "night"
    assert printed(run)[1].startswith("scope-profiler: night - x.h5 (2 ranks) – ")


def test_a_run_of_unknown_length_is_as_long_as_its_calls():
    run = results(a=region((10 * US, 30 * US)), b=region((20 * US, 50 * US)))
    assert "in memory (1 rank) – 40.00 µs" in printed(run)[1]
    assert column(run, "percent") == ["50.0", "75.0"]
    assert column(results(a=region((5, 5))), "percent") == ["–"]


def test_recursion_is_one_row():
    run = results(f=region((0, 100), (10, 90), (20, 80)))
    assert printed(run, columns=["region", "calls", "total", "own"])[-1].split() == [
        "f", "3", "100", "ns", "100", "ns",
    ]  # fmt: skip


def test_only_aggregates():
    run = results(
        b=Region(statistics=AGGREGATES, exclusive_total_ns=70, inclusive_total_ns=90),
        a=Region(statistics=AGGREGATES),
        never=Region(),
    )
    lines = printed(run, columns=["region", "total", "own", "p50", "p95"])
    assert lines[1].endswith("2 regions, 8 calls")
    assert lines[5:] == [
        "b        90 ns  70 ns  24 ns    –",
        "a       100 ns      –  24 ns    –",
        "",
        "Only aggregates were kept: it is not known which calls are inside which.",
    ]
    assert printed(run, suppress_notes=True)[-1].startswith("a")


def test_some_calls_without_intervals():
    run = results(a=region((0, 10)), b=region((2, 4), statistics=AGGREGATES))
    lines = printed(run, columns=["region", "calls"])
    assert lines[5:] == [
        "a           1",
        "└─ b        1",
        "",
        "3 calls without start and end are left out.",
    ]
    assert printed(run, columns="region", suppress_notes=True)[-1] == "└─ b"


def test_calls_that_are_none():
    run = results(a=region((10, 20), (30, 25)))
    assert printed(run)[-1] == (
        "It is not known which calls are inside which: a call ends 5 ns before it starts."
    )


def test_long_tables_leave_out_what_stands_for_nothing():
    regions = {f"r{i:03}": region((i * SECOND, (i + 1) * SECOND)) for i in range(100)}
    run = results(**regions, tiny=region((200 * SECOND, 200 * SECOND + 1)))
    lines = printed(run)
    assert len(lines) == 5 + 100 + 1
    assert lines[-1] == (
        "… and 1 row not shown, of those that took least; all: print_summary(whole=True)")
    assert printed(run, whole=True)[-1].startswith("tiny ")


def test_nothing_is_printed_where_another_rank_has_the_run(run):
    assert printed(ProfilingResults({"solve": run["solve"]}, is_root=False)) == []


def test_it_goes_to_standard_output(run, capsys):
    run.print_summary(columns="region")
    assert capsys.readouterr().out.splitlines()[-2:] == ["└─ inner", "setup"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"columns": ["region", "x"]}, "columns takes region, ranks, .*imbalance; got 'x'"),
        ({"columns": []}, "columns takes at least one of region, .*; got none"),
        ({"sort": "x"}, "sort takes start, name, calls, .*; got 'x'"),
        ({"percentage_mode": "x"}, "percentage_mode takes coverage, exclusive; got 'x'"),
        ({"include": "("}, "include takes regular expressions"),
    ],
)
def test_bad_arguments_are_named(run, arguments, text):
    with pytest.raises(ValueError, match=text):
        printed(run, **arguments)
